"""Each row of "What changed since the book" is what today's Keras does.

Its test, marked with its number, runs what the chapter has and compares it with both pages.
"""

import importlib
import re
import sys
import warnings
from pathlib import Path

import chapter
import keras
import numpy as np
import pages
import programs
import pytest
from conftest import ENVIRONMENT, call, source
from keras.models import load_model
from measure import SCRIPTS
from pages import PAGES

SILENT = {"en": "**silent**", "ja": "**警告なし**"}
# Written instead in the reader's own code, while a script does it in another way or need not
ELSEWHERE = ['Dense(50, name="dense_1")', "epochs=10", "set_random_seed(0)", "random_state=0"]
ELSEWHERE += ['history.history["accuracy"]', "from keras.layers import Dense", "Input(shape=(4,))"]
ROW = r'(?m)^\| <a id="no-(\d+)"></a>\1 \|(.*) \|$'
TABLES = {}  # {language: {number of a row: its other cells}}, of the page that has rows
for page in PAGES:
    if rows := re.findall(ROW, page.read_text(encoding="utf-8")):
        cells = {int(number): [c.strip() for c in found.split(" |")] for number, found in rows}
        TABLES["ja" if page.name.endswith(".ja.md") else "en"] = cells
# 8 flowers: inputs (8, 4) and one-hot labels (8, 3)
FLOWERS = np.random.default_rng(0).random((8, 4)), np.eye(3)[np.arange(8) % 3]
BOOK = r"# *Book"
row = pytest.mark.row


def assert_shown(number, *facts):
    """Check that both pages have these facts in what they say of today."""
    for language, table in TABLES.items():
        today = re.sub("`|<!--.*?-->", "", table[number][1])
        missing = [fact for fact in facts if fact not in today]
        assert missing == [], f"row {number} ({language}) does not say {missing}"


@pytest.fixture
def model():
    """Return the iris network, compiled as in the chapter, not yet trained."""
    return chapter.build(chapter.IRIS)


def test_every_row_has_its_test(request):
    """18 is what test_outcomes.py holds of the curve of 05, 23 is about web pages."""
    if request.config.option.keyword or request.config.option.file_or_dir:
        pytest.skip("not all tests are selected")
    marks = [mark for item in request.session.items for mark in item.iter_markers("row")]
    tested = {18, 23} | {mark.args[0] for mark in marks}
    for language in SILENT:
        alone = tested ^ set(TABLES[language])
        assert alone == set(), (
            f"rows ({language}) without a test marked @row, or the other way round"
        )


@pytest.mark.parametrize("language", SILENT)
def test_numbers_lead_to_rows_that_name_the_script(language):
    table = TABLES[language]
    assert list(table) == list(range(1, len(table) + 1)), f"{language}: the numbers of the rows"
    shown = {number: set() for number in table}
    for script in SCRIPTS:
        comments = re.sub(r'(?s)""".*?"""', "", source(script))
        numbers = [int(number) for number in re.findall(rf"{BOOK} (\d+): \S", comments)]
        assert len(numbers) == len(re.findall(BOOK, comments)) > 0, f"{script}: a Book without row"
        unknown = [number for number in numbers if number not in table]
        assert unknown == [], f"{script}: a comment `# Book n:` leads to no row ({language})"
        for number in numbers:
            shown[number].add(script)
    for number, cells in table.items():
        named = set(re.findall(r"\b0\d\b", cells[-1]))
        where = f"# Book {number}: is in {shown[number]}"
        assert named == shown[number], f"row {number} ({language}) names {named}, {where}"
    silent = [number for number in table if SILENT[language] in table[number][1]]
    assert silent == list(range(1, len(silent) + 1)) != [], "silent rows come first"


@pytest.mark.parametrize("language", SILENT)
def test_what_is_to_be_written_stands_in_the_scripts_of_its_row(language):
    for number, cells in TABLES[language].items():
        for script in re.findall(r"\b0\d\b", cells[-1]):
            text = "".join(source(script).split())
            codes = [code for code in re.findall("`(.*?)`", cells[2]) if code not in ELSEWHERE]
            written = ["".join(code.replace("...", "").rstrip(")").split()) for code in codes]
            missing = [code for code in written if code not in text]
            assert missing == [], f"{script} does not have what row {number} ({language}) says"


def test_a_declared_difference_has_its_row():
    for script, declared in chapter.DIFFERENCES.items():
        comment = f"# Book {declared.row}:"
        assert comment in source(script), f"{script}: no comment {comment} for its DIFFERENCES"


@row(1)
def test_adadelta():
    old = keras.optimizers.get("Adadelta")
    assert [float(old.learning_rate), old.rho, old.epsilon] == pytest.approx([0.001, 0.95, 1e-7])
    low, high = (pages.average(name) for name in ("04-adadelta-default", "04-book"))
    assert float(high) - float(low) > 0.5
    assert_shown(1, "0.001", low, high)


@row(3)
def test_adagrad():
    old = keras.optimizers.get("Adagrad")
    values = [float(old.learning_rate), old.initial_accumulator_value, old.epsilon]
    assert values == pytest.approx([0.001, 0.1, 1e-7])
    low, high = (pages.average(name) for name in ("03-adagrad-default", "03-adagrad"))
    assert float(low) < float(pages.average("03")) < float(high)
    assert_shown(3, "0.001", "0.1", low, high)


@row(4)
def test_names_of_layers():
    keras.utils.clear_session()
    model = chapter.build(chapter.IRIS)
    assert [one.name for one in model.layers] == ["dense", "activation", "dense_1", "activation_1"]
    assert_shown(4, "dense", "activation", "dense_1", "activation_1")


@row(2)
def test_epochs(model):
    assert len(model.fit(*FLOWERS, verbose=0).epoch) == 1
    assert_shown(2, "1", "Keras 2.1.0")


@row(6)
def test_acc(model):
    history = model.fit(*FLOWERS, verbose=0)
    with pytest.raises(KeyError) as error:
        history.history["acc"]
    assert_shown(6, f"KeyError: {error.value}")
    assert "accuracy" in history.history


@row(19)
def test_summary_before_and_after_training(model, capsys):
    model.summary()
    before = capsys.readouterr().out
    assert "Total params: 403" in before
    assert "=====" not in before  # the chapter's ruler
    model.fit(*FLOWERS, verbose=0)
    model.summary()
    after = capsys.readouterr().out
    assert "Total params: 405" in after
    assert "Optimizer params: 2" in after
    assert_shown(19, "405")


@row(5)
def test_layers_core():
    with pytest.raises(ModuleNotFoundError) as error:
        importlib.import_module("keras.layers.core")
    assert_shown(5, str(error.value))


@row(7)
def test_input_dim():
    message = "Do not pass an `input_shape`"
    for program in chapter.IRIS, chapter.CNN:
        with pytest.warns(UserWarning, match=message):
            chapter.build(program)
    assert_shown(7, message.replace("`", ""))


@row(8)
def test_h5(model, tmp_path, caplog):
    model.fit(*FLOWERS, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        model.save(tmp_path / "model.h5")
    assert "legacy" not in str([warning.message for warning in caught])  # a line of the log instead
    again = load_model(tmp_path / "model.h5")
    assert np.array_equal(*[one.predict(FLOWERS[0], verbose=0) for one in (model, again)])
    for message in "This file format is considered legacy", "Compiled the loaded model, but":
        assert message in caplog.text
        assert_shown(8, message)
    if keras.backend.backend() == "tensorflow":  # what the guide says of training on
        with pytest.raises(ValueError, match="Unknown variable"):
            again.fit(*FLOWERS, verbose=0)


@row(20)
def test_keras_after_h5(model, tmp_path):
    model.fit(*FLOWERS, verbose=0)
    for name in "first.keras", "second.h5", "third.keras":
        model.save(tmp_path / name)
    assert type(load_model(tmp_path / "first.keras").optimizer).__name__ == "SGD"
    message = "Skipping variable loading for optimizer 'rm_sprop'"
    with pytest.warns(UserWarning, match=message):
        third = load_model(tmp_path / "third.keras")
    assert type(third.optimizer).__name__ == "RMSprop"
    assert_shown(20, message)


@row(9)
def test_progress_counts_batches(model, capsys):
    model.fit(*FLOWERS, batch_size=8)
    line = capsys.readouterr().out
    assert "1/1" in line
    assert "8/8" not in line
    assert line.rindex("accuracy:") < line.rindex("loss:")
    assert_shown(9, "1/1", "accuracy", "loss")


@row(11)
def test_digits_are_those_of_32_bits():
    assert_shown(11, str(float(np.float32(36 / 38))))


@row(10)
@pytest.mark.typed("01")
def test_the_backend_is_not_named(typed):
    assert "Using TensorFlow backend." not in typed[1].stdout + typed[1].stderr
    assert f"backend {keras.config.backend()}" in typed[1].stdout


@row(21)
@pytest.mark.typed("01")
def test_lines_at_the_start(typed):
    if keras.backend.backend() == "tensorflow" and sys.platform == "linux":
        assert "SSE4.1" not in typed[1].stderr
        for sign in "oneDNN", "cpu_feature_guard":
            assert sign in typed[1].stderr
            assert_shown(21, sign)


@row(22)
@pytest.mark.typed("01")
def test_no_exception_at_the_end(typed):
    assert "Exception ignored" not in typed[1].stderr
    keras.backend.clear_session()


def import_keras(folder, **more):
    """Return the last line of an `import keras` in a folder, with more environment."""
    code = folder / "import_keras.py"
    code.write_text("import keras\n")
    return call(code, [], folder, KERAS_HOME=str(folder), **more).stderr.splitlines()[-1]


@row(12)
def test_keras_without_tensorflow(tmp_path):
    missing = "No module named 'tensorflow'"
    # The folder of the script comes first: its package of this name says that there is none
    (tmp_path / "tensorflow.py").write_text(f"raise ModuleNotFoundError({missing!r})\n")
    line = import_keras(tmp_path, KERAS_BACKEND="tensorflow")
    assert line == f"ModuleNotFoundError: {missing}"
    assert_shown(12, missing)


@row(13)
def test_theano_in_the_settings_of_2017(tmp_path):
    settings = '{"backend": "theano", "floatx": "float32", "epsilon": 1e-07}'
    (tmp_path / "keras.json").write_text(settings)
    message = "Unable to import backend : theano"
    assert import_keras(tmp_path, KERAS_BACKEND="") == f"ValueError: {message}"
    assert_shown(13, message)


@row(13)
def test_channels_first_in_the_settings_of_2017(request):
    request.addfinalizer(lambda: keras.config.set_image_data_format("channels_last"))
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
        programs.handed_over(source("04"))
    assert_shown(13, "channels_first")


@row(14)
def test_damaged_mnist_is_downloaded_again(capsys):
    datasets = Path(ENVIRONMENT["KERAS_HOME"], "datasets")
    datasets.mkdir(exist_ok=True)
    (datasets / "damaged.npz").write_bytes(b"damaged")
    message = "URL fetch failure on https://"
    with pytest.raises(Exception, match=f"^{message}"):
        keras.datasets.mnist.load_data("damaged.npz")
    assert "Downloading data from https://" in capsys.readouterr().out
    assert_shown(14, message)


def losses(seed, **more):
    """Return the loss of each epoch of a training with a seed, compiled with more settings."""
    keras.utils.set_random_seed(seed)
    model = chapter.build(chapter.IRIS)
    model.compile(optimizer="SGD", loss="categorical_crossentropy", **more)
    return model.fit(*FLOWERS, batch_size=3, epochs=3, verbose=0).history["loss"]


@row(15)
@row(16)
def test_a_seed_repeats_a_run():
    assert losses(1) == losses(1) != losses(2)


@row(17)
def test_batches_in_one_call_change_no_result():
    steps = 1 if keras.backend.backend() == "torch" else 3  # PyTorch refuses more than 1
    assert losses(1, steps_per_execution=steps) == pytest.approx(losses(1), rel=1e-6)


def test_what_has_not_changed(model):
    for name in "SGD", "sgd":
        assert float(keras.optimizers.get(name).learning_rate) == pytest.approx(0.01)
    for layer in keras.layers.Dense(1), keras.layers.Conv2D(1, 1):
        assert type(layer.kernel_initializer).__name__ == "GlorotUniform"
    inputs, labels = (np.tile(array, (5, 1))[:33] for array in FLOWERS)
    model.fit(inputs, labels, verbose=0)
    assert int(model.optimizer.iterations) == 2  # 33 examples in batches of 32
    assert keras.utils.to_categorical([2], 3).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_with_code_is_refused(tmp_path, name, capsys):
    layer = keras.layers.Lambda(lambda x: (print("ran"), x)[1])
    keras.Sequential([keras.Input((2,)), layer]).save(tmp_path / name)
    capsys.readouterr()
    with pytest.raises(ValueError, match="disallowed by default"):
        load_model(tmp_path / name)
    assert "ran" not in capsys.readouterr().out
    load_model(tmp_path / name, safe_mode=False)
    assert "ran" in capsys.readouterr().out

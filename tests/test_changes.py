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
import pytest
from conftest import ENVIRONMENT, call, lesson
from keras.models import load_model
from measure import ROOT, SCRIPTS

SILENT = {"README.md": "**silent**", "README.ja.md": "**警告なし**"}
TABLES = {}  # {page: {number of a row: its other cells}}
for page in SILENT:
    rows = re.findall(r"(?m)^\| (\d+) \|(.*) \|$", (ROOT / page).read_text(encoding="utf-8"))
    TABLES[page] = {int(n): [cell.strip() for cell in cells.split(" |")] for n, cells in rows}
TESTED = {18, 23}  # 18 is what test_lessons.py holds of 05, 23 is about web pages
# 8 flowers: inputs (8, 4) and one-hot labels (8, 3)
FLOWERS = np.random.default_rng(0).random((8, 4)), np.eye(3)[np.arange(8) % 3]


def row(*numbers):
    """Mark the test of these rows."""
    return lambda test: TESTED.update(numbers) or test


def assert_shown(number, *facts):
    """Check that both pages have these facts in what they say of today."""
    for table in TABLES.values():
        assert [fact for fact in facts if fact not in table[number][1].replace("`", "")] == []


@pytest.fixture
def model():
    """Return the iris network, compiled as in the chapter, not yet trained."""
    keras.utils.clear_session()
    return chapter.build(chapter.IRIS)


def test_every_row_has_its_test_and_its_scripts_and_silent_rows_come_first():
    shown = {number: set() for number in TABLES["README.md"]}
    for script, path in SCRIPTS.items():
        text = path.read_text(encoding="utf-8")
        numbers = re.findall(r"# Book (\d+): \S", text)
        assert len(numbers) == len(re.findall("(?m)# *Book(?! 7:`)", text)) > 0
        for number in numbers:
            shown[int(number)].add(script)
    for name, table in TABLES.items():
        assert list(table) == sorted(TESTED) == list(range(1, len(table) + 1))
        assert {n: set(re.findall(r"\b0\d\b", cells[-1])) for n, cells in table.items()} == shown
        silent = [number for number in table if SILENT[name] in table[number][1]]
        assert silent == list(range(1, len(silent) + 1)) != []


@row(1, 3)
def test_adadelta_and_adagrad():
    old = keras.optimizers.get("Adadelta")
    assert [float(old.learning_rate), old.rho, old.epsilon] == pytest.approx([0.001, 0.95, 1e-7])
    old = keras.optimizers.get("Adagrad")
    values = [float(old.learning_rate), old.initial_accumulator_value, old.epsilon]
    assert values == pytest.approx([0.001, 0.1, 1e-7])
    low, high = (pages.spread(name)[1] for name in ("04-adadelta-default", "04-book"))
    assert float(high) - float(low) > 0.5
    assert_shown(1, "0.001", low, high)
    low, high = (pages.spread(name)[1] for name in ("03-adagrad-default", "03-adagrad"))
    assert float(low) < float(pages.spread("03")[1]) < float(high)
    assert_shown(3, "0.001", "0.1", low, high)


@row(2, 4, 6, 19)
def test_names_summary_epochs_and_acc(model, capsys):
    assert [one.name for one in model.layers] == ["dense", "activation", "dense_1", "activation_1"]
    assert_shown(4, "dense", "activation")
    model.summary()
    before = capsys.readouterr().out
    assert "Total params: 403" in before
    assert "=====" not in before  # the chapter's ruler
    history = model.fit(*FLOWERS, verbose=0)
    assert len(history.epoch) == 1
    assert_shown(2, "Keras 2.1.0")
    with pytest.raises(KeyError) as error:
        history.history["acc"]
    assert_shown(6, f"KeyError: {error.value}")
    assert "accuracy" in history.history
    model.summary()
    after = capsys.readouterr().out
    assert "Total params: 405" in after
    assert "Optimizer params: 2" in after
    assert_shown(19, "405")


@row(5, 7)
def test_layers_core_and_input_dim():
    with pytest.raises(ModuleNotFoundError) as error:
        importlib.import_module("keras.layers.core")
    assert_shown(5, str(error.value))
    message = "Do not pass an `input_shape`"
    for program in chapter.IRIS, chapter.CNN:
        with pytest.warns(UserWarning, match=message):
            chapter.build(program)
    assert_shown(7, message.replace("`", ""))


@row(8, 20)
def test_h5_and_keras_after_it(model, tmp_path, caplog):
    model.fit(*FLOWERS, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        for name in "first.keras", "second.h5", "third.keras":
            model.save(tmp_path / name)
    assert "legacy" not in str([warning.message for warning in caught])  # a line of the log instead
    assert type(load_model(tmp_path / "first.keras").optimizer).__name__ == "SGD"
    again = load_model(tmp_path / "second.h5")
    assert np.array_equal(*[one.predict(FLOWERS[0], verbose=0) for one in (model, again)])
    for message in "This file format is considered legacy", "Compiled the loaded model, but":
        assert message in caplog.text
        assert_shown(8, message)
    if keras.backend.backend() == "tensorflow":  # what the guide says of training on
        with pytest.raises(ValueError, match="Unknown variable"):
            again.fit(*FLOWERS, verbose=0)
    message = "Skipping variable loading for optimizer 'rm_sprop'"
    with pytest.warns(UserWarning, match=message):
        third = load_model(tmp_path / "third.keras")
    assert type(third.optimizer).__name__ == "RMSprop"
    assert_shown(20, message)


@row(9, 11)
@pytest.mark.command("03")
def test_progress_counts_batches_and_digits_are_those_of_32_bits(command):
    assert "1875/1875" in command.stdout
    assert "60000/60000" not in command.stdout
    last = command.stdout.split("1875/1875")[-1]
    assert last.index("accuracy:") < last.index("loss:")
    assert_shown(9, "1/1", "accuracy", "loss")
    assert_shown(11, str(float(np.float32(36 / 38))))


@row(10, 21, 22)
@pytest.mark.command("01")
def test_lines_at_the_start_and_at_the_end(command):
    assert "Using TensorFlow backend." not in command.stdout + command.stderr
    assert f"backend {keras.config.backend()}" in command.stdout
    assert "1/1" in command.stdout  # row 9
    if keras.backend.backend() == "tensorflow" and sys.platform == "linux":
        assert "SSE4.1" not in command.stderr
        for sign in "oneDNN", "cpu_feature_guard":
            assert sign in command.stderr
            assert_shown(21, sign)
    assert "Exception ignored" not in command.stderr
    keras.backend.clear_session()


@row(12, 13)
def test_backends_that_are_not_there(tmp_path):
    code = tmp_path / "import_keras.py"
    code.write_text("import keras\n")
    # The folder of the script comes first: its package of this name says that there is none
    missing = "No module named 'tensorflow'"
    (tmp_path / "tensorflow.py").write_text(f"raise ModuleNotFoundError({missing!r})\n")
    settings = '{"backend": "theano", "floatx": "float32", "epsilon": 1e-07}'
    (tmp_path / "keras.json").write_text(settings)
    theano = "Unable to import backend : theano"
    cases = (12, "tensorflow", "ModuleNotFoundError", missing), (13, "", "ValueError", theano)
    for number, backend, error, message in cases:
        run = call(code, [], tmp_path, KERAS_HOME=str(tmp_path), KERAS_BACKEND=backend)
        assert run.stderr.splitlines()[-1] == f"{error}: {message}"
        assert_shown(number, message)


@row(13)
def test_channels_first_in_the_settings_of_2017(request):
    request.addfinalizer(lambda: keras.config.set_image_data_format("channels_last"))
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
        lesson.__wrapped__("04")
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


@row(15, 16, 17)
def test_a_seed_repeats_a_run_and_batches_in_one_call_change_no_result():
    losses = []
    steps = 1 if keras.backend.backend() == "torch" else 3  # PyTorch refuses more than 1
    for seed, more in (1, {}), (1, {}), (2, {}), (1, {"steps_per_execution": steps}):
        keras.utils.set_random_seed(seed)
        model = chapter.build(chapter.IRIS)
        model.compile(optimizer="SGD", loss="categorical_crossentropy", **more)
        losses.append(model.fit(*FLOWERS, batch_size=3, epochs=3, verbose=0).history["loss"])
    once, again, other_seed, together = losses
    assert once == again != other_seed
    assert together == pytest.approx(once, rel=1e-6)


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

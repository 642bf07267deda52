"""Each row of "What changed since the book" is what today's Keras does.

The test of a row is marked with its number. It runs what the chapter has and holds what both pages say of
today against what happens.
"""

import importlib
import json
import re
import sys
import warnings
from pathlib import Path

import chapter
import keras
import numpy as np
import pages
import pytest
from conftest import ENVIRONMENT, ROOT, SCRIPTS, call, lesson
from keras.layers import Conv2D, Dense, Input
from keras.models import Sequential, load_model

SILENT = {"README.md": "**silent**", "README.ja.md": "**警告なし**"}
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in SILENT}
# {page: {number of a row: its other cells}}
TABLES = {
    name: {
        int(number): [cell.strip() for cell in cells.split(" |")]
        for number, cells in re.findall(r"(?m)^\| (\d+) \|(.*) \|$", text)
    }
    for name, text in PAGES.items()
}
# 18 is what test_lessons.py holds of 05, 23 is about web pages
TESTED = {18, 23}


def row(number):
    """Mark the test of a row."""
    return lambda test: TESTED.add(number) or test


def assert_shown(number, *facts):
    """Check that both pages have these facts in what they say of today."""
    for table in TABLES.values():
        assert [fact for fact in facts if fact not in table[number][1].replace("`", "")] == []


@pytest.fixture
def model():
    """Return the iris network, compiled as in the chapter, not yet trained."""
    keras.utils.clear_session()
    return chapter.build(chapter.IRIS)


@pytest.fixture
def data():
    """Return 8 flowers: inputs (8, 4) and one-hot labels (8, 3)."""
    return np.random.default_rng(0).random((8, 4)), np.eye(3)[np.arange(8) % 3]


def first_losses(data, seed, **more):
    """Train the iris network on the flowers for three epochs and return their losses."""
    keras.utils.set_random_seed(seed)
    model = chapter.build(chapter.IRIS)
    model.compile(optimizer="SGD", loss="categorical_crossentropy", **more)
    return model.fit(*data, batch_size=3, epochs=3, verbose=0).history["loss"]


def test_every_row_has_its_test_and_silent_rows_come_first():
    for name, table in TABLES.items():
        assert list(table) == sorted(TESTED) == list(range(1, len(table) + 1))
        silent = [number for number in table if SILENT[name] in table[number][1]]
        assert silent == list(range(1, len(silent) + 1)) != []


def test_every_book_comment_has_its_row_and_every_row_its_scripts():
    shown = {number: set() for number in TABLES["README.md"]}
    for script, path in SCRIPTS.items():
        text = path.read_text(encoding="utf-8")
        rows = re.findall(r"# Book (\d+): \S", text)
        assert len(rows) == len(re.findall("# *Book", text)) > 0
        for number in rows:
            shown[int(number)].add(script)
    for table in TABLES.values():
        assert {n: set(re.findall(r"\b0\d\b", cells[-1])) for n, cells in table.items()} == shown


def rate(optimizer):
    """Return the learning rate of an optimizer, without the noise of float32."""
    return round(float(keras.ops.convert_to_numpy(optimizer.learning_rate)), 6)


@row(1)
def test_adadelta():
    old = keras.optimizers.get("Adadelta")
    assert (rate(old), old.rho, old.epsilon) == (0.001, 0.95, 1e-7)
    low, high = (pages.spread(name)[1] for name in ("04-adadelta-default", "04-book"))
    assert float(high) - float(low) > 0.5
    assert_shown(1, "0.001", low, high)


@row(2)
@row(6)
def test_epochs_and_acc(model, data):
    history = model.fit(*data, verbose=0)
    assert len(history.epoch) == 1
    assert_shown(2, "Keras 2.1.0")
    with pytest.raises(KeyError) as error:
        history.history["acc"]
    assert_shown(6, f"KeyError: {error.value}")
    assert "accuracy" in history.history


@row(3)
def test_adagrad():
    old = keras.optimizers.get("Adagrad")
    assert (rate(old), old.initial_accumulator_value, old.epsilon) == (0.001, 0.1, 1e-7)
    low, high = (pages.spread(name)[1] for name in ("03-adagrad-default", "03-adagrad"))
    assert float(low) < float(pages.spread("03")[1]) < float(high)
    assert_shown(3, "0.001", "0.1", low, high)


@row(4)
def test_layer_names(model):
    names = [layer.name for layer in model.layers]
    assert names == ["dense", "activation", "dense_1", "activation_1"]
    assert_shown(4, *names[:2])


@row(5)
def test_layers_core():
    with pytest.raises(ModuleNotFoundError) as error:
        importlib.import_module("keras.layers.core")
    assert_shown(5, str(error.value))


@row(7)
@pytest.mark.parametrize("program", [chapter.IRIS, chapter.CNN])
def test_input_dim(program):
    message = "Do not pass an `input_shape`"
    with pytest.warns(UserWarning, match=re.escape(message)):
        chapter.build(program)
    assert_shown(7, message.replace("`", ""))


@row(8)
def test_h5(model, data, tmp_path, caplog):
    model.fit(*data, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        model.save(tmp_path / "my_model.h5")
    assert "legacy" not in str([warning.message for warning in caught])  # a line of the log instead
    again = load_model(tmp_path / "my_model.h5")
    assert np.array_equal(again.predict(data[0], verbose=0), model.predict(data[0], verbose=0))
    for message in "This file format is considered legacy", "Compiled the loaded model, but":
        assert message in caplog.text
        assert_shown(8, message)
    if keras.backend.backend() == "tensorflow":  # what the guide says of training on
        with pytest.raises(ValueError, match="Unknown variable"):
            again.fit(*data, verbose=0)


@row(9)
@pytest.mark.command("03")
def test_progress_counts_batches(command):
    assert "1875/1875" in command.stdout
    assert "60000/60000" not in command.stdout
    last = command.stdout.split("1875/1875")[-1]
    assert last.index("accuracy:") < last.index("loss:")
    assert_shown(9, "1/1", "accuracy", "loss")


@row(10)
@pytest.mark.command("01")
def test_backend_banner(command):
    assert "Using TensorFlow backend." not in command.stdout + command.stderr
    assert f"backend {keras.config.backend()}" in command.stdout
    assert "1/1" in command.stdout  # row 9


@row(11)
def test_every_digit():
    assert_shown(11, str(float(np.float32(36 / 38))))


@row(12)
def test_no_backend(tmp_path):
    # A folder that comes first and has a package of this name that is not there
    (tmp_path / "tensorflow.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'tensorflow'\")"
    )
    code = tmp_path / "import_keras.py"
    code.write_text("import keras\n")
    run = call(code, [], tmp_path, KERAS_BACKEND="tensorflow")
    message = "No module named 'tensorflow'"
    assert run.stderr.splitlines()[-1] == f"ModuleNotFoundError: {message}"
    assert_shown(12, message)


@row(13)
def test_settings_of_2017_theano(tmp_path):
    settings = {"backend": "theano", "floatx": "float32", "epsilon": 1e-07}
    (tmp_path / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    code = tmp_path / "load.py"
    code.write_text("import os\ndel os.environ['KERAS_BACKEND']\nimport keras\n")
    run = call(code, [], tmp_path, KERAS_HOME=str(tmp_path), KERAS_BACKEND="unset")
    assert run.stderr.splitlines()[-1] == "ValueError: Unable to import backend : theano"
    assert_shown(13, "Unable to import backend : theano")


@row(13)
def test_settings_of_2017_channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
            lesson.__wrapped__("04")
    finally:
        keras.config.set_image_data_format("channels_last")
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


@row(15)
@row(16)
def test_a_seed_repeats_a_run_to_the_last_digit(data):
    assert first_losses(data, 1) == first_losses(data, 1) != first_losses(data, 2)


@row(17)
def test_all_batches_in_one_call_change_no_result(data):
    steps = 1 if keras.backend.backend() == "torch" else 3  # PyTorch refuses more than 1
    together = first_losses(data, 1, steps_per_execution=steps)
    assert together == pytest.approx(first_losses(data, 1), rel=1e-6)


@row(19)
def test_summary(model, data, capsys):
    model.summary()
    before = capsys.readouterr().out
    model.fit(*data, verbose=0)
    model.summary()
    after = capsys.readouterr().out
    assert "Total params: 403" in before
    assert "=====" not in before  # the chapter's ruler
    assert "Total params: 405" in after
    assert "Optimizer params: 2" in after
    assert_shown(19, "405")


@row(20)
def test_keras_after_h5_loses_the_optimizer(model, data, tmp_path):
    model.fit(*data, verbose=0)
    for name in "first.keras", "second.h5", "third.keras":
        model.save(tmp_path / name)
    assert type(load_model(tmp_path / "first.keras").optimizer).__name__ == "SGD"
    message = "Skipping variable loading for optimizer 'rm_sprop'"
    with pytest.warns(UserWarning, match=message):
        third = load_model(tmp_path / "third.keras")
    assert type(third.optimizer).__name__ == "RMSprop"
    assert_shown(20, message)


@row(21)
@pytest.mark.command("01")
def test_start_up_lines(command):
    if keras.backend.backend() != "tensorflow" or sys.platform != "linux":
        pytest.skip("the lines are TensorFlow's on Linux")
    assert "SSE4.1" not in command.stderr
    for sign in "oneDNN", "cpu_feature_guard":
        assert sign in command.stderr
        assert_shown(21, sign)


@row(22)
@pytest.mark.command("04")
def test_exit(command):
    assert "Exception ignored" not in command.stderr
    keras.backend.clear_session()


def test_what_has_not_changed(model, data):
    assert rate(keras.optimizers.get("SGD")) == rate(keras.optimizers.get("sgd")) == 0.01
    for layer in Dense(1), Conv2D(1, 1):
        assert type(layer.kernel_initializer).__name__ == "GlorotUniform"
    inputs, labels = (np.tile(array, (5, 1))[:33] for array in data)
    model.fit(inputs, labels, verbose=0)
    assert int(model.optimizer.iterations) == 2  # 33 examples in batches of 32
    assert keras.utils.to_categorical([2], 3).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_with_code_is_refused(tmp_path, name, capsys):
    model = Sequential([Input(shape=(2,)), keras.layers.Lambda(lambda x: (print("ran"), x)[1])])
    model.save(tmp_path / name)
    capsys.readouterr()
    with pytest.raises(ValueError, match="disallowed by default"):
        load_model(tmp_path / name)
    assert "ran" not in capsys.readouterr().out
    load_model(tmp_path / name, safe_mode=False)
    assert "ran" in capsys.readouterr().out

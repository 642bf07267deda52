"""Each row of the README's table "Since the book" is what today's Keras does with the old form.

A test of a row is marked with its number. The last two rows are about web pages: nothing to run.
"""

import importlib
import re
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from conftest import ROOT, SCRIPTS
from keras.layers import Activation, Conv2D, Dense, Input
from keras.models import Sequential, load_model

TO_BE_READ = {17, 18}
# How the `# Book:` comments in the scripts speak of a row.
COMMENTS = {
    1: r'"Adadelta"',
    2: r"no epochs given",
    3: r'"Adagrad"',
    4: r"dense_1 and dense_2",
    5: r'"acc"',
    6: r"keras\.layers\.core",
    8: r"another server",
    9: r"input_dim|input_shape",
    10: r"my_model\.h5",
    14: r"Using TensorFlow backend",
}
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {
    int(number): [cell.strip() for cell in cells.split("|")]
    for number, cells in re.findall(r"^\| (\d+) \|(.*)\|$", README, re.MULTILINE)
}
TESTED = set()


def row(number):
    """Mark the test of a row."""

    def mark(test):
        TESTED.add(number)
        return test

    return mark


def today(number):
    """Return what the README says of a row, without the marks of Markdown."""
    return re.sub(r"[`*]+", "", ROWS[number][1])


@pytest.fixture
def model():
    """Return the iris network, compiled as in the chapter, not yet trained."""
    keras.backend.clear_session()
    model = Sequential()
    model.add(Input(shape=(4,)))
    model.add(Dense(50))
    model.add(Activation("sigmoid"))
    model.add(Dense(3))
    model.add(Activation("softmax"))
    model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def data():
    """Return 8 flowers: inputs (8, 4) and one-hot labels (8, 3)."""
    return np.random.default_rng(0).random((8, 4)), np.eye(3)[np.arange(8) % 3]


def test_every_row_has_its_test_and_every_test_its_row():
    assert list(ROWS) == list(range(1, len(ROWS) + 1))
    assert set(ROWS) == TESTED | TO_BE_READ


def test_silent_rows_come_first():
    silent = [number for number in ROWS if "**silent**" in ROWS[number][1]]
    assert silent == list(range(1, len(silent) + 1))


def test_every_book_comment_has_its_row_and_every_row_its_comments():
    shown = {number: [] for number in ROWS}
    for script, path in SCRIPTS.items():
        for comment in re.findall(r"# Book: (.*)", path.read_text(encoding="utf-8")):
            rows = [number for number, sign in COMMENTS.items() if re.search(sign, comment)]
            assert len(rows) == 1, comment
            shown[rows[0]].append(script)
    for number, cells in ROWS.items():
        assert sorted(set(shown[number])) == re.findall(r"\d\d", cells[-1]), f"row {number}"


def rate(optimizer):
    """Return the learning rate of an optimizer, without the noise of float32."""
    return round(float(optimizer.learning_rate.numpy()), 6)


@row(1)
def test_adadelta():
    old = keras.optimizers.get("Adadelta")
    assert (rate(old), old.rho, old.epsilon) == (0.001, 0.95, 1e-7)
    assert "the rate is 0.001 (and epsilon 1e-7" in today(1)


@row(1)
def test_adadelta_cost_the_cnn_its_accuracy():
    import test_claims

    rates = {name: test_claims.figures(name) for name in ("04-book-adadelta-default", "04-book")}
    low, high = (f"{np.mean(accuracies):.4f}" for accuracies in rates.values())
    assert f"reaches {low} after 3 epochs, not {high}" in today(1)
    assert float(high) - float(low) > 0.5


@row(2)
def test_epochs(model, data):
    history = model.fit(*data, verbose=0)
    assert len(history.epoch) == 1
    assert "1 epoch," in today(2)


@row(3)
def test_adagrad():
    old = keras.optimizers.get("Adagrad")
    assert (rate(old), old.initial_accumulator_value, old.epsilon) == (0.001, 0.1, 1e-7)
    assert "0.001 and 0.1 (and epsilon 1e-7" in today(3)


@row(4)
def test_layer_names(model):
    names = [layer.name for layer in model.layers if isinstance(layer, Dense)]
    assert names == ["dense", "dense_1"]
    assert "dense; dense_1 is the second" in today(4)


@row(5)
def test_acc(model, data):
    history = model.fit(*data, verbose=0)
    with pytest.raises(KeyError) as error:
        history.history["acc"]
    assert f"KeyError: {error.value}" in today(5)
    assert "accuracy" in history.history


@row(6)
def test_layers_core():
    with pytest.raises(ModuleNotFoundError) as error:
        importlib.import_module("keras.layers.core")
    assert f"ModuleNotFoundError: {error.value}" in today(6)


@row(7)
def test_no_backend():
    without_tensorflow = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tensorflow':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}')\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import os\n"
        "os.environ['KERAS_BACKEND'] = 'tensorflow'\n"
        "import keras\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", without_tensorflow],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    message = run.stderr.splitlines()[-1].removeprefix("ModuleNotFoundError: ")
    assert message == "No module named 'tensorflow'"
    assert message in today(7)


@row(8)
def test_mnist_without_internet(runs):
    assert "Exception: URL fetch failure on https://" in today(8)
    assert "URL fetch failure on https://" in runs("03").stderr


@row(8)
def test_damaged_mnist_is_downloaded_again(call, tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").write_bytes(b"damaged")
    code = tmp_path / "load.py"
    code.write_text("from keras.datasets import mnist\nmnist.load_data()\n")
    run = call(code, [], tmp_path, KERAS_HOME=str(tmp_path))
    assert "Downloading data from https://" in run.stdout
    assert "URL fetch failure on https://" in run.stderr


@row(9)
@pytest.mark.parametrize(
    "make",
    [
        lambda: Dense(50, input_dim=4),
        lambda: Conv2D(32, kernel_size=(3, 3), input_shape=(28, 28, 1)),
    ],
)
def test_input_dim(make):
    message = "Do not pass an `input_shape`/`input_dim` argument to a layer"
    with pytest.warns(UserWarning, match=re.escape(message)):
        make()
    assert "UserWarning: " + message.replace("`", "") in today(9)


@row(10)
def test_h5(model, data, tmp_path, caplog):
    model.fit(*data, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        model.save(tmp_path / "my_model.h5")
    assert "legacy" not in str([warning.message for warning in caught])  # a line of the log instead
    assert "This file format is considered legacy" in caplog.text
    assert "This file format is considered legacy" in today(10)


@row(11)
def test_keras_after_h5_loses_the_optimizer(model, data, tmp_path):
    model.fit(*data, verbose=0)
    model.save(tmp_path / "first.keras")
    model.save(tmp_path / "second.h5")
    model.save(tmp_path / "third.keras")
    assert type(load_model(tmp_path / "first.keras").optimizer).__name__ == "SGD"
    message = "Skipping variable loading for optimizer 'rm_sprop'"
    with pytest.warns(UserWarning, match=message):
        third = load_model(tmp_path / "third.keras")
    assert type(third.optimizer).__name__ == "RMSprop"
    assert message in today(11)


@row(12)
def test_progress_bar_counts_batches(runs):
    assert "1875/1875" in runs("03").stdout
    assert "60000/60000" not in runs("03").stdout
    assert "1875/1875" in today(12)


@row(13)
def test_summary(model, data, capsys):
    model.summary()
    before = capsys.readouterr().out
    model.fit(*data, verbose=0)
    model.summary()
    after = capsys.readouterr().out
    assert "Total params: 403" in before
    assert "Total params: 405" in after
    assert "Optimizer params: 2" in after
    assert "Total params: 405" in today(13)
    assert "=====" not in before  # the chapter's ruler


@row(14)
def test_backend_banner(runs):
    run = runs("01")
    assert "Using TensorFlow backend." not in run.stdout + run.stderr
    assert keras.backend.backend() in run.stdout


@row(15)
def test_start_up_lines(runs):
    if keras.backend.backend() != "tensorflow" or sys.platform != "linux":
        pytest.skip("the lines are TensorFlow's on Linux")
    assert "SSE4.1" not in runs("01").stderr
    for sign in "oneDNN", "cpu_feature_guard":
        assert sign in runs("01").stderr
        assert sign in today(15)


@row(16)
def test_exit(runs):
    for name in "01", "02", "03", "04", "05":
        assert "Exception ignored" not in runs(name).stderr
    keras.backend.clear_session()


def test_what_has_not_changed(model, data, runs):
    assert rate(keras.optimizers.get("SGD")) == rate(keras.optimizers.get("sgd")) == 0.01
    assert Dense(1).kernel_initializer.__class__.__name__ == "GlorotUniform"
    assert Conv2D(1, 1).kernel_initializer.__class__.__name__ == "GlorotUniform"
    inputs = np.tile(data[0], (5, 1))[:33]
    model.fit(inputs, np.tile(data[1], (5, 1))[:33], verbose=0)
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

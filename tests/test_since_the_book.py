"""Each row of "What changed since the book" is what today's Keras does.

The test of a row is marked with its number and with what the row's last cell says: whether it runs the
old form or shows the new one.
"""

import importlib
import json
import re
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import test_claims
from conftest import ENVIRONMENT, ROOT, SCRIPTS, call, lesson
from keras.layers import Activation, Conv2D, Dense, Input
from keras.models import Sequential, load_model

WORDS = {"old": "旧", "new": "新", "read": "資料"}
SILENT = {"README.md": "**silent**", "README.ja.md": "**警告なし**"}
TABLES = {
    name: {
        int(number): [cell.strip() for cell in cells.split(" |")]
        for number, cells in re.findall(
            r"^\| (\d+) \|(.*) \|$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    for name in SILENT
}
ROWS = TABLES["README.md"]
TESTED = {23: "read"}  # about web pages


def row(number, kind):
    """Mark the test of a row: it runs the "old" form, or shows the "new" one."""

    def mark(test):
        TESTED[number] = kind
        return test

    return mark


def assert_shown(number, *facts):
    """Check that both pages have these facts in what they say of today."""
    for table in TABLES.values():
        for fact in facts:
            assert fact in table[number][1].replace("`", ""), fact


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


def test_every_row_has_its_test_and_says_which():
    for name, table in TABLES.items():
        assert list(table) == list(range(1, len(table) + 1))
        kinds = {number: cells[-1] for number, cells in table.items()}
        words = {number: WORDS[kind] for number, kind in TESTED.items()}
        assert kinds == (TESTED if name == "README.md" else words)


def test_silent_rows_come_first():
    for name, table in TABLES.items():
        silent = [number for number in table if SILENT[name] in table[number][1]]
        assert silent == list(range(1, len(silent) + 1)) != []


def test_every_book_comment_has_its_row_and_every_row_its_comments():
    shown = {number: [] for number in ROWS}
    for script, path in SCRIPTS.items():
        text = path.read_text(encoding="utf-8")
        rows = re.findall(r"# Book (\d+): ", text)
        assert len(rows) == text.count("Book") > 0
        for number in rows:
            shown[int(number)].append(script)
    for table in TABLES.values():
        for number, cells in table.items():
            assert sorted(set(shown[number])) == re.findall(r"\d\d", cells[-2]), f"row {number}"


def rate(optimizer):
    """Return the learning rate of an optimizer, without the noise of float32."""
    return round(float(keras.ops.convert_to_numpy(optimizer.learning_rate)), 6)


@row(1, "old")
def test_adadelta():
    old = keras.optimizers.get("Adadelta")
    assert (rate(old), old.rho, old.epsilon) == (0.001, 0.95, 1e-7)
    assert_shown(1, "0.001", "1e-7")


@row(1, "old")
def test_adadelta_cost_the_cnn_its_accuracy():
    runs = {name: test_claims.figures(name) for name in ("04-book-adadelta-default", "04-book")}
    low, high = (np.mean(accuracies) for accuracies in runs.values())
    assert_shown(1, f"{low:.4f}", f"{high:.4f}")
    assert high - low > 0.5


@row(2, "old")
def test_epochs(model, data):
    history = model.fit(*data, verbose=0)
    assert len(history.epoch) == 1
    assert_shown(2, "Keras 2.1.0")


@row(3, "old")
def test_adagrad():
    old = keras.optimizers.get("Adagrad")
    assert (rate(old), old.initial_accumulator_value, old.epsilon) == (0.001, 0.1, 1e-7)
    assert_shown(3, "0.001", "0.1", "1e-7", "sqrt(a) + 1e-8", "sqrt(a + 1e-16)")


@row(4, "old")
def test_layer_names(model):
    names = [layer.name for layer in model.layers if isinstance(layer, Dense)]
    assert names == ["dense", "dense_1"]
    assert_shown(4, *names)


@row(6, "old")
def test_acc(model, data):
    history = model.fit(*data, verbose=0)
    with pytest.raises(KeyError) as error:
        history.history["acc"]
    assert_shown(6, f"KeyError: {error.value}")
    assert "accuracy" in history.history


@row(5, "old")
def test_layers_core():
    with pytest.raises(ModuleNotFoundError) as error:
        importlib.import_module("keras.layers.core")
    assert_shown(5, str(error.value))


@row(12, "old")
def test_no_backend(tmp_path):
    code = tmp_path / "without_tensorflow.py"
    code.write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tensorflow':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}')\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import keras\n"
    )
    run = call(code, [], tmp_path, KERAS_BACKEND="tensorflow")
    message = "No module named 'tensorflow'"
    assert run.stderr.splitlines()[-1] == f"ModuleNotFoundError: {message}"
    assert_shown(12, message)


@row(13, "old")
def test_settings_of_2017_theano(tmp_path):
    settings = {"backend": "theano", "floatx": "float32", "epsilon": 1e-07}
    (tmp_path / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    code = tmp_path / "load.py"
    code.write_text("import os\ndel os.environ['KERAS_BACKEND']\nimport keras\n")
    run = call(code, [], tmp_path, KERAS_HOME=str(tmp_path), KERAS_BACKEND="unset")
    assert run.stderr.splitlines()[-1] == "ValueError: Unable to import backend : theano"
    assert_shown(13, "Unable to import backend : theano")


@row(13, "old")
def test_settings_of_2017_channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="negative"):
            lesson.__wrapped__("04", "--epochs", "1")
    finally:
        keras.config.set_image_data_format("channels_last")
    assert_shown(13, "channels_first")


@row(14, "old")
@pytest.mark.command("03")
def test_mnist_without_internet(command):
    assert "URL fetch failure on https://" in command.stderr
    assert_shown(14, "URL fetch failure on https://")


@row(14, "old")
def test_damaged_mnist_is_downloaded_again(capsys):
    datasets = Path(ENVIRONMENT["KERAS_HOME"], "datasets")
    datasets.mkdir(exist_ok=True)
    (datasets / "damaged.npz").write_bytes(b"damaged")
    with pytest.raises(Exception, match=r"^URL fetch failure on https://"):
        keras.datasets.mnist.load_data("damaged.npz")
    assert "Downloading data from https://" in capsys.readouterr().out


@row(7, "old")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Dense(50, input_dim=4),
        lambda: Conv2D(32, kernel_size=(3, 3), input_shape=(28, 28, 1)),
    ],
)
def test_input_dim(make):
    message = "Do not pass an `input_shape`"
    with pytest.warns(UserWarning, match=re.escape(message)):
        make()
    assert_shown(7, message.replace("`", ""))


@row(8, "old")
def test_h5(model, data, tmp_path, caplog):
    model.fit(*data, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        model.save(tmp_path / "my_model.h5")
    assert "legacy" not in str([warning.message for warning in caught])  # a line of the log instead
    assert "This file format is considered legacy" in caplog.text
    assert_shown(8, "This file format is considered legacy")
    again = load_model(tmp_path / "my_model.h5")
    assert np.array_equal(again.predict(data[0], verbose=0), model.predict(data[0], verbose=0))


@row(20, "old")
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
    assert_shown(20, message)


@row(15, "new")
@row(16, "new")
def test_a_seed_repeats_a_run_to_the_last_digit():
    runs = [lesson.__wrapped__("01", "--quiet", "--seed", seed) for seed in "112"]
    once, again, other = (run.one("evaluate").result for run in runs)
    assert once == again != other


@row(17, "new")
def test_one_call_per_epoch_changes_no_result():
    # 05 trains the network of 02, one batch per call.
    assert lesson("02").one("fit").result.history == lesson("05").one("fit").result.history


@row(11, "old")
def test_every_digit():
    printed = str(float(np.float32(36 / 38)))
    assert_shown(11, printed)


@row(18, "new")
def test_the_curve_is_saved():
    assert lesson("05").one("savefig").given["fname"] == "learning_curve.png"


@row(9, "new")
@pytest.mark.command("03")
def test_progress_bar_counts_batches(command):
    assert "1875/1875" in command.stdout
    assert "60000/60000" not in command.stdout
    assert_shown(9, "1875/1875")


@row(19, "old")
def test_summary(model, data, capsys):
    model.summary()
    before = capsys.readouterr().out
    model.fit(*data, verbose=0)
    model.summary()
    after = capsys.readouterr().out
    assert "Total params: 403" in before
    assert "Total params: 405" in after
    assert "Optimizer params: 2" in after
    assert_shown(19, "405")
    assert "=====" not in before  # the chapter's ruler


@row(10, "old")
@pytest.mark.command("01")
def test_backend_banner(command):
    assert "Using TensorFlow backend." not in command.stdout + command.stderr
    assert f"backend {keras.config.backend()}" in command.stdout


@row(21, "new")
@pytest.mark.command("01")
def test_start_up_lines(command):
    if keras.backend.backend() != "tensorflow" or sys.platform != "linux":
        pytest.skip("the lines are TensorFlow's on Linux")
    assert "SSE4.1" not in command.stderr
    for sign in "cuda", "cpu_feature_guard":
        assert sign in command.stderr
        assert_shown(21, sign)


@row(22, "old")
@pytest.mark.command("04")
def test_exit(command):
    assert "Exception ignored" not in command.stderr
    keras.backend.clear_session()


def test_what_has_not_changed(model, data):
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

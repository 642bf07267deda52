"""Each row of "What changed since the book": what the chapter has is run, and today's Keras does what the row says.

But for the rows of NOT_RUN.
"""

import functools
import inspect
import re
import warnings

import keras
import numpy as np
import pytest
from files import scripts, source, texts
from keras.layers import Activation, Conv2D, Dense, Input, Lambda
from keras.models import Sequential, load_model
from running import call, hand_over, noise, run_as_typed

NOT_RUN = {
    18: "is about a curve",
    21: "about lines that not every processor gets",
    23: "about web pages",
}
# 33 flowers, so that an epoch has two batches of 32: measurements (33, 4) and one-hot labels (33, 3)
FLOWERS = np.random.RandomState(0).uniform(0, 8, (33, 4)), np.eye(3)[np.arange(33) % 3]


@functools.cache
def rows_of_page():
    """Return {number of a row: its other cells}."""
    rows = re.findall(r'(?m)^\| <a id="no-(\d+)"></a>\1 \|(.*) \|$', texts()["tutorials/book.md"])
    return {int(number): row.split(" |") for number, row in rows}


def iris_network(**settings):
    """Return the network of 4.4, compiled, not trained."""
    model = Sequential(
        [Input((4,)), Dense(50), Activation("sigmoid"), Dense(3), Activation("softmax")]
    )
    model.compile(
        optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"], **settings
    )
    return model


@pytest.fixture(scope="module")
def trained():
    """Return the network of 4.4 after an epoch; `history` is what its training returned."""
    model = iris_network()
    model.fit(*FLOWERS, verbose=0)
    return model


def says(number, *facts):
    """Check that a row has these facts, in this order."""
    rows = rows_of_page()
    assert number in rows, f"row {number} is not on the page any more: take its test away"
    row = " | ".join(rows[number]).replace("`", "")
    assert re.search("(?s)" + ".*".join(map(re.escape, facts)), row), (
        f"row {number} does not say {facts}"
    )


def test_every_row_has_a_test_here_and_every_test_its_row():
    places = texts()["tutorials/book.md"].count('<a id="no-')
    assert len(rows_of_page()) == places, "two rows have the same number, or one is no row"
    tested = {int(name.split("_")[2]) for name in globals() if name.startswith("test_row_")}
    assert tested.isdisjoint(NOT_RUN)
    assert tested | set(NOT_RUN) == set(rows_of_page()), (
        "a row without a test here or an entry in NOT_RUN, or the other way"
    )


def test_silent_changes_come_first():
    silent = ["**silent**" in cells[1] for cells in rows_of_page().values()]
    assert silent == sorted(silent, reverse=True)


def test_rows_and_comments_of_scripts_lead_to_each_other():
    named = {
        (script, n)
        for n, cells in rows_of_page().items()
        for script in re.findall(r"\b0\d\b", cells[-1])
    }
    comment = r"(?m)^ *# Book (\d+):"  # on a line of its own, not in the docstring
    found = {(script, int(n)) for script in scripts() for n in re.findall(comment, source(script))}
    assert found == named, "`# Book n:` without row n naming the script, or the other way"


def test_row_1_adadelta():
    assert call(keras.optimizers.get("Adadelta")).startswith("Adadelta(learning_rate=0.001,")
    says(1, "1.0", "0.001", "Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8)")
    assert "Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8)" in source("04")


def test_row_2_epochs():
    assert inspect.signature(Sequential.fit).parameters["epochs"].default == 1
    says(2, "10 epochs", "1 epoch")


def test_row_3_adagrad():
    default = call(keras.optimizers.get("Adagrad"))
    assert "learning_rate=0.001" in default
    assert "initial_accumulator_value=0.1" in default
    says(
        3,
        "0.001",
        "0.1",
        "Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-16)",
    )
    assert "Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-16)" in source(
        "03"
    )


def test_row_4_names_of_layers():
    keras.utils.clear_session()
    names = [layer.name for layer in iris_network().layers]
    assert names == ["dense", "activation", "dense_1", "activation_1"]
    says(4, *names)


def test_row_5_keras_layers_core():
    with pytest.raises(ModuleNotFoundError) as error:
        import keras.layers.core  # noqa: F401
    says(5, str(error.value))


def test_row_6_acc(trained):
    with pytest.raises(KeyError) as error:
        trained.history.history["acc"]
    says(6, f"KeyError: {error.value}")
    assert len(trained.history.history["accuracy"]) == 1


@pytest.mark.parametrize(
    "make", [lambda: Dense(50, input_dim=4), lambda: Conv2D(32, (3, 3), input_shape=(28, 28, 1))]
)
def test_row_7_input_dim(make):
    with pytest.warns(UserWarning) as warned:
        make()
    assert "Do not pass an `input_shape`" in str(warned[0].message)
    says(7, "Do not pass an input_shape")


def test_row_8_h5(trained, tmp_path, caplog):
    trained.save(tmp_path / "my_model.h5")
    loaded = load_model(tmp_path / "my_model.h5")
    predictions = [one.predict(FLOWERS[0], verbose=0) for one in (trained, loaded)]
    assert np.array_equal(*predictions)
    for words in (
        "This file format is considered legacy",
        "Compiled the loaded model, but the compiled metrics",
    ):
        assert words in caplog.text
        says(8, words)


def test_row_9_progress(capsys):
    iris_network().fit(FLOWERS[0][:3], FLOWERS[1][:3])
    assert re.search(r"(?s)1/1.*accuracy.*loss", capsys.readouterr().out)
    says(9, "3/3", "1/1", "accuracy", "loss")


@pytest.mark.parametrize("number", ["01"])
def test_row_10_using_tensorflow_backend(number, typed):
    assert "Using TensorFlow backend" not in typed[1].stdout + typed[1].stderr
    says(10, "Using TensorFlow backend")


def test_row_11_digits():
    says(11, "0.947368421053", str(float(np.float32(36 / 38))))


def test_row_12_no_backend(tmp_path):
    # Python looks into this folder first, and what it finds there says that there is none
    (tmp_path / "tensorflow.py").write_text(
        "raise ImportError('No module named ' + repr(__name__))"
    )
    ended = run_as_typed(["-c", "import keras"], tmp_path, KERAS_BACKEND="tensorflow")
    message = "No module named 'tensorflow'"
    assert message in ended.stderr
    says(12, message)


def test_row_13_theano(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "theano"}')
    ended = run_as_typed(["-c", "import keras"], tmp_path, KERAS_BACKEND="", KERAS_HOME=".")
    message = "Unable to import backend : theano"
    assert message in ended.stderr
    says(13, "theano", message)


def test_row_13_channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
            hand_over(source("04"), load_data=noise(80, 40))
    finally:
        keras.config.set_image_data_format("channels_last")
    says(13, "channels_first")


def test_row_14_download():
    with pytest.raises(Exception, match="URL fetch failure on https://"):
        keras.datasets.mnist.load_data("another.npz")
    says(14, "URL fetch failure on https://")


def test_row_15_no_seed():
    first, second = (iris_network().get_weights()[0] for _ in range(2))
    assert not np.array_equal(first, second)
    says(15, "set_random_seed(0)", "random_state=0")


def test_row_16_a_seed_repeats_a_training():
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        losses.append(iris_network().fit(*FLOWERS, epochs=2, verbose=0).history["loss"])
    assert losses[0] == losses[1]


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="it is so on TensorFlow")
def test_row_16_with_a_seed_each_epoch_has_the_same_order():
    seen = []
    look = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: seen.append(logs))
    keras.utils.set_random_seed(1)
    model = iris_network()
    model.optimizer.learning_rate = 0  # so that the losses tell nothing but the order
    model.fit(*FLOWERS, batch_size=5, epochs=2, verbose=0, callbacks=[look])
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]


@pytest.mark.skipif(
    keras.config.backend() == "torch", reason="Keras has no steps_per_execution on PyTorch"
)
def test_row_17_several_batches_in_a_call_change_no_result():
    losses = []
    for steps in 1, 3:
        keras.utils.set_random_seed(1)
        model = iris_network(steps_per_execution=steps)
        losses.append(model.fit(*FLOWERS, batch_size=5, verbose=0).history["loss"][0])
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    says(17, "steps_per_execution")


def test_row_19_summary(trained, capsys):
    iris_network().summary()
    trained.summary()
    printed = capsys.readouterr().out
    assert "===" not in printed
    assert re.findall(r"Total params: (\d+)", printed) == ["403", "405"]
    says(19, "403", "405")


def test_row_20_h5_before_keras(tmp_path):
    model = iris_network()
    model.fit(*FLOWERS, verbose=0)
    for name in "first.keras", "second.h5", "third.keras":
        model.save(tmp_path / name)
    assert type(load_model(tmp_path / "first.keras").optimizer).__name__ == "SGD"
    with pytest.warns(UserWarning) as warned:
        assert type(load_model(tmp_path / "third.keras").optimizer).__name__ == "RMSprop"
    message = "Skipping variable loading for optimizer 'rm_sprop'"
    assert message in str(warned[0].message)
    says(20, "RMSprop", message)


@pytest.mark.parametrize("number", ["01"])
def test_row_22_exception_at_exit(number, typed):
    assert "Exception ignored" not in typed[1].stderr
    says(22, "Exception ignored")


def test_keras_does_not_run_code_that_a_file_contains(tmp_path):
    """The last paragraph of the page."""
    assert "safe_mode=False" in texts()["tutorials/book.md"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Sequential([Input((2,)), Lambda(lambda x: x)]).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="disallowed by default"):
        load_model(tmp_path / "model.keras")

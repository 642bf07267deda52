"""The scripts' networks and optimizers do what the book's software did, as tests/replay.json has it.

Whole trainings cannot be replayed (book.py says why). Two things can: what a network makes of given
inputs with given weights, and how an optimizer moves a single weight matrix. book.py recorded both on
Keras 2.0.6; here the scripts' own models and optimizers repeat them, on whichever backend Keras has.
"""

import functools
import json
import runpy
import sys

import book
import keras
import numpy as np
import pytest
from conftest import SCRIPTS

REPLAY = json.loads(book.REPLAY.read_text(encoding="utf-8"))

OUTPUT_TOLERANCE = 1e-5
# How far a weight may be off after any of the 50 updates. Adagrad's may be further: Keras 2.0.6 divides
# by sqrt(a) + 1e-8, today's Keras by sqrt(a + epsilon), where a sums the squared gradients. With
# epsilon=1e-16 that is the same where a gradient is 0 and where it is far above 1e-8; those here go
# down to 3e-7 and leave 9.4e-4 with TensorFlow, JAX and PyTorch alike. epsilon=1e-8 would leave 1.3e-1.
UPDATE_TOLERANCE = {"SGD": 1e-6, "Adadelta": 1e-6, "Adagrad": 1.2e-3}

# What is recorded, and the commands that are to do the same.
NETWORKS = [
    ("01", "01"),
    ("02", "02"),
    ("02", "05"),
    ("03", "03"),
    ("03-relu", "03 --activation relu"),
    ("03-tanh", "03 --activation tanh"),
    ("04-book", "04"),
]
OPTIMIZERS = [
    ("SGD", "01"),
    ("SGD", "02"),
    ("SGD", "03"),
    ("SGD", "05"),
    ("Adadelta", "04"),
    ("Adagrad", "03 --optimizer adagrad"),
]


class Compiled(BaseException):
    """Ends a script at its call of `fit` and carries its model out; no `except Exception` stops it."""


@functools.cache
def compiled_model(command):
    """Return the model that a script trains, compiled, not yet trained: compiled_model("03 --quiet")."""
    number, *arguments = command.split()

    def stop(model, *args, **kwargs):
        raise Compiled(model)

    def blank_mnist():
        labels = np.arange(64, dtype=np.uint8) % 10
        images = np.zeros((64, 28, 28), np.uint8)
        return (images, labels), (images, labels)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Sequential, "fit", stop)
        patch.setattr(keras.datasets.mnist, "load_data", blank_mnist)
        patch.setattr(sys, "argv", [SCRIPTS[number].name, *arguments])
        with pytest.raises(Compiled) as caught:
            runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
    return caught.value.args[0]


def network_differences(name, command):
    """Return {"output": largest difference of a probability, "loss": difference} from Keras 2.0.6."""
    recorded = REPLAY["networks"][name]
    model = compiled_model(command)
    weights = book.given_weights([weight.shape for weight in model.get_weights()])
    inputs, targets = book.given_rows(model.input_shape[1:], model.output_shape[-1])
    assert book.checksum(*weights, inputs, targets) == recorded["given"]
    model.set_weights(weights)
    output = np.asarray(model.predict_on_batch(inputs))
    loss = model.test_on_batch(inputs, targets, return_dict=True)["loss"]
    return {
        "output": float(np.abs(output - np.float32(recorded["output"])).max()),
        "loss": abs(float(loss) - recorded["loss"]),
    }


def update_difference(name, command, **changed):
    """Return the largest difference of a weight from Keras 2.0.6 after any update.

    The optimizer is a script's; `changed` are arguments that it is given instead of the script's.
    """
    recorded = REPLAY["optimizers"][name]
    script = compiled_model(command)
    assert type(script.optimizer).__name__ == name
    weights, inputs, targets = book.given_updates()
    assert book.checksum(weights, inputs, targets) == recorded["given"]
    model = keras.Sequential(
        [
            keras.Input(shape=weights.shape[:1]),
            keras.layers.Dense(weights.shape[1], use_bias=False),
            keras.layers.Activation("softmax"),
        ]
    )
    model.set_weights([weights])
    optimizer = type(script.optimizer).from_config({**script.optimizer.get_config(), **changed})
    model.compile(optimizer=optimizer, loss=script.loss)
    largest = 0
    for after in recorded["weights"]:
        model.train_on_batch(inputs, targets)
        largest = max(largest, float(np.abs(model.get_weights()[0] - np.float32(after)).max()))
    return largest


def test_the_record_is_of_the_book_s_software_and_of_every_network_and_optimizer():
    for name, version in book.SOFTWARE.items():
        assert f"{REPLAY['versions'][name]}.".startswith(f"{version}.")
    assert set(REPLAY["networks"]) == {name for name, _ in NETWORKS}
    assert set(REPLAY["optimizers"]) == {name for name, _ in OPTIMIZERS} == set(UPDATE_TOLERANCE)
    for recorded in REPLAY["optimizers"].values():
        weights = np.array([book.given_updates()[0], *recorded["weights"]])
        assert weights.shape == (1 + 50, 6, 3)
        assert np.abs(np.diff(weights, axis=0)).max(axis=(1, 2)).min() > 1e-4  # each one moves them


@pytest.mark.parametrize(("name", "command"), NETWORKS)
def test_a_network_gives_the_book_s_output_and_loss(name, command):
    differences = network_differences(name, command)
    assert max(differences.values()) < OUTPUT_TOLERANCE, differences


@pytest.mark.parametrize(("name", "command"), OPTIMIZERS)
def test_an_optimizer_makes_the_book_s_updates(name, command):
    assert update_difference(name, command) < UPDATE_TOLERANCE[name]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("SGD", {"learning_rate": 0.011}),
        ("Adadelta", {"epsilon": 1e-7}),
        ("Adadelta", {"rho": 0.9}),
        ("Adagrad", {"epsilon": 1e-8}),
        ("Adagrad", {"initial_accumulator_value": 0.1}),
    ],
)
def test_other_settings_are_told_apart(name, changed):
    command = dict(OPTIMIZERS)[name]
    assert update_difference(name, command, **changed) > 100 * UPDATE_TOLERANCE[name]

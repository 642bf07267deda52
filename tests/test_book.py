"""The book's software and today's do the same: what can be repeated exactly, and whole trainings.

records/replay.json has what Keras 2.0.6 makes of given inputs and weights, and records/book.csv its
whole trainings, which chapter.py says cannot be repeated: they are compared as samples.
"""

import json

import chapter
import measure
import numpy as np
import pages
import pytest
from conftest import lesson

REPLAY = json.loads((measure.RECORDS / "replay.json").read_text(encoding="utf-8"))
OUTPUT_TOLERANCE = 1e-5
# How far a weight may be off after any of the 50 updates. Adagrad's may be further: Keras 2.0.6 divides
# by sqrt(a) + 1e-8, today's Keras by sqrt(a + epsilon), where a sums the squared gradients. With
# epsilon=1e-16 that is the same where a gradient is 0 and where it is far above 1e-8; those here go
# down to 3e-7 and leave 9.4e-4 with TensorFlow, JAX and PyTorch alike. epsilon=1e-8 would leave 1.3e-1.
UPDATE_TOLERANCE = {"SGD": 1e-6, "Adadelta": 1e-6, "Adagrad": 1.2e-3}


def script_model(name):
    """Return the compiled model of the command that stands for a program of the chapter."""
    return lesson(name[:2], *measure.VARIANTS[name].flags.split()).variables["model"]


def update_difference(optimizer, **changed):
    """Return the largest difference of a weight from Keras 2.0.6 after any update."""
    again = type(optimizer).from_config({**optimizer.get_config(), **changed})
    recorded = np.float32(REPLAY["optimizers"][type(optimizer).__name__])
    return np.abs(chapter.replay_updates(again) - recorded).max()


def test_the_replay_is_of_the_book_s_software_and_of_the_whole_chapter():
    assert REPLAY["keras"] == "2.0.6"
    assert list(REPLAY["networks"]) == list(chapter.PROGRAMS)
    assert list(REPLAY["optimizers"]) == list(chapter.OPTIMIZERS) == list(UPDATE_TOLERANCE)
    for recorded in REPLAY["optimizers"].values():
        assert np.shape(recorded) == (1 + 50, 6, 3)
        # Each one moves them
        assert np.abs(np.diff(recorded, axis=0)).max(axis=(1, 2)).min() > 1e-4


@pytest.mark.parametrize("name", chapter.PROGRAMS)
def test_a_script_s_network_gives_the_book_s_output_and_loss(name):
    output, loss = chapter.replay_network(script_model(name))
    recorded, recorded_loss = REPLAY["networks"][name]
    assert np.abs(np.subtract(output, recorded)).max() < OUTPUT_TOLERANCE
    assert abs(loss - recorded_loss) < OUTPUT_TOLERANCE


@pytest.mark.parametrize("name", chapter.PROGRAMS)
def test_a_script_s_optimizer_makes_the_book_s_updates(name):
    optimizer = script_model(name).optimizer
    assert type(optimizer).__name__ == chapter.PROGRAMS[name].optimizer
    assert update_difference(optimizer) < UPDATE_TOLERANCE[type(optimizer).__name__]


CHANGED = [("01", {"learning_rate": 0.011}), ("04", {"epsilon": 1e-7}), ("04", {"rho": 0.9})]
CHANGED += [("03-adagrad", {"epsilon": 1e-8}), ("03-adagrad", {"initial_accumulator_value": 0.1})]


@pytest.mark.parametrize(("name", "changed"), CHANGED)
def test_other_settings_are_told_apart(name, changed):
    optimizer = script_model(name).optimizer
    tolerance = UPDATE_TOLERANCE[type(optimizer).__name__]
    assert update_difference(optimizer, **changed) > 100 * tolerance


@pytest.mark.parametrize("name", pages.MARGINS)
def test_then_and_now_differ_by_less_than_the_margin(name):
    _, low, high, _ = pages.difference(name, name)
    assert -pages.MARGINS[name] < low < high < pages.MARGINS[name]


OTHERS = [("02", "02-epochs-100"), ("03", "03-epochs-5"), ("03", "03-adagrad")]
OTHERS += [("04-book", "04-adadelta-default"), ("04-book", "04")]


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_another_training_is_told_apart(name, other):
    _, low, high, _ = pages.difference(name, other)
    assert max(abs(low), abs(high)) > pages.MARGINS[name]

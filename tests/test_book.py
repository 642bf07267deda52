"""The book's software and today's do the same: what can be repeated exactly, and whole trainings.

records/replay.json has what Keras 2.0.6 makes of given inputs and weights, and records/book.csv its whole
trainings, which chapter.py says cannot be repeated: they are compared as samples. Here it is the chapter's
programs that are compared; test_outcomes.py holds the scripts to them.
"""

import json

import chapter
import keras
import measure
import numpy as np
import pages
import pytest
from chapter import OUTPUT_TOLERANCE, UPDATE_TOLERANCE

REPLAY = json.loads((measure.RECORDS / "replay.json").read_text(encoding="utf-8"))


def update_difference(name, **changed):
    """Return the largest difference of a weight from Keras 2.0.6 after any update of an optimizer."""
    optimizer = getattr(keras.optimizers, name)(**{**chapter.OPTIMIZERS[name], **changed})
    recorded = np.float32(REPLAY["optimizers"][name])
    return np.abs(chapter.replay_updates(optimizer) - recorded).max()


def test_the_replay_is_of_the_book_s_software_and_of_the_whole_chapter():
    assert REPLAY["keras"] == "2.0.6"
    assert list(REPLAY["networks"]) == list(chapter.PROGRAMS)
    assert list(REPLAY["optimizers"]) == list(chapter.OPTIMIZERS) == list(UPDATE_TOLERANCE)
    for recorded in REPLAY["optimizers"].values():
        assert np.shape(recorded) == (1 + 50, 6, 3)
        # Each one moves them
        assert np.abs(np.diff(recorded, axis=0)).max(axis=(1, 2)).min() > 1e-4


@pytest.mark.parametrize("name", chapter.PROGRAMS)
def test_a_network_gives_the_book_s_output_and_loss(name):
    output, loss = chapter.replay_network(chapter.build_today(chapter.PROGRAMS[name]))
    recorded, recorded_loss = REPLAY["networks"][name]
    assert np.abs(np.subtract(output, recorded)).max() < OUTPUT_TOLERANCE
    assert abs(loss - recorded_loss) < OUTPUT_TOLERANCE


@pytest.mark.parametrize("name", chapter.OPTIMIZERS)
def test_an_optimizer_makes_the_book_s_updates(name):
    assert update_difference(name) < UPDATE_TOLERANCE[name]


CHANGED = [("SGD", {"learning_rate": 0.011}), ("SGD", {"momentum": 0.1})]
CHANGED += [("Adadelta", {"epsilon": 1e-7}), ("Adadelta", {"rho": 0.9})]
CHANGED += [("Adagrad", {"epsilon": 1e-8}), ("Adagrad", {"initial_accumulator_value": 0.1})]


@pytest.mark.parametrize(("name", "changed"), CHANGED)
def test_other_settings_are_told_apart(name, changed):
    assert update_difference(name, **changed) > 100 * UPDATE_TOLERANCE[name]


@pytest.mark.parametrize("name", pages.MARGINS)
def test_then_and_now_differ_by_less_than_the_margin(name):
    _, low, high, _ = pages.difference(name, name)
    margin = pages.MARGINS[name]
    assert -margin < low < high < margin, f"{name}: measure more seeds, or find out what differs"


OTHERS = [("02", "02-epochs-100"), ("03", "03-epochs-5"), ("03", "03-adagrad")]
OTHERS += [("04-book", "04-adadelta-default"), ("04-book", "04")]


@pytest.mark.parametrize(("name", "other"), [pair for pair in OTHERS if pair[0] in pages.MARGINS])
def test_another_training_is_told_apart(name, other):
    _, low, high, _ = pages.difference(name, other)
    assert max(abs(low), abs(high)) > pages.MARGINS[name]

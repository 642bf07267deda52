"""The scripts do what the chapter does, today's Keras computes what the book's did, and both reach the same results."""

import json
import re
import statistics
from functools import cache
from pathlib import Path
from unittest import mock

import chapter
import keras
import numpy as np
import pages
import pytest
from differences import DIFFERENCES
from files import scripts, source, texts
from programs import changes, read_programs
from running import images_for, network, rows


@cache
def replay():
    """Return what Keras 2.0.6 made of given weights and inputs."""
    return json.loads(Path(__file__).with_name("replay.json").read_text(encoding="utf-8"))


@cache
def lines_of_data(data, images):
    """Return the lines of programs.txt of the chapter's data, those of training and those of testing."""
    with mock.patch.object(chapter.mnist, "load_data", lambda path: images()):
        arrays = zip(["x_train", "y_train", "x_test", "y_test"], data(0), strict=True)
        lines = [rows(name, array) for name, array in arrays]
    return lines[:2], lines[2:]


def chapter_s_lines(name):
    """Return what the chapter's program hands to Keras, in the lines of programs.txt."""
    program = chapter.PROGRAMS[name]
    training, testing = lines_of_data(program.data, images_for(name))
    settings = [f"fit batch_size={program.batch_size}", f"fit epochs={program.epochs}"]
    return [*training, *network(chapter.build_today(program)), *settings, *testing]


@pytest.mark.parametrize("name", chapter.PROGRAMS)
def test_a_script_does_what_the_chapter_does_but_for_declared_differences(name):
    _, lines = read_programs()[name]
    lines = [line for line in lines if not re.match("first weights|prints|writes", line)]
    row, declared = DIFFERENCES.get(name, (None, []))
    assert changes(chapter_s_lines(name), lines) == declared, (
        f"{name} is not the chapter's program (-). Mend the script, or declare it in DIFFERENCES of differences.py"
    )
    if declared:
        assert f"# Book {row}: " in source(name[:2]), (
            f"{name} differs without a comment `# Book {row}:`"
        )
        assert f'id="no-{row}"' in texts()["tutorials/book.md"]


def test_every_script_with_a_section_of_the_book_is_compared_with_it():
    sections = [number for number in scripts() if "(section 4." in source(number).splitlines()[0]]
    assert sections == [name for name in chapter.PROGRAMS if len(name) == 2]


@pytest.mark.parametrize("name", chapter.PROGRAMS)
def test_a_network_gives_the_book_s_output_and_loss(name):
    assert replay()["keras"] == "2.0.6"
    output, loss = chapter.replay_network(chapter.build_today(chapter.PROGRAMS[name]))
    recorded, recorded_loss = replay()["networks"][name]
    assert np.abs(np.subtract(output, recorded)).max() < chapter.OUTPUT_TOLERANCE
    assert abs(loss - recorded_loss) < chapter.OUTPUT_TOLERANCE


def update_difference(name, updates=50, **changed):
    """Return how far an optimizer's weights are from those of Keras 2.0.6 after any of these updates."""
    optimizer = getattr(keras.optimizers, name)(**{**chapter.OPTIMIZERS[name], **changed})
    recorded = np.float32(replay()["optimizers"][name][: updates + 1])
    return np.abs(chapter.replay_updates(optimizer, updates) - recorded).max()


@pytest.mark.parametrize("name", chapter.OPTIMIZERS)
def test_an_optimizer_makes_the_book_s_updates(name):
    assert update_difference(name) < chapter.UPDATE_TOLERANCE[name]


CHANGED = [("SGD", {"learning_rate": 0.011}), ("SGD", {"momentum": 0.1})]
CHANGED += [("Adadelta", {"epsilon": 1e-7}), ("Adadelta", {"rho": 0.9})]
CHANGED += [("Adagrad", {"epsilon": 1e-8}), ("Adagrad", {"initial_accumulator_value": 0.1})]


@pytest.mark.parametrize(("name", "changed"), CHANGED)
def test_other_settings_are_told_apart(name, changed):
    assert update_difference(name, updates=10, **changed) > 30 * chapter.UPDATE_TOLERANCE[name]


# How far apart the means of then and now may be, with their whole 95 % interval; and another training, which must
# be further away, or the margin would be too wide to tell anything
MARGINS = {
    "01": (0.25, None),
    "02": (0.045, "02-batch-16"),
    "03": (0.005, "03-epochs-5"),
    "03-adagrad": (0.003, "03"),
    "03-relu": (0.0035, "03-tanh"),
    "03-tanh": (0.0035, "03-relu"),
    "04-book": (0.0045, "04"),
}


def test_every_recorded_program_of_the_book_has_a_margin():
    assert set(MARGINS) == set(pages.runs(pages.BOOK))


@pytest.mark.parametrize("name", [name for name in MARGINS if name not in DIFFERENCES])
def test_then_and_now_differ_by_less_than_the_margin(name):
    margin, other = MARGINS[name]
    _, low, high, _ = pages.difference(name)
    assert -margin < low < high < margin, f"{name}: measure more seeds, or find out what differs"
    if other:
        gap = statistics.mean(pages.results(other)) - statistics.mean(
            pages.results(name, pages.BOOK)
        )
        assert abs(gap) > margin, f"{name}: the margin is too wide, {other} is within it"

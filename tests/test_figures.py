"""img/make_figures.py makes every picture, here from little data."""

import sys

import matplotlib.image
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "img"))
import make_figures


@pytest.mark.parametrize("name", make_figures.PICTURES)
def test_picture_is_made(runs, name):
    run = runs("figures")
    assert run.returncode == 0, run.stderr
    height, width, _ = matplotlib.image.imread(run.folder / name).shape
    assert 500 <= width <= 1000
    assert 100 <= height <= 600
    assert (run.folder / name).stat().st_size < 120_000


def test_nothing_else_is_left_behind(runs):
    assert {path.name for path in runs("figures").folder.iterdir()} == set(make_figures.PICTURES)


def test_exercises_are_the_committed_record(tmp_path):
    # Drawn from tests/results.json alone: a picture that is older than the record is not the same.
    make_figures.exercises(tmp_path / "again.png")
    committed = matplotlib.image.imread(ROOT / "img" / "exercises.png")
    again = matplotlib.image.imread(tmp_path / "again.png")
    assert committed.shape == again.shape
    assert abs(committed - again).mean() < 0.02  # fonts differ a little between versions


def test_same_input_same_bytes(tmp_path):
    for name in "one.png", "two.png":
        make_figures.exercises(tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()

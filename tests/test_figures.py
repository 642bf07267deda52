"""img/make_figures.py makes every picture, here from little data."""

import json
import sys

import matplotlib.image
import PIL.Image
import pytest
import test_claims
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


def test_exercises_are_drawn_from_the_record_as_it_is():
    with PIL.Image.open(ROOT / "img" / "exercises.png") as picture:
        drawn = json.loads(picture.text["Description"])
    names = [name for name in test_claims.VARIANTS if name.startswith("03")]
    assert drawn == {name: test_claims.figures(name) for name in names}


def test_same_input_same_bytes(tmp_path):
    for name in "one.png", "two.png":
        make_figures.exercises(tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()

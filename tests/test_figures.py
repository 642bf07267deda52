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


@pytest.mark.command("figures")
@pytest.mark.parametrize("name", make_figures.PICTURES)
def test_picture_is_made(command, name):
    assert command.returncode == 0, command.stderr
    height, width, _ = matplotlib.image.imread(command.folder / name).shape
    assert 500 <= width <= 1000
    assert 100 <= height <= 600
    assert (command.folder / name).stat().st_size < 120_000


@pytest.mark.command("figures")
def test_nothing_else_is_left_behind(command):
    assert {path.name for path in command.folder.iterdir()} == set(make_figures.PICTURES)


def test_learning_curve_is_drawn_by_the_script_as_it_is():
    with PIL.Image.open(ROOT / "img" / "04_01.png") as picture:
        assert picture.text["Description"] == make_figures.plotting_lines()


def test_exercises_are_drawn_from_the_record_as_it_is():
    with PIL.Image.open(ROOT / "img" / "exercises.png") as picture:
        drawn = json.loads(picture.text["Description"])
    names = [name for name in test_claims.VARIANTS if name.startswith("03")]
    assert drawn == {name: test_claims.figures(name) for name in names}


def test_then_and_now_are_drawn_from_the_records_as_they_are():
    with PIL.Image.open(ROOT / "img" / "then_and_now.png") as picture:
        drawn = json.loads(picture.text["Description"])
    records = test_claims.THEN, test_claims.VARIANTS
    both = [test_claims.figures(name, record=r) for name in test_claims.THEN for r in records]
    assert list(drawn.values()) == both


def test_same_input_same_bytes(tmp_path):
    for name in "one.png", "two.png":
        make_figures.exercises(tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()

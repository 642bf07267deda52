"""A record knows its program: what was trained then is what the scripts train today.

records/programs.csv has for each variant, as a line of plain text, what its runs are of (programs.py).
"""

import json
import re
from pathlib import Path

import chapter
import measure
import pages
import pictures
import PIL.Image
import programs
import pytest
from conftest import TRAINING
from measure import ROOT, SCRIPTS, VARIANTS

PROGRAMS = measure.recorded_programs()
WANTED = [("results", name) for name, variant in VARIANTS.items() if variant.script != "import"]
WANTED += [("book", name) for name, variant in VARIANTS.items() if variant.margin]


def test_every_program_is_recorded_once():
    missing = [name for record, name in WANTED if (record, name) not in PROGRAMS]
    assert missing == [], "run: python tests/tools/measure.py " + " ".join(missing)
    assert list(PROGRAMS) == [row for row in PROGRAMS if row in WANTED], "without a variant"
    rows = measure.read("programs")
    assert len(rows) == len(PROGRAMS), "a program stands there twice"


@pytest.mark.parametrize(("record", "name"), WANTED)
def test_the_recorded_runs_are_of_today_s_program(record, name):
    today, recorded = programs.of_record(record, name), PROGRAMS.get((record, name), "")
    differs = [part for part in recorded.split("; ") if part not in today.split("; ")]
    instead = [part for part in today.split("; ") if part not in recorded.split("; ")]
    option = " --book-python PY" if record == "book" else ""
    assert today == recorded, (
        f"the runs of {name} in {record}.csv are of another program: {differs} then, {instead} today. "
        f"To measure it: python tests/tools/measure.py --anew{option} {name}"
    )


@pytest.mark.parametrize("name", [name for record, name in WANTED if record == "book"])
def test_the_book_s_runs_are_of_the_script_s_program_but_for_a_declared_difference(name):
    same = PROGRAMS["book", name] == PROGRAMS["results", name]
    declared = name[:2] in chapter.DIFFERENCES
    assert same != declared, f"{name} and DIFFERENCES in chapter.py do not say the same"


@pytest.mark.parametrize("name", VARIANTS)
def test_every_seed_is_recorded_once(name):
    variant, runs = VARIANTS[name], pages.read("results")[name]
    command = f"run: python tests/tools/measure.py {name}"
    records = [runs, pages.read("book")[name]] if variant.margin else [runs]
    for found in records:
        assert [int(run["seed"]) for run in found] == list(range(variant.seeds)), command
    assert {run["command"] for run in runs} == {variant.command}


def test_05_has_the_results_of_02_whose_program_it_trains():
    assert PROGRAMS["results", "05"] == PROGRAMS["results", "02"]
    assert pages.results("05") == pages.results("02")[: VARIANTS["05"].seeds]


def test_runs_are_of_one_environment():
    for record, versions in ("results", "keras 3"), ("book", "keras 2.0.6; tensorflow 1.3.0"):
        found = {run["measured_with"] for run in measure.read(record)}
        (software,) = [one for one in found if "; tensorflow" in one]
        assert versions in software


@pytest.mark.parametrize("number", SCRIPTS)
def test_the_recorded_output_is_of_the_first_seed(number):
    lines = pages.endings()[number]
    assert lines[0] == "Epoch {0}/{0}".format(chapter.today(number).epochs)
    first = pages.results(number)[0]
    shown = re.search(r"(?m)^\[([\d.]+), |^test accuracy: (.*)$", "\n".join(lines))
    again = f"run: python tests/tools/measure.py --anew {number}"
    assert f"{float(shown[1] or shown[2]):.4f}" == f"{first:.4f}", again


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_shows_what_its_name_says(name):
    again = f"run: python tests/tools/pictures.py {name}"
    with PIL.Image.open(ROOT / "img" / name) as picture:
        assert 500 <= picture.width <= 1000
        assert 100 <= picture.height <= 700
        found = json.loads(picture.text.get("Description", "{}"))
    assert found.pop("picture", None) == name, again
    wanted = pictures.origin(name)
    assert list(found) == list(wanted), again
    assert all(found[key] == pytest.approx(wanted[key]) for key in found), again


def test_every_picture_is_made_here():
    assert set(pictures.PICTURES) == {path.name for path in (ROOT / "img").iterdir()}


def test_a_run_is_added_only_to_runs_of_its_program(monkeypatch, tmp_path):
    (tmp_path / "programs.csv").write_text("record,variant,program\nresults,02,another\n")
    monkeypatch.setattr(measure, "RECORDS", Path(tmp_path))
    with pytest.raises(SystemExit, match="of another program; --anew"):
        measure.claim("results", "02")
    measure.claim("results", "01")
    assert measure.read("programs")[1]["program"] == PROGRAMS["results", "01"]


# How far a result may lie outside the recorded range: other machines and versions compute a little
# differently, which is like another seed.
ROOM = {"01": 0.5, "02": 0.15, "03": 0.01, "04": 0.003, "04-book": 0.005, "05": 0.15}


@pytest.mark.full
@pytest.mark.parametrize("name", ROOM)
def test_result_is_within_the_recorded_range(name):
    (_, _, loss, accuracy, *_), _ = measure.run(name, 100, TRAINING)
    result = float(loss if name == "01" else accuracy)
    recorded = pages.results(name)
    assert min(recorded) - ROOM[name] <= result <= max(recorded) + ROOM[name]

"""A record knows its program, and the book's software and today's do the same.

records/programs.csv has for each variant what its runs are of (programs.py), replay.json what Keras 2.0.6
makes of given inputs and weights. Its whole trainings (book.csv) cannot be repeated: see tests/README.md.
"""

import json
import os
import re

import chapter
import keras
import measure
import numpy as np
import pages
import pictures
import PIL.Image
import programs
import pytest
from conftest import TRAINING
from measure import ROOT, SCRIPTS, VARIANTS
from pages import PROGRAMS

RECORDS = [("results", name) for name in VARIANTS]
RECORDS += [("book", name) for name, variant in VARIANTS.items() if variant.margin]
OF_PROGRAMS = [(record, name) for record, name in RECORDS if VARIANTS[name].script != "import"]
REPLAY = json.loads((measure.RECORDS / "replay.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("record", "name"), OF_PROGRAMS)
def test_the_recorded_runs_are_of_today_s_program(record, name):
    today, recorded = programs.of_record(record, name), PROGRAMS.get((record, name), "")
    option = " --book-python PY" if record == "book" else ""
    assert today == recorded, (
        f"the runs of {name} in {record}.csv are of another program: {programs.changes(recorded, today)}. "
        f"To measure it: python tests/tools/measure.py --anew{option} {name}"
    )


@pytest.mark.parametrize(("record", "name"), RECORDS)
def test_every_seed_is_recorded_once(record, name):
    runs, command = pages.read(record)[name], f"run: python tests/tools/measure.py {name}"
    assert [int(run["seed"]) for run in runs] == list(range(VARIANTS[name].seeds)), command
    if record == "results":
        commands = {run["command"] for run in runs}
        assert commands == {VARIANTS[name].command}, f"with --anew, {command}"
    else:
        same = PROGRAMS["book", name] == PROGRAMS["results", name]
        declared = name[:2] in chapter.DIFFERENCES
        assert same != declared, f"not so in DIFFERENCES of chapter.py; or, --anew, {command}"


def test_records_are_of_all_variants_and_of_one_environment():
    recorded = [(row["record"], row["variant"]) for row in measure.read("programs")]
    missing = "programs.csv does not have each variant once; run: python tests/tools/measure.py"
    assert sorted(recorded) == sorted(OF_PROGRAMS), missing
    for record, versions in ("results", "keras 3"), ("book", "keras 2.0.6; tensorflow 1.3.0"):
        measured = {run["measured_with"] for run in measure.read(record)}
        found = {re.sub("^python.*?; |; [A-Z].*", "", one) for one in measured}
        software = [one for one in found if "; tensorflow" in one]
        assert len(software) == 1 and versions in software[0], f"{record}.csv is of {software}"
    # 05 trains the network of 02
    assert PROGRAMS["results", "05"] == PROGRAMS["results", "02"]
    assert pages.results("05") == pages.results("02")[: VARIANTS["05"].seeds]


@pytest.mark.parametrize("number", SCRIPTS)
def test_the_recorded_output_is_of_the_first_seed(number):
    lines = pages.OUTPUTS[number]
    assert lines[0] == "Epoch {0}/{0}".format(chapter.today(number).epochs)
    assert lines[1].startswith("{0}/{0} ".format(pages.batches(number)))
    shown = re.search(r"(?m)^\[([\d.]+), |^test accuracy: (.*)$", "\n".join(lines))
    again = f"delete its seed 0 in results.csv, and run: python tests/tools/measure.py {number}"
    assert round(float(shown[1] or shown[2]), 4) == pages.results(number)[0], again


@pytest.mark.parametrize("name", sorted({*pictures.PICTURES, *os.listdir(ROOT / "img")}))
def test_a_picture_shows_what_its_name_says(name):
    assert name in pictures.PICTURES, "pictures.py does not make it"
    again = f"run: python tests/tools/pictures.py {name}"
    with PIL.Image.open(ROOT / "img" / name) as picture:
        assert 500 <= picture.width <= 1000 > picture.height > 100
        found = json.loads(picture.text.get("Description", "{}"))
    assert found == {"picture": name, **pictures.origin(name)}, again


def test_a_run_is_added_only_to_runs_of_its_program(monkeypatch, tmp_path):
    (tmp_path / "programs.csv").write_text("record,variant,program\nresults,02,another\n")
    monkeypatch.setattr(measure, "RECORDS", tmp_path)
    with pytest.raises(SystemExit, match="of another program; --anew"):
        measure.claim("results", "02")
    measure.claim("results", "01")
    assert measure.read("programs")[1]["program"] == PROGRAMS["results", "01"]


def update_difference(name, updates=50, **changed):
    """Return the largest difference of a weight from Keras 2.0.6 after any of these updates."""
    optimizer = getattr(keras.optimizers, name)(**{**chapter.OPTIMIZERS[name], **changed})
    recorded = np.float32(REPLAY["optimizers"][name][: updates + 1])
    return np.abs(chapter.replay_updates(optimizer, updates) - recorded).max()


@pytest.mark.parametrize("name", chapter.PROGRAMS)
def test_a_network_gives_the_book_s_output_and_loss(name):
    assert REPLAY["keras"] == "2.0.6"
    output, loss = chapter.replay_network(chapter.build_today(chapter.PROGRAMS[name]))
    recorded, recorded_loss = REPLAY["networks"][name]
    assert np.abs(np.subtract(output, recorded)).max() < chapter.OUTPUT_TOLERANCE
    assert abs(loss - recorded_loss) < chapter.OUTPUT_TOLERANCE


@pytest.mark.parametrize("name", chapter.OPTIMIZERS)
def test_an_optimizer_makes_the_book_s_updates(name):
    assert update_difference(name) < chapter.UPDATE_TOLERANCE[name]


CHANGED = [("SGD", {"learning_rate": 0.011}), ("SGD", {"momentum": 0.1})]
CHANGED += [("Adadelta", {"epsilon": 1e-7}), ("Adadelta", {"rho": 0.9})]
CHANGED += [("Adagrad", {"epsilon": 1e-8}), ("Adagrad", {"initial_accumulator_value": 0.1})]


@pytest.mark.parametrize(("name", "changed"), CHANGED)
def test_other_settings_are_told_apart(name, changed):
    assert update_difference(name, updates=10, **changed) > 30 * chapter.UPDATE_TOLERANCE[name]


# Another training, which the margin must tell apart
OTHERS = {"02": "02-epochs-100", "03": "03-epochs-5", "03-adagrad": "03", "03-relu": "03-tanh"}
OTHERS |= {"03-tanh": "03-relu", "04-book": "04"}


@pytest.mark.parametrize("name", pages.MARGINS)
def test_then_and_now_differ_by_less_than_the_margin(name):
    _, low, high, _ = pages.difference(name, name)
    margin = pages.MARGINS[name]
    assert -margin < low < high < margin, f"{name}: measure more seeds, or find out what differs"
    if name in OTHERS:
        _, low, high, _ = pages.difference(name, OTHERS[name])
        assert max(-low, high) > margin, f"{name}: the margin is too wide"


# How far a result may lie outside the recorded range: another machine is like another seed
ROOM = {"01": 0.5, "02": 0.15, "03": 0.01, "04": 0.003, "04-book": 0.005, "05": 0.15}


@pytest.mark.full
@pytest.mark.parametrize("name", ROOM)
def test_result_is_within_the_recorded_range(name):
    (_, _, loss, accuracy, *_), _ = measure.run(name, 100, TRAINING)
    result = float(loss if name == "01" else accuracy)
    recorded = pages.results(name)
    assert min(recorded) - ROOM[name] <= result <= max(recorded) + ROOM[name]

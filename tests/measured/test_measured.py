"""The records are of today's programs, and tables, pictures, outputs and `Expect:` are made of the records."""

import os
import re
from dataclasses import replace

import drawings
import measure
import numpy as np
import pages
import pictures
import PIL.Image
import pytest
import report
from files import ROOT, scripts, texts
from measure import variants
from programs import changes, digests, read_programs, write_program
from running import TRAINED, hand_over, lines_for_few, noise, run_as_typed, save_noise

LISTS = {
    "variant": variants,
    "extra": lambda: [name for name in variants() if name not in scripts()],
    "shown": lambda: [name for name, variant in variants().items() if variant.output],
    "trained": lambda: [*scripts(), "04-book"],
    "file": pages.shown_in,
    "picture": lambda: sorted({*pictures.PICTURES, *os.listdir(ROOT / "img")}),
}


def recorded():
    """Return {variant: its runs} of results.csv."""
    return pages.runs(measure.RESULTS)


def again(name, why):
    """Return what to do about the runs of a variant, and how long that takes."""
    seconds = pages.seconds(name)
    time = f"{seconds * variants()[name].seeds / 60:.0f} minutes" if seconds else "never timed"
    return f"{why}. Measure them: python tests/measured/measure.py {name} ({time})"


def test_a_variant_hands_over_what_is_written_down(extra, pytestconfig):
    variant = variants()[extra]
    lines = lines_for_few(variant.text, variant.flags)
    if variant.edits:
        unedited = replace(variant, edits=[])
        assert lines != lines_for_few(unedited.text, variant.flags), "its edits change nothing"
    if pytestconfig.option.update:
        write_program(extra, variant.command, lines)
    command, written_down = read_programs().get(extra, ("", []))
    assert changes(written_down, lines) == [], "if it is right: python -m pytest --update"
    assert command == variant.command, "python -m pytest --update"


def test_nothing_is_written_down_that_is_not_run():
    gone = {*read_programs(), *recorded()} - {*variants()}
    assert gone == set(), (
        "a script is new: name it in variants.toml; or it is gone: take it out of programs.txt and "
        "results.csv by hand"
    )


def test_every_seed_has_a_run_of_today_s_program(variant):
    runs, of = recorded().get(variant, []), digests().get(variant)
    other = [run for run in runs if run["program"] != of]
    assert other == [], again(variant, f"{len(other)} runs of {variant} are of another program")
    missing = set(range(variants()[variant].seeds)) - {int(run["seed"]) for run in runs}
    assert missing == set(), again(variant, f"{len(missing)} runs of {variant} are missing")


def test_05_trains_the_network_of_02():
    _, lines = read_programs()["02"]
    assert lines == read_programs()["05"][1][: len(lines)]
    both = zip(recorded()["05"], recorded()["02"], strict=False)
    assert all(one["result"] == other["result"] for one, other in both)


def test_what_is_recorded_of_the_drawings_is_of_today_s_programs_and_strokes():
    situations = [*drawings.SITUATIONS, *(f"moved by {pixels}" for pixels in drawings.MOVES)]
    found = [
        (row["variant"], row["made_of"], row["situation"]) for row in measure.read(measure.DRAWINGS)
    ]
    assert found == [
        (name, drawings.made_of(name), one) for name in drawings.MEASURED for one in situations
    ], "run: python tests/measured/drawings.py"
    assert set(situations) == {*pages.SITUATIONS, *pages.MOVED}, "name it in pages.py"


def test_each_curve_is_of_a_recorded_run():
    curves = pages.runs(measure.CURVES)
    assert set(curves) == {
        name for name in variants() if "--validation-split" in variants()[name].flags
    }
    for name, rows in curves.items():
        assert {row["seed"] for row in rows} == {run["seed"] for run in recorded()[name]}


def test_a_page_or_script_shows_the_records(file):
    shown, text = pages.filled_in(file).splitlines(), file.read_text(encoding="utf-8").splitlines()
    assert changes(text, shown) == [], f"{file}: run python tests/measured/pages.py"


def test_every_table_and_output_is_on_a_page():
    for language, end in enumerate([".md", ".ja.md"]):
        shown = "".join(text for name, text in texts().items() if name.endswith(end))
        heads = [heads[language] for heads in pages.HEADS.values() if language < len(heads)]
        assert [head for head in heads if f"| {head} |" not in shown] == []
    assert {path.stem for path in measure.OUTPUTS.iterdir()} == set(LISTS["shown"]())


def shape(lines):
    """Return lines without what differs from run to run: numbers, and species with the spaces between them."""
    return [re.sub(r"[\d.]+|setosa|versicolor|virginica", "#", line).split() for line in lines]


def test_an_output_that_pages_show_is_what_the_script_prints(shown):
    to_renew = (
        f"python tests/measured/measure.py --outputs {shown}, then python tests/measured/pages.py"
    )
    path, variant = measure.OUTPUTS / f"{shown}.txt", variants()[shown]
    assert path.exists(), to_renew
    text = path.read_text(encoding="utf-8")
    handed_over = hand_over(variant.text, variant.flags, noise(80, 40))
    _, printed = handed_over.printed.split(f"{TRAINED}\n")
    # The first two lines are of Keras: the last epoch, and its progress
    assert shape(text.splitlines()[2:]) == shape(printed.splitlines()), to_renew
    assert float(measure.score(text)) == pages.results(shown)[0], (
        f"not the recorded result of seed 0: {to_renew}; on another machine or with another version first "
        f"python tests/measured/measure.py --anew {shown}"
    )


def test_a_picture_is_of_today_s_program_and_records(picture):
    assert picture in pictures.PICTURES, "pictures.py does not make it"
    with PIL.Image.open(ROOT / "img" / picture) as image:
        found = image.text.get("Description", "")
    assert found == pictures.made_of(picture), f"run: python tests/measured/pictures.py {picture}"


def test_the_pictures_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "img").iterdir()) < 600_000


def test_measure_as_typed_says_what_is_missing(tmp_path):
    ended = run_as_typed([ROOT / "tests" / "measured" / "measure.py", "--list"], tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith(" runs are missing.\n")


@pytest.mark.parametrize(
    "wrong", [["04-nothing"], ["--seconds", "03"], ["--anew"], ["--outputs", "04"]]
)
def test_measure_refuses_a_wrong_command_with_one_line(wrong, tmp_path):
    ended = run_as_typed([ROOT / "tests" / "measured" / "measure.py", *wrong], tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].startswith("measure.py: error: ")


def test_measure_refuses_data_that_are_not_mnist(tmp_path, monkeypatch):
    save_noise(tmp_path / "noise.npz", 80, 40)
    for path in "noise.npz", "missing.npz":
        monkeypatch.setenv("MNIST_NPZ", str(tmp_path / path))
        with pytest.raises(SystemExit, match="MNIST"):
            measure.require_mnist(variants().values())


def test_a_run_of_another_program_is_replaced_and_one_of_today_s_is_kept(tmp_path, monkeypatch):
    cells = {"training": "0.6", "to_beat": "0.3"}
    run = {"variant": "02", "result": "0.5", "made_with": "Keras 9"} | cells
    of = digests()["02"]
    old, kept = run | {"seed": 0, "program": "of before"}, run | {"seed": 1, "program": of}
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results.csv")
    measure.write(measure.RESULTS, [old, kept])
    monkeypatch.setattr(measure, "require_mnist", lambda variants: None)
    anew = {"result": "0.1"} | cells
    monkeypatch.setattr(measure, "run_and_report", lambda variant, seed: (anew, {}))
    measure.measure_results({"02": measure.Variant("02", seeds=2)}, anew=False)
    found = [(row["seed"], row["result"], row["program"]) for row in measure.read(measure.RESULTS)]
    assert found == [("1", "0.5", of), ("0", "0.1", of)]


def test_what_to_beat_is_the_answer_that_is_always_the_same():
    one_hot = np.array([[1, 0], [1, 0], [0, 1]])
    assert report.to_beat(one_hot, one_hot) == pytest.approx(2 / 3)
    assert report.to_beat(np.array([1.0, 3.0]), np.array([2.0, 5.0])) == 1.5


# How far a result may lie outside the recorded range: another machine is like another seed
ROOM = {"01": 0.5, "03": 0.01, "04": 0.003, "04-book": 0.005}


@pytest.mark.full
def test_a_whole_training_reaches_what_is_recorded(trained, pytestconfig):
    output, _ = measure.run(variants()[trained], 100, pytestconfig.kept)
    found, room = pages.results(trained), ROOM.get(trained, 0.15)
    assert min(found) - room <= float(measure.score(output)) <= max(found) + room

"""The records are of today's programs, and tables, pictures, outputs and `Expect:` are made of the records."""

import re

import measure
import pages
import pictures
import PIL.Image
import pytest
from pages import VARIANTS
from programs import changes, digests, read_programs, write_program
from running import (
    ROOT,
    SCRIPTS,
    TRAINED,
    hand_over,
    images_for,
    noise,
    run_as_typed,
    save_noise,
    source,
)

RECORDED = pages.runs(measure.RESULTS)


def again(name, why):
    """Return what to do about the runs of a variant, and how long that takes."""
    seconds = pages.seconds(name)
    time = f"{seconds * VARIANTS[name].seeds / 60:.0f} minutes" if seconds else "never timed"
    return f"{why}. Measure them: python tests/measured/measure.py {name} ({time})"


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in SCRIPTS])
def test_a_variant_hands_over_what_is_written_down(name, pytestconfig):
    variant = VARIANTS[name]
    lines = hand_over(variant.text, variant.flags, images_for(name)).lines
    if pytestconfig.option.update:
        write_program(name, variant.command, lines)
    command, recorded = read_programs().get(name, ("", []))
    assert changes(recorded, lines) == [], "if it is right: python -m pytest --update"
    assert command == variant.command, "python -m pytest --update"


def test_nothing_is_written_down_that_is_not_run():
    assert set(read_programs()) == set(VARIANTS), (
        "take what is gone out of programs.txt and results.csv by hand"
    )
    assert set(RECORDED) == set(VARIANTS), (
        "variants without runs (python tests/measured/measure.py), or runs without"
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_every_seed_has_a_run_of_today_s_program(name):
    runs, of = RECORDED.get(name, []), digests().get(name)
    other = [run for run in runs if run["program"] != of]
    assert other == [], again(name, f"{len(other)} runs of {name} are of another program")
    missing = set(range(VARIANTS[name].seeds)) - {int(run["seed"]) for run in runs}
    assert missing == set(), again(name, f"{len(missing)} runs of {name} are missing")


def test_05_trains_the_network_of_02():
    _, lines = read_programs()["02"]
    assert lines == read_programs()["05"][1][: len(lines)]
    both = zip(RECORDED["05"], RECORDED["02"], strict=False)
    assert all(one["accuracy"] == other["accuracy"] for one, other in both)


@pytest.mark.parametrize(
    "path", [*pages.PAGES, *pages.FILES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_page_or_script_shows_the_records(path):
    shown, text = pages.filled_in(path).splitlines(), path.read_text(encoding="utf-8").splitlines()
    assert changes(text, shown) == [], "run: python tests/measured/pages.py"


def test_every_table_and_output_is_on_a_page():
    for language, end in enumerate([".md", ".ja.md"]):
        texts = [
            path.read_text(encoding="utf-8") for path in pages.PAGES if path.name.endswith(end)
        ]
        heads = [heads[language] for heads in pages.HEADS.values() if language < len(heads)]
        assert [head for head in heads if f"| {head} |" not in "".join(texts)] == []
    outputs = {path.stem for path in measure.OUTPUTS.iterdir()}
    assert outputs <= set(SCRIPTS)


def shape(lines):
    """Return lines without what differs from run to run: numbers, and species with the spaces between them."""
    return [re.sub(r"[\d.]+|setosa|versicolor|virginica", "#", line).split() for line in lines]


@pytest.mark.parametrize("number", sorted(path.stem for path in measure.OUTPUTS.iterdir()))
def test_an_output_that_pages_show_is_what_the_script_prints(number):
    shown = (measure.OUTPUTS / f"{number}.txt").read_text(encoding="utf-8")
    _, printed = hand_over(source(number), load_data=noise(80, 40)).printed.split(f"{TRAINED}\n")
    to_renew = (
        f"python tests/measured/measure.py --outputs {number}, then python tests/measured/pages.py"
    )
    # The first two lines are of Keras: the last epoch, and its progress
    assert shape(shown.splitlines()[2:]) == shape(printed.splitlines()), to_renew
    loss, accuracy = measure.score(shown)
    assert float(loss or accuracy) == pages.results(number)[0], (
        f"not the recorded result of seed 0: {to_renew}; on another machine or with another version first "
        f"python tests/measured/measure.py --anew {number}"
    )


@pytest.mark.parametrize(
    "name", sorted({*pictures.PICTURES, *(path.name for path in (ROOT / "img").iterdir())})
)
def test_a_picture_is_of_today_s_program_and_records(name):
    assert name in pictures.PICTURES, "pictures.py does not make it"
    with PIL.Image.open(ROOT / "img" / name) as picture:
        found = picture.text.get("Description", "")
    assert found == pictures.made_of(name), f"run: python tests/measured/pictures.py {name}"


def test_measure_as_typed_says_what_is_missing(tmp_path):
    ended = run_as_typed([ROOT / "tests" / "measured" / "measure.py", "--list"], tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith(" runs are missing.\n")


@pytest.mark.parametrize("wrong", [["04-nothing"], ["--seconds", "03"], ["--anew"]])
def test_measure_refuses_a_wrong_command_with_one_line(wrong, tmp_path):
    ended = run_as_typed([ROOT / "tests" / "measured" / "measure.py", *wrong], tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].startswith("measure.py: error: ")


def test_measure_refuses_data_that_are_not_mnist(tmp_path, monkeypatch):
    save_noise(tmp_path / "noise.npz", 80, 40)
    for path in "noise.npz", "missing.npz":
        monkeypatch.setenv("MNIST_NPZ", str(tmp_path / path))
        with pytest.raises(SystemExit, match="MNIST"):
            measure.require_mnist(VARIANTS.values())


def test_a_run_of_another_program_is_replaced_and_one_of_today_s_is_kept(tmp_path, monkeypatch):
    run = {"variant": "02", "loss": "", "accuracy": "0.5", "made_with": "Keras 9"}
    of = digests()["02"]
    old, kept = run | {"seed": 0, "program": "of before"}, run | {"seed": 1, "program": of}
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results.csv")
    measure.write(measure.RESULTS, [old, kept])
    monkeypatch.setattr(measure, "require_mnist", lambda variants: None)
    monkeypatch.setattr(measure, "run", lambda variant, seed: (f"test accuracy: 0.{seed + 1}", 1))
    measure.measure_results({"02": measure.Variant("02", seeds=2)}, anew=False)
    found = [
        (row["seed"], row["accuracy"], row["program"]) for row in measure.read(measure.RESULTS)
    ]
    assert found == [("1", "0.5", of), ("0", "0.1000", of)]


# How far a result may lie outside the recorded range: another machine is like another seed
ROOM = {"01": 0.5, "02": 0.15, "03": 0.01, "04": 0.003, "04-book": 0.005, "05": 0.15}


@pytest.mark.full
@pytest.mark.parametrize("name", ROOM)
def test_a_whole_training_reaches_what_is_recorded(name, pytestconfig):
    output, _ = measure.run(VARIANTS[name], 100, pytestconfig.kept)
    loss, accuracy = measure.score(output)
    recorded, room = pages.results(name), ROOM[name]
    assert min(recorded) - room <= float(loss or accuracy) <= max(recorded) + room

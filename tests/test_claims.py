"""Every number in an Expect line or in a README is one that was measured: tests/results.json."""

import json
import re
import statistics

import measure
import pytest
from conftest import ROOT, SCRIPTS

RESULTS = json.loads((ROOT / "tests" / "results.json").read_text(encoding="utf-8"))
VARIANTS = RESULTS["variants"]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.values()}
READMES = sorted(ROOT.glob("README*.md"))
ACCURACY = r"(?<![\d.])\d\.\d{4}(?!\d)"  # or a loss
DEFAULTS = ["01", "02", "03", "04", "05"]
# What the chapter prints, to four places.
BOOK = {"01": "1.7370", "02": "0.9474", "03": "0.8855", "04-book": "0.9797"}


def figures(name, key="accuracy"):
    """Return the figures of a variant, one for each seed."""
    return [run[key] for run in VARIANTS[name]["runs"].values()]


def four(value):
    """Return an accuracy or a loss as it is printed everywhere."""
    return f"{value:.4f}"


def seconds(name):
    """Return the usual time of a run in seconds."""
    return statistics.median(figures(name, "seconds"))


def duration(name):
    """Return the usual time of a run, (number, unit): minutes from 90 seconds on."""
    time = seconds(name)
    return (f"{time:.0f}", "seconds") if time < 90 else (f"{time / 60:.0f}", "minutes")


def command(name):
    """Return what a reader types for a variant."""
    entry = VARIANTS[name]
    return " ".join(["python", f"tutorials/{entry['script']}", *entry["arguments"]])


def row(text, name):
    """Return the numbers in a README table behind the cell with the command of a variant."""
    found = re.findall(rf"^\|.*`{re.escape(command(name))}` \|(.*)$", text, re.MULTILINE)
    return [re.findall(r"\d+(?:\.\d+)?", cells) for cells in found]


def expected_row(name):
    """Return the numbers of a variant in the tables of results: book, n, min, mean, max, time."""
    key = "loss" if name == "01" else "accuracy"
    values = figures(name, key)
    numbers = [four(v) for v in (min(values), statistics.mean(values), max(values))]
    book = [BOOK[name]] if name in BOOK else []
    return [*book, str(len(values)), *numbers, duration(name)[0]]


def test_everything_is_recorded():
    assert list(VARIANTS) == list(measure.VARIANTS)
    for name, variant in measure.VARIANTS.items():
        assert len(VARIANTS[name]["runs"]) == variant.seeds, name
        assert VARIANTS[name]["script"] == variant.script
        assert VARIANTS[name]["arguments"] == list(variant.arguments)
        if variant.edit:
            assert TEXTS[variant.script].count(variant.edit[0]) == 1


def claim(name):
    """Return the sentence of the Expect line."""
    number, unit = duration(name)
    if name == "01":
        losses = figures(name, "loss")
        assert set(figures(name)) == {0.0, 1.0}
        span = f"loss {four(min(losses))} to {four(max(losses))}, accuracy 0.0 or 1.0"
    else:
        accuracies = figures(name)
        span = f"test accuracy {four(min(accuracies))} to {four(max(accuracies))}"
    return f"{span} ({len(figures(name))} seeds), about {number} {unit}"


@pytest.mark.parametrize("name", [*DEFAULTS, "04-book"])
def test_expect_line(name):
    docstring = TEXTS[VARIANTS[name]["script"]].split('"""')[1]
    expect = " ".join(docstring.split("Expect:")[1].split())
    assert claim(name) in expect


def test_expect_lines_hold_no_other_numbers():
    for name in DEFAULTS:
        text = TEXTS[VARIANTS[name]["script"]].split('"""')[1].split("Expect:")[1]
        claims = claim(name) + (claim("04-book") + " 3 512" if name == "04" else "")
        assert set(re.findall(r"\d[\d.]*\d|\d", text)) <= set(re.findall(r"\d[\d.]*\d|\d", claims))


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
@pytest.mark.parametrize("name", list(VARIANTS))
def test_readme_rows(readme, name):
    rows = [] if measure.VARIANTS[name].edit else row(readme.read_text(encoding="utf-8"), name)
    values = figures(name, "loss" if name == "01" else "accuracy")
    short = [four(min(values)), four(max(values)), duration(name)[0]]
    if name in DEFAULTS:  # in the table of the tutorials, too
        assert rows.pop(0) == short
    assert rows == ([] if measure.VARIANTS[name].edit else [expected_row(name)])


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_readme_has_no_other_accuracies(readme):
    known = set(BOOK.values())
    for name in VARIANTS:
        known.update(expected_row(name))
    assert set(re.findall(ACCURACY, readme.read_text(encoding="utf-8"))) <= known

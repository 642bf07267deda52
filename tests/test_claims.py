"""Every number in an Expect line or on a page is one that was measured."""

import json
import re
import statistics

import book
import measure
import pytest
from conftest import ROOT, SCRIPTS

VARIANTS = json.loads(measure.RESULTS.read_text(encoding="utf-8"))["variants"]
THEN = json.loads(book.BOOK.read_text(encoding="utf-8"))["variants"]
SETUP = json.loads((ROOT / "tests" / "setup.json").read_text(encoding="utf-8"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.values()}
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md")}
MORE = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
ACCURACY = r"(?<![\d.])\d\.\d{4}(?!\d)"  # or a loss
DEFAULTS = ["01", "02", "03", "04", "05"]
# What the chapter prints, to four places.
PRINTED = {"01": "1.7370", "02": "0.9474", "03": "0.8855", "04-book": "0.9797"}
# How the pages name a variant that is no command.
EDITED = {
    "03-neurons": "Dense(500)",
    "03-layer": "Dense(20)",
    "04-book-adadelta-default": 'optimizer="Adadelta"',
}
every_page = pytest.mark.parametrize("page", PAGES)


def figures(name, key=None, record=VARIANTS):
    """Return the figures of a variant, one for each seed: by default losses of 01, else accuracies."""
    key = key or ("loss" if name == "01" else "accuracy")
    return [run[key] for run in record[name]["runs"].values()]


def four(value):
    """Return an accuracy or a loss as it is printed everywhere."""
    return f"{value:.4f}"


def spread(values):
    """Return the lowest, the mean and the highest of some figures, as printed."""
    return [four(value) for value in (min(values), statistics.mean(values), max(values))]


def seconds(name):
    """Return the usual time of a run in seconds."""
    return statistics.median(figures(name, "seconds"))


def duration(name):
    """Return the usual time of a run, (number, unit): minutes from 90 seconds on."""
    time = seconds(name)
    return (f"{time:.0f}", "seconds") if time < 90 else (f"{time / 60:.0f}", "minutes")


def sign(name):
    """Return how the tables name a variant."""
    return EDITED.get(name) or " ".join([name[:2], *VARIANTS[name]["arguments"]])


def numbers(line):
    """Return the numbers of a line, but for those in code and links."""
    return re.findall(r"\d+(?:\.\d+)?", re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)", "", line))


def rows(text, words):
    """Return the numbers of each row of a table that has `words` in code in its first cell."""
    lines = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    return [numbers(line) for line in lines if f"`{words}`" in line.split(" | ")[0]]


def test_everything_is_recorded():
    assert list(VARIANTS) == list(measure.VARIANTS)
    for name, variant in measure.VARIANTS.items():
        assert len(VARIANTS[name]["runs"]) == variant.seeds, name
        assert {key: VARIANTS[name].get(key) for key in variant.command()} == variant.command()
        for old, _ in variant.edits:
            assert TEXTS[variant.script].count(old) == 1


def claim(name):
    """Return the sentence of the Expect line."""
    number, unit = duration(name)
    low, _, high = spread(figures(name))
    if name == "01":
        assert set(figures(name, "accuracy")) == {0.0, 1.0}
        span = f"loss {low} to {high}, accuracy 0.0 or 1.0"
    else:
        span = f"test accuracy {low} to {high}"
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


@every_page
@pytest.mark.parametrize("name", DEFAULTS)
def test_scripts_table(page, name):
    script = VARIANTS[name]["script"]
    lines = re.findall(rf"^\| 4\.\d \| \[{script}\]\(.*$", PAGES[page], re.MULTILINE)
    low, _, high = spread(figures(name))
    book = [PRINTED[name]] if name in PRINTED else []
    now = [four(figures(name)[0]), low, high, str(len(figures(name))), duration(name)[0]]
    assert [numbers(line)[1:] for line in lines] == [[*book, *now]]


@every_page
def test_time_of_the_book_s_cnn(page):
    lines = [line for line in PAGES[page].splitlines() if f"`{sign('04-book')[3:]}`" in line]
    (line,) = [line for line in lines if line[0] != "|"]
    assert {duration("04-book")[0], PRINTED["04-book"]} <= set(numbers(line))


@every_page
@pytest.mark.parametrize("name", list(VARIANTS))
def test_tables_of_results(page, name):
    now = spread(figures(name))
    expected = []
    if name.startswith("03"):
        expected.append(now)
    if name in THEN:
        then = figures(name, record=THEN)
        row = [str(len(then)), *spread(then), str(len(figures(name))), *now]
        expected.append([PRINTED[name], *row] if name in PRINTED else row)
    assert rows(PAGES[page], sign(name)) == expected


@pytest.mark.parametrize("name", list(VARIANTS))
def test_full_table(name):
    (first, *_) = rows(MORE, sign(name))
    assert [number for number in first if number not in DEFAULTS] == [
        str(len(figures(name))),
        *spread(figures(name)),
    ]


@pytest.mark.parametrize("text", [*PAGES.values(), MORE], ids=[*PAGES, "tests/README.md"])
def test_no_other_accuracies(text):
    known = set(PRINTED.values())
    for name in VARIANTS:
        known.update(spread(figures(name)), [four(figures(name)[0])])
    for name in THEN:
        known.update(spread(figures(name, record=THEN)))
    assert set(re.findall(ACCURACY, re.sub(r"(?ms)^```.*?^```", "", text))) <= known


@every_page
def test_the_first_command(page):
    (excerpt,) = re.findall(r"(?ms)^```text\n(.*?)^```", PAGES[page])
    assert excerpt.splitlines()[-1] == f"test accuracy: {four(figures('03')[0])}"
    (line,) = [line for line in PAGES[page].splitlines() if " MB" in line and " GB" in line]
    download = max(entry["download_mb"] for entry in SETUP.values())
    installed = max(entry["installed_mb"] for entry in SETUP.values())
    time = max(entry["seconds_without_download"] for entry in SETUP.values())
    set_up = [str(download), f"{installed / 1000:.1f}", str(round(time, -1))]
    assert numbers(line)[:4] == [*set_up, duration("03")[0]]


def test_words_on_the_exercises_are_true():
    mean = {name: statistics.mean(figures(name)) for name in VARIANTS if name.startswith("03")}
    gain = {name: value - mean["03"] for name, value in mean.items()}
    single = sorted(gain.keys() - {"03-best"}, key=gain.get, reverse=True)
    assert set(single[:2]) == {"03-relu", "03-tanh"}
    assert single[2:4] == ["03-epochs-40", "03-adagrad"]
    assert gain["03-epochs-40"] > gain["03-epochs-20"] > 0.02
    assert gain["03-epochs-5"] < -0.02
    assert gain["03-batch-16"] > 0.02
    assert gain["03-batch-256"] < gain["03-batch-64"] < -0.02
    assert 0 < gain["03-neurons"] < 0.02  # "little"
    assert gain["03-layer"] < -0.1
    assert max(gain, key=gain.get) == "03-best"

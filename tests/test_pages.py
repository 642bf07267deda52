"""The pages: what they show of the records, and what holds their text together: facts, not spelling.

Both languages have the same sections, tables, rows and blocks, and in each row, block and section the
same numbers, code and links. What they name exists: flags, files, parts of the scripts, anchors.
"""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote

import figures
import measure
import pages
import pytest
from conftest import ROOT, SCRIPTS
from markdown_it import MarkdownIt

PATHS = [path for path in pages.PARTS if path.suffix == ".md"]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
PAIRS = [("README.md", "README.ja.md"), ("tutorials/README.md", "tutorials/README.ja.md")]
SOURCES = {number: path.read_text(encoding="utf-8") for number, path in SCRIPTS.items()}
FLAGS = {number: set(re.findall(r'"(--[\w-]+)"', text)) for number, text in SOURCES.items()}
ALL_FLAGS = set().union(*FLAGS.values())
FILE = r"(?<!\S)(?:(?:tutorials|tests|img|records)/\S+|\w+\.(?:py|toml|txt))(?!\S)"
# Not one digit alone, of which Japanese has more, as in 1回; but the number of a row
NUMBER = r"\d[\d.,]*\d|(?<=No\. )\d|(?<=no\. )\d"


def destination(name, link):
    """Return where a link of a page leads, the same in both languages: a file, and which heading of it."""
    if link.startswith("https://"):
        return link, 0
    path, _, anchor = unquote(link).partition("#")
    file = (ROOT / name).parent / path if path else ROOT / name
    assert file.exists(), link
    headings = re.findall(r"(?m)^#+ (.*)$", file.read_text(encoding="utf-8")) if anchor else []
    anchors = [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in ["", *headings]]
    return file.resolve().as_posix().replace(".ja.md", ".md"), anchors.index(anchor)


def units(name):
    """Return [(kind, {(kind of fact, fact)})] of a page: each row, each block, each section's prose."""
    prose = unit = set()
    found = [("top", prose)]
    tokens = MarkdownIt().enable("table").parse(TEXTS[name])
    for token in itertools.chain(*([token, *(token.children or [])] for token in tokens)):
        match token.type:
            case "heading_open":
                prose = unit = set()
                found.append((token.tag, prose))
            case "fence":
                found.append((f"block {token.info}", {("code", token.content)}))
            case "tr_open":
                unit = set()
                found.append(("row", unit))
            case "tr_close":
                unit = prose
            case "code_inline":
                unit.add(("code", token.content))
            case "link_open" | "image":
                link = token.attrs.get("href") or token.attrs["src"]
                unit.add(("link", destination(name, link)))
            case "text" | "html_block":
                unit |= {("number", number) for number in re.findall(NUMBER, token.content)}
    return found


def all_of(name, kind):
    """Return all facts of a kind on a page."""
    return {fact for _, facts in units(name) for of_kind, fact in facts if of_kind == kind}


def test_pages_and_scripts_show_the_records():
    assert pages.outdated() == []


@pytest.mark.parametrize("name", [name for name in measure.VARIANTS if name not in pages.SPEEDS])
def test_every_run_is_recorded_as_it_is_run_today(name):
    variant, runs = measure.VARIANTS[name], pages.read("results")[name]
    assert [int(run["seed"]) for run in runs] == list(range(variant.seeds))
    assert {run["command"] for run in runs} == {variant.command}
    measure.edited(variant.script, variant.edits)


def test_today_s_runs_are_of_one_environment():
    machines = {run["measured_with"] for run in measure.read("results")}
    assert len([machine for machine in machines if "tensorflow" in machine]) == 1


def test_the_sample_is_of_the_first_seed():
    sample = (measure.RECORDS / "sample.txt").read_text(encoding="utf-8")
    assert sample.endswith(f"\ntest accuracy: {pages.figures('03')[0]:.4f}\n")


def recorded_numbers():
    """Return what the records know, as the pages write it: results, sizes and seconds."""
    known = {f"{value:.4f}" for value in pages.PRINTED.values()}
    for record in "results", "book":
        for name, runs in pages.read(record).items():
            if runs and runs[0]["accuracy"]:
                first = pages.figures(name, record=record)[0]
                known |= {*pages.spread(name, record), f"{first:.4f}"}
    for name in pages.MARGINS:
        known |= {f"{abs(value):.4f}" for value in pages.difference(name, name)}
    for setup in measure.read("setup"):
        known |= {f"{int(setup['installed_mb']) / 1000:.1f} GB", f"{setup['download_mb']} MB"}
        known.add(f"{setup['seconds']} s")
    for run in measure.read("results"):
        known.add(f"{int(run['peak_mib'] or 0) * 2**20 / 1e9:.1f} GB")
    timed = [name for name, runs in pages.read("results").items() if runs]
    return known | {f"{pages.seconds(name):.0f} s" for name in timed}


@pytest.mark.parametrize("name", TEXTS)
def test_numbers_of_the_text_are_recorded(name):
    text = re.sub(r"(?s)<!-- generated: .*?<!-- end -->", "", TEXTS[name])
    text = re.sub(r"(\d) ?(?:seconds|秒)", r"\1 s", text)
    shown = re.findall(r"(?<![\d.])[01]\.\d{4}(?!\d)|[\d.]+ [MG]B|\d+ s(?![a-z])", text)
    assert set(shown) <= recorded_numbers() | {"10 s"}  # which a script waits for a silent network


@pytest.mark.parametrize(("english", "japanese"), PAIRS)
def test_both_languages_have_the_same_facts(english, japanese):
    assert units(english) == units(japanese)


def test_every_picture_is_made_here_and_shown_in_both_languages():
    assert set(figures.PICTURES) == {path.name for path in (ROOT / "img").iterdir()}
    for names in zip(*PAIRS, strict=True):
        links = set().union(*(all_of(name, "link") for name in [*names, "tests/README.md"]))
        shown = {Path(file).name for file, _ in links if Path(file).parent == ROOT / "img"}
        assert shown == set(figures.PICTURES)


@pytest.mark.parametrize("name", TEXTS)
def test_links_commands_flags_and_files_exist(name):
    assert all_of(name, "link")  # which looks up every one
    folders = [ROOT, ROOT / "tutorials", ROOT / "tests", ROOT / "tests" / "tools"]
    for line in "\n".join(all_of(name, "code")).replace("\\", "/").splitlines():
        for file in re.findall(FILE, line):
            assert any((folder / file).exists() for folder in folders), line
        called = re.search(r"(?:^|[ /])(0[1-5])(?:_\w+\.py)?(?= |$)", line)
        if called or line.startswith("--"):
            known = FLAGS[called[1]] if called else ALL_FLAGS | {"--help"}
            assert set(re.findall(r"(?<!\S)--[\w-]+", line)) <= known, line


@pytest.mark.parametrize("name", PAIRS[0])
def test_every_flag_is_named(name):
    assert {word for code in all_of(name, "code") for word in code.split()} >= ALL_FLAGS


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_the_parts_that_are_named_are_in_the_scripts(name):
    for _, facts in units(name):
        numbers = {number for number in SCRIPTS if ("number", number) in facts} or SCRIPTS
        for part in {fact for kind, fact in facts if kind == "code" and fact.startswith("# ")}:
            assert any(part in SOURCES[number] for number in numbers), part


@pytest.mark.parametrize("name", PAIRS[0])
def test_colab_gets_a_keras_that_will_do(name):
    (lowest,) = re.findall(r"%pip install -q \"(keras\S+)\"", TEXTS[name])
    assert lowest in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

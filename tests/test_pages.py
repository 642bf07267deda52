"""The pages: what they show of the records, and what holds their text together: facts, not spelling.

Both languages have the same sections, tables, rows and blocks, and in each row, block and section the
same numbers, code and links. What they name exists: flags, files, parts of the scripts, anchors.
"""

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
NUMBER = r"\d[\d.,]*\d"  # not one digit: Japanese has more of them, as in 1回
SOURCES = {number: path.read_text(encoding="utf-8") for number, path in SCRIPTS.items()}
every_page = pytest.mark.parametrize("name", TEXTS)


def inlines(token):
    """Return (code spans, links, numbers) of an inline token; numbers are those of the text alone."""
    code, links, words = set(), set(), ""
    for child in token.children:
        if child.type == "code_inline":
            code.add(child.content)
        elif child.type in ("link_open", "image"):
            links.add(unquote(child.attrs.get("href") or child.attrs["src"]))
        elif child.type == "text":
            words += child.content + " "
    return code, links, set(re.findall(NUMBER, words))


def units(text):
    """Return the page as a list of (kind, code, links, numbers): headings, rows, blocks, and prose.

    The prose of a section is one unit: its sentences and paragraphs may be moved and cut.
    """
    found, prose, row = [], [set(), set(), set()], None
    for token in MarkdownIt().enable("table").parse(text) + [None]:
        if token is None or token.type == "heading_open":
            found.append(("prose", *prose))
            prose = [set(), set(), set()]
        if token is None:
            break
        if token.type == "heading_open":
            found.append((token.tag, set(), set(), set()))
        elif token.type == "fence":
            found.append((f"block {token.info}", {token.content}, set(), set()))
        elif token.type == "tr_open":
            row = [set(), set(), set()]
        elif token.type == "tr_close":
            found.append(("row", *row))
            row = None
        elif token.type == "inline":
            for facts, more in zip(row or prose, inlines(token), strict=True):
                facts |= more
    return found


def all_of(name, kind):
    """Return all code spans (0), links (1) or numbers (2) of a page."""
    return set().union(*(unit[1 + kind] for unit in units(TEXTS[name])))


def anchors(text):
    """Return the anchors that a page gives its headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# The records and what is made of them


def test_pages_and_scripts_show_the_records():
    assert pages.outdated() == []


@pytest.mark.parametrize("name", [name for name in measure.VARIANTS if name not in pages.SPEEDS])
def test_every_run_is_recorded_as_it_is_run_today(name):
    runs = pages.read("results")[name]
    assert [int(run["seed"]) for run in runs] == list(range(measure.VARIANTS[name].seeds))
    assert {run["command"] for run in runs} == {measure.VARIANTS[name].command}
    measure.edited(measure.VARIANTS[name].script, measure.VARIANTS[name].edits)


def test_today_s_runs_are_of_one_environment():
    machines = {
        run["measured_with"]
        for run in measure.read("results")
        if "tensorflow" in run["measured_with"]
    }
    assert len(machines) == 1


def test_the_sample_is_of_the_first_seed():
    sample = (measure.RECORDS / "sample.txt").read_text(encoding="utf-8")
    assert sample.endswith(f"\ntest accuracy: {pages.figures('03')[0]:.4f}\n")


def recorded_numbers():
    """Return what the records know, as the pages write it: results, sizes and seconds."""
    known = {f"{value:.4f}" for value in pages.PRINTED.values()}
    for record in "results", "book":
        for name in (
            name for name, runs in pages.read(record).items() if runs and runs[0]["accuracy"]
        ):
            known |= {*pages.spread(name, record), f"{pages.figures(name, record=record)[0]:.4f}"}
    for name in pages.MARGINS:
        known |= {f"{abs(value):.4f}" for value in pages.difference(name, name)}
    for setup in measure.read("setup"):
        known |= {f"{int(setup['installed_mb']) / 1000:.1f} GB", f"{setup['download_mb']} MB"}
        known.add(f"{setup['seconds']} s")
    for run in measure.read("results"):
        known |= {f"{int(run['peak_mib'] or 0) * 2**20 / 1e9:.1f} GB"}
    return known | {
        f"{pages.seconds(name):.0f} s"
        for name in pages.read("results")
        if pages.read("results")[name]
    }


@every_page
def test_numbers_of_the_text_are_recorded(name):
    text = re.sub(r"(?s)<!-- generated: .*?<!-- end -->", "", TEXTS[name])
    text = re.sub(r"(\d) ?(?:seconds|秒)", r"\1 s", text)
    assert "{" not in re.sub(r"(?s)```.*?```|`[^`]*`", "", text)
    shown = re.findall(r"(?<![\d.])[01]\.\d{4}(?!\d)|[\d.]+ [MG]B|\d+ s\b", text)
    # What a script waits for a silent network
    assert set(shown) <= recorded_numbers() | {"10 s"}


# The text


@pytest.mark.parametrize(("english", "japanese"), PAIRS)
def test_both_languages_have_the_same_facts(english, japanese):
    one, other = units(TEXTS[english]), units(TEXTS[japanese])
    assert [unit[0] for unit in one] == [unit[0] for unit in other]
    for unit, gyo in zip(one, other, strict=True):
        links = [
            {re.sub(r"(\.ja)?\.md(#.*)?$|^#.*", ".md", link) for link in u[2]} for u in (unit, gyo)
        ]
        assert (unit[0], unit[1], unit[3], links[0]) == (gyo[0], gyo[1], gyo[3], links[1])


@every_page
def test_links_and_pictures_exist(name):
    for link in all_of(name, 1):
        path, _, anchor = link.partition("#")
        if link.startswith("https://"):
            continue
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_picture_is_made_here_and_shown_in_both_languages():
    made = set(figures.PICTURES)
    assert made == {path.name for path in (ROOT / "img").iterdir()}
    for language in 0, 1:
        shown = [link for pair in PAIRS for link in all_of(pair[language], 1)]
        shown += all_of("tests/README.md", 1)
        assert {Path(link).name for link in shown if "img/" in link} == made


@every_page
def test_commands_flags_and_files_exist(name):
    flags = {number: set(re.findall(r'"(--[\w-]+)"', text)) for number, text in SOURCES.items()}
    pieces = all_of(name, 0)
    lines = {line for piece in pieces for line in piece.splitlines()}
    for line in lines:
        words = line.replace("\\", "/").split()
        for word in words:
            if re.fullmatch(r"(tutorials|tests|img)/\S+", word):
                assert (ROOT / word).exists(), line
        called = re.search(r"\b(0[1-5])(?:_\w+\.py)?((?: --?\w.*)?)$", line.replace("\\", "/"))
        if called:
            used = set(re.findall(r"--[\w-]+", called[2]))
            assert used <= flags[called[1]], line
        elif words and words[0].startswith("--"):
            assert words[0] in set().union(*flags.values()) | {"--help"}, line


@pytest.mark.parametrize("name", PAIRS[0])
def test_every_flag_is_named(name):
    flags = {flag for text in SOURCES.values() for flag in re.findall(r'"(--[\w-]+)"', text)}
    assert flags <= {word for piece in all_of(name, 0) for word in piece.split()}


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_the_parts_that_are_named_are_in_the_scripts(name):
    lines = [line.strip() for text in SOURCES.values() for line in text.splitlines()]
    for piece in all_of(name, 0):
        if re.match(r"# (?!Book)\w", piece) and "\n" not in piece:
            assert any(line.startswith(piece) for line in lines), piece


@pytest.mark.parametrize("name", PAIRS[0])
def test_colab_gets_a_keras_that_will_do(name):
    (lowest,) = re.findall(r"%pip install -q \"(keras\S+)\"", TEXTS[name])
    assert lowest in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

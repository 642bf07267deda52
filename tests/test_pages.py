"""The pages: what they show of the records, and what holds their text together: facts, not spelling.

Both languages have the same sections, tables, rows and blocks, and in each row, block and section the
same numbers, code and links. What they name exists: flags, files, parts of the scripts, anchors.
"""

import functools
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import figures
import measure
import pages
import pytest
from markdown_it import MarkdownIt
from measure import ROOT, SCRIPTS

PATHS = [path for path in pages.PARTS if path.suffix == ".md"]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
PAIRS = [("README.md", "README.ja.md"), ("tutorials/README.md", "tutorials/README.ja.md")]
SOURCES = {number: path.read_text(encoding="utf-8") for number, path in SCRIPTS.items()}
FLAGS = {number: set(re.findall(r'"(--[\w-]+)"', text)) for number, text in SOURCES.items()}
render = MarkdownIt().enable("table").render
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


def facts(name, html):
    """Return {(kind, fact)} of a piece of a page."""
    found = {("code", unescape(code)) for code in re.findall(r"(?s)<code.*?>(.*?)</code>", html)}
    links = re.findall(r'(?:href|src)="(.*?)"', html)
    found |= {("link", destination(name, unescape(link))) for link in links}
    text = re.sub(r"(?s)<code.*?</code>|<.*?>", " ", html)
    return found | {("number", number) for number in re.findall(NUMBER, text)}


@functools.cache
def units(name):
    """Return [(tag, facts)] of a page: of each section its heading and prose, its rows and its blocks."""
    found = []
    for section in re.split(r"(?=<h\d>)", render(TEXTS[name])):
        parts = re.findall(r"(?s)<tr>.*?</tr>|<pre>.*?</pre>", section)
        for part in [re.sub(r"(?s)<tr>.*?</tr>|<pre>.*?</pre>", "", section), *parts]:
            found.append((re.match(r"<pre><code.*?>|(?:<\w+>)?", part)[0], facts(name, part)))
    return found


def all_of(name, kind):
    """Return all facts of a kind on a page."""
    return {fact for _, found in units(name) for of_kind, fact in found if of_kind == kind}


def test_pages_and_scripts_show_the_records():
    assert pages.outdated() == []


@pytest.mark.parametrize("name", measure.VARIANTS)
def test_every_run_is_recorded_as_it_is_run_today(name):
    variant, runs = measure.VARIANTS[name], pages.read("results")[name]
    for recorded in runs, pages.read("book")[name] if variant.margin else runs:
        assert [int(run["seed"]) for run in recorded] == list(range(variant.seeds))
    assert {run["command"] for run in runs} == {variant.command}
    if variant.edits:
        measure.edited(variant.script, variant.edits)


def test_runs_are_of_one_environment_and_the_sample_is_of_the_first_seed():
    for record, versions in ("results", "keras 3"), ("book", "keras 2.0.6; tensorflow 1.3.0"):
        found = {run["measured_with"] for run in measure.read(record)}
        (software,) = [one for one in found if "; tensorflow" in one]
        assert versions in software
    sample = (measure.RECORDS / "sample.txt").read_text(encoding="utf-8")
    assert sample.endswith(f"\ntest accuracy: {pages.figures('03')[0]:.4f}\n")


def recorded_numbers():
    """Return what the records know, as the pages write it: results, sizes and seconds."""
    known = {f"{variant.printed or 0:.4f}" for variant in measure.VARIANTS.values()}
    for name, variant in measure.VARIANTS.items():
        known.add(f"{pages.seconds(name):.0f} s")
        if variant.script != "import":
            known |= {*pages.spread(name), f"{pages.figures(name)[0]:.4f}"}
    for name in pages.MARGINS:
        known |= {f"{abs(value):.4f}" for value in pages.difference(name, name)}
    for setup in measure.read("setup"):
        known |= {f"{int(setup['installed_mb']) / 1000:.1f} GB", f"{setup['download_mb']} MB"}
        known.add(f"{setup['seconds']} s")
    memory = [int(run["peak_mib"] or 0) for run in measure.read("results")]
    return known | {f"{size * 2**20 / 1e9:.1f} GB" for size in memory}


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


@pytest.mark.parametrize("name", PAIRS[1])
def test_what_a_cell_names_is_in_its_script(name):
    cells = re.findall(r"<td>(0[1-5])(?:, |の )(<code>.*?)</td>", render(TEXTS[name]))
    assert {number for number, _ in cells} == set(SCRIPTS)
    for number, cell in cells:
        for part in re.findall(r"<code>(?!--)(.*?)</code>", cell):
            assert unescape(part) in SOURCES[number], part


@pytest.mark.parametrize("name", PAIRS[0])
def test_every_flag_is_named_and_colab_gets_a_keras_that_will_do(name):
    assert {word for code in all_of(name, "code") for word in code.split()} >= ALL_FLAGS
    (lowest,) = re.findall(r"%pip install -q \"(keras\S+)\"", TEXTS[name])
    assert lowest in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

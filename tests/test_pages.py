"""What the pages show of the records; each section, row and block has the same facts in both languages."""

import itertools
import re
from functools import cache
from urllib.parse import unquote

import chapter
import pages
import pytest
from conftest import source
from measure import ROOT, SCRIPTS, TWINS, VARIANTS

PAGES = {one.relative_to(ROOT).as_posix(): one.read_text(encoding="utf-8") for one in pages.PAGES}
# Without what is generated, of which the marks are left
TEXTS = {name: re.sub(pages.PART, r"\1\3", text) for name, text in PAGES.items()}
# The facts of a text, in the order in which they are taken out. A number of one digit is none: 1回.
KINDS = {
    "code": r"(?s)^```.*|``.+?``|`.+?`",
    "fact": pages.FACT,
    "mark": r"<!-- (.*?) -->",
    "row": r'<a id="no-(\d+)"></a>\1',
    "link": r"(?:!\[.*?|\[[Nn]o\. \d+)?\]\((.*?)\)",
    "number": r"(?<![A-Za-z_.\d])\d[\d.,]*(?:e-\d+|\d)",
}
# Numbers of the book, of Keras and of the world that a sentence may name; all others are facts of pages.py
PLAIN = """2017 2.0.6 2.1.0 4.3 4.4 4.5 4.6 4.7 10 28 20 01 02 03 04 05 64 33 88 94 97 95 0.0 1.0
    0.25 0.75 280 32 1e-8 1e-7 1e-16 405 38 200 71 1000 1.3 1,797 3.15 0.05 50 2.27 18.04 25"""
PLAIN = {*PLAIN.split(), *pages.PYTHONS.values()}
ROW_OR_BLOCK = r"(?ms)^```.*?^```|^\|[^\n]*"
FLAGS = {number: set(re.findall(r'"(--[\w-]+)"', source(number))) for number in SCRIPTS}
ALL_FLAGS = set().union(*FLAGS.values())
# What the book prints, or its mended code (row 11), and batches of an epoch, in the book rows
PRINTED = {"0.9473684430122375", *(str(one.printed) for one in VARIANTS.values())}
EPOCHS = {"3", "60000", *(str(pages.batches(name)) for name in [*SCRIPTS, "04-book"])}
FILE = r"(?<!\S)(?:(?:tutorials|tests|img|records)/\S+|\w+\.(?:py|toml|txt))(?!\S)"
FOLDERS = [ROOT, ROOT / "tutorials", ROOT / "tests", ROOT / "tests" / "tools"]
# Files that a reader makes or meets: not ours
THEIRS = {"book1.py", "tutorials/my01.py", "tutorials/my03.py", "my03.py"}


def destination(name, link):
    """Return where a link of a page leads, the same in both languages: a file, and which place on it."""
    if link.startswith("https://"):
        return link
    path, _, anchor = unquote(link).partition("#")
    file = (ROOT / name).parent / path if path else ROOT / name
    assert file.exists(), f"{name}: {link} leads nowhere"
    page = file.resolve().relative_to(ROOT).as_posix()
    headings = re.findall(r"(?m)^#+ (.*)$", TEXTS.get(page, ""))
    anchors = ["", *(re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings)]
    anchors += re.findall(r'<a id="(.*?)">', TEXTS.get(page, ""))
    assert anchor in anchors, f"{name}: {link} leads to no heading and to no row"
    return page.replace(".ja.", "."), anchors.index(anchor)


def facts(name, text):
    """Return {(kind, fact)} of a text; of a link it is where it leads."""
    found = set()
    for kind, pattern in KINDS.items():
        found |= {(kind, one) for one in re.findall(pattern, text)}
        text = re.sub(pattern, " ", text)
    found = {(kind, destination(name, one) if kind == "link" else one) for kind, one in found}
    in_japanese = {(kind, one) for kind, one in found if kind == "code" and ".ja.py" in one}
    found -= in_japanese
    found |= {(kind, one.replace(".ja.py", ".py")) for kind, one in in_japanese}
    return {
        (kind, "`# %% Libraries`" if one == "`# %% ライブラリ`" else one) for kind, one in found
    }


@cache
def units(name):
    """Return [(text, facts)] of a page: of each section its heading and prose, its rows and blocks."""
    found = []
    for section in TEXTS[name].split("\n\n#"):
        prose = re.sub(ROW_OR_BLOCK, "", section)
        found += [(one, facts(name, one)) for one in [prose, *re.findall(ROW_OR_BLOCK, section)]]
    return found


def test_pages_and_scripts_show_the_records():
    for path in [*pages.PAGES, *SCRIPTS.values(), *TWINS.values()]:
        same = pages.filled_in(path) == path.read_text(encoding="utf-8")
        assert same, f"{path.relative_to(ROOT)} is outdated; run: python tests/tools/pages.py"
    edits = [new.splitlines()[0] for _, new in VARIANTS["04-book-mixed"].edits]
    assert all(one in PAGES["tests/README.md"] for one in edits), f"not all on that page: {edits}"


@pytest.mark.parametrize("english", [one for one in TEXTS if one.replace(".", ".ja.") in TEXTS])
def test_both_languages_have_the_same_facts(english):
    japanese = english.replace(".", ".ja.")
    theirs = itertools.takewhile(lambda unit: "# 用語" not in unit[0], units(japanese))
    for one, other in itertools.zip_longest(units(english), theirs, fillvalue=("nothing", set())):
        where = f"{english} {one[0][:70]!r} beside {japanese} {other[0][:70]!r}"
        starts = [re.match(r"#+|\||```\w*|", text)[0] for text, _ in (one, other)]
        assert starts[0] == starts[1], f"{where}: not of one kind"
        assert one[1] == other[1], f"{where}: only {one[1] - other[1]} and only {other[1] - one[1]}"


@pytest.mark.parametrize("name", TEXTS)
def test_a_number_in_a_sentence_is_of_its_fact(name):
    for text, found in units(name):
        for number in {one for kind, one in found if kind == "number"} - PLAIN:
            lines = [line for line in text.splitlines() if number in line]
            pytest.fail(f"{name} says {number}, no<!-- fact --> and not in PLAIN here: {lines}")
        alone = re.findall(r"(?<![A-Za-z])[Nn]o\. (\d+)(?!\d|\]\(\S*?#no-\1\))", text)
        assert alone == [], f"{name} {text[:70]!r}: no. {alone} without a link to this row"


@pytest.mark.parametrize("name", TEXTS)
def test_commands_flags_and_files_of_code_exist(name):
    for text, found in units(name):
        variants = [one[2].split()[0] for kind, one in found if kind == "fact" and one[2]]
        recorded = [VARIANTS[one].flags for one in variants if one in VARIANTS]
        for code in [one.strip("`\n") for kind, one in found if kind == "code"]:
            where = f"{name} {text[:70]!r}: {code}"
            if recorded and re.search(r"\b0[1-5]_\w+\.py --(?!help)", code):
                same = any(flags and flags in code for flags in recorded)
                assert same, f"{where} is not the command of the results beside it"
            for called, given in re.findall(r"\b(Ada\w+)\((\w.*?)\)", code):
                same = eval(f"dict({given})") == chapter.OPTIMIZERS[called]
                assert same, f"{where} does not do what the book's optimizer did"
            for printed in re.findall(r"test acc\w* : +([\d.]+)", code):
                assert printed in PRINTED, f"{where} is not what the book prints"
            if progress := re.fullmatch(r"(\d+)/(\d+)", code):
                known = progress[1] == progress[2] in EPOCHS or code == "25/1"  # on the help page
                assert known, f"{where} is of no program"
            for line in code.replace("\\", "/").splitlines():
                for file in set(re.findall(FILE, line)) - THEIRS:
                    assert any(any(one.glob(file)) for one in FOLDERS), f"{where}: no {file}"
                called = re.search(r"(?:^|[ /])(0[1-5])(?:_\w+\.py)?(?= |$)", line)
                if (called or line.startswith("--")) and "tests/tools/" not in line:
                    known = FLAGS[called[1]] if called else ALL_FLAGS
                    unknown = set(re.findall(r"(?<!\S)--[\w-]+", line)) - known - {"--help"}
                    assert unknown == set(), f"{where}: it has no {unknown}"


# The words of the English start page, and the characters of the Japanese one
@pytest.mark.parametrize(("end", "unit", "size"), [("md", r"\S+", 1000), ("ja.md", r"\S", 5000)])
def test_each_language_has_every_part_picture_and_flag(end, unit, size):
    of_language = [one for one in TEXTS if one.endswith(".ja.md") == (end == "ja.md")]
    text = "".join(TEXTS[one] for one in {*of_language, "tests/README.md"})
    shown = sorted(name for _, name, _ in re.findall(pages.PART, text))
    assert shown == sorted(pages.parts(0)), f"each part of pages.py is to be there once: {shown}"
    pictures = [path.name for path in (ROOT / "img").iterdir() if f"img/{path.name})" not in text]
    assert pictures == [], "not shown in this language"
    flags = [flag for flag in ALL_FLAGS if f"`{flag}`" not in TEXTS[f"tutorials/README.{end}"]]
    assert flags == [], f"not among the options in tutorials/README.{end}"
    keras = re.search("(?m)^keras.*", (ROOT / "requirements.txt").read_text(encoding="utf-8"))[0]
    assert f'%pip install -q "{keras}"' in TEXTS[f"tutorials/help.{end}"], "Colab gets another"
    assert "<details" not in text, "something is folded away"
    assert len(re.findall(unit, PAGES[f"README.{end}"])) <= size, "the start page is too long"

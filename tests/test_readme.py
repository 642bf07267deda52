"""The pages: links, pictures and commands are right, and both languages have the same facts."""

import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPTS

PATHS = [ROOT / "README.md", ROOT / "README.ja.md", ROOT / "tests" / "README.md"]
PAGES = {str(path.relative_to(ROOT).as_posix()): path.read_text(encoding="utf-8") for path in PATHS}
READMES = {name: PAGES[name] for name in ("README.md", "README.ja.md")}
MORE = PAGES["tests/README.md"]
OFFICIAL = {"colab.research.google.com", "docs.astral.sh", "keras.io", "pytorch.org"}
ACCURACY = r"(?<![\d.])\d\.\d{4}(?!\d)"
NUMBER = r"\d[\d.,]*\d"  # not one digit: Japanese has more of them, as in 1回
# How many listings each section of the chapter has.
LISTINGS = {"4.3": 16, "4.4": 5, "4.5": 5, "4.6": 8, "4.7": 6}


def links(text):
    """Return the targets of all links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"<img[^>]* src=\"([^\"]+)\"", text)


def anchors(text):
    """Return the anchors that a Markdown page gives its headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text):
    """Return every command that starts a program of ours, as lists of words."""
    spans = re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    )
    blocks = re.findall(r"^```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = spans + [
        part for block in blocks for line in block.splitlines() for part in line.split("&&")
    ]
    found = []
    for line in lines:
        words = line.replace("\\", "/").split()
        programs = [
            n for n, word in enumerate(words) if re.search(r"(tutorials|tests|img)/\w+\.py$", word)
        ]
        if programs and re.search(r"(^|/)(python3?|py|uv|run)( |$)", line.replace("\\", "/")):
            found.append(words[programs[0] :])
    return found


@pytest.mark.parametrize("name", PAGES)
def test_links_resolve(name):
    text = PAGES[name]
    assert links(text)
    for link in links(text):
        url = urllib.parse.urlsplit(link)
        if url.scheme:
            assert url.scheme == "https", link
            assert url.netloc in OFFICIAL, link
            continue
        if url.path:
            assert (ROOT / name).parent.joinpath(url.path).exists(), link
        if url.fragment:  # only within a page
            assert not url.path, link
            assert urllib.parse.unquote(url.fragment) in anchors(text), link


@pytest.mark.parametrize("name", PAGES)
def test_commands_exist(name):
    helps = {}
    assert commands(PAGES[name])
    for program, *words in commands(PAGES[name]):
        path = ROOT / program
        assert path.exists(), program
        if path not in helps:
            helps[path] = subprocess.run(
                [sys.executable, str(path), "--help"],
                check=True,
                capture_output=True,
                encoding="utf-8",
            ).stdout
        for flag in (word for word in words if word.startswith("--")):
            assert re.search(rf"{flag}\b", helps[path]), f"{program} {flag}"


@pytest.mark.parametrize("name", READMES)
def test_every_flag_is_named(name):
    own = {
        flag
        for path in SCRIPTS.values()
        for flag in re.findall(r"add_argument\(\s*\"(--[\w-]+)\"", path.read_text(encoding="utf-8"))
    }
    assert own <= set(re.findall(r"`(--[\w-]+)", READMES[name]))
    short = re.findall(r"`(0[1-5]) ([^`]+)`", READMES[name])
    assert short
    for number, arguments in short:  # `03 --activation relu`
        for flag in re.findall(r"--[\w-]+", arguments):
            assert f'"{flag}"' in SCRIPTS[number].read_text(encoding="utf-8")


def test_pictures_are_the_programs():
    program = (ROOT / "img" / "make_figures.py").read_text(encoding="utf-8")
    made = set(re.findall(r'^    "(\w+\.png)": ', program, re.MULTILINE))
    assert made == {path.name for path in (ROOT / "img").glob("*") if path.suffix == ".png"}
    for name, text in READMES.items():
        pictures = {Path(link).name for link in links(text + MORE) if "img/" in link}
        assert pictures == made, name


def test_every_file_of_the_tests_is_named():
    (table,) = re.findall(r"^\| file \|.*\n\|[- |]+\n((?:\|.*\n?)+)", MORE, re.MULTILINE)
    files = {path.name for path in (ROOT / "tests").iterdir() if path.suffix in (".py", ".json")}
    assert sorted(code(table)) == sorted(files)


@pytest.mark.parametrize("name", READMES)
def test_the_walk_has_every_part_of_the_chapter(name):
    walk = re.findall(r"^\| (4\.\d) \| ([^|]*) \| ([^|]*) \|", READMES[name], re.MULTILINE)
    walk = [row for row in walk if not row[1].startswith("[")]  # the table of the scripts
    assert len(walk) <= 20
    for section, count in LISTINGS.items():
        numbers = []
        for found, listings, _ in walk:
            for first, last in re.findall(r"(\d+)(?:[–～](\d+))?", re.split("[:：]", listings)[0]):
                if found == section and not first.startswith("0"):  # a picture's name
                    numbers += range(int(first), int(last or first) + 1)
        assert sorted(numbers) == list(range(1, count + 1)), section


@pytest.mark.parametrize("name", READMES)
def test_the_walk_names_real_parts_of_the_scripts(name):
    rows = re.findall(r"^\| 4\.\d \| [^|]+ \| (0\d)\W(.*) \|$", READMES[name], re.MULTILINE)
    assert {number for number, _ in rows} == set(SCRIPTS)
    for number, places in rows:
        lines = SCRIPTS[number].read_text(encoding="utf-8").splitlines()
        for heading in re.findall(r"`(# [^`]+)`", places):
            assert any(line.startswith(heading) for line in lines), f"{number} {heading}"


def test_both_languages_say_the_same():
    english, japanese = READMES["README.md"], READMES["README.ja.md"]
    assert "(README.ja.md)" in english.splitlines()[0]
    assert "(README.md)" in japanese.splitlines()[0]
    assert blocks(english) == blocks(japanese)
    assert table_shapes(english) == table_shapes(japanese)
    for one, other in zip(tables(english), tables(japanese), strict=True):
        for row, gyo in zip(one.splitlines(), other.splitlines(), strict=True):
            assert set(code(row)) == set(code(gyo))
            assert sorted(re.findall(NUMBER, row)) == sorted(re.findall(NUMBER, gyo))
    pages = [
        sorted(link for link in links(text) if "README" not in link and link[0] != "#")
        for text in (english, japanese)
    ]
    assert pages[0] == pages[1]
    assert len(re.findall(r"^#+ ", english, re.MULTILINE)) == len(
        re.findall(r"^#+ ", japanese, re.MULTILINE)
    )
    assert sorted(re.findall(ACCURACY, english)) == sorted(re.findall(ACCURACY, japanese))


def code(text):
    """Return the code spans of a line; a span that holds backticks has two on each side."""
    return [span for _, span in re.findall(r"(`+)(.+?)\1", text)]


def blocks(text):
    """Return the fenced blocks of a page."""
    return re.findall(r"^```\w+\n.*?^```", text, re.MULTILINE | re.DOTALL)


def tables(text):
    """Return the lines of each table below its heading row."""
    return re.findall(r"^\|.*\|\n\|[- |]+\|\n((?:\|.*\|\n)+)", text, re.MULTILINE)


def table_shapes(text):
    """Return (rows, columns) of each table."""
    return [(len(rows.splitlines()), rows.splitlines()[0].count(" | ")) for rows in tables(text)]

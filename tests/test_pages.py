"""The pages: what they show of the records, and what holds their text together: facts, not spelling.

Both languages have the same sections, tables, rows and blocks, and in each row, block and section the same
numbers, code and links. What they name exists, and a number in a sentence is of its fact.
"""

import functools
import re
from html import unescape
from urllib.parse import unquote

import measure
import pages
import pytest
from conftest import source
from markdown_it import MarkdownIt
from measure import ROOT, SCRIPTS
from pages import PAGES

TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
PAIRS = [
    (one, one.replace(".md", ".ja.md")) for one in TEXTS if one.replace(".md", ".ja.md") in TEXTS
]
every_page = pytest.mark.parametrize("name", TEXTS)
render = MarkdownIt("commonmark", {"html": True}).enable("table").render
FLAGS = {number: set(re.findall(r'"(--[\w-]+)"', source(number))) for number in SCRIPTS}
ALL_FLAGS = set().union(*FLAGS.values())
FILE = r"(?<!\S)(?:(?:tutorials|tests|img|records)/\S+|\w+\.(?:py|toml|txt))(?!\S)"
# Files that a reader makes or meets: not ours
THEIRS = {"book1.py", "keras.py", "random.py", "copy.py", "output.txt", "kernel_launcher.py"}
# Not one digit alone, of which Japanese has more, as in 1回; but the number of a row
NUMBER = r"\d[\d.,]*\d|(?<=No\. )\d|(?<=no\. )\d"
# Numbers of the book, of Keras and of the world that a sentence may name; all others are facts of pages.py
PLAIN = """
    2017 2.0.6 2.1.0 4.3 4.4 4.5 4.6 4.7 10 28 20 01 02 03 04 12 64 784 33% 88% 94% 97% 95 95%
    100 0.0 1.0 0.25 255 32 1e-8 1e-7 1e-16 405 38 200 16 71 64-bit 365 1000 10000 1.3 1,797
    3.15 0.05 50 14 2.27 18.04 05
"""


def anchors(path):
    """Return the addresses on a page: those of its headings, as GitHub makes them, and of its rows."""
    text = re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    found = [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings]
    return [*found, *re.findall(r'<a id="(.*?)">', text)]


def destination(name, link):
    """Return where a link of a page leads, the same in both languages: a file, and which place on it."""
    if link.startswith("https://"):
        return link, 0
    path, _, anchor = unquote(link).partition("#")
    file = (ROOT / name).parent / path if path else ROOT / name
    assert file.exists(), f"{name}: {link} leads nowhere"
    if not anchor:
        return file.resolve().as_posix().replace(".ja.md", ".md"), None
    assert anchor in anchors(file), f"{name}: {link} leads to no heading and to no row"
    return file.resolve().as_posix().replace(".ja.md", ".md"), anchors(file).index(anchor)


def facts(name, html):
    """Return {(kind, fact)} of a piece of a page."""
    found = {("code", unescape(code)) for code in re.findall(r"(?s)<code.*?>(.*?)</code>", html)}
    links = re.findall(r'(?:href|src)="(.*?)"', html)
    found |= {("link", destination(name, unescape(link))) for link in links}
    found |= {("fact", fact) for fact in re.findall("<!-- (.*?) -->", html)}
    text = re.sub(r"(?s)<code.*?</code>|<.*?>", " ", html)
    return found | {("number", number) for number in re.findall(NUMBER, text)}


@functools.cache
def units(name):
    """Return [(tag, text, facts)] of a page: of each section its heading and prose, its rows and blocks."""
    found = []
    html = render(TEXTS[name]).replace("</a> | <a", "</a> <a")
    for section in re.split(r"(?=<h\d>)", html):
        parts = re.findall(r"(?s)<tr>.*?</tr>|<pre>.*?</pre>", section)
        for part in [re.sub(r"(?s)<tr>.*?</tr>|<pre>.*?</pre>", "", section), *parts]:
            tag = re.match(r"<pre><code.*?>|(?:<\w+>)?", part)[0]
            text = " ".join(re.sub("<.*?>", " ", part).split())
            found.append((tag, text[:70], facts(name, part)))
    return found


def all_of(name, kind):
    """Return all facts of a kind on a page."""
    return {fact for _, _, found in units(name) for of_kind, fact in found if of_kind == kind}


def test_pages_and_scripts_show_the_records():
    names = [path.relative_to(ROOT).as_posix() for path in pages.outdated()]
    assert names == [], "run: python tests/tools/pages.py"


@pytest.mark.parametrize(("english", "japanese"), PAIRS)
def test_both_languages_have_the_same_facts(english, japanese):
    for (tag, text, one), (other_tag, other_text, other) in zip(units(english), units(japanese)):
        assert tag == other_tag, f"{english} {text!r} stands beside {japanese} {other_text!r}"
        only = (
            f"only {english} {text!r}: {one - other}; only {japanese} {other_text!r}: {other - one}"
        )
        if "用語" not in other_text:
            assert one == other, only
    more = [text for _, text, _ in units(japanese)[len(units(english)) :]]
    glossary = japanese == "tutorials/README.ja.md"  # the last section there, of English words
    assert more == [] or (glossary and more[0].startswith("用語")), f"only in {japanese}: {more}"
    assert len(units(english)) <= len(units(japanese))


def prose(name):
    """Return the paragraphs of a page without its generated parts, its facts, code and links."""
    text = re.sub(pages.PART, "", TEXTS[name])
    text = re.sub(pages.FACT + r"|<a id.*?</a>\d+", "", text)
    text = re.sub(r"(?ms)^```.*?^```|``.*?``|`[^`\n]*`|\]\(.*?\)|<.*?>", " ", text)
    return [part for part in re.split(r"\n\s*\n|\n(?=[|-])", text) if part.strip()]


@every_page
def test_a_number_in_a_sentence_is_of_its_fact(name):
    for part in prose(name):
        for number in re.findall(r"(?<![\w.])[-+]?\d[\d.,]*(?:e-\d+|%)?(?:-bit)?", part):
            number = number.rstrip(".,")
            known = (
                len(number) == 1 or number in PLAIN.split() or number in pages.pythons().values()
            )
            known = known or re.search(rf"(?i)no\. {re.escape(number)}\b", part)
            fact = f"write {number}<!-- fact --> with a fact of pages.py"
            assert known, f"{name}: {' '.join(part.split())[:90]!r} says {number}; {fact}"


@every_page
def test_pythons_are_the_supported_ones(name):
    named = set(re.findall(r"Python (3\.\d+)|[～、](3\.\d+)(?=以|を)", " ".join(prose(name))))
    for version in {one or other for one, other in named}:
        assert version in (*pages.pythons().values(), "3.15", "3.6"), f"{name}: Python {version}"


@every_page
def test_numbers_of_rows_lead_to_them(name):
    shown = re.findall(r"\[(?:no|No)\. (\d+)\]\((.*?)\)", TEXTS[name])
    for number, link in shown:
        assert link.endswith(f"#no-{number}"), f"{name}: no. {number} leads to {link}"
    linked = len(shown)
    written = len(re.findall(r"\b[Nn]o\. \d", TEXTS[name]))
    assert written == linked, f"{name}: a number of a row (no. 12) without its link"


def commands_beside(name):
    """Yield (text of a unit, command, variants): commands of scripts beside facts of these variants."""
    for _, text, found in units(name):
        variants = {f.split()[1] for kind, f in found if kind == "fact" and " " in f}
        for kind, code in found:
            if kind == "code" and re.search(r"\b0[1-5]_\w+\.py --(?!help)", code) and variants:
                yield text, code, variants


@every_page
def test_a_command_beside_a_result_is_that_of_its_variant(name):
    for text, code, variants in commands_beside(name):
        flags = [measure.VARIANTS[one].flags for one in variants if one in measure.VARIANTS]
        assert any(flag and flag in code for flag in flags), f"{name} {text!r}: {code}"


@every_page
def test_values_in_code_are_those_of_the_programs(name):
    """What the progress of a script shows, as in 1875/1875, is what its program has."""
    known = {str(pages.batches(one)) for one in ("01", "02", "03", "04", "04-book")} | {
        "60000",
        "3",
    }
    for code in all_of(name, "code"):
        for one, other in re.findall(r"^(\d+)/(\d+)$", code):
            assert one == other, f"{name}: {code}"
            assert one in known, f"{name}: {code} is of no program"


@every_page
def test_links_commands_flags_and_files_exist(name):
    assert all_of(name, "link")  # which looks up every one
    folders = [ROOT, ROOT / "tutorials", ROOT / "tests", ROOT / "tests" / "tools"]
    for line in "\n".join(all_of(name, "code")).replace("\\", "/").splitlines():
        for file in set(re.findall(FILE, line)) - THEIRS:
            assert any((folder / file).exists() for folder in folders), (
                f"{name}: {file} in {line!r}"
            )
        called = re.search(r"(?:^|[ /])(0[1-5])(?:_\w+\.py)?(?= |$)", line)
        if (called or line.startswith("--")) and "tests/tools/" not in line:
            known = FLAGS[called[1]] | {"--help"} if called else ALL_FLAGS | {"--help"}
            flags = set(re.findall(r"(?<!\S)--[\w-]+", line))
            assert flags <= known, f"{name}: {flags - known} in {line!r}"


def test_every_picture_is_shown_in_both_languages():
    for ja in ("", ".ja"):
        names = [
            one for one in TEXTS if one.endswith(".ja.md") == bool(ja) or one.startswith("tests")
        ]
        links = set().union(*(all_of(name, "link") for name in names))
        shown = {file.rsplit("/", 1)[1] for file, _ in links if "/img/" in file}
        assert shown == {path.name for path in (ROOT / "img").iterdir()}


def test_nothing_is_folded_away_and_the_start_page_is_short():
    for name, text in TEXTS.items():
        assert "<details" not in text, name
    assert len(TEXTS["README.md"].split()) <= 1000
    assert len("".join(TEXTS["README.ja.md"].split())) <= 5000


def test_words_of_the_glossary_are_in_the_scripts():
    section = TEXTS["tutorials/README.ja.md"].split("## 用語")[1]
    words = re.findall(r"(?m)^\| ([a-z][\w -]*) \|", section)
    assert len(words) >= 20
    comments = " ".join(line for n in SCRIPTS for line in re.findall("#.*", source(n)))
    missing = [word for word in words if not re.search(rf"(?i)\b{word}", comments)]
    assert missing == [], "in no comment of a script"


def test_every_flag_is_named_and_colab_gets_a_keras_that_will_do():
    for language in ("md", "ja.md"):
        guide, help_page = (f"tutorials/{one}.{language}" for one in ("README", "help"))
        assert {word for code in all_of(guide, "code") for word in code.split()} >= ALL_FLAGS
        (lowest,) = re.findall(r"%pip install -q \"(keras\S+)\"", TEXTS[help_page])
        assert lowest in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


def test_a_fact_is_of_a_recorded_run_or_program():
    used = {kind for text in TEXTS.values() for _, kind, _ in re.findall(pages.FACT, text)}
    unknown = used - pages.FACTS.keys()
    assert unknown == set(), "not among FACTS of pages.py"

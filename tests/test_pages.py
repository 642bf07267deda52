"""The pages: links arrive, both languages say the same, what a reader is to type exists, and its code runs."""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote

import matplotlib.pyplot as plt
import numpy as np
from files import ROOT, options_of, scripts, source, texts, twins
from keras.utils import save_img
from running import hand_over, noise, paste, save_noise

CODE = r"(?ms)^```.*?^```|``.+?``|`[^`\n]+`"
PIECE = r"(?ms)^```.*?^```|^\|[^\n]*"  # a block of code, or a row of a table
LINK = r"\]\(([^)\s]+)\)"
NUMBER = r"(?<![A-Za-z_.\d])\d[\d.,]*(?:e-\d+|\d)"  # one of a single digit is no fact: 1回
FILES_OF_READERS = {"my01.py", "my03.py"}


LISTS = {"pair": lambda: [page for page in texts() if page.replace(".md", ".ja.md") in texts()]}


def headings(text):
    """Return the addresses of the headings of a page, as GitHub makes them, and those of its rows."""
    found = re.findall(r"(?m)^#+ (.*)$", re.sub(r"(?ms)^```.*?^```", "", text))
    return [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found] + re.findall(
        'id="(.*?)"', text
    )


def destination(name, link):
    """Return the page, without its language, and the place on it to which a link of a page leads."""
    path, _, anchor = unquote(link).partition("#")
    file = (ROOT / name).parent / path if path else ROOT / name
    assert file.exists(), f"{name}: {link} leads nowhere"
    page = file.resolve().relative_to(ROOT.resolve()).as_posix()
    places = headings(texts().get(page, ""))
    assert not anchor or anchor in places, f"{name}: {link} leads to no heading and no row"
    return page.replace(".ja.", "."), places.index(anchor) if anchor else None


def test_links_arrive(page):
    for link in re.findall(LINK, re.sub(CODE, "", texts()[page])):
        if not link.startswith("https://"):
            destination(page, link)
    for said, row in re.findall(r"(?i)\[no\. (\d+)\]\([^)]*#no-(\d+)\)", texts()[page]):
        assert said == row, f"{page}: no. {said} leads to row {row}"


def units(text):
    """Return the sections of a page, in pieces: heading and prose, each row of a table, each block of code."""
    for section in re.split(r"\n(?=##+ )", text):
        yield from [re.sub(PIECE, "", section), *re.findall(PIECE, section)]


def facts(name, text):
    """Return the code, the links and the numbers of a text, in a form that both languages share."""
    code = [
        re.sub(r"(?m) *# .*$", "", one) if one.startswith("```python") else one
        for one in re.findall(CODE, text.replace(".ja.", ".").replace("ライブラリ", "Libraries"))
    ]
    text = re.sub(r"!\[.*?\]", "]", re.sub(CODE, " ", text))  # without the description of a picture
    links = [
        link if link.startswith("https://") else destination(name, link)
        for link in re.findall(LINK, text)
    ]
    return {*links, *code, *re.findall(NUMBER, re.sub(LINK, " ", text))}


def test_both_languages_have_the_same_facts(pair):
    japanese = pair.replace(".md", ".ja.md")
    theirs = texts()[japanese].partition("\n## 用語")[0]
    for one, other in itertools.zip_longest(units(texts()[pair]), units(theirs), fillvalue=""):
        ours, other_s = facts(pair, one), facts(japanese, other)
        assert ours == other_s, (
            f"{one.strip()[:70]!r} beside {other.strip()[:70]!r}: "
            f"only in English {ours - other_s}, only in Japanese {other_s - ours} "
            "(a link as the page and how many headings and rows are above its place there)"
        )


def test_every_script_picture_and_option_is_on_a_page_of_each_language():
    options = {option for number in scripts() for option in options_of(number)}
    for language, files in (".md", scripts()), (".ja.md", twins()):
        guide = texts()[f"tutorials/README{language}"]
        for page in "README", "tutorials/README":
            missing = [
                path.name for path in files.values() if path.name not in texts()[page + language]
            ]
            assert missing == [], f"not on {page}{language}"
        missing = [option for option in options if f"- `{option}`" not in guide]
        assert missing == [], f"not among the options in tutorials/README{language}"
        text = "".join(
            text
            for name, text in texts().items()
            if name.endswith(language) or name.startswith("tests/")
        )
        pictures = [
            path.name for path in (ROOT / "img").iterdir() if f"img/{path.name})" not in text
        ]
        assert pictures == [], f"not shown on any page {language}"


def commands(text):
    """Yield (number, flags, rest of the file's name or None) of each command, as `03 --epochs 2` or with its file."""
    for line in itertools.chain(*(one.splitlines() for one in re.findall(CODE, text))):
        line = line.strip("`").replace("\\", "/")
        if found := re.search(
            r"(?:^|tutorials/|%run )(0\d)(_\w+(?:\.ja)?\.py)?((?: --?[a-z].*)?)$", line
        ):
            yield found[1], re.findall(r"(?<!\S)--[\w-]+", found[3]), found[2]


def test_commands_and_options_exist(page):
    japanese = ".ja." in page
    for number, flags, file in commands(texts()[page]):
        assert number in scripts(), f"{page}: there is no script {number}"
        if file:
            files = twins() if japanese else scripts()
            assert files[number].name == f"{number}{file}", f"{page} names {number}{file}"
        unknown = {*flags} - {*options_of(number), "--help"}
        assert unknown == set(), f"{page}: {number} has no {unknown}"


def test_files_of_ours_exist(page):
    code = " ".join(re.findall(CODE, texts()[page])).replace("\\", "/")
    for file in set(
        re.findall(r"\b(?:tutorials|tests|img)/[\w./-]+\.\w+|\b0\d_[\w.]+\.py\b", code)
    ):
        known = any((folder / file).exists() for folder in (ROOT, ROOT / "tutorials"))
        assert known or Path(file).name in FILES_OF_READERS, f"{page}: there is no {file}"


def test_no_page_hides_a_comment():
    assert [name for name, text in texts().items() if "<!--" in text] == []


def blocks(text):
    """Yield (number of the script named last before it, or "", code) for each block of Python of a page."""
    for found in re.finditer(r"(?ms)^```python\n(.*?)^```", text):
        numbers = re.findall(r"tutorials/(0\d)_", text[: found.start()])
        yield numbers[-1] if numbers else "", found[1]


def test_the_code_that_pages_tell_to_write_runs(tmp_path, monkeypatch):
    """Each block of the guide is typed after the script that is named last before it, or is a program of its own."""
    shown = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    save_img("digit.png", np.random.RandomState(0).uniform(0, 255, (280, 280, 1)), scale=False)
    Path("my_data.csv").write_text("cm,kg,class\n1,2.5,red\n3,4,blue\n", encoding="utf-8")
    save_noise("mnist.npz", 80, 40)
    guide = list(blocks(texts()["tutorials/README.md"]))
    after = {
        number: hand_over(source(number), load_data=noise(80, 40)).variables
        for number in {number for number, _ in guide}
    }
    after["05"]["model"].save("my_model.keras")
    for number, block in guide:
        if "seed = 0" in block:
            hand_over(block)
        else:
            assert paste(block)[1] == "", f"it cannot be pasted into Python: {block}"
            exec(compile(block, f"a block after {number}", "exec"), after[number])
    for _, block in blocks(texts()["tutorials/book.md"]):
        exec(compile(block, "a block of book.md", "exec"), {"np": np})
    plt.close("all")
    assert shown, "no picture was shown"


def test_the_table_of_layers_is_that_of_04():
    layers = hand_over(source("04"), load_data=noise(80, 40)).variables["model"].layers
    shapes = [" x ".join(map(str, layer.output.shape[1:])) for layer in layers]
    wanted = [
        f"| `{type(layer).__name__}` | {shape} | {layer.count_params()} |"
        for layer, shape in zip(layers, shapes, strict=True)
    ]
    for name in "tutorials/README.md", "tutorials/README.ja.md":
        found = re.findall(r"(?m)^\| `[A-Z]\w+` \| [\dx ]+ \| \d+ \|$", texts()[name])
        assert found == wanted, "the table of layers in both guides is written by hand"

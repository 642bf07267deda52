"""Each row of "What changed since the book": changes.toml runs what the chapter has, and asks the page."""

import contextlib
import io
import re
import tomllib
import traceback
import warnings

import chapter
import pytest
from conftest import source
from measure import ROOT, SCRIPTS, TUTORIALS

# Written instead in the reader's own code, while a script does it in another way or need not
ELSEWHERE = ['Dense(50, name="dense_1")', "epochs=10", "set_random_seed(0)", "random_state=0"]
ELSEWHERE += ["from keras.layers import Dense", "Input(shape=(4,))", "compile"]
ROW = r'(?m)^\| <a id="no-(\d+)"></a>\1 \|(.*) \|$'
# {number of a row: its other cells}
FOUND = re.findall(ROW, (TUTORIALS / "changes.md").read_text(encoding="utf-8"))
ROWS = {int(number): re.sub("<!--.*?-->", "", text).split(" |") for number, text in FOUND}
CHANGES = tomllib.loads((ROOT / "tests" / "changes.toml").read_text(encoding="utf-8"))
FIRST = CHANGES.pop("first")
CASES = [(int(row), one["code"], one.get("says", [])) for row, of in CHANGES.items() for one in of]
# What 01 prints no more
GONE = [(10, "Using TensorFlow backend"), (22, "Exception ignored")]
# 17 and 18 are what test_outcomes.py holds of 03 and of the curve of 05, 21 is about lines that TensorFlow
# prints on some processors only, 23 about web pages
TESTED = {17, 18, 21, 23}.union(case[0] for case in CASES + GONE)


def row_and(names, cases):
    """Return the mark of a test that is run for these cases, the first of each a row's number."""
    return pytest.mark.parametrize(f"row, {names}", cases, ids=[f"row-{case[0]}" for case in cases])


def assert_said(number, said, *facts):
    """Check that Keras has `said` these facts, in this order, and that the row of the page has them."""
    assert number in ROWS, f"there is no row {number} any more; what its test shows is to go, too"
    shown = " ".join(ROWS[number]).replace("`", "")
    missing = [fact for fact in facts if fact not in shown]
    assert missing == [], f"row {number} does not say {missing}"
    order = ".*".join(map(re.escape, facts))
    assert re.search(f"(?s){order}", said.replace("`", "")), f"Keras does not say {facts}: {said}"


def test_rows_and_scripts_lead_to_each_other():
    named, commented = set(), set()
    assert len(FOUND) == len(ROWS), "two rows have the same number"
    assert TESTED == set(ROWS), "rows without their code in changes.toml, or code without a row"
    silent = ["**silent**" in cells[1] for cells in ROWS.values()]
    assert True in silent and silent == sorted(silent, reverse=True), "silent rows come first"
    for script in SCRIPTS:
        comments = re.sub(r'(?s)""".*?"""', "", source(script))
        numbers = re.findall(r"# *Book(?: (\d+): \S)?", comments)  # "" for one without
        commented |= {(script, number) for number in numbers}
    for number, cells in ROWS.items():
        codes = [code for code in re.findall("`(.*?)`", cells[2]) if code not in ELSEWHERE]
        for script in re.findall(r"\b0\d\b", cells[-1]):
            named.add((script, str(number)))
            text = "".join(source(script).partition(f"Book {number}:")[2].split())
            for code in codes:
                begin = "".join(code.replace("...", "").rstrip(")").split())
                assert begin in text, (
                    f"{script} has no {code} after its comment, as row {number} says"
                )
    declared = {(script, str(one.row)) for script, one in chapter.DIFFERENCES.items()}
    assert declared - commented == set(), "DIFFERENCES without their comment `# Book n:`"
    assert commented - named == set(), "`# Book n:` without a row that names it"
    assert named - commented == set(), "named in a row without its `# Book n:`"


@pytest.fixture(scope="module")
def names():
    """Return what code can use: a training with the chapter's iris network."""
    found = {}
    exec(FIRST, found)
    return found


@row_and("code, says", CASES)
def test_what_the_chapter_has_says_this_today(
    row, code, says, names, caplog, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    with (
        contextlib.redirect_stdout(io.StringIO()) as printed,
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        try:
            exec(code, dict(names))
        except AssertionError:  # of the code itself
            raise
        except Exception:
            print(traceback.format_exc())
    warned = [str(one.message) for one in warned]
    assert_said(row, "\n".join([caplog.text, *warned, printed.getvalue()]), *says)


@pytest.mark.typed("01")
@row_and("gone", GONE)
def test_01_prints_no_more(typed, row, gone):
    assert gone not in typed[1].stdout + typed[1].stderr, f"row {row}"

"""What there is to be tested: the scripts, by their numbers, their Japanese twins, and the pages."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"


@cache
def scripts():
    """Return {number: path} of the scripts."""
    paths = [path for path in TUTORIALS.glob("[0-9]*.py") if not path.name.endswith(".ja.py")]
    return {path.name[:2]: path for path in sorted(paths)}


@cache
def twins():
    """Return {number: path} of the Japanese twins that the scripts should have."""
    return {number: path.with_suffix(".ja.py") for number, path in scripts().items()}


def scripts_and_twins():
    """Return the paths of both."""
    return [*scripts().values(), *twins().values()]


@cache
def texts():
    """Return {path from the root: text} of every page."""
    found = [
        path
        for pattern in ("*", "tutorials/*", "tests/**/*")
        for path in ROOT.glob(f"{pattern}.md")
    ]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(found)
    }


def source(number):
    """Return the text of a script."""
    return scripts()[number].read_text(encoding="utf-8")


def cells(path):
    """Return the cells of a script, each with its title."""
    return re.split(r"(?m)^(?=# %%)", path.read_text(encoding="utf-8"))[1:]


def options_of(number):
    """Return the options of a script, such as "--epochs"."""
    return re.findall(r'"(--[a-z0-9-]+)"', cells(scripts()[number])[0])

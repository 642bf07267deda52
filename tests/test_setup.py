"""What the scripts say they need is what they import, and what installs is what was tested."""

import re
import sys
import tomllib

import pytest
from conftest import source
from measure import ROOT, SCRIPTS, TUTORIALS
from packaging.requirements import Requirement

PLACES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
PIP, *REQUIREMENTS = re.findall(r"(?m)^[^#\n].*", (ROOT / "requirements.txt").read_text("utf-8"))
_, MADE, *VERSIONS = (ROOT / "versions.txt").read_text("utf-8").splitlines()
IMPORT = r'(?m)(?:^ *from |^ *import |import_module\(")(\w+)'


def imports(path):
    """Return the packages that a script imports, with those of the files beside it; all are in ASCII."""
    found = set()
    for name in set(re.findall(IMPORT, path.read_text("ascii"))) - sys.stdlib_module_names:
        beside = TUTORIALS / f"{name}.py"
        found |= imports(beside) if beside.exists() else {name.replace("sklearn", "scikit-learn")}
    return found


def apply(lines, python, place):
    """Return {package: versions} of the lines that apply to a Python in a place."""
    here = {"python_version": python, "python_full_version": f"{python}.9"}
    here |= {"sys_platform": place[0], "platform_machine": place[1]}
    found = [r for r in map(Requirement, lines) if not r.marker or r.marker.evaluate(here)]
    assert len({entry.name for entry in found}) == len(found)
    return {entry.name: entry.specifier for entry in found}


@pytest.mark.parametrize("number", SCRIPTS)
def test_inline_metadata(number):
    before, after = source(number).split("model.fit(")
    # The regular expression of the specification (PEP 723), for one block.
    (block,) = re.findall(r"(?m)^# /// script$\s((?:^#(?:| .*)$\s)+)^# ///$", after)
    assert "# /// script" not in before
    metadata = tomllib.loads(re.sub("(?m)^# ?", "", block))
    # The day of versions.txt: the newest versions until then are the ones in there.
    day = re.search(r"--exclude-newer (\S+)", MADE)[1]
    needed = imports(SCRIPTS[number]) | {"tensorflow"}  # the backend, which Keras imports
    assert sorted(metadata.pop("dependencies")) == sorted(needed)
    assert metadata.pop("tool") == {"uv": {"exclude-newer": day}}
    # No 3.14: what TensorFlow's release candidate requires, uv installs in a random order.
    assert metadata == {"requires-python": ">=3.11,<3.14"}


@pytest.mark.parametrize("place", PLACES, ids="-".join)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_what_installs_are_exact_versions_of_what_is_imported(python, place):
    tensorflow = "tensorflow-cpu" if place == PLACES[0] else "tensorflow"
    required, versions = apply(REQUIREMENTS, python, place), apply(VERSIONS, python, place)
    assert PIP == "-r versions.txt"
    assert {*required} == {"pytest", tensorflow}.union(*map(imports, SCRIPTS.values()))
    assert {*versions} & {"tensorflow", "tensorflow-cpu"} == {tensorflow}
    for name, allowed in required.items():
        exact = re.fullmatch(r"==([\w.]+)", str(versions[name]))[1]
        # A release candidate is allowed for the one Python that has nothing else.
        assert allowed.contains(exact, prereleases=(name, python) == (tensorflow, "3.14"))
    # Elsewhere pip says at once which requirement it cannot find, and builds nothing before
    assert not any(apply(VERSIONS, python, place) for python in ("3.10", "3.15"))

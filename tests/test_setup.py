"""What the scripts say they need is what they import, and what installs is what was tested."""

import re
import sys
import tomllib

import pytest
from measure import ROOT, SCRIPTS, TUTORIALS
from packaging.requirements import Requirement

PLACES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
PIP, *REQUIREMENTS = re.findall(r"(?m)^[^#\n].*", (ROOT / "requirements.txt").read_text("utf-8"))
MADE, *VERSIONS = (ROOT / "versions.txt").read_text("utf-8").splitlines()


def imports(path):
    """Return the packages that a script imports, with those of the files beside it; all are in ASCII."""
    names = re.findall(
        r"(?m)^ *(?:from|import) (\w+)|import_module\(\"(\w+)", path.read_text(encoding="ascii")
    )
    found = {one or other for one, other in names} - sys.stdlib_module_names
    beside = {name for name in found if (TUTORIALS / f"{name}.py").exists()}
    found = found.union(*(imports(TUTORIALS / f"{name}.py") for name in beside)) - beside
    return {name.replace("sklearn", "scikit-learn") for name in found}


def apply(lines, python, place):
    """Return {package: versions} of the lines that apply to a Python in a place."""
    here = {"python_version": python, "python_full_version": f"{python}.9"}
    here |= {"sys_platform": place[0], "platform_machine": place[1]}
    found = [r for r in map(Requirement, lines) if not r.marker or r.marker.evaluate(here)]
    assert len({entry.name for entry in found}) == len(found)
    return {entry.name: entry.specifier for entry in found}


@pytest.mark.parametrize("number", SCRIPTS)
def test_inline_metadata(number):
    text = SCRIPTS[number].read_text(encoding="utf-8")
    # The regular expression of the specification (PEP 723), for one block.
    (block,) = re.findall(r"(?m)^# /// script$\s((?:^#(?:| .*)$\s)+)^# ///$", text)
    metadata = tomllib.loads("".join(line[2:] + "\n" for line in block.splitlines()))
    needed = imports(SCRIPTS[number]) | {"tensorflow"}  # the backend, which Keras imports
    assert sorted(metadata.pop("dependencies")) == sorted(needed)
    # The day of versions.txt: the newest versions until then are the ones in there.
    day = re.fullmatch(r"# Made by `nox -s lock` on ([\d-]{10}): .*", MADE)[1]
    assert metadata.pop("tool") == {"uv": {"exclude-newer": f"{day}T00:00:00Z"}}
    # No 3.14: what TensorFlow's release candidate requires, uv installs in a random order.
    assert metadata == {"requires-python": ">=3.11,<3.14"}
    assert text.index("# /// script") > text.index("model.fit(")


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

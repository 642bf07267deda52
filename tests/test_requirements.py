"""What the scripts say they need is what they import, and what installs is what was tested."""

import ast
import itertools
import re
import sys
import tomllib

import conftest
import pytest
from conftest import ROOT, SCRIPTS, TUTORIALS
from packaging.requirements import Requirement

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
SYSTEMS = ["linux", "darwin", "win32"]
PACKAGES = {"sklearn": "scikit-learn"}  # where the name on the package index is another one


def read(name):
    """Return the lines of a requirements file that name a package, and the others but for empty ones."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    packages = [Requirement(line) for line in lines if re.match(r"\w", line)]
    return packages, [line for line in lines if line and not re.match(r"\w", line)]


REQUIREMENTS, OTHER_LINES = read("requirements.txt")
VERSIONS, COMMENTS = read("versions.txt")


def imports(path):
    """Return the packages that a script imports, with those of the files beside it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    beside = {name for name in found if (TUTORIALS / f"{name}.py").exists()}
    for name in beside:
        found |= imports(TUTORIALS / f"{name}.py")
    return {PACKAGES.get(name, name) for name in found - beside - sys.stdlib_module_names}


def exact(python, system):
    """Return {package: exact version} for a Python and a system."""
    place = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": system}
    those = [entry for entry in VERSIONS if entry.marker.evaluate(place)]
    assert len({entry.name for entry in those}) == len(those)
    return {entry.name: re.fullmatch(r"==([\w.]+)", str(entry.specifier))[1] for entry in those}


@pytest.mark.parametrize("number", SCRIPTS)
def test_inline_metadata(number):
    text = SCRIPTS[number].read_text(encoding="utf-8")
    # The regular expression of the specification (PEP 723), for one block.
    (block,) = re.findall(r"(?m)^# /// script$\s((?:^#(?:| .*)$\s)+)^# ///$", text)
    metadata = tomllib.loads("".join(line[2:] + "\n" for line in block.splitlines()))
    (day,) = re.findall(r"[\d-]{10}", COMMENTS[0])
    dependencies = metadata.pop("dependencies")
    assert metadata == {
        # No 3.14: what TensorFlow's release candidate requires, uv installs in a random order.
        "requires-python": ">=3.11,<3.14",
        # The day of versions.txt: the newest versions until then are the ones in there.
        "tool": {"uv": {"exclude-newer": f"{day}T00:00:00Z"}},
    }
    # The backend, tensorflow, is imported by Keras only.
    assert sorted(dependencies) == sorted(imports(SCRIPTS[number]) | {"tensorflow"})
    assert text.index("# /// script") > text.index("# Training")


def test_requirements_are_what_is_imported():
    needed = set().union(*(imports(path) for path in SCRIPTS.values()))
    assert {entry.name for entry in REQUIREMENTS} == needed | {"tensorflow", "pytest"}


def test_what_installs_are_exact_versions():
    assert [line for line in OTHER_LINES if not line.startswith("#")] == ["-r versions.txt"]
    assert len(COMMENTS) == 1
    assert COMMENTS[0].startswith("# Made by `nox -s lock` on ")
    for python, system in itertools.product(PYTHONS, SYSTEMS):
        versions = exact(python, system)
        for entry in REQUIREMENTS:
            # A release candidate is allowed for the one Python that has nothing else.
            candidate = (entry.name, python) == ("tensorflow", "3.14")
            assert entry.specifier.contains(versions[entry.name], prereleases=candidate), python


@pytest.mark.parametrize("python", ["3.10", "3.15"])
def test_elsewhere_nothing_is_claimed(python):
    """There pip says at once which requirement it cannot find, and builds nothing before."""
    assert exact(python, "linux") == {}


def test_the_header_names_other_versions(monkeypatch):
    assert conftest.pytest_report_header().startswith("versions other than the tested ones: ")
    real = conftest.importlib.metadata.version
    fake = {"keras": "3.0.0"}
    monkeypatch.setattr(
        conftest.importlib.metadata, "version", lambda name: fake.get(name) or real(name)
    )
    assert "keras 3.0.0 (tested: 3." in conftest.pytest_report_header()


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_colab_gets_a_keras_that_will_do(page):
    (lowest,) = re.findall(
        r"%pip install -q \"(keras\S+)\"", (ROOT / page).read_text(encoding="utf-8")
    )
    assert lowest in [str(entry) for entry in REQUIREMENTS]

"""What a script says it needs is what it imports, in the versions of requirements.txt."""

import ast
import re
import sys
import tomllib

import pytest
from conftest import ROOT, SCRIPTS, TUTORIALS

REQUIREMENTS = dict(
    re.match(r"([\w-]+)(.*)", line).groups()
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
PACKAGES = {"sklearn": "scikit-learn"}  # where the name on the package index is another one


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


@pytest.mark.parametrize("number", SCRIPTS)
def test_inline_metadata(number):
    text = SCRIPTS[number].read_text(encoding="utf-8")
    # The regular expression of the specification (PEP 723), for one block.
    (block,) = re.findall(r"(?m)^# /// script$\s((?:^#(?:| .*)$\s)+)^# ///$", text)
    metadata = tomllib.loads("".join(line[2:] + "\n" for line in block.splitlines()))
    needed = imports(SCRIPTS[number]) | {"tensorflow"}  # the backend, which only Keras imports
    assert sorted(metadata["dependencies"]) == sorted(name + REQUIREMENTS[name] for name in needed)
    assert metadata["requires-python"] == ">=3.11"
    assert text.index("# /// script") > text.index("# Training")


def test_requirements_are_what_is_imported():
    needed = set().union(*(imports(path) for path in SCRIPTS.values()))
    assert set(REQUIREMENTS) == needed | {"tensorflow", "pytest"}

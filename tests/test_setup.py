"""What installs: the same Pythons in every place, a version of all that is imported, and uv's block in each script."""

import re
import sys
import tomllib

from files import ROOT, TUTORIALS, scripts_and_twins, source, twins
from packaging.requirements import Requirement


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_place_names_the_pythons_of_the_first_script():
    oldest, following = map(int, re.search(r">=3\.(\d+),<3\.(\d+)", source("01")).groups())
    old, new, candidate = f"3.{oldest}", f"3.{following - 1}", f"3.{following}"
    wanted = {
        **{f"tutorials/{path.name}": [f'">={old},<{candidate}"'] for path in scripts_and_twins()},
        "pyproject.toml": [f'"py3{oldest}"', f"python_version >= '{old}'", f"<= '{candidate}'"],
        "versions.txt": [
            f"python_full_version >= '{old}'",
            f"python_full_version < '3.{following + 1}'",
        ],
        ".github/workflows/tests.yml": [
            f'python: ["{old}", ',
            f', "{candidate}"]',
            f'python: "{new}"',
        ],
        "README.md": [f"Python {old} to {new}"],
        "README.ja.md": [f"Python {old}～{new}"],
        "tutorials/help.md": [
            f"older than {old}, newer than {candidate}",
            f"Python {candidate} works",
        ],
        "tutorials/help.ja.md": [f"{old}より古い", f"Python {candidate}"],
        "tests/measured/README.md": [
            f"for Python {old} to {candidate}",
            f"on Python {old} to {new}",
        ],
    }
    wrong = [
        f"{name} does not say {one}"
        for name, words in wanted.items()
        for one in words
        if one not in text(name)
    ]
    marked = re.findall(r"python_full_version >= '3\.(\d+)", text("versions.txt"))
    if min(map(int, marked)) < oldest:
        wrong.append(
            "versions.txt, for older ones, too: tests/measured/README.md, Versions, makes it"
        )
    wrong += [
        f"{name} names an older one: {line.strip()[:90]}"
        for name in [*wanted, "requirements.txt"]
        for line in older_lines(name, oldest)
    ]
    assert not wrong, "\n".join([f"the first script is for {old} to {new}", *wrong])


def older_lines(name, oldest):
    """Return the lines of a file that name a Python older than the oldest, as 3.10, not as a package's version."""
    if name == "versions.txt":
        return []
    lines = [
        one for one in text(name).splitlines() if not re.match(r"\| 3\.|.*--python-version", one)
    ]
    pattern = r"(?<![\d.>=])3\.(\d\d)\b(?!\.\d)"
    return [one for one in lines if any(int(minor) < oldest for minor in re.findall(pattern, one))]


def imports(path):
    """Return the packages that a script imports, with those of the files beside it."""
    names = re.findall(
        r'(?m)(?:^ *from |^ *import |import_module\(")(\w+)', path.read_text(encoding="utf-8")
    )
    found = set()
    for name in set(names) - sys.stdlib_module_names:
        beside = TUTORIALS / f"{name}.py"
        found |= imports(beside) if beside.exists() else {name.replace("sklearn", "scikit-learn")}
    return found


def test_the_block_for_uv_says_what_a_script_needs(path):
    lesson, after = path.read_text(encoding="utf-8").split("model.fit(")
    # The regular expression of the specification (PEP 723), for one block
    (block,) = re.findall(r"(?m)^# /// script$\s((?:^#(?:| .*)$\s)+)^# ///$", after)
    assert "# /// script" not in lesson
    found = tomllib.loads(re.sub("(?m)^# ?", "", block))
    needed = imports(path) | {"tensorflow"}  # the backend, which Keras imports
    assert sorted(found["dependencies"]) == sorted(needed)
    # The day of versions.txt: the newest versions until then are the ones in there
    assert f"--exclude-newer {found['tool']['uv']['exclude-newer']} " in text("versions.txt")


def test_requirements_have_what_is_imported_and_versions_have_an_allowed_one_of_each():
    first, *lines = re.findall(r"(?m)^[^#\n].*", text("requirements.txt"))
    assert first == "-r versions.txt"
    required = {one.name: one.specifier for one in map(Requirement, lines)}
    assert set(required) == {"pytest", "tensorflow", "tensorflow-cpu"}.union(
        *map(imports, scripts_and_twins())
    )
    for name, allowed in required.items():
        exact = re.findall(rf"(?m)^{name}==(\S+)", text("versions.txt"))
        assert exact, f"versions.txt has no {name}"
        assert all(allowed.contains(version, prereleases=True) for version in exact), (
            f"{name}: {exact}"
        )


def test_english_files_have_only_plain_letters_and_japanese_ones_those_of_a_japanese_console():
    for path in TUTORIALS.glob("*.py"):
        path.read_text(encoding="utf-8").encode("cp932" if path in twins().values() else "ascii")

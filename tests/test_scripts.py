"""What the scripts promise besides their results: cells, flags, pasting, Japanese twins, what they need."""

import ast
import code
import difflib
import re
import sys
import tokenize
import tomllib

import chapter
import conftest
import measure
import numpy as np
import pytest
from conftest import cells, source
from measure import ROOT, SCRIPTS, TUTORIALS
from packaging.requirements import Requirement

# How the programs behind a cell are called: Jupyter and VS Code, nbclient and its like, Colab, Spyder, PyCharm
KERNELS = [
    ["/x/ipykernel_launcher.py", "-f", "x.json"],
    ["/x/ipykernel_launcher.py", "--f=x.json", "--HistoryManager.hist_file=:memory:"],
    ["/x/colab_kernel_launcher.py", "-f", "x.json"],
    [""],
    ["/x/pydevconsole.py", "--mode=client", "--port=52344"],
]
COUNTS = "--epochs", "--batch-size"
ACCEPTED = [f"{flag}={count}" for flag in COUNTS for count in ("1", "10000000000")]
ACCEPTED += ["--seed=0", "--seed=4294967295"]
REFUSED = [f"{flag}={count}" for flag in COUNTS for count in ("0", "-3", "ten", "1.5", "")]
REFUSED += [f"--seed={seed}" for seed in ("-1", "4294967296", "ten", "")]
REFUSED += ["--epoch5=1", "-f=x.json", "--f=x.json"]
OWN_OF_03 = ["--validation-split=1", "--validation-split=-0.1", "--validation-split=nan"]
OWN_OF_03 += ["--steps-per-execution=0", "--steps-per-execution=x"]
OWN = {
    "01": ["--quiet=yes"],
    "03": ["--optimizer=rmsprop", "--activation=swish", *OWN_OF_03],
    "05": ["--show=1"],
}
PLACES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
PIP, *REQUIREMENTS = re.findall(r"(?m)^[^#\n].*", (ROOT / "requirements.txt").read_text("utf-8"))
_, MADE, *VERSIONS = (ROOT / "versions.txt").read_text("utf-8").splitlines()
IMPORT = r'(?m)(?:^ *from |^ *import |import_module\(")(\w+)'
every_script = pytest.mark.parametrize("number", SCRIPTS)


def show(cell, variables):
    """Run a cell as a notebook does, and fail if it would show a value."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), variables)
    if last:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), variables)
        assert value is None, f"Out[...] of {cell.splitlines()[0]}"


@pytest.fixture
def read_flags(monkeypatch):
    """Return a function that runs the first cell of a script with this `sys.argv`: its variables."""

    def run(number, *argv):
        monkeypatch.setattr(sys, "argv", list(argv))
        variables = {"__name__": "__main__", "__doc__": "", "__file__": "/x/y.py"}
        show(cells(number)[0], variables)
        return variables

    return run


@every_script
def test_cells_and_length(number):
    found = [re.match(r"# %% (\w+)", cell)[1] for cell in cells(number)]
    steps = ["Libraries", "Data", "Model", "Training", "Evaluation"]
    assert [title for title in found[1:] if title != "Tip"] == steps
    assert f"(section 4.{int(number) + 2})" in source(number).splitlines()[0]
    assert found.count("Tip") == (3 if number == "05" else 0)
    imported = re.findall(r"(?m)^(?:from|import) (\w+)", cells(number)[0])
    assert imported == ["argparse"], f"{number} imports more before its flags are read"
    lines = source(number).split("\n# /// script")[0].splitlines()
    lesson = len(lines) - cells(number)[0].count("\n")
    head = 27 if number == "03" else 23  # lines before `# %% Libraries`
    assert len(lines) - lesson <= head, f"{number} begins its lesson after line {head}"
    assert len(lines) <= 100, f"{number} has {len(lines)} lines without the uv block"
    assert lesson / len(lines) >= 0.65, f"{number}: its lesson has {lesson} of {len(lines)} lines"


@every_script
def test_cells_can_be_run_again(few_images, read_flags, monkeypatch, tmp_path, number):
    monkeypatch.chdir(tmp_path)
    variables = read_flags(number, *KERNELS[0])
    variables["args"].epochs, variables["args"].batch_size = 1, 200
    _, libraries, data, *rest = cells(number)
    for cell in libraries, data, data, *rest:  # the images must not be divided twice
        show(cell, variables)
    done = variables["history"].epoch, variables["history"].params["steps"]
    assert done == ([0], 1), f"{number}: not with the args that were set after its first cell"
    once = variables["model"].get_weights()
    for cell in rest:
        show(cell, variables)
    same = all(map(np.array_equal, once, variables["model"].get_weights()))
    assert same, f"{number}: on from the model cell it does not repeat the run"


@every_script
def test_a_script_can_be_pasted_into_python(few_images, monkeypatch, tmp_path, capsys, number):
    monkeypatch.setattr(sys, "argv", ["", "--epochs", "1", "--batch-size", "200"])
    monkeypatch.chdir(tmp_path)
    console = code.InteractiveConsole({"__name__": "__console__", "__doc__": None})
    for line in source(number).splitlines():
        console.push(line)
    assert console.push("") is False, f"{number}: a block is still open"
    out, err = capsys.readouterr()
    assert "Error" not in err
    assert ("accuracy: " if number != "01" else "[") in out


@every_script
def test_flags(read_flags, capsys, number):
    """Wrong ones get usage and one line, whatever the script and its folder are called; in a cell none apply."""
    for argv in KERNELS:
        assert read_flags(number, *argv)["args"].epochs == chapter.today(number).epochs, argv
    for flag in ACCEPTED:
        read_flags(number, SCRIPTS[number].name, flag)
    assert capsys.readouterr() == ("", "")
    for flag in REFUSED + OWN.get(number, []):
        name = "kernel_launcher.py" if flag.endswith("f=x.json") else SCRIPTS[number].name
        with pytest.raises(SystemExit) as ended:
            read_flags(number, f"/ipykernel/kernel_launcher.py/{name}", flag)
        assert ended.value.code == 2
        said = capsys.readouterr().err
        *usage, error = said.splitlines()
        assert re.match(rf"usage: {name} ", said), f"{number} {flag}"
        assert all(line.startswith(("usage: ", " ")) for line in usage), f"{number} {flag}"
        assert re.match(rf"{name}: error: .*{flag.split('=')[0]}", error), f"{number} {flag}"
        if flag in ("--epochs=0", "--batch-size=-3", "--seed=-1", "--seed=4294967296"):
            assert {"1", "0", "4294967295"} <= {*re.findall(r"\d+", error)}, "the limits"


@every_script
def test_help_shows_the_docstring_and_every_default(number, tmp_path):
    run = conftest.call(SCRIPTS[number], ["--help"], tmp_path, KERAS_BACKEND="none", COLUMNS="100")
    assert (run.returncode, run.stderr) == (0, "")
    docstring = source(number).split('"""')[1].strip()
    assert docstring in run.stdout
    assert f".venv/bin/python tutorials/{SCRIPTS[number].name} " in docstring
    program = chapter.today(number)
    shown = {"--epochs": program.epochs, "--batch-size": program.batch_size, "--seed": 0}
    if number == "03":
        shown |= {"--optimizer {sgd,adagrad,adam}": "sgd"}
        shown |= {"--activation {sigmoid,relu,tanh}": "sigmoid"}
        shown |= {"--validation-split": 0, "--steps-per-execution": 1}
    for flag, default in shown.items():
        described = rf"{flag}( [A-Z_]+)?\s+\w[\w\s,:]+\(default:\s+{default}\)"
        assert re.search(described, run.stdout), f"{number} {flag}"
    own = {one.split("=")[0] for one in OWN.get(number, [])}
    flags = set(re.findall(r"(?m)^  (--[\w-]+)", run.stdout))
    known = own.union(one.split()[0] for one in shown)
    assert flags == known, f"{number}: a new flag is declared here, and in both guides"


def same_program(path):
    """Return the syntax tree of a script without its docstring and help texts, as text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    del tree.body[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "help":
            node.value = ast.Constant("")
    return ast.unparse(tree)


def marks(path):
    """Return the kind of each comment of a script: its mark if it has one, and how much code is above it."""
    kinds, code = [], 0
    with open(path, "rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                mark = re.match(r"# (%%|Book \d+:|Extra:|/// script|///|)", token.string)
                own = not token.line[: token.start[1]].strip()
                kinds.append((mark[1], code, own))
            elif token.type not in (
                tokenize.NL,
                tokenize.NEWLINE,
                tokenize.INDENT,
                tokenize.DEDENT,
            ):
                code += 1
    # A comment of several lines is one, whatever its length
    return [one for one, before in zip(kinds, [None, *kinds], strict=False) if one != before]


@every_script
def test_the_japanese_twin_is_the_same_program(number):
    script, twin = SCRIPTS[number], measure.TWINS[number]
    difference = difflib.unified_diff(
        same_program(script).splitlines(), same_program(twin).splitlines(), lineterm="", n=0
    )
    assert [*difference] == [], f"{script.name} and {twin.name} are not the same program"
    assert marks(script) == marks(twin), "cells, `# Book n:`, `# Extra:` or places of comments"


@every_script
def test_the_japanese_twin_can_be_read_on_a_japanese_console(number, tmp_path):
    twin = measure.TWINS[number]
    run = conftest.call(twin, ["--help"], tmp_path, PYTHONIOENCODING="cp932")
    assert (run.returncode, run.stderr) == (0, "")
    twin.read_text(encoding="utf-8").encode("cp932")


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


@pytest.mark.parametrize("path", [*SCRIPTS.values(), *measure.TWINS.values()], ids=lambda p: p.name)
def test_inline_metadata(path):
    before, after = path.read_text(encoding="utf-8").split("model.fit(")
    # The regular expression of the specification (PEP 723), for one block.
    (block,) = re.findall(r"(?m)^# /// script$\s((?:^#(?:| .*)$\s)+)^# ///$", after)
    assert "# /// script" not in before
    metadata = tomllib.loads(re.sub("(?m)^# ?", "", block))
    # The day of versions.txt: the newest versions until then are the ones in there.
    day = re.search(r"--exclude-newer (\S+)", MADE)[1]
    needed = imports(SCRIPTS[path.name[:2]]) | {"tensorflow"}  # the backend, which Keras imports
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

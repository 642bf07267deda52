"""What the scripts promise besides their results: cells, flags, pasting, numbers in comments, what they need."""

import ast
import code
import re
import sys
import tomllib

import chapter
import conftest
import numpy as np
import pages
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
OWN = {"01": ["--quiet=yes"], "03": ["--optimizer=adam", "--activation=swish"], "05": ["--show=1"]}
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
    steps = ["Flags", "Libraries", "Data", "Model", "Training", "Evaluation"]
    assert [title for title in found if title != "Tip"] == steps
    assert found.count("Tip") == (3 if number == "05" else 0)
    imported = re.findall(r"(?m)^(?:from|import) (\w+)", cells(number)[0])
    assert imported == ["argparse"], f"{number} imports more before its flags are read"
    lines = source(number).split("\n# /// script")[0].splitlines()
    lesson = len(lines) - cells(number)[0].count("\n")
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
            assert re.findall(r"\d+", error)[-3:] == ["1", "0", "4294967295"], "the limits"


@every_script
def test_help_shows_the_docstring_and_every_default(number, tmp_path):
    run = conftest.call(SCRIPTS[number], ["--help"], tmp_path, KERAS_BACKEND="none", COLUMNS="100")
    assert (run.returncode, run.stderr) == (0, "")
    docstring = source(number).split('"""')[1].strip()
    assert docstring in run.stdout
    assert docstring.startswith(f"Section 4.{int(number) + 2}: ")
    assert f".venv/bin/python tutorials/{SCRIPTS[number].name} " in docstring
    assert re.findall(r"row (\d+)", docstring) == re.findall(r"# Book (\d+):", docstring)
    program = chapter.today(number)
    shown = {"--epochs": program.epochs, "--batch-size": program.batch_size, "--seed": 0}
    if number == "03":
        shown |= {"--optimizer {sgd,adagrad}": "sgd", "--activation {sigmoid,relu,tanh}": "sigmoid"}
    for flag, default in shown.items():
        described = rf"{flag}( [A-Z_]+)?\s+\w[\w\s]+\(default:\s+{default}\)"
        assert re.search(described, run.stdout), f"{number} {flag}"
    own = {one.split("=")[0] for one in OWN.get(number, [])}
    flags = set(re.findall(r"(?m)^  (--[\w-]+)", run.stdout))
    known = own.union(one.split()[0] for one in shown)
    assert flags == known, f"{number}: a new flag is declared here, and in both guides"


# What a comment may say numbers of, by script: a number with words, one of which stands in the same clause,
# or several numbers of one computation
SIDE = pages.FACTS["size"]("04", "Conv2D-2", "1")  # before pooling
IMAGES = """60,000 train | 10,000 test | 28 pixel image | 1 gray | 3 color pixel filter
    0 relu negative quarter | 0-255 => 0-1 | 2 => 0 0 1 0"""
CLAIMS = {
    "01": """2 neuron | 10 epoch update default | 0.01 rate | 0.0 accuracy | 0 sigmoid
        1 sigmoid column without since | 1.0 accuracy | 3/3 | 1/1""",
    "02": f"""150 flower | {pages.rows("02")} training epoch update batch | 38 test | 100 epoch
        50 neuron weight bias | {chapter.IRIS.epochs} epoch | 3 species neuron | 4 measurement species
        1 batch softmax one-hot label | 2 => 0 0 1""",
    "03": f"""{IMAGES} | 50 neuron | 20 neuron | 1 epoch since | 10 default epoch | 28 x 28 => 784
        60,000 / 32 = {pages.batches("03"):,}""",
    "04": f"""{IMAGES} | 32 filter image | 64 pattern more | 4.5 section
        {SIDE} x {SIDE} => {SIDE // 2} x {SIDE // 2} | {SIDE // 2} x {SIDE // 2} x 64
        3 x 3 | 2 x 2 | 28 x 28 | 0.001 rate""",
    "05": f"""4.4 section | 0 epoch | 20 x {pages.batches("05")}
        4 x 50 weights and 50 biases: {pages.FACTS["parameters-of"]("05", "Dense")}""",
}
VALUE = r"\d(?:[\d.,]*\d)?"


@every_script
def test_numbers_in_comments_are_those_of_the_program(number):
    claims = re.split(r" \| |\n", CLAIMS[number])
    claims = [(re.findall(VALUE, one), re.findall("[a-z-]{2,}", one)) for one in claims]
    text = "".join(cells(number)[1:]).split("\n# /// script")[0]
    for comment in re.findall(r"(?m)(?<![\"'])# ?(.*(?:\n# (?!%%|Book|Extra).*)*)", text):
        comment = re.sub(r"^Book \d+:|`.*?`|\w+\(.*?\)+|\w+_\d|2017|2\.1\.0|\n# ", " ", comment)
        for values in [values for values, _ in claims if len(values) > 1]:
            loose = r"\D{1,14}".join(map(re.escape, values))
            comment = re.sub(rf"(?<![\d.]){loose}(?![\d,]*\d)", " ", comment)
        for clause in re.split(r"[;:.,] |=> ", comment):
            for found in re.findall(rf"(?<![\w.-]){VALUE}", clause):
                words = [word for values, words in claims if values == [found] for word in words]
                known = any(word in clause.lower() for word in words)
                assert known, f"{number} says {found} in {clause!r}: it is not among CLAIMS here"


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


@every_script
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

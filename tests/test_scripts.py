"""What the scripts promise besides their results: cells, flags, pasting, their length, numbers that they name."""

import ast
import code
import contextlib
import io
import re
import sys

import chapter
import conftest
import numpy as np
import pages
import pytest
from conftest import source
from measure import SCRIPTS

# How the programs behind a cell are called: Jupyter and VS Code, nbclient and its like, Colab, Spyder, PyCharm
KERNELS = [
    ["/x/ipykernel_launcher.py", "-f", "x.json"],
    ["/x/ipykernel_launcher.py", "--f=x.json"],
    ["/x/ipykernel_launcher.py", "-f", "x.json", "--HistoryManager.hist_file=:memory:"],
    ["/x/colab_kernel_launcher.py", "-f", "x.json"],
    [""],
    ["/x/pydevconsole.py", "--mode=client", "--port=52344"],
]
COUNTS = ["--epochs", "--batch-size"]
REFUSED = [(flag, value) for flag in COUNTS for value in ("0", "-3", "ten", "1.5", "")]
REFUSED += [("--seed", value) for value in ("-1", "4294967296", "9999999999", "ten", "")]
REFUSED += [("--epoch5", "1"), ("-f", "x.json"), ("--f", "x.json")]
REFUSED = [(number, *case) for number in SCRIPTS for case in REFUSED]
REFUSED += [("03", "--optimizer", "adam"), ("03", "--activation", "swish")]
REFUSED += [("01", "--quiet", "yes"), ("05", "--show", "1"), ("02", "--optimizer", "sgd")]
ACCEPTED = [(flag, value) for flag in COUNTS for value in ("1", "10000000000")]
ACCEPTED += [("--seed", "0"), ("--seed", "4294967295")]
ACCEPTED = [(number, *case) for number in SCRIPTS for case in ACCEPTED]
every_script = pytest.mark.parametrize("number", SCRIPTS)


def cells(number):
    """Return the cells of a script, each with its title."""
    parts = re.split(r"(?m)^(?=# %%)", source(number))
    assert parts.pop(0) == "", f"{number} does not begin with a cell"
    return parts


def show(cell, variables):
    """Run a cell as a notebook does; return its output, and fail if it would show a value."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(tree, "cell", "exec"), variables)
        if last:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), variables)
            assert value is None, f"Out[...] of {cell.splitlines()[0]}"
    return output.getvalue()


@every_script
def test_titles_of_the_cells(number):
    found = [re.match(r"# %% (\w+)", cell)[1] for cell in cells(number)]
    steps = ["Flags", "Libraries", "Data", "Model", "Training", "Evaluation"]
    assert [title for title in found if title != "Tip"] == steps
    assert found.count("Tip") == (3 if number == "05" else 0)


@every_script
def test_cells_can_be_run_again(few_images, monkeypatch, tmp_path, number):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", KERNELS[0])
    variables = {"__name__": "__main__", "__doc__": None}
    flags, libraries, data, *rest = cells(number)
    show(flags, variables)
    variables["args"].epochs = 1
    for cell in libraries, data, data, *rest:  # the images must not be divided twice
        show(cell, variables)
    once = variables["model"].get_weights()
    for cell in rest:
        show(cell, variables)
    again = variables["model"].get_weights()
    assert all(map(np.array_equal, once, again)), "on from the model cell it repeats the run"
    model, size = variables["model"], variables["args"].batch_size
    updates = int(model.optimizer.iterations)
    # A training of the reader's own in between
    model.fit(variables["x_train"], variables["y_train"], batch_size=size, verbose=0)
    show(next(cell for cell in rest if cell.startswith("# %% Training")), variables)
    assert int(model.optimizer.iterations) == 3 * updates, "the training trains on"


@pytest.mark.parametrize("argv", KERNELS, ids=" ".join)
@every_script
def test_in_a_cell_the_defaults_apply(monkeypatch, number, argv):
    monkeypatch.setattr(sys, "argv", argv)
    variables = {"__name__": "__main__", "__doc__": None, "__file__": "/x/y.py"}
    show(cells(number)[0], variables)
    assert variables["args"].epochs == chapter.today(number).epochs


@every_script
def test_a_script_can_be_pasted_into_python(few_images, monkeypatch, tmp_path, capsys, number):
    monkeypatch.setattr(sys, "argv", ["", "--epochs", "1"])
    monkeypatch.chdir(tmp_path)
    console = code.InteractiveConsole({"__name__": "__console__", "__doc__": None})
    for line in source(number).splitlines():
        console.push(line)
    assert console.push("") is False, "a block is still open"
    out, err = capsys.readouterr()
    assert "Error" not in err
    assert ("accuracy: " if number != "01" else "[") in out


@pytest.mark.parametrize(("number", "flag", "value"), REFUSED)
def test_wrong_flags_get_usage_and_one_line(monkeypatch, capsys, number, flag, value):
    """Whatever the script and its folder are called."""
    name = "kernel_launcher.py" if flag in ("-f", "--f") else SCRIPTS[number].name
    monkeypatch.setattr(sys, "argv", [f"/ipykernel/kernel_launcher.py/{name}", f"{flag}={value}"])
    with pytest.raises(SystemExit) as ended:
        show(cells(number)[0], {"__doc__": ""})
    assert ended.value.code == 2
    *usage, error = capsys.readouterr().err.splitlines()
    assert usage[0].startswith(f"usage: {name} ")
    assert all(line.startswith(("usage: ", " ")) for line in usage)
    assert error.startswith(f"{name}: error: ")
    assert flag in error
    if value in ("0", "-1", "-3", "4294967296"):
        assert re.findall(r"\d+", error)[-3:] == ["1", "0", "4294967295"]  # the limits


@pytest.mark.parametrize(("number", "flag", "value"), ACCEPTED)
def test_right_flags_are_accepted(monkeypatch, capsys, number, flag, value):
    monkeypatch.setattr(sys, "argv", [SCRIPTS[number].name, flag, value])
    show(cells(number)[0], {"__doc__": ""})
    assert capsys.readouterr() == ("", "")


@every_script
def test_flags_are_read_before_keras_is_imported(number):
    imported = re.findall(r"(?m)^(?:from|import) (\w+)", cells(number)[0])
    assert imported == ["argparse"]


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
        shown |= {"--optimizer": "sgd", "--activation": "sigmoid"}
    words = " ".join(run.stdout.split())
    for flag, default in shown.items():
        assert re.search(rf"{flag} \S+ \w[\w ]+ \(default: {default}\)", words), flag
    own = {"01": ["--quiet"], "05": ["--show"]}
    flags = set(re.findall(r"^  (--[\w-]+)", run.stdout, re.MULTILINE))
    assert flags == {*shown, *own.get(number, [])}


@every_script
def test_length(number):
    lines = source(number).split("\n# /// script")[0].splitlines()
    lesson = len(lines) - next(n for n, line in enumerate(lines) if line.startswith("# %% Lib"))
    assert len(lines) <= 100
    assert lesson / len(lines) >= 0.65


# What a script may say a number of, in a comment: {number: words, one of which stands in the same clause}
FLOWERS = {
    "150": "flower",
    pages.rows("02"): "training epoch update batch",
    "38": "test",
    chapter.IRIS.epochs: "epoch",
    "100": "epoch",  # of another variant
    "3": "species neuron",
    "4": "measurement species",
    "50": "neuron weight bias",
    "1": "batch softmax one-hot label",
}
IMAGES = {
    "60,000": "train",
    "10,000": "test",
    "28": "pixel image",
    "10": "digit epoch",
    "1": "gray",
}
IMAGES |= {"3": "color pixel filter", "0": "relu negative quarter"}
MLP = {"50": "neuron", "20": "neuron", "1": "epoch since", "10": "default epoch"}
CNN = {
    32: "filter image",
    64: "filter pattern more",
    "2": "pool value",
    "4.5": "section",
    "0.001": "rate",
}
NUMBERS = {
    "01": {"3": "neuron row", "2": "neuron", "10": "epoch update default", "0.01": "rate"},
    "02": FLOWERS,
    "03": IMAGES | MLP,
    "04": IMAGES | CNN,
    "05": FLOWERS | {"4.4": "section", "0": "epoch"},
}
NUMBERS["01"] |= {
    "0": "sigmoid",
    "1": "sigmoid column without since",
    "0.0": "accuracy",
    "1.0": "accuracy",
}
WIDTH = int(pages.FACTS["size"]("04", "3", "1"))  # before pooling
CHAINS = {  # what is computed, in comments
    "01": ["3/3", "1/1"],
    "02": ["2 => 0 0 1", "4 => 50 => 3"],
    "03": [
        "28 x 28 => 784",
        "0-255 => 0-1",
        "2 => 0 0 1 0",
        f"60,000 / 32 = {pages.batches('03'):,}",
    ],
    "04": [f"{WIDTH} x {WIDTH} => {WIDTH // 2} x {WIDTH // 2}", "0-255 => 0-1", "2 => 0 0 1 0"],
    "05": [
        "4 x 50 weights and 50 biases: " + pages.FACTS["parameters-of"]("05", "0"),
        f"20 x {pages.batches('05')}",
    ],
}
CHAINS["04"] += ["3 x 3", "2 x 2", f"{WIDTH // 2} x {WIDTH // 2} x 64", "28 28 1", "28 x 28"]


@every_script
def test_numbers_in_comments_are_those_of_the_program(number):
    text = "".join(cells(number)[1:]).split("\n# /// script")[0]
    known = {str(key): words.split() for key, words in NUMBERS[number].items()}
    comments = re.findall(r"(?m)(?<![\"'])# ?(.*(?:\n# (?!%%|Book|Extra).*)*)", text)
    for comment in comments:
        comment = re.sub(r"^Book \d+:|`.*?`|\w+\(.*?\)+|\w+_\d|2017|2\.1\.0|\n# ", " ", comment)
        for chain in CHAINS[number]:
            loose = r"\D{1,14}".join(map(re.escape, re.findall(r"[\d.,]*\d", chain)))
            comment = re.sub(rf"(?<![\d.]){loose}(?![\d,]*\d)", " ", comment)
        for clause in re.split(r"[;:.,] |=> ", comment):
            for found in re.findall(r"(?<![\w.-])\d(?:[\d.,]*\d)?", clause):
                words = known.get(found, [])
                assert any(word in clause.lower() for word in words), (
                    f"{number} says {found} in {clause!r}: not of its program, or unknown to NUMBERS here"
                )

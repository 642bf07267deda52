"""The commands, as typed, run where their readers are, and learn.

Each runs with no display, no terminal and no internet, in a folder with a space and Japanese letters in
its name, some of them on an ASCII or a Japanese console.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
import keras
import measure
import pages
import PIL.Image
import pytest
from conftest import COMMANDS, ENVIRONMENT, TRAINING, call, lesson, mnist_file
from measure import ROOT, SCRIPTS

MORE = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
# What each must reach. Guessing reaches 0.33 in 02 and 05, 0.1 in 03 and 04; measured were 0.6 and more
# in 02 over many seeds, and over four seeds 0.48 to 0.53 in 03 (on the stand-in) and 0.80 to 0.88 in 04.
LEAST = {"02": 0.45, "03": 0.35, "04": 0.7, "05": 0.1}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.command(n)) for n in SCRIPTS])
def test_it_runs_as_typed_and_learns(command, name):
    assert command.returncode == 0, command.stderr
    assert not re.search(r"Traceback|Exception ignored|Warning", command.stderr)
    epochs = COMMANDS[name][1][1:2] or [{"01": 10, "02": 20}[name]]
    assert f"Epoch {epochs[0]}/{epochs[0]}" in command.stdout
    made = {path.name: path.read_bytes()[:4] for path in command.folder.iterdir()}
    if name == "05":
        assert made == {"my_model.keras": b"PK\3\4", "learning_curve.png": b"\x89PNG"}
        assert f"updates in its optimizer: {5 * 112}\n" in command.stdout
    else:
        assert made == {}
    if name == "01":
        assert re.fullmatch(r"\[\d\.\d+, [01]\.0\]", command.stdout.splitlines()[-1])
    else:
        accuracy = command.stdout.rsplit("test accuracy: ", 1)[1].split()[0]
        assert float(accuracy) > LEAST[name]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_at_once_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-u", str(SCRIPTS["05"]), "--epochs", "100000"]
    # A shell's background jobs, and so these tests, may have been started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, **pipes) as process:
        try:
            assert any(b"Epoch 2/" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)  # on a busy machine; the training would take an hour
        finally:
            process.kill()
    assert process.returncode not in (0, -signal.SIGKILL)
    assert not list(tmp_path.iterdir())


def run_in_notebook(commands):
    """Run scripts in one kernel; return what each prints, but for progress and warnings, and the picture."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    lines = [f'%run "{SCRIPTS[line[:2]].as_posix()}"{line[2:]}' for line in commands]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(line) for line in lines])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_NPZ", str(mnist_file()))
        place = {"metadata": {"path": folder}}
        nbclient.NotebookClient(notebook, timeout=600, resources=place).execute()
        (drawn,) = [path.read_bytes() for path in Path(folder).glob("*.png")]
    printed = {}
    for command, cell in zip(commands, notebook.cells, strict=True):
        text = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
        printed[command] = [s for s in text.splitlines() if not re.search("\x1b|^WARNING", s)]
    return printed, drawn


def test_notebook_gives_the_same_in_every_order():
    commands = ["01", "02 --epochs 3", "05 --epochs 4 --seed 3", "03 --epochs 1 --activation relu"]
    commands += ["03 --epochs 2", "04 --epochs 1", "05 --epochs 3"]
    printed, drawn = run_in_notebook(commands)
    other, _ = run_in_notebook([commands[n] for n in (6, 5, 4, 3, 1, 0, 2)])
    assert printed == other
    assert all(len(lines) > 0 for lines in printed.values())
    assert run_in_notebook(commands[6:]) == ({commands[6]: printed[commands[6]]}, drawn)


def test_04_in_mixed_precision_spares_the_softmax(request):
    edits = measure.VARIANTS["04-book-mixed"].edits
    for _, new in edits:
        assert new.splitlines()[0] in MORE
    request.addfinalizer(lambda: keras.config.set_dtype_policy("float32"))
    made = lesson.__wrapped__("04", edits=edits)
    types = [layer.compute_dtype for layer in made.variables["model"].layers]
    assert types == ["bfloat16"] * (len(types) - 1) + ["float32"]


def test_03_on_two_devices_gives_the_same(tmp_path):
    pytest.importorskip("jax")
    line = "keras.distribution.set_distribution(keras.distribution.DataParallel())"
    assert line in MORE
    environ = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    environ |= {"MNIST_NPZ": str(mnist_file()), "PYTHONPATH": str(measure.TUTORIALS)}
    seeded, found = "keras.utils.set_random_seed(args.seed)", []
    for more in "pass", line:
        edits = [(seeded, f"{more}\n{seeded}")]
        edits += [("{score[1]:.4f}", "{len(model.weights[0].value.devices())}, {score}")]
        (tmp_path / "edited.py").write_text(measure.edited("03", edits), encoding="utf-8")
        run = call("edited.py", ["--epochs", "2", "--batch-size", "50"], tmp_path, **environ)
        assert run.returncode == 0, run.stderr
        found.append(json.loads(f"[{run.stdout.rsplit('test accuracy: ')[1]}]"))
    assert found == [[1, found[0][1]], [2, pytest.approx(found[0][1], abs=1e-3)]]


@pytest.mark.parametrize("name", figures.PICTURES)
def test_pictures_show_the_records_and_the_script_as_they_are(name):
    with PIL.Image.open(ROOT / "img" / name) as picture:
        assert 500 <= picture.width <= 1000
        assert 100 <= picture.height <= 700
        found = json.loads(picture.text.get("Description", "{}"))
    wanted = {}
    if name == "04_01.png":
        wanted = figures.describe(lesson("05").one("savefig").given["self"])
    if name in ("exercises.png", "differences.png"):
        _, wanted = figures.PICTURES[name]()
    assert list(found) == list(wanted)
    assert all(found[key] == pytest.approx(wanted[key]) for key in found)


# How far a result may lie outside the recorded range: other machines and versions compute a little
# differently, which is like another seed.
MARGINS = {"01": 0.5, "02": 0.15, "03": 0.01, "04": 0.003, "04-book": 0.005, "05": 0.15}


@pytest.mark.full
@pytest.mark.parametrize("name", MARGINS)
def test_result_is_within_the_recorded_range(name):
    _, _, loss, accuracy, *_ = measure.run(name, 100, TRAINING)
    result = loss if name == "01" else accuracy
    recorded = pages.figures(name)
    assert min(recorded) - MARGINS[name] <= float(result) <= max(recorded) + MARGINS[name]

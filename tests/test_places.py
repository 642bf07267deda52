"""The commands, as typed, run where their readers are, and learn.

Each runs with no display, no terminal and no internet, in a folder with a space and Japanese letters
in its name, some of them on an ASCII or a Japanese console.
"""

import os
import re
import signal
import subprocess
import sys

import keras
import measure
import pytest
from conftest import (
    COMMANDS,
    ENVIRONMENT,
    ROOT,
    SCRIPTS,
    TUTORIALS,
    call,
    lesson,
    mnist_file,
)

MORE = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
TRAINED = ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.command(n)) for n in TRAINED])
def test_it_runs_as_typed(command, name):
    assert command.returncode == 0, command.stderr
    assert not re.search(r"Traceback|Exception ignored", command.stderr)
    assert "Warning" not in command.stderr
    epochs = dict(zip(COMMANDS[name][1][::2], COMMANDS[name][1][1::2], strict=False))
    last = epochs.get("--epochs", {"01": 10, "02": 20}.get(name))
    assert f"Epoch {last}/{last}" in command.stdout
    files = {"my_model.keras", "learning_curve.png"} if name == "05" else set()
    assert {path.name for path in command.folder.iterdir()} == files


@pytest.mark.command("01")
def test_01_prints_loss_and_accuracy_last(command):
    assert re.fullmatch(r"\[\d\.\d+, [01]\.0\]", command.stdout.splitlines()[-1])


@pytest.mark.command("02")
def test_02_learns(command):
    assert command.accuracy > 0.5  # the lowest of 20 seeds is 0.6579; guessing reaches 0.33


@pytest.mark.command("03")
def test_03_learns_the_stand_in(command):
    assert command.accuracy > 0.35  # measured over four seeds: 0.48 to 0.53; guessing reaches 0.1


@pytest.mark.command("04")
def test_04_learns(command):
    assert command.accuracy > 0.7  # measured over four seeds, stand-in or real: 0.80 to 0.88


@pytest.mark.command("05")
def test_05_draws_a_picture(command):
    assert (command.folder / "learning_curve.png").read_bytes()[:4] == b"\x89PNG"


def test_no_script_says_anything_a_japanese_console_lacks():
    for path in TUTORIALS.glob("*.py"):
        assert path.read_bytes().isascii(), path


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_at_once_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-u", str(SCRIPTS["05"]), "--epochs", "100000"]
    # A shell's background jobs, and so these tests, may have been started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        output = b""
        while b"Epoch 2/" not in output and process.poll() is None:
            output += os.read(process.stdout.fileno(), 65536)
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=30)  # on a busy machine; the training would take an hour
        finally:
            process.kill()
    assert process.returncode not in (0, None)
    assert b"Epoch 2/" in output
    assert not list(tmp_path.iterdir())


# The lines to add that tests/README.md shows


def test_04_in_mixed_precision_spares_the_softmax():
    for _, new in measure.MIXED_PRECISION:
        assert new.splitlines()[0] in MORE
    try:
        made = lesson("04", "--epochs", "1", edits=measure.MIXED_PRECISION)
    finally:
        keras.config.set_dtype_policy("float32")
    types = [layer.compute_dtype for layer in made.variables["model"].layers]
    assert types == ["bfloat16"] * (len(types) - 1) + ["float32"]
    layers = lesson("04").variables["model"].layers
    assert {layer.compute_dtype for layer in layers} == {"float32"}


def test_03_on_two_devices_gives_the_same(tmp_path):
    pytest.importorskip("jax")
    show = [("import keras\n", "import jax, keras\n")]
    show += [('print(f"test', 'print(jax.device_count(), *score)\nprint(f"test')]
    line = "keras.distribution.set_distribution(keras.distribution.DataParallel())"
    assert line in MORE
    devices = {
        "one": (show, "1"),
        "two": ([*show, (measure.SEEDED, f"{line}\n{measure.SEEDED}")], "2"),
    }
    shown = []
    for name, (edits, count) in devices.items():
        script = tmp_path / f"{name}.py"
        script.write_text(measure.edited(SCRIPTS["03"], edits), encoding="utf-8")
        flags = ["--epochs", "2", "--batch-size", "50"]
        environment = {"KERAS_BACKEND": "jax", "MNIST_NPZ": str(mnist_file(2000))}
        environment |= {"PYTHONPATH": str(TUTORIALS)}
        environment |= {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"}
        run = call(script, flags, tmp_path, **environment)
        assert run.returncode == 0, run.stderr
        shown.append([float(word) for word in run.stdout.splitlines()[-2].split()])
    (one, *result), (two, *again) = shown
    assert (one, two) == (1, 2)
    assert again == pytest.approx(result, abs=1e-3)

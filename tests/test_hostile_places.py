"""The tutorials run where their readers are, or say in one line why not.

Most places are visited by the runs of conftest.py: no display, no terminal, no internet, a proxy that
refuses, KERAS_HOME elsewhere, HOME unset, ASCII and Japanese consoles, and paths with spaces and
Japanese letters.
"""

import os
import signal
import subprocess
import sys

import pytest
from conftest import SCRIPTS, TUTORIALS


@pytest.fixture
def read_only(tmp_path):
    """Return a folder in which nobody can create a file, not even root on Linux."""
    if sys.platform == "linux":
        return "/proc"
    if os.name == "nt":
        pytest.skip("Windows has no read-only folders")
    tmp_path.chmod(0o555)
    return tmp_path


def test_01_runs_where_nothing_can_be_written(call, read_only):
    run = call(SCRIPTS["01"], ["--quiet"], read_only)
    assert run.returncode == 0, run.stderr


def test_05_says_before_training_that_it_cannot_write(call, read_only):
    run = call(SCRIPTS["05"], [], read_only, KERAS_BACKEND="none")
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)
    assert "cannot write my_model.keras" in run.stderr


def test_no_script_says_anything_a_japanese_console_lacks():
    for path in TUTORIALS.glob("*.py"):
        assert path.read_bytes().isascii(), path


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_at_once_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-u", str(SCRIPTS["05"]), "--epochs", "100000"]
    # A shell's background jobs, and so these tests, may have been started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        output = b""
        while b"Epoch 3/" not in output and process.poll() is None:
            output += os.read(process.stdout.fileno(), 65536)
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=30)  # on a busy machine; the training would take an hour
        finally:
            process.kill()
    assert process.returncode not in (0, None)
    assert b"Epoch 3/" in output
    assert not list(tmp_path.iterdir())


def test_03_on_two_devices_gives_the_same(call, tmp_path, mnist_file):
    pytest.importorskip("jax")
    line = "keras.distribution.set_distribution(keras.distribution.DataParallel())\n"
    script = SCRIPTS["03"].read_text(encoding="utf-8")
    seeded = "keras.utils.set_random_seed(args.seed)\n"
    assert script.count(seeded) == 1
    shown = []
    for name, text in ("one.py", script), ("two.py", script.replace(seeded, line + seeded)):
        (tmp_path / name).write_text(
            text.replace(
                'print(f"test accuracy', 'print(jax.device_count(), *score)\nprint(f"test accuracy'
            ).replace("import keras\n", "import jax, keras\n", 1),
            encoding="utf-8",
        )
        run = call(
            tmp_path / name,
            ["--epochs", "2", "--batch-size", "50"],
            tmp_path,
            KERAS_BACKEND="jax",
            MNIST_NPZ=str(mnist_file),
            PYTHONPATH=str(TUTORIALS),
            XLA_FLAGS="--xla_force_host_platform_device_count=2" if name == "two.py" else None,
        )
        assert run.returncode == 0, run.stderr
        shown.append([float(word) for word in run.stdout.splitlines()[-2].split()])
    (one, *result), (two, *again) = shown
    assert (one, two) == (1, 2)
    assert again == pytest.approx(result, abs=1e-3)

"""Run the tutorials as a reader does, once for all tests, and hand out what happened."""

import concurrent.futures
import dataclasses
import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"
RECORDER = Path(__file__).with_name("recorder.py")
SCRIPTS = {path.name[:2]: path for path in sorted(TUTORIALS.glob("[0-9]*.py"))}

sys.path.insert(0, str(TUTORIALS))  # for offline_mnist


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run of a tutorial did: its output, the folder it ran in, and the record of its fit."""

    returncode: int
    stdout: str
    stderr: str
    folder: Path

    @functools.cached_property
    def record(self):
        """What `recorder.py` saw, as its docstring lists it."""
        return json.loads((self.folder / "record.json").read_text())

    @functools.cached_property
    def accuracy(self):
        """The test accuracy that the tutorial printed."""
        return float(self.stdout.rsplit("test accuracy: ", 1)[1].split()[0])


@pytest.fixture(scope="session")
def call(tmp_path_factory):
    """Return a function that runs Python as a reader does and returns a CompletedProcess.

    The command sees no display, no cached MNIST and no way out to the internet: downloads fail at
    once, on every machine. More environment variables can be given; None takes one away.
    """
    nowhere = "http://127.0.0.1:9"
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "MNIST_NPZ", "PYTHONPATH")
        and name.lower() != "no_proxy"
        and (name == "KERAS_BACKEND" or not name.startswith("KERAS_"))
    } | {
        "https_proxy": nowhere,
        "HTTPS_PROXY": nowhere,
        "KERAS_HOME": str(tmp_path_factory.mktemp("keras")),
    }

    def call(script, arguments, folder, **more):
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            check=False,
            cwd=folder,
            env={name: value for name, value in (variables | more).items() if value is not None},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )

    return call


@pytest.fixture(scope="session")
def mnist_file(tmp_path_factory):
    """Return the path of a small MNIST: the first 2,000 and 1,000 digits, real if MNIST_NPZ is set."""
    import offline_mnist

    real = os.environ.get("MNIST_NPZ")
    digits = offline_mnist.read_npz(real) if real else offline_mnist.make_stand_in()
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez(path, **{name: digits[name][: 2000 if "train" in name else 1000] for name in digits})
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory, mnist_file, call):
    """Return a function from a name to the finished `Run`; all runs start at once, on all cores."""
    folders = tmp_path_factory.mktemp("runs")

    def run(folder, script, *arguments, **variables):
        done = call(script, arguments, folder, **variables)
        return Run(done.returncode, done.stdout, done.stderr, folder)

    def as_typed(folder, name, *arguments, **variables):
        return run(folder, SCRIPTS[name[:2]], *arguments, **variables)

    def alone(folder, name, *arguments, **variables):
        copy = Path(shutil.copy(SCRIPTS[name[:2]], folder))
        return run(folder, RECORDER, copy.name, *arguments, **variables)

    def pictures(folder, name, *arguments, **variables):
        return run(folder, ROOT / "img" / "make_figures.py", *arguments, **variables)

    npz = {"MNIST_NPZ": str(mnist_file)}
    # Keras' own limits shorten a run from outside, so that the script can have its default flags.
    epochs = {"KERAS_MAX_EPOCHS": "5"}
    steps = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "2", "DOWNLOAD": str(mnist_file)}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {}

        def start(how, name, *arguments, **variables):
            folder = folders / f"{name} 日本語"
            folder.mkdir()
            futures[name] = pool.submit(how, folder, name, *arguments, **variables)

        start(as_typed, "03", "--epochs", "3")
        if real := os.environ.get("MNIST_NPZ"):
            start(as_typed, "03 real", "--epochs", "3", MNIST_NPZ=str(Path(real).resolve()))
        start(pictures, "figures", "--out", ".", **npz)
        start(as_typed, "04", "--epochs", "2", "--batch-size", "32", **npz)
        start(as_typed, "03 unusable", MNIST_NPZ="nowhere.npz")
        start(as_typed, "02", "--epochs", "5", PYTHONIOENCODING="cp932", LANG="C")
        japanese = ("--model-file", "私の モデル.keras", "--figure", "学習 曲線.png")
        start(as_typed, "05", "--epochs", "5", *japanese, PYTHONIOENCODING="ascii")
        start(as_typed, "05 h5", "--epochs", "1", "--model-file", "a.h5", "--figure", "a.svg")
        start(as_typed, "01", PYTHONIOENCODING="ascii")
        start(as_typed, "01 quiet", "--quiet", HOME=None, KERAS_HOME=None)
        start(alone, "01 alone", **steps)
        start(alone, "02 alone", **epochs)
        start(alone, "03 alone", **steps)
        start(alone, "04 alone", **steps)
        start(alone, "05 alone", **epochs)
        start(alone, "03 adagrad", "--optimizer", "adagrad", "--activation", "tanh", **steps)
        start(alone, "04 mixed", "--mixed-precision", **steps)
        yield lambda name: futures[name].result()

"""Run the tutorials inside the tests, and as typed; no setting of the reader's has a say in the result."""

import atexit
import functools
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import offline_mnist
import pytest
from measure import SCRIPTS

# What a Python needs to run, and what says on which backend and on which MNIST
KEPT = """PATH HOME USERPROFILE SYSTEMROOT SYSTEMDRIVE COMSPEC PATHEXT TEMP TMP TMPDIR LOCALAPPDATA
    APPDATA LD_LIBRARY_PATH OPENBLAS_CORETYPE SSL_CERT_FILE KERAS_HOME KERAS_BACKEND MNIST_NPZ
    HTTP_PROXY HTTPS_PROXY"""
# For whole trainings: every core, and the reader's own MNIST or way to it
TRAINING = {name: value for name, value in os.environ.items() if name.upper() in KEPT.split()}
# Commands run beside the tests, which have a core of their own; JAX reads NPROC
POOL = ThreadPoolExecutor(min(3, max(1, os.cpu_count() - 1)))
THREADS = ["OMP_NUM_THREADS", "NPROC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]
FOLDER = Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
# Before Keras is imported; no settings, no MNIST, and no way to the internet: downloads fail at once
os.environ.clear()
os.environ |= TRAINING | {"KERAS_HOME": str(FOLDER), "MPLBACKEND": "agg", "MNIST_NPZ": ""}
os.environ |= dict.fromkeys(["https_proxy", "HTTPS_PROXY"], "http://127.0.0.1:9")
os.environ |= dict.fromkeys(THREADS, str(max(1, os.cpu_count() // 4)))
ENVIRONMENT = dict(os.environ)  # as it is before an imported package adds to it
FEW = 80, 40  # images to train with and to test with

# What a reader types, the longest first: the flags. On consoles other than UTF-8: see `start`
TYPED = {"04": "--epochs 2 --batch-size 32", "03": "--epochs 3", "05": "--epochs 5"}
TYPED |= {"02": "", "01": ""}


def eagerly(yes):
    """Let TensorFlow compute step by step: compiling a training takes longer than its few steps here."""
    if ENVIRONMENT.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import tensorflow

        tensorflow.config.run_functions_eagerly(yes)


eagerly(True)


def source(number):
    return SCRIPTS[number].read_text(encoding="utf-8")


def cells(number):
    """Return the cells of a script, each with its title."""
    parts = re.split(r"(?m)^(?=# %%)", source(number))
    assert parts.pop(0) == "", f"{number} does not begin with a cell"
    return parts


@pytest.fixture
def few_images(monkeypatch):
    """Let Keras have a MNIST of FEW images of noise."""
    import programs

    monkeypatch.setattr("keras.datasets.mnist.load_data", programs.loader(*FEW))


def call(script, arguments, folder, **more):
    """Run Python on a script in a folder, as a reader does, with more environment; return how it ended."""
    command = [sys.executable, script, *arguments]
    pipes = {"input": "", "capture_output": True, "encoding": "utf-8", "errors": "replace"}
    return subprocess.run(command, check=False, cwd=folder, env=ENVIRONMENT | more, **pipes)


@functools.cache
def mnist_file():
    """Return the path of an `.npz` with the first 2,000 images of each part of MNIST, or the stand-in."""
    npz = TRAINING.get("MNIST_NPZ")
    digits = offline_mnist.read_npz(npz) if npz else offline_mnist.make_stand_in()
    np.savez(FOLDER / "2000.npz", **{name: array[:2000] for name, array in digits.items()})
    return FOLDER / "2000.npz"


@functools.cache
def start(name):
    """Start a command of TYPED beside the tests; return its folder, and the future of how it ends."""
    folder = FOLDER / f"{name} 日本語"
    folder.mkdir()
    environment = {"PYTHONIOENCODING": {"05": "cp932", "02": "ascii"}.get(name, "utf-8")}
    environment |= {"LANG": "C", "MNIST_NPZ": str(mnist_file()) if name == "04" else ""}
    return folder, POOL.submit(call, SCRIPTS[name], TYPED[name].split(), folder, **environment)


def pytest_collection_finish(session):
    """Start the commands that the selected tests are marked with, and put these tests last: they wait."""
    gc.freeze()  # what is imported need not be looked through again, which takes seconds in all
    session.items.sort(key=lambda item: item.get_closest_marker("typed") is not None)
    marks = [mark.args[0] for item in session.items for mark in item.iter_markers("typed")]
    for name in TYPED:
        if name in marks and not session.config.option.collectonly:
            start(name)


@pytest.fixture
def typed(request):
    """Return the folder of the command that the test is marked with, and how it has ended."""
    folder, future = start(request.node.get_closest_marker("typed").args[0])
    return folder, future.result()

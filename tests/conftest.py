"""Run the tutorials inside the tests, and as a reader types them.

Nothing in the reader's environment has a say in the result: this file drops it before Keras is imported.
"""

import atexit
import concurrent.futures
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from measure import SCRIPTS

# What a Python needs to run, and what says on which backend and on which MNIST
KEPT = """
    PATH HOME USERPROFILE SYSTEMROOT SYSTEMDRIVE COMSPEC PATHEXT TEMP TMP TMPDIR LOCALAPPDATA
    APPDATA LD_LIBRARY_PATH OPENBLAS_CORETYPE SSL_CERT_FILE KERAS_HOME KERAS_BACKEND MNIST_NPZ
    HTTP_PROXY HTTPS_PROXY
"""
for name in list(os.environ):
    if name.upper() not in KEPT.split():
        del os.environ[name]
TRAINING = dict(os.environ)  # for whole ones: every core, and the reader's own MNIST or way to it
os.environ.pop("MNIST_NPZ", None)
# No settings of the reader's, no MNIST; and no way out to the internet: downloads fail at once
os.environ |= {"KERAS_HOME": tempfile.mkdtemp(), "MPLBACKEND": "agg"}
os.environ |= dict.fromkeys(["https_proxy", "HTTPS_PROXY"], "http://127.0.0.1:9")
# Commands run beside the tests, each with its share of the cores; JAX reads NPROC
PROCESSES = min(3, os.cpu_count())
for name in "OMP_NUM_THREADS", "NPROC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS":
    os.environ[name] = str(max(1, os.cpu_count() // (PROCESSES + 1)))
ENVIRONMENT = dict(os.environ)  # as it is before an imported package adds to it
atexit.register(shutil.rmtree, ENVIRONMENT["KERAS_HOME"], ignore_errors=True)

# What a reader types, the longest first: the flags, and more environment
TYPED = {
    "04": ("--epochs 2 --batch-size 32", {}),
    "03": ("--epochs 3", {}),
    "05": ("--epochs 5", {"PYTHONIOENCODING": "cp932", "LANG": "C"}),
    "02": ("", {"PYTHONIOENCODING": "ascii"}),
    "01": ("", {}),
}
POOL = concurrent.futures.ThreadPoolExecutor(PROCESSES)


@pytest.fixture(autouse=True, scope="session")
def _without_graphs():
    """Let TensorFlow compute step by step here: compiling a training takes longer than its few steps."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.run_functions_eagerly(True)


def source(number):
    """Return the text of a script."""
    return SCRIPTS[number].read_text(encoding="utf-8")


@pytest.fixture
def few_images(monkeypatch):
    """Let Keras have a small MNIST of noise."""
    import keras
    import programs

    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda path=None: programs.SMALL)


def no_internet(path=None):
    """Stand for the `load_data` of Keras."""
    raise OSError("no internet")


def call(script, arguments, folder, **more):
    """Run Python on a script in a folder, as a reader does, with more environment; return how it ended."""
    command = [sys.executable, str(script), *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True}
    pipes |= {"encoding": "utf-8", "errors": "replace"}
    return subprocess.run(command, check=False, cwd=folder, env=ENVIRONMENT | more, **pipes)


@functools.cache
def mnist_file():
    """Return the path of an `.npz` with 2,000 images to train with, and as many to test with.

    They are MNIST's first if MNIST_NPZ names it, and those of the stand-in otherwise.
    """
    import offline_mnist

    path = Path(ENVIRONMENT["KERAS_HOME"], "2000.npz")
    npz = TRAINING.get("MNIST_NPZ")
    digits = offline_mnist.read_npz(npz) if npz else offline_mnist.make_stand_in()
    np.savez(path, **{name: array[:2000] for name, array in digits.items()})
    return path


@functools.cache
def start(number):
    """Start a command of TYPED beside the tests; return its folder, and the future of how it ends."""
    flags, variables = TYPED[number]
    if number == "04":
        variables = {"MNIST_NPZ": str(mnist_file())}
    folder = Path(ENVIRONMENT["KERAS_HOME"], f"{number} 日本語")
    folder.mkdir()
    return folder, POOL.submit(call, SCRIPTS[number], flags.split(), folder, **variables)


def pytest_collection_modifyitems(items):
    """Put the tests that wait for a command behind those that do not."""
    items.sort(key=lambda item: item.get_closest_marker("typed") is not None)


def pytest_collection_finish(session):
    """Start the commands that the selected tests are marked with: `@pytest.mark.typed("03")`."""
    marks = [mark.args[0] for item in session.items for mark in item.iter_markers("typed")]
    for number in TYPED:
        if number in marks and not session.config.option.collectonly:
            start(number)


@pytest.fixture
def typed(request):
    """Return the folder of the command that the test is marked with, and how it has ended."""
    folder, future = start(request.node.get_closest_marker("typed").args[0])
    return folder, future.result()

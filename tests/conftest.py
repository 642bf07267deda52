"""Run the tutorials: watched inside the tests, and as a reader types them.

Nothing in the reader's environment has a say in the result. This file drops it before Keras is
imported; only PATH and its like, KERAS_BACKEND and MNIST_NPZ are kept.
"""

import atexit
import concurrent.futures
import contextlib
import dataclasses
import functools
import inspect
import io
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import types
import zlib
from pathlib import Path

import measure
import numpy as np
import pytest
from measure import SCRIPTS

# The processes that run at a time beside the tests themselves, each with its share of the cores.
PROCESSES = min(3, os.cpu_count())
THREADS = str(max(1, os.cpu_count() // (PROCESSES + 1)))

DROPPED = ("KERAS_", "TF_", "XLA_", "JAX_", "MPL", "PYTHON", "LC_", "CUDA_", "OMP_")
DROPPED += ("LANG", "DISPLAY", "NO_PROXY", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
for name in list(os.environ):
    if name not in ("KERAS_BACKEND", "KERAS_HOME") and name.upper().startswith(DROPPED):
        del os.environ[name]
TRAINING = dict(os.environ)  # for whole ones: every core, and the reader's own MNIST or way to it
os.environ.pop("MNIST_NPZ", None)
# No settings of the reader's, no MNIST; and no way out to the internet: downloads fail at once
os.environ |= {"KERAS_HOME": tempfile.mkdtemp(), "MPLBACKEND": "agg"}
os.environ |= dict.fromkeys(["https_proxy", "HTTPS_PROXY"], "http://127.0.0.1:9")
os.environ |= {"OMP_NUM_THREADS": THREADS, "NPROC": THREADS}  # JAX reads this one
os.environ |= {"TF_NUM_INTRAOP_THREADS": THREADS, "TF_NUM_INTEROP_THREADS": THREADS}
ENVIRONMENT = dict(os.environ)  # as it is before an imported package adds to it
atexit.register(shutil.rmtree, ENVIRONMENT["KERAS_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items):
    """Put the tests that wait for a command behind those that do not."""
    items.sort(key=lambda item: item.get_closest_marker("command") is not None)


# The lessons, run inside the tests: all that they call is real, but for training and evaluation

SCORE = [0.123456789, 0.87654321]  # what every evaluation returns


@dataclasses.dataclass
class Lesson:
    """What a tutorial did: its calls in their order, its output, its variables, the files it made."""

    calls: list
    lines: list
    variables: dict
    files: set

    def one(self, name):
        """Return the only call of this name."""
        (call,) = [call for call in self.calls if call.name == name]
        return call


def digest(array):
    """Return what tells an array from others, in a few bytes: type, shape and a checksum."""
    return str(array.dtype), array.shape, zlib.crc32(np.ascontiguousarray(array))


@functools.cache
def mnist(path=None):
    """Return arrays of MNIST's size: 60,000 and 10,000 images of noise, with a label each."""
    noise = np.random.RandomState(0)
    x = noise.randint(0, 256, (70_000, 28, 28), np.uint8)
    y = noise.randint(0, 10, 70_000).astype(np.uint8)
    return (x[:60_000], y[:60_000]), (x[60_000:], y[60_000:])


def no_internet():
    raise OSError("no internet")


def train(model, x, y, epochs=1, **more):
    """Stand for `fit`: draw every weight anew, count 7 updates, return a history of invented figures."""
    import keras

    draws = np.random.RandomState(83)  # with these the iris network finds more than one species
    history = keras.callbacks.History()
    history.trained = [draws.normal(size=w.shape).astype(w.dtype) for w in model.get_weights()]
    history.epoch = list(range(epochs))
    history.history = {name: draws.rand(epochs).tolist() for name in ("accuracy", "loss")}
    model.set_weights(history.trained)
    model.optimizer.iterations.assign(7)
    return history


def watch(calls, owner, name, stub=None):
    """Return a function that does what `owner.name` does (or `stub`), and adds each call to `calls`.

    A call has its name, the arguments given (of an array the digest), the weights of the model at that
    moment for `fit` and `evaluate`, and the result. Those from inside another are Keras' own: left out.
    """
    original = getattr(owner, name)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def watched(*args, **kwargs):
        if calls and calls[-1].open:
            return original(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        given |= given.pop("kwargs", {})
        if "y" in given:
            given["y"] = np.asarray(given["y"], float)  # Keras takes labels of every type
        given = {k: digest(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}
        weights = given["self"].get_weights() if name in ("fit", "evaluate") else []
        calls.append(types.SimpleNamespace(name=name, given=given, weights=weights, open=True))
        try:
            calls[-1].result = (stub or original)(*args, **kwargs)
            return calls[-1].result
        finally:
            calls[-1].open = False

    return watched


@functools.cache
def lesson(number, *flags, edits=(), online=True):
    """Run a copy of a tutorial in an empty folder, with images of MNIST's size; return the `Lesson`.

    All lessons share one process, as in a notebook: nothing that one leaves behind is cleared away.
    `edits` are (old, new): text to replace in the copy. Only where it is not `online` is there an
    `offline_mnist`, which has the same images.
    """
    import keras
    import matplotlib.pyplot as plt
    import sklearn.model_selection

    calls, console = [], io.StringIO()
    offline = None if online else types.SimpleNamespace(load_data=lambda error: mnist())
    real = [(keras.utils, "set_random_seed"), (sklearn.model_selection, "train_test_split")]
    real += [(keras.models, "load_model"), (plt.Figure, "savefig"), (socket, "setdefaulttimeout")]
    # In the class that defines it: Keras asks whether a model has a `compile` of its own.
    for name in "compile", "summary", "predict", "save":
        real.append((next(c for c in keras.Sequential.mro() if name in vars(c)), name))
    stubs = [(plt, "show", lambda: None), (keras.Sequential, "fit", train)]
    stubs.append((keras.Sequential, "evaluate", lambda *given, **more: SCORE))
    stubs.append((keras.datasets.mnist, "load_data", mnist if online else no_internet))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "setdefaulttimeout", lambda seconds: None)
        for owner, name, *stub in real + stubs:
            patch.setattr(owner, name, watch(calls, owner, name, *stub))
        if offline:
            offline.load_data = watch(calls, offline, "load_data")
        patch.setitem(sys.modules, "offline_mnist", offline)
        patch.chdir(folder)
        script = Path(folder, SCRIPTS[number].name)
        script.write_text(measure.edited(number, edits), encoding="utf-8")
        patch.setattr(sys, "argv", [str(script), *flags])
        with contextlib.redirect_stdout(console):
            variables = runpy.run_path(str(script), run_name="__main__")
        files = {path.name for path in Path(folder).iterdir()} - {script.name}
    kept = {name: value for name, value in variables.items() if not isinstance(value, np.ndarray)}
    return Lesson(calls, console.getvalue().splitlines(), kept, files)


def end_of(patch, number, *flags):
    """Run a tutorial that will end early: return its exit code, or that it got to the imports."""
    patch.setattr(sys, "argv", [str(SCRIPTS[number]), *flags])
    try:  # not `pytest.raises`, which would keep the arrays of the script for a while
        runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
    except (SystemExit, ModuleNotFoundError) as error:
        return getattr(error, "code", "imports Keras")


def call(script, arguments, folder, **more):
    """Run Python on a script in a folder, as a reader does, with more environment; return how it ended."""
    command = [sys.executable, str(script), *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True}
    pipes |= {"encoding": "utf-8", "errors": "replace"}
    done = subprocess.run(command, check=False, cwd=folder, env=ENVIRONMENT | more, **pipes)
    done.folder = folder
    return done


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


COMMANDS = {  # name: script, arguments, environment
    "04": (SCRIPTS["04"], ["--epochs", "2", "--batch-size", "32"], {}),
    "03": (SCRIPTS["03"], ["--epochs", "3"], {}),
    "05": (SCRIPTS["05"], ["--epochs", "5"], {"PYTHONIOENCODING": "cp932", "LANG": "C"}),
    "02": (SCRIPTS["02"], [], {"PYTHONIOENCODING": "ascii"}),
    "01": (SCRIPTS["01"], [], {}),
}


@pytest.fixture(scope="session", autouse=True)
def started(request, tmp_path_factory):
    """Start the commands that the selected tests are marked with, and return their futures by name."""
    marks = [mark for item in request.session.items for mark in item.iter_markers("command")]
    selected = {mark.args[0] for mark in marks}
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        futures = {}
        for name, (*command, variables) in COMMANDS.items():
            if name in selected:
                if name == "04":  # made here: a lesson hides offline_mnist
                    variables = {"MNIST_NPZ": str(mnist_file())}
                folder = tmp_path_factory.mktemp(f"{name} 日本語")
                futures[name] = pool.submit(call, *command, folder, **variables)
        yield futures


@pytest.fixture
def command(request, started):
    """Return how the command ended that the test is marked with: `@pytest.mark.command("03")`."""
    return started[request.node.get_closest_marker("command").args[0]].result()

"""Run the tutorials: inside the tests, where every call can be watched, and as a reader types them.

Nothing in the reader's environment has a say in the result. This file drops it before Keras is
imported; only PATH and its like, KERAS_BACKEND and MNIST_NPZ are kept.
"""

import concurrent.futures
import contextlib
import copy
import dataclasses
import functools
import importlib.metadata
import inspect
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import measure
import numpy as np
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"
SCRIPTS = {path.name[:2]: path for path in sorted(TUTORIALS.glob("[0-9]*.py"))}
# The processes that run at a time beside the tests themselves, each with its share of the cores.
PROCESSES = min(3, os.cpu_count())
THREADS = str(max(1, os.cpu_count() // (PROCESSES + 1)))

DROPPED = ("KERAS_", "TF_", "XLA_", "JAX_", "MPL", "PYTHON", "LC_", "CUDA_", "OMP_")
DROPPED += ("LANG", "DISPLAY", "NO_PROXY", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
for name in list(os.environ):
    if name not in ("KERAS_BACKEND", "KERAS_HOME") and name.upper().startswith(DROPPED):
        del os.environ[name]
# For whole trainings: with every core, and with the reader's own MNIST or way to it.
TRAINING = dict(os.environ)
os.environ.pop("MNIST_NPZ", None)
os.environ |= {
    "KERAS_HOME": tempfile.mkdtemp(),  # no settings of the reader's, no MNIST
    "MPLBACKEND": "agg",
    "TF_NUM_INTRAOP_THREADS": THREADS,
    "TF_NUM_INTEROP_THREADS": THREADS,
    "OMP_NUM_THREADS": THREADS,
    "NPROC": THREADS,  # JAX reads this one
    "https_proxy": "http://127.0.0.1:9",  # no way out to the internet: downloads fail at once
    "HTTPS_PROXY": "http://127.0.0.1:9",
}
ENVIRONMENT = dict(os.environ)  # as it is before an imported package adds to it

sys.path.insert(0, str(TUTORIALS))  # for offline_mnist


def pytest_report_header():
    """Say which of the tested versions are not the ones that are installed here."""
    other = []
    for line in (ROOT / "versions.txt").read_text(encoding="utf-8").splitlines()[1:]:
        tested = Requirement(line)
        if tested.marker is None or tested.marker.evaluate():
            try:
                here = importlib.metadata.version(tested.name)
            except importlib.metadata.PackageNotFoundError:
                here = "missing"
            if f"=={here}" != str(tested.specifier):
                other.append(f"{tested.name} {here} (tested: {str(tested.specifier)[2:]})")
    return "versions other than the tested ones: " + (", ".join(other) or "none")


def pytest_collection_modifyitems(items):
    """Put the tests that wait for a command behind those that do not."""
    items.sort(key=lambda item: item.get_closest_marker("command") is not None)


def pytest_unconfigure():
    shutil.rmtree(ENVIRONMENT["KERAS_HOME"], ignore_errors=True)


# The lessons, run inside the tests

EPOCHS = 3


@dataclasses.dataclass
class Call:
    """One call that a lesson made: the arguments it gave, as they were then, and what came back.

    Of `fit` and `evaluate` also the weights of the model before the call and after it.
    """

    name: str
    given: dict
    result: object = None
    before: list | None = None
    after: list | None = None


class Console:
    """What a notebook has for `sys.stdout`: it can be written to, and no more."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@dataclasses.dataclass
class Lesson:
    """What a tutorial did: its calls in their order, its output, its variables, what it made."""

    calls: list
    output: str
    variables: dict
    files: set
    figure: object  # what is drawn, if anything is

    @property
    def lines(self):
        return self.output.splitlines()

    def one(self, name):
        """Return the only call of this name."""
        (call,) = [call for call in self.calls if call.name == name]
        return call


def small_mnist():
    """Return arrays like those of MNIST: 40 and 20 images of noise, with a label each."""
    noise = np.random.RandomState(0)
    x = noise.randint(0, 256, (60, 28, 28)).astype(np.uint8)
    y = noise.randint(0, 10, 60).astype(np.uint8)
    return (x[:40], y[:40]), (x[40:], y[40:])


def no_internet():
    raise OSError("no internet")


def weights(model):
    """Return copies of a model's weights; of no model, None."""
    return None if model is None else [weight.copy() for weight in model.get_weights()]


def watch(calls, owner, name, stub=None):
    """Return a function that does what `owner.name` does (or `stub`), and adds each call to `calls`.

    Calls from inside a watched call are Keras' own and left out.
    """
    original = getattr(owner, name)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def watched(*args, **kwargs):
        if calls and calls[-1].result is watch:
            return original(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        given = {key: value for key, value in given.items() if key != "kwargs"} | given.get(
            "kwargs", {}
        )
        is_array = {key: isinstance(value, np.ndarray) for key, value in given.items()}
        call = Call(name, {k: copy.copy(v) if is_array[k] else v for k, v in given.items()}, watch)
        model = given["self"] if name in ("fit", "evaluate") else None
        call.before = weights(model)
        calls.append(call)
        call.result = (stub or original)(*args, **kwargs)
        call.after = weights(model)
        return call.result

    return watched


@functools.cache
def lesson(number, *flags, edits=(), online=True):
    """Run a copy of a tutorial in an empty folder, with the small MNIST, and return the `Lesson`.

    Its training ends after EPOCHS epochs, however many it asks for. `edits` are (old, new): text to
    replace in the copy, found once in it. Only where it is not `online` is there an `offline_mnist`,
    with the small MNIST as well.
    """
    import keras
    import matplotlib.pyplot as plt
    import sklearn.model_selection

    keras.backend.clear_session()  # the names of the layers start anew
    keras.config.set_max_epochs(EPOCHS)
    plt.close("all")
    calls, console = [], Console()
    watched = [(keras.utils, "set_random_seed"), (sklearn.model_selection, "train_test_split")]
    methods = ["compile", "summary", "fit", "evaluate", "predict", "save"]
    # In the class that defines it: Keras asks whether a model has a `compile` of its own.
    classes = inspect.getmro(keras.Sequential)
    watched += [(next(c for c in classes if name in vars(c)), name) for name in methods]
    watched += [(keras.models, "load_model"), (plt.Figure, "savefig")]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for owner, name in watched:
            patch.setattr(owner, name, watch(calls, owner, name))
        patch.setattr(plt, "show", watch(calls, plt, "show", stub=lambda: None))
        patch.setattr(keras.datasets.mnist, "load_data", small_mnist if online else no_internet)
        offline = None if online else types.SimpleNamespace(load_data=lambda error: small_mnist())
        if offline:
            patch.setattr(offline, "load_data", watch(calls, offline, "load_data"))
        patch.setitem(sys.modules, "offline_mnist", offline)
        patch.chdir(folder)
        script = Path(folder, SCRIPTS[number].name)
        script.write_text(measure.edited(SCRIPTS[number], edits), encoding="utf-8")
        patch.setattr(sys, "argv", [str(script), *flags])
        with contextlib.redirect_stdout(console):
            variables = runpy.run_path(str(script), run_name="__main__")
        files = {path.name for path in Path(folder).iterdir()} - {script.name}
    keras.config.set_max_epochs(None)
    figure = plt.gcf() if plt.get_fignums() else None
    return Lesson(calls, console.text, variables, files, figure)


# The commands, as a reader types them


@dataclasses.dataclass(frozen=True)
class Run:
    """How one command ended: its exit code and its output, and the folder it ran in."""

    returncode: int
    stdout: str
    stderr: str
    folder: Path

    @property
    def accuracy(self):
        """The test accuracy that the tutorial printed."""
        return float(self.stdout.rsplit("test accuracy: ", 1)[1].split()[0])


def call(script, arguments, folder, **more):
    """Run Python on a script in a folder and return the `Run`; `more` environment can be given."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        check=False,
        cwd=folder,
        env=ENVIRONMENT | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    return Run(done.returncode, done.stdout, done.stderr, folder)


@functools.cache
def mnist_file(images):
    """Return the path of an `.npz` with so many images to train with, and as many to test with.

    They are MNIST's first if MNIST_NPZ names it, and those of the stand-in otherwise.
    """
    import offline_mnist

    path = Path(ENVIRONMENT["KERAS_HOME"], f"{images}.npz")
    npz = TRAINING.get("MNIST_NPZ")
    digits = offline_mnist.read_npz(npz) if npz else offline_mnist.make_stand_in()
    np.savez(path, **{name: array[:images] for name, array in digits.items()})
    return path


FIGURES = ROOT / "img" / "make_figures.py"
# name: script, arguments, environment; where MNIST_NPZ is a number, a file of so many images is meant.
COMMANDS = {
    "figures": (FIGURES, ["--out", "."], {"MNIST_NPZ": 200}),
    "04": (SCRIPTS["04"], ["--epochs", "2", "--batch-size", "32"], {"MNIST_NPZ": 2000}),
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
    folders = tmp_path_factory.mktemp("commands")

    def run(name, script, arguments, variables):
        folder = folders / f"{name} 日本語"
        folder.mkdir()
        if images := variables.get("MNIST_NPZ"):
            variables = {"MNIST_NPZ": str(mnist_file(images))}
        return call(script, arguments, folder, **variables)

    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        yield {
            name: pool.submit(run, name, *COMMANDS[name]) for name in COMMANDS if name in selected
        }


@pytest.fixture
def command(request, started):
    """Return how the command ended that the test is marked with: `@pytest.mark.command("03")`."""
    return started[request.node.get_closest_marker("command").args[0]].result()

"""Two ways to run a script: as typed, and without training.

As typed it is a process of its own, as for a reader. Without training it runs here, in an empty folder, and what it
hands to Keras is written down in lines that read like the chapter: `Dense(50)`, `SGD(learning_rate=0.01)`,
`fit epochs=10`. Two scripts that hand over the same lines train the same network, however they are written, as far as
the settings below tell.
"""

import code
import contextlib
import functools
import io
import os
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import keras
import matplotlib.pyplot as plt
import numpy as np
from files import scripts

SCORE = [0.2468, 0.7531]  # the loss and the accuracy that stand for a result
REAL_SIZE = 60_000, 10_000  # images of MNIST to train with and to test with
FEW = 320, 100
TRAINED = "(here it would train)"  # what is printed for the progress
FIRST_WEIGHTS = {}  # of seeds and networks that were met

# The settings that are written down, in this order, with the values that go without saying. Not all that Keras knows
# of a layer or an optimizer, since that differs from version to version.
UNNAMED = {"units": [], "filters": [], "pool_size": [], "rate": [], "activation": ["linear"]}
NAMED = {
    "mean": [],
    "variance": [],
    "kernel_size": [],
    "strides": [],
    "padding": ["valid"],
    "dilation_rate": [(1, 1)],
    "groups": [1],
    "use_bias": [True],
    "kernel_initializer": ["GlorotUniform"],
    "bias_initializer": ["Zeros"],
    "kernel_regularizer": [],
    "learning_rate": [],
    "momentum": [0],
    "nesterov": [False],
    "rho": [],
    "beta_1": [0.9],
    "beta_2": [0.999],
    "epsilon": [],
    "initial_accumulator_value": [],
    "weight_decay": [],
    "clipnorm": [],
    "label_smoothing": [],
}


def name_here(name):
    """Return the name of a folder as far as it can be written on this machine, where names may be in latin-1."""
    encoding = sys.getfilesystemencoding()
    return name.encode(encoding, "ignore").decode(encoding).strip()


def paste(text):
    """Return the statements that Python finds in a text that is pasted behind `>>>`, and what it complains of."""
    found, console = [], code.InteractiveConsole()
    console.runcode = found.append
    with contextlib.redirect_stderr(io.StringIO()) as complaints:
        still_open = [console.push(line) for line in [*text.splitlines(), ""]][-1]
    return found, complaints.getvalue() or ("a block is still open" if still_open else "")


def run_as_typed(arguments, folder, encoding="utf-8", **environment):
    """Run Python with these arguments in a folder, with more variables; return how it ended.

    `encoding` is how it encodes what it prints, which is up to the variables.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding=encoding,
        errors="replace",
        check=False,
    )


@functools.cache
def noise(training, test):
    """Return what stands for Keras' `mnist.load_data`: so many images of noise, always the same."""
    draws = np.random.RandomState(0)
    x_train = draws.randint(0, 256, (training, 28, 28), np.uint8)
    # Darker, so that they must not be divided by their own maximum
    x_test = draws.randint(0, 200, (test, 28, 28), np.uint8)
    data = [(x, (np.arange(len(x)) % 10).astype(np.uint8)) for x in (x_train, x_test)]
    return lambda: data


def save_noise(path, training, test):
    """Write so many images of noise into a file like Keras' mnist.npz."""
    (x_train, y_train), (x_test, y_test) = noise(training, test)()
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez(path, **arrays)


def setting(value):
    """Return the value of a setting as it is written in Python."""
    if isinstance(value, dict):  # an initializer, a regularizer or a schedule
        given = {name: setting(one) for name, one in value["config"].items() if one is not None}
        return f"{value['class_name']}({given})" if given else value["class_name"]
    if isinstance(value, keras.callbacks.Callback):
        return type(value).__name__
    if isinstance(value, list | tuple):
        return tuple(map(setting, value))
    return float(f"{value:.6g}") if isinstance(value, float) else value


def call(thing):
    """Return the call that makes a layer or an optimizer: `Dense(50)`."""
    config = {name: setting(value) for name, value in thing.get_config().items()}
    if config.get("strides") == config.get("pool_size", (1, 1)):
        del config["strides"]
    parts = []
    for name, plain in (UNNAMED | NAMED).items():
        value = config.get(name)
        if value not in (None, *plain):
            parts.append(str(value) if name in UNNAMED else f"{name}={value}")
    return f"{type(thing).__name__}({', '.join(parts)})"


def rows(name, array):
    """Return a line of an array: its shape, its range, and a digest of rows from all over it."""
    array = np.asarray(array)
    some = np.ascontiguousarray(array[:: 101 if len(array) > 1000 else 1], "float32")
    return f"{name} {array.shape} from {array.min():.6g} to {array.max():.6g}, digest {zlib.crc32(some):08x}"


def network(model):
    """Return the lines of a compiled network."""
    loss = model.loss if isinstance(model.loss, str) else model.loss.name
    lines = [
        f"Input({model.input_shape[1:]})",
        *map(call, model.layers),
        call(model.optimizer),
        loss,
    ]
    if model.steps_per_execution != 1:
        lines.append(f"compile steps_per_execution={model.steps_per_execution}")
    if model.run_eagerly:
        lines.append("compile run_eagerly=True")
    return lines


def start(model, seed):
    """Return the line that says whether a network has the first weights of a seed, on any backend."""
    key = (seed, *network(model))
    if key not in FIRST_WEIGHTS:
        keras.utils.set_random_seed(seed)
        FIRST_WEIGHTS[key] = keras.models.clone_model(model).get_weights()
    same = all(map(np.array_equal, FIRST_WEIGHTS[key], model.get_weights()))
    return f"first weights of seed {seed}" if same else "first weights of no seed"


@contextlib.contextmanager
def without_training(load_data):
    """Let `fit` and `evaluate` write down what they are given and train nothing; yield these lines."""
    lines = []

    def fit(model, x, y, batch_size=32, epochs=1, verbose="auto", validation_split=0.0, **more):
        lines.extend([rows("x_train", x), rows("y_train", y), *network(model)])
        lines.extend([f"fit batch_size={batch_size}", f"fit epochs={epochs}"])
        for name, array in zip(("x_val", "y_val"), more.pop("validation_data", ()), strict=False):
            lines.append(rows(name, array))
        more |= {"verbose": verbose} if verbose not in ("auto", 1) else {}
        more |= {"validation_split": validation_split} if validation_split else {}
        lines.extend(f"fit {name}={setting(value)}" for name, value in more.items())
        print(TRAINED)
        history = keras.callbacks.History()
        history.epoch = list(range(epochs))
        history.history = {name: np.random.rand(epochs).tolist() for name in ("accuracy", "loss")}
        return history

    def evaluate(model, x, y, verbose="auto", return_dict=False):
        lines.extend([rows("x_test", x), rows("y_test", y)])
        lines.extend([f"evaluate verbose={verbose}"] if verbose else [])
        return {"loss": SCORE[0], "accuracy": SCORE[1]} if return_dict else SCORE

    with (
        mock.patch.multiple(keras.Sequential, fit=fit, evaluate=evaluate),
        mock.patch.object(keras.datasets.mnist, "load_data", load_data),
        mock.patch.object(plt, "show", lambda: lines.append("plt.show()")),
    ):
        yield lines


@dataclass
class HandedOver:
    """What a script has handed to Keras, as lines; what it has printed; and its variables in the end."""

    lines: list
    printed: str
    variables: dict


def hand_over(text, flags="", load_data=None):
    """Run the text of a script without training, in an empty folder, as if typed with flags.

    `load_data` stands for that of Keras; without one, there is noise of MNIST's size. Return a HandedOver.
    """
    variables = {"__name__": "__main__"}
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["script.py", *flags.split()]),
        contextlib.redirect_stdout(io.StringIO()) as output,
        without_training(load_data or noise(*REAL_SIZE)) as lines,
    ):
        exec(compile(text, "script.py", "exec"), variables)
        lines += [
            f"prints {line}" for line in output.getvalue().splitlines() if str(SCORE[1]) in line
        ]
        lines += [f"writes {path.name}" for path in sorted(Path(folder).iterdir())]
    seed = variables["args"].seed if "args" in variables else variables["seed"]
    lines.insert(0, start(variables["model"], seed))
    return HandedOver(lines, output.getvalue(), variables)


def images_for(name):
    """Return the noise with which a program of programs.txt is written down: as much as MNIST for a script."""
    return noise(*(REAL_SIZE if name in scripts() else FEW))


@functools.cache
def lines_for_few(text, flags=""):
    """Return the lines that the text of a program hands over with these flags, for few images."""
    return hand_over(text, flags, noise(*FEW)).lines

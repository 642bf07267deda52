"""Train the chapter's networks on the chapter's own software, and record what they reach.

    python tests/book.py                  every run that tests/book.json does not have yet
    python tests/book.py 02 03-relu       only these variants
    python tests/book.py --list           the variants, and what is recorded of each
    python tests/book.py --replay         record tests/replay.json anew: a few seconds

It needs Python 3.6, Keras 2.0.6 and TensorFlow 1.3.0: `nox -s book` installs and runs it. MNIST comes
from Keras or from the file that MNIST_NPZ names. A run is recorded as soon as it ends, so the program
can be stopped at any time and started again.

The seed says which run it is and repeats the start, the split of the data and the order of the rows.
It does not repeat a run to the digit: TensorFlow 1.3 may update the weights of an upper layer before
or after the gradient of the layer below has read them, whichever thread is first. Whole trainings are
therefore compared as samples (test_then_and_now.py). What can be compared exactly is the output and
the loss at given weights and the updates of a single weight matrix: that is tests/replay.json, which
test_replay.py replays on today's Keras and therefore imports the formulas of this file.
"""

import argparse
import collections
import datetime
import hashlib
import json
import os
import platform
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

BOOK = Path(__file__).with_name("book.json")
REPLAY = Path(__file__).with_name("replay.json")
SOFTWARE = {"python": "3.6", "keras": "2.0.6", "tensorflow": "1.3.0"}

# `seconds` is a guess, for the estimate of the time left.
Variant = collections.namedtuple(
    "Variant", "network seeds seconds epochs batch_size optimizer activation"
)
# Optimizers are named, not set, as in the chapter: the defaults of Keras 2.0.6 are what is measured.
VARIANTS = {
    "01": Variant("01", 10, 4, 10, 32, "SGD", "sigmoid"),
    "02": Variant("02", 20, 7, 20, 1, "SGD", "sigmoid"),
    "03": Variant("03", 10, 30, 10, 32, "SGD", "sigmoid"),
    "03-adagrad": Variant("03", 3, 30, 10, 32, "Adagrad", "sigmoid"),
    "03-relu": Variant("03", 3, 30, 10, 32, "SGD", "relu"),
    "03-tanh": Variant("03", 3, 30, 10, 32, "SGD", "tanh"),
    "04-book": Variant("04", 5, 450, 3, 512, "Adadelta", "relu"),
}


def versions():
    """Return {"python": "3.6.15", ...}; end the program where this is not the book's software."""
    found = {"python": platform.python_version()}
    check(found)
    try:
        import keras
        import sklearn
        import tensorflow
    except ImportError as error:
        refuse(str(error))
    modules = {"keras": keras, "tensorflow": tensorflow, "numpy": np, "scikit-learn": sklearn}
    found.update((name, module.__version__) for name, module in modules.items())
    check(found)
    return found


def check(found):
    """End the program if a version is not the book's. A wanted 3.6 is any 3.6.x."""
    for name, version in found.items():
        if not f"{version}.".startswith(f"{SOFTWARE.get(name, version)}."):
            refuse(f"here is {name} {version}")


def refuse(reason):
    wanted = ", ".join(f"{name} {version}" for name, version in SOFTWARE.items())
    sys.exit(f"book.py runs only on the book's software ({wanted}): {reason}")


def environment():
    """Return what the figures depend on: versions, processor and the number of cores used."""
    return {
        "versions": versions(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "system": platform.system(),
    }


def processor():
    """Return the processor's name, from /proc/cpuinfo where there is one."""
    try:
        return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        return platform.processor() or platform.machine()


# --- The chapter's networks and data, by the number of the section's tutorial


def network(name, activation):
    """Return the network of a tutorial, not compiled; all its hidden layers use `activation`."""
    from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
    from keras.models import Sequential

    def perceptron(inputs, *sizes):
        layers = []
        for size in sizes:
            first = {} if layers else {"input_dim": inputs}
            layers += [Dense(size, **first), Activation(activation)]
        return layers[:-1]  # the last activation is softmax

    layers = {
        "01": lambda: perceptron(3, 2, 3),
        "02": lambda: perceptron(4, 50, 3),
        "03": lambda: perceptron(784, 50, 20, 10),
        "04": lambda: [
            Conv2D(32, (3, 3), input_shape=(28, 28, 1)),
            Activation(activation),
            Conv2D(64, (3, 3)),
            Activation(activation),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(128),
            Activation(activation),
            Dropout(0.5),
            Dense(10),
        ],
    }
    return Sequential([*layers[name](), Activation("softmax")])


def dummy_data(seed):
    """Return the nine numbers of section 4.3 in three rows, and one row to test with."""
    rows = np.arange(1, 10).reshape(3, 3) / 10
    return (rows, np.array([2, 1, 0])), (np.array([[0.1, 0.3, 0.5]]), np.array([2]))


def iris_data(seed):
    """Return 112 flowers to learn from and 38 to test with: the split of 02_iris_mlp.py."""
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    iris = load_iris()
    x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def mnist_data(seed):
    """Return the digits as float32 from 0 to 1: images (n, 28, 28), labels (n,)."""
    if os.environ.get("MNIST_NPZ"):
        with np.load(os.environ["MNIST_NPZ"]) as file:
            train = file["x_train"], file["y_train"]
            test = file["x_test"], file["y_test"]
    else:
        from keras.datasets import mnist

        train, test = mnist.load_data()
    return [(images.astype("float32") / 255, labels) for images, labels in (train, test)]


DATA = {"01": dummy_data, "02": iris_data, "03": mnist_data, "04": mnist_data}


# --- One run, in a process of its own


def train(variant, seed):
    """Train one network from the start; return its test {"loss": ..., "accuracy": 0 to 1}."""
    import tensorflow
    from keras.utils import to_categorical

    random.seed(seed)
    np.random.seed(seed)  # Keras 2.0.6 draws the seeds of its layers, and its order of rows, here
    tensorflow.set_random_seed(seed)
    model = network(variant.network, variant.activation)
    model.compile(
        optimizer=variant.optimizer, loss="categorical_crossentropy", metrics=["accuracy"]
    )
    classes = model.output_shape[-1]
    (x_train, y_train), (x_test, y_test) = [
        (x.reshape(-1, *model.input_shape[1:]), to_categorical(y, classes))
        for x, y in DATA[variant.network](seed)
    ]
    model.fit(x_train, y_train, batch_size=variant.batch_size, epochs=variant.epochs, verbose=0)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    return {"loss": round(float(loss), 4), "accuracy": round(float(accuracy), 4)}


def run(name, seed):
    """Do one run in a fresh process; return its figures with the wall time of all of it.

    {"accuracy": 0 to 1, "seconds": ...}, and the "loss" for 01, whose accuracy is of one row only.
    """
    command = [sys.executable, __file__, name, "--seed", str(seed)]
    start = time.perf_counter()
    done = subprocess.run(  # noqa: UP022 (Python 3.6 has no capture_output)
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        last = "".join(done.stderr.splitlines()[-1:])
        raise RuntimeError(f"exit code {done.returncode}: {last}")
    figures = json.loads(done.stdout)
    if name != "01":
        del figures["loss"]
    figures["seconds"] = round(seconds, 1)
    return figures


# --- What is repeated exactly on today's Keras

UPDATES = 50
OPTIMIZERS = ["SGD", "Adadelta", "Adagrad"]  # by name, with the defaults of Keras 2.0.6
NETWORKS = ["01", "02", "03", "03-relu", "03-tanh", "04-book"]


def given_weights(shapes):
    """Return weights of these shapes, float32: the same numbers with every version of NumPy.

    The kernels reach so far that values keep their size from layer to layer; no bias is 0.
    """
    draws = np.random.RandomState(2017)
    ranges = [np.sqrt(6 / np.prod(shape[:-1])) if len(shape) > 1 else 0.5 for shape in shapes]
    return [
        draws.uniform(-limit, limit, shape).astype("float32")
        for limit, shape in zip(ranges, shapes)
    ]


def given_rows(shape, classes):
    """Return eight inputs (8, *shape) from -1 to 1, float32, and their one-hot classes."""
    inputs = np.random.RandomState(28).uniform(-1, 1, (8, *shape)).astype("float32")
    return inputs, np.eye(classes, dtype="float32")[np.arange(8) % classes]


def given_updates():
    """Return weights (6, 3), inputs (8, 6) and one-hot classes (8, 3) to try an optimizer on.

    Column i of the inputs goes up to 10 ** -i, and so do the gradients of row i of the weights: what
    an optimizer's epsilon does shows only beside gradients that are as small.
    """
    (weights,) = given_weights([(6, 3)])
    inputs, targets = given_rows((6,), 3)
    columns = np.array([1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5], "float32")
    return weights, inputs * columns, targets


def checksum(*arrays):
    """Return a few letters that change with the shape or any bit of a float32 array."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()[:16]


def digits(array):
    """Return a float32 array as nested lists; nine digits are enough to give each number back."""
    if np.ndim(array):
        return [digits(entry) for entry in array]
    return float(f"{array:.9g}")


def replay_of_network(variant):
    """Return {"given": checksum, "loss": ..., "output": (8, classes)}, as in testing: no dropout."""
    model = network(variant.network, variant.activation)
    model.compile(optimizer=variant.optimizer, loss="categorical_crossentropy")
    weights = given_weights([weight.shape for weight in model.get_weights()])
    inputs, targets = given_rows(model.input_shape[1:], model.output_shape[-1])
    model.set_weights(weights)
    return {
        "given": checksum(*weights, inputs, targets),
        "loss": digits(model.test_on_batch(inputs, targets)),
        "output": digits(model.predict_on_batch(inputs)),
    }


def replay_of_optimizer(name):
    """Return {"given": checksum, "weights": (UPDATES, 6, 3), the single matrix after each update}."""
    from keras.layers import Activation, Dense
    from keras.models import Sequential

    weights, inputs, targets = given_updates()
    model = Sequential([Dense(3, input_dim=6, use_bias=False), Activation("softmax")])
    model.compile(optimizer=name, loss="categorical_crossentropy")
    model.set_weights([weights])
    after = []
    for _ in range(UPDATES):
        model.train_on_batch(inputs, targets)
        after.append(digits(model.get_weights()[0]))
    return {"given": checksum(weights, inputs, targets), "weights": after}


def record_replay(here):
    """Write tests/replay.json, with the versions it was recorded with."""
    replay = {
        "versions": here["versions"],
        "networks": {name: replay_of_network(VARIANTS[name]) for name in NETWORKS},
        "optimizers": {name: replay_of_optimizer(name) for name in OPTIMIZERS},
    }
    save(REPLAY, replay)
    print(f"made {REPLAY.name}")


# --- The record


def load(here):
    """Return the recorded results, or an empty record of the environment `here`."""
    if not BOOK.exists():
        return dict(here, date=str(datetime.date.today()), variants={})
    results = json.loads(BOOK.read_text(encoding="utf-8"))
    for key, value in here.items():
        if results[key] != value:
            sys.exit(
                f"{BOOK.name} was recorded with {key} {results[key]}, not {value}: "
                "remove it to measure everything anew"
            )
    return results


def save(path, results):
    """Write the results so that a stop at any moment leaves a whole file."""
    text = json.dumps(results, indent=1)
    # Lists and objects that hold no others: on one line each.
    text = re.sub(
        r"([\[{])\s+([^][{}]*?)\s+([\]}])",
        lambda match: match.group(1) + " ".join(match.group(2).split()) + match.group(3),
        text,
    )
    whole = path.with_suffix(".tmp")
    whole.write_text(text + "\n", encoding="utf-8")
    whole.replace(path)


def missing(results, names):
    """Return [(variant name, seed)] of the runs that are not recorded."""
    recorded = {name: entry["runs"] for name, entry in results["variants"].items()}
    return [
        (name, seed)
        for name in names
        for seed in range(VARIANTS[name].seeds)
        if str(seed) not in recorded.get(name, {})
    ]


def measure(results, todo):
    """Do the runs of `todo` one after the other; return a line for each that failed."""
    failures = []
    for number, (name, seed) in enumerate(todo, 1):
        minutes = sum(VARIANTS[other].seconds for other, _ in todo[number - 1 :]) / 60
        print(
            f"[{number}/{len(todo)}] {name} seed {seed}, about {minutes:.0f} min left: ",
            end="",
            flush=True,
        )
        try:
            figures = run(name, seed)
        except RuntimeError as error:
            failures.append(f"{name} seed {seed}: {error}")
            print(f"FAILED: {error}", flush=True)
            continue
        variants = results["variants"]
        variants.setdefault(name, {"runs": {}})["runs"][str(seed)] = figures
        results["variants"] = {name: variants[name] for name in VARIANTS if name in variants}
        save(BOOK, results)
        print(figures, flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variant", nargs="*", help="default: all")
    parser.add_argument("--list", action="store_true", help="show what is recorded, run nothing")
    parser.add_argument("--replay", action="store_true", help="record tests/replay.json anew")
    parser.add_argument("--seed", type=int, help="print this one run's figures, record nothing")
    args = parser.parse_args()
    unknown = set(args.variant) - set(VARIANTS)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(VARIANTS)}")
    names = args.variant or list(VARIANTS)
    if args.seed is not None and len(names) != 1:
        parser.error("--seed needs the name of one variant")
    # A keras.json of the user's could name another backend, and this is before Keras is imported.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    here = environment()
    if args.replay:
        record_replay(here)
        return
    if args.seed is not None:
        print(json.dumps(train(VARIANTS[names[0]], args.seed)))
        return
    results = load(here)
    todo = missing(results, names)
    if args.list:
        for name in names:
            left = sum(name == other for other, _ in todo)
            print(f"{name:12} {VARIANTS[name].seeds - left} of {VARIANTS[name].seeds} seeds")
        return
    failures = measure(results, todo)
    if failures:
        sys.exit("\n".join([f"{len(failures)} of {len(todo)} runs failed:", *failures]))


if __name__ == "__main__":
    main()

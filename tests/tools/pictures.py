"""Make the pictures of img/ anew, from real runs and from the records.

    python tests/tools/pictures.py                  all: two minutes
    python tests/tools/pictures.py exercises.png    one of them

A picture carries its name, and what it is of: the program of a run and its seed, or what it shows of the
records. MNIST_NPZ may name the file of MNIST.
"""

import contextlib
import json
import os
import runpy
import sys
import tempfile

import keras
import matplotlib.pyplot as plt
import measure
import numpy as np
import pages

sys.path.insert(0, str(measure.TUTORIALS))
import offline_mnist

plt.switch_backend("Agg")  # no window, on any machine
BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)


def load_mnist():
    """Return the test images (n, 28, 28) and labels (n,) of the real MNIST; never the stand-in."""
    if path := os.environ.get("MNIST_NPZ"):
        arrays = offline_mnist.read_npz(path)
        return arrays["x_test"], arrays["y_test"]
    return keras.datasets.mnist.load_data()[1]


def run(name):
    """Run a variant in this process and an empty folder, as if typed, and return its variables."""
    script = str(measure.SCRIPTS[measure.VARIANTS[name].script])
    sys.argv = [script, *measure.VARIANTS[name].flags.split()]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return runpy.run_path(script, run_name="__main__")


def digits(images, titles, color="black"):
    """Draw images (n, 28, 28), ten in a row, with a title each."""
    rows = -(-len(images) // 10)
    figure, axes = plt.subplots(rows, 10, figsize=(8, 1.05 * rows), layout="constrained")
    for axis, image, title in zip(axes.flat, images, titles, strict=True):
        axis.axis("off")
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8, color=color)
    return figure


def sample_digits():
    images, labels = load_mnist()
    return digits(images[:20], labels[:20])


def mistakes():
    variables = run("04-book")
    truth = variables["y_test"].argmax(axis=1)
    guess = variables["model"].predict(variables["x_test"], verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)[:20]
    images = variables["x_test"][wrong, :, :, 0] * 255
    return digits(images, [f"{truth[i]} read as {guess[i]}" for i in wrong], ORANGE)


def stand_in():
    """Draw two rows of MNIST above two rows of the stand-in: of each digit the first two."""
    arrays = offline_mnist.make_stand_in()
    parts = load_mnist(), (arrays["x_test"], arrays["y_test"])
    images = [x[np.flatnonzero(y == d)[n]] for x, y in parts for n in (0, 1) for d in range(10)]
    return digits(images, ["MNIST"] * 20 + ["stand-in"] * 20)


def learning_curve():
    run("05")
    return plt.gcf()


def exercises():
    """Draw the exercises on 03, the best above; each seed is a dot."""
    runs = origin("exercises.png")
    figure, axis = plt.subplots(figsize=(8, 0.3 * len(runs) + 0.8), layout="constrained")
    for row, (name, values) in enumerate(runs.items()):
        color = ORANGE if name == "03" else BLUE
        axis.plot(values, [row] * len(values), "o", color=color, alpha=0.6)
    axis.set_yticks(range(len(runs)), [pages.label(name).replace("`", "") for name in runs])
    axis.axvline(measure.VARIANTS["03"].printed, color="gray", ls=":", label="printed in the book")
    axis.set_xlabel("test accuracy, one dot per seed")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="lower right")
    return figure


# What draws a picture, and the variant that it shows a run of, the first seed's
PICTURES = {
    "04_07.png": (sample_digits, None),
    "04_01.png": (learning_curve, "05"),
    "exercises.png": (exercises, None),
    "mistakes.png": (mistakes, "04-book"),
    "stand_in.png": (stand_in, None),
}


def origin(name):
    """Return what a picture is of, as far as the records say it."""
    if variant := PICTURES[name][1]:
        return {"variant": variant, "program": pages.recorded_program(variant), "seed": 0}
    if name == "exercises.png":
        return {one: pages.results(one) for one in reversed(pages.ranked(pages.EXERCISES))}
    return {}


if __name__ == "__main__":
    for name in sys.argv[1:] or list(PICTURES):
        figure = PICTURES[name][0]()
        about = json.dumps({"picture": name, **origin(name)})
        figure.savefig(measure.ROOT / "img" / name, metadata={"Description": about})

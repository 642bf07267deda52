"""Make the pictures of img/ anew, from real runs and from the records.

    python tests/tools/figures.py                             all, on the real MNIST: two minutes
    python tests/tools/figures.py exercises.png --out DIR     one of them, written elsewhere

MNIST comes from Keras or from the file that MNIST_NPZ names. The pictures are the same bytes every
time, as long as machine and versions are the same. Those that show a record, and the learning curve, say
in their metadata what they show; a test compares it.
"""

import argparse
import contextlib
import json
import os
import runpy
import statistics
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no window, on any machine
import keras
import matplotlib.pyplot as plt
import measure
import numpy as np
import pages

sys.path.insert(0, str(measure.TUTORIALS))
import offline_mnist

BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)


def load_mnist():
    """Return the test images (n, 28, 28) and labels (n,) of the real MNIST; never the stand-in."""
    if path := os.environ.get("MNIST_NPZ"):
        arrays = offline_mnist.read_npz(path)
        return arrays["x_test"], arrays["y_test"]
    return keras.datasets.mnist.load_data()[1]


def run(number, *flags):
    """Run a tutorial in this process and an empty folder, as if typed, and return its variables."""
    argv, sys.argv = sys.argv, [number, *flags]
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            return runpy.run_path(str(pages.SCRIPTS[number]), run_name="__main__")
    finally:
        sys.argv = argv


def save(figure, path, shown=None):
    """Write a figure, with what it shows, and forget it."""
    figure.savefig(path, dpi=100, metadata={"Description": json.dumps(shown)} if shown else None)
    plt.close(figure)


def draw_digits(path, images, titles, color="black"):
    """Save images (n, 28, 28), ten in a row, with a title each."""
    rows = -(-len(images) // 10)
    figure = plt.figure(figsize=(8, 1.05 * rows), layout="constrained")
    for n, (image, title) in enumerate(zip(images, titles, strict=True), 1):
        axis = figure.add_subplot(rows, 10, n)
        axis.axis("off")
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8, color=color)
    save(figure, path)


def sample_digits(path):
    """04_07.png of the chapter: digits of MNIST, with their labels."""
    images, labels = load_mnist()
    draw_digits(path, images[:20], labels[:20])


def describe(figure):
    """Return what a learning curve shows, but for its losses and accuracies."""
    (axis,) = figure.axes
    lines = [
        [one.get_label(), one.get_marker(), [int(x) for x in one.get_xdata()]] for one in axis.lines
    ]
    return [axis.get_xlabel(), axis.get_ylabel(), lines]


def learning_curve(path):
    """04_01.png of the chapter: what tutorial 05 draws of the iris network."""
    run("05")
    save(plt.gcf(), path, describe(plt.gcf()))


def exercise_runs():
    """Return {variant: accuracies} of the exercises, the best last."""
    runs = {name: pages.figures(name) for name in pages.EXERCISES}
    return dict(sorted(runs.items(), key=lambda run: statistics.mean(run[1])))


def exercises(path):
    """The chapter's exercises on tutorial 03: accuracy of every variant, each seed a dot."""
    runs = exercise_runs()
    figure, axis = plt.subplots(figsize=(8, 0.3 * len(runs) + 0.8), layout="constrained")
    for row, (name, values) in enumerate(runs.items()):
        color = ORANGE if name == "03" else BLUE
        axis.plot(values, [row] * len(values), "o", color=color, alpha=0.6)
    axis.set_yticks(range(len(runs)), [pages.label(name, 0).replace("`", "") for name in runs])
    axis.axvline(pages.PRINTED["03"], color="gray", linestyle=":", label="printed in the book")
    axis.set_xlabel("test accuracy, one dot per seed")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="lower right")
    save(figure, path, runs)


def all_differences():
    """Return {variant: (difference, low, high)} of then and now, in margins."""
    found = {name: pages.difference(name, name)[:3] for name in pages.MARGINS}
    return {name: [value / pages.MARGINS[name] for value in found[name]] for name in found}


def differences(path):
    """How far the means of today are from those of the book's software, with 95 % intervals."""
    shown = all_differences()
    figure, axis = plt.subplots(figsize=(8, 0.4 * len(shown) + 1), layout="constrained")
    for row, (mean, low, high) in enumerate(reversed(shown.values())):
        axis.plot([low, high], [row, row], color=BLUE, linewidth=2, solid_capstyle="butt")
        axis.plot(mean, row, "o", color=BLUE)
    names = [f"{pages.label(n, 0)} (1 = {pages.MARGINS[n]})".replace("`", "") for n in shown]
    axis.set_yticks(range(len(shown)), reversed(names))
    axis.axvline(0, color="black", linewidth=1)
    for margin in -1, 1:
        axis.axvline(margin, color=ORANGE, linestyle="--")
    axis.set_xlim(-1.3, 1.3)
    axis.set_xlabel("mean today minus mean then, in margins, with its 95 % interval")
    save(figure, path, shown)


def mistakes(path):
    """What the network of tutorial 04 still gets wrong: true digit "read as" predicted digit."""
    variables = run("04", *measure.VARIANTS["04-book"].flags.split())
    truth = variables["y_test"].argmax(axis=1)
    guess = variables["model"].predict(variables["x_test"], verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)[:20]
    images = variables["x_test"][wrong, :, :, 0] * 255
    draw_digits(path, images, [f"{truth[i]} read as {guess[i]}" for i in wrong], ORANGE)


def stand_in(path):
    """Two rows of real MNIST digits above two rows of the stand-in: of each digit the first two."""
    arrays = offline_mnist.make_stand_in()
    images, titles = [], []
    parts = {"MNIST": load_mnist(), "stand-in": (arrays["x_test"], arrays["y_test"])}
    for title, (x, y) in parts.items():
        images += [x[np.flatnonzero(y == digit)[n]] for n in (0, 1) for digit in range(10)]
        titles += [title] * 20
    draw_digits(path, images, titles)


PICTURES = {
    "04_07.png": sample_digits,
    "04_01.png": learning_curve,
    "exercises.png": exercises,
    "differences.png": differences,
    "mistakes.png": mistakes,
    "stand_in.png": stand_in,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="*", default=list(PICTURES), help="default: all")
    parser.add_argument("--out", type=Path, default=measure.ROOT / "img", help="default: img/")
    args = parser.parse_args()
    for name in args.picture:
        PICTURES[name](args.out.resolve() / name)

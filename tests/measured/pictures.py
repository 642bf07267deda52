"""Make the pictures of img/ anew, or those that are named: `python tests/measured/pictures.py exercises.png`.

MNIST_NPZ may name the file of MNIST. A picture knows what it is of: `made_of`.
"""

import contextlib
import json
import runpy
import sys
import tempfile
import zlib

import matplotlib.pyplot as plt
import numpy as np
from measure import ROOT, mnist_path, require_mnist
from pages import VARIANTS, label, names_of, results

# isort: split
import offline_mnist  # measure.py says where these are
import programs

# With the variant that it shows a run of, with seed 0
PICTURES = {
    "04_01.png": "05",
    "mistakes.png": "04-book",
    "04_07.png": "",
    "exercises.png": "",
    "stand_in.png": "",
}
BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)


def made_of(name):
    """Return what a picture is of: a program, the results that it shows, or always the same data."""
    if PICTURES[name]:
        return programs.digests()[PICTURES[name]]
    if name == "exercises.png":
        shown = {label(one, 0): results(one) for one in names_of("03")}
        return f"{zlib.crc32(json.dumps(shown).encode()):08x}"
    return ""


def digits(images, titles, color="black"):
    """Draw images (n, 28, 28), ten in a row, with a title each."""
    count = len(images) // 10
    figure, axes = plt.subplots(count, 10, figsize=(8, 1.05 * count), layout="constrained")
    for axis, image, title in zip(axes.flat, images, titles, strict=True):
        axis.axis("off")
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8, color=color)
    return figure


def run_here(name):
    """Run a variant here, in an empty folder, as if typed; return its variables."""
    variant = VARIANTS[name]
    sys.argv = [str(variant.path), *variant.flags.split()]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return runpy.run_path(sys.argv[0], run_name="__main__")


def draw_mistakes():
    """Draw the first digits that 04 misreads, each with what it is and what it is read as."""
    variables = run_here("04-book")
    images, truth = variables["x_test"], variables["y_test"].argmax(axis=1)
    guess = variables["model"].predict(images, verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)[:20]
    titles = [f"{truth[i]} read as {guess[i]}" for i in wrong]
    return digits(images[wrong, :, :, 0] * 255, titles, ORANGE)


def draw_exercises():
    """Draw the results of the exercises on 03, a dot for each seed, in the order of their table."""
    names = names_of("03")[::-1]
    figure, axis = plt.subplots(figsize=(8, 0.3 * len(names) + 0.8), layout="constrained")
    for name in names:
        labels = [label(name, 0).replace("`", "").replace("<br>", " ")] * len(results(name))
        axis.plot(results(name), labels, "o", color=ORANGE if name == "03" else BLUE, alpha=0.6)
    axis.axvline(VARIANTS["03"].printed, color="gray", ls=":", label="printed in the book")
    axis.set_xlabel("test accuracy, one dot per seed")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="lower right")
    return figure


def draw_digits():
    """Draw the first test images of MNIST."""
    mnist = offline_mnist.read_npz(mnist_path())
    return digits(mnist["x_test"][:20], mnist["y_test"][:20])


def draw_stand_in():
    """Draw two of each digit of MNIST, then two of each of the stand-in."""
    parts = [offline_mnist.read_npz(mnist_path()), offline_mnist.make_stand_in()]
    images = [
        part["x_test"][np.flatnonzero(part["y_test"] == digit)[count]]
        for part in parts
        for count in (0, 1)
        for digit in range(10)
    ]
    return digits(images, ["MNIST"] * 20 + ["stand-in"] * 20)


def draw_curve():
    """Draw the curve that 05 draws."""
    run_here("05")
    return plt.gcf()


DRAW = {
    "04_01.png": draw_curve,
    "mistakes.png": draw_mistakes,
    "04_07.png": draw_digits,
    "exercises.png": draw_exercises,
    "stand_in.png": draw_stand_in,
}


def main():
    plt.switch_backend("Agg")  # no window, on any machine
    require_mnist(VARIANTS.values())
    for name in sys.argv[1:] or PICTURES:
        figure = DRAW[name]()
        figure.savefig(ROOT / "img" / name, metadata={"Description": made_of(name)})


if __name__ == "__main__":
    main()

"""Make the pictures of img/ anew, or those that are named. MNIST_NPZ may name the file of MNIST."""

import contextlib
import json
import os
import runpy
import sys
import tempfile

import matplotlib.pyplot as plt
import measure
import numpy as np
import offline_mnist
import pages

# With the variant that it shows a run of, the first seed's
PICTURES = {"04_01.png": "05", "mistakes.png": "04-book"}
PICTURES |= {"04_07.png": None, "exercises.png": None, "stand_in.png": None}
MNIST = os.environ.get("MNIST_NPZ") or os.path.expanduser("~/.keras/datasets/mnist.npz")
BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)
plt.switch_backend("Agg")  # no window, on any machine


def origin(name):
    """Return what a picture is of, as far as the records say it."""
    if variant := PICTURES[name]:
        return {"variant": variant, "program": pages.PROGRAMS["results", variant], "seed": 0}
    if name == "exercises.png":
        return {one: pages.results(one) for one in reversed(pages.ranked(pages.EXERCISES))}
    return {}


def digits(images, titles, color="black"):
    """Draw images (n, 28, 28), ten in a row, with a title each."""
    rows = len(images) // 10
    figure, axes = plt.subplots(rows, 10, figsize=(8, 1.05 * rows), layout="constrained")
    for axis, image, title in zip(axes.flat, images, titles, strict=True):
        axis.axis("off")
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8, color=color)
    return figure


def draw(name):
    """Return the figure of a picture. A variant is run here, in an empty folder, as if typed."""
    if PICTURES[name]:
        variant = measure.VARIANTS[PICTURES[name]]
        sys.argv = [str(measure.SCRIPTS[variant.script]), *variant.flags.split()]
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            variables = runpy.run_path(sys.argv[0], run_name="__main__")
    if name == "04_01.png":
        return plt.gcf()  # the curve that 05 draws
    if name == "mistakes.png":
        images, truth = variables["x_test"], variables["y_test"].argmax(axis=1)
        guess = variables["model"].predict(images, verbose=0).argmax(axis=1)
        wrong = np.flatnonzero(guess != truth)[:20]
        titles = [f"{truth[i]} read as {guess[i]}" for i in wrong]
        return digits(images[wrong, :, :, 0] * 255, titles, ORANGE)
    if name == "exercises.png":  # each seed is a dot
        runs = origin(name)
        figure, axis = plt.subplots(figsize=(8, 0.3 * len(runs) + 0.8), layout="constrained")
        for one, values in runs.items():
            labels = [pages.label(one).replace("`", "")] * len(values)
            axis.plot(values, labels, "o", color=ORANGE if one == "03" else BLUE, alpha=0.6)
        printed = measure.VARIANTS["03"].printed
        axis.axvline(printed, color="gray", ls=":", label="printed in the book")
        axis.set_xlabel("test accuracy, one dot per seed")
        axis.grid(axis="x", alpha=0.3)
        axis.legend(loc="lower right")
        return figure
    mnist, stand_in = offline_mnist.read_npz(MNIST), offline_mnist.make_stand_in()
    if name == "04_07.png":
        return digits(mnist["x_test"][:20], mnist["y_test"][:20])
    # Of each digit the first two of MNIST, then the first two of the stand-in
    parts = [(part["x_test"], part["y_test"]) for part in (mnist, stand_in)]
    images = [x[np.flatnonzero(y == d)[n]] for x, y in parts for n in (0, 1) for d in range(10)]
    return digits(images, ["MNIST"] * 20 + ["stand-in"] * 20)


if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        figure = draw(name)
        about = json.dumps({"picture": name, **origin(name)})
        figure.savefig(measure.ROOT / "img" / name, metadata={"Description": about})

"""Make every picture of this folder anew, from real runs and from tests/results.json.

    python img/make_figures.py               about two minutes, on the real MNIST
    python img/make_figures.py --out DIR     write them elsewhere

MNIST comes from Keras or from the file that MNIST_NPZ names. The pictures are the same bytes every
time, as long as machine and versions are the same.
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
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"
sys.path.insert(0, str(TUTORIALS))

import offline_mnist

BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)


def load_mnist():
    """Return the test images (n, 28, 28) and labels (n,) of the real MNIST; never the stand-in."""
    if path := os.environ.get("MNIST_NPZ"):
        arrays = offline_mnist.read_npz(path)
        return arrays["x_test"], arrays["y_test"]
    from keras.datasets import mnist

    try:
        return mnist.load_data()[1]
    except Exception as error:
        sys.exit(f"the pictures need the real MNIST ({error}): set MNIST_NPZ")


def run(script, *arguments):
    """Run a tutorial in this process, as if typed, and return its variables."""
    argv, sys.argv = sys.argv, [script, *arguments]
    try:
        return runpy.run_path(str(TUTORIALS / script), run_name="__main__")
    finally:
        sys.argv = argv


def load(name):
    """Return the variants of a record in tests/."""
    return json.loads((ROOT / "tests" / name).read_text(encoding="utf-8"))["variants"]


def figures(variant):
    """Return what the runs of a variant reached: the loss where it is recorded, else the accuracy."""
    return [run.get("loss", run["accuracy"]) for run in variant["runs"].values()]


def draw_digits(path, images, titles, columns, title_colour="black"):
    """Save the images (n, 28, 28) as a grid with a title each."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(0.8 * columns, 1.05 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8, color=title_colour)
    save(figure, path)


def save(figure, path, **metadata):
    """Write a figure, with what it says of itself, and forget it."""
    figure.savefig(path, dpi=100, metadata=metadata)
    plt.close(figure)


def sample_digits(path):
    """04_07.png of the chapter: digits of MNIST, with their labels."""
    images, labels = load_mnist()
    draw_digits(path, images[:20], labels[:20], 10)


def learning_curve(path):
    """04_01.png of the chapter: what tutorial 05 draws of the iris network."""
    note = PngInfo()
    note.add_text("Description", plotting_lines())  # a test compares it with the script
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        run("05_tips_save_summary_plot.py")
        with PIL.Image.open("learning_curve.png") as picture:
            picture.save(path, pnginfo=note, dpi=picture.info["dpi"])
    plt.close("all")


def plotting_lines():
    """Return the part of tutorial 05 that draws the learning curve."""
    text = (TUTORIALS / "05_tips_save_summary_plot.py").read_text(encoding="utf-8")
    return text[text.index("# Learning curve") : text.index("if args.show:")]


def exercises(path):
    """The chapter's exercises on tutorial 03: accuracy of every variant, each seed a dot."""
    variants = load("results.json")
    names = [name for name in variants if name.startswith("03")]
    accuracies = {name: figures(variants[name]) for name in names}
    names.sort(key=lambda name: statistics.mean(accuracies[name]))
    figure, axis = plt.subplots(figsize=(7, 0.32 * len(names) + 0.8), layout="constrained")
    for row, name in enumerate(names):
        colour = ORANGE if name == "03" else BLUE
        axis.plot(accuracies[name], [row] * len(accuracies[name]), "o", color=colour, alpha=0.6)
    edited = {"03": "as in the chapter", "03-neurons": "500 neurons for 50"}
    edited["03-layer"] = "one more layer of 20 neurons"
    labels = [edited.get(name) or " ".join(variants[name]["arguments"]) for name in names]
    axis.set_yticks(range(len(names)), labels)
    axis.axvline(0.8855, color="gray", linestyle=":", label="printed in the book")
    axis.set_xlabel("test accuracy, one dot per seed")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="lower right")
    save(figure, path, Description=json.dumps(accuracies))  # a test compares it with the record


def then_and_now(path):
    """Each network, trained with the book's own software and today: one dot per seed."""
    records = {"then (Keras 2.0.6)": load("book.json"), "now": load("results.json")}
    networks = {
        "01": "01, test loss",
        "02": "02, iris",
        "03": "03, MNIST with an MLP",
        "03-adagrad": "03 --optimizer adagrad",
        "03-relu": "03 --activation relu",
        "03-tanh": "03 --activation tanh",
        "04-book": "04, MNIST with a CNN",
    }
    figure, axes = plt.subplots(len(networks), 1, figsize=(7, 6), layout="constrained")
    shown = {}
    for axis, (name, title) in zip(axes, networks.items(), strict=True):
        for row, (label, variants) in enumerate(records.items()):
            values = shown[f"{name} {label}"] = figures(variants[name])
            axis.plot(values, [-row] * len(values), "o", color=(ORANGE, BLUE)[row], alpha=0.6)
        axis.set_yticks([0, -1], list(records))
        axis.set_ylim(-1.6, 0.6)
        axis.set_title(title, fontsize=9, loc="left")
        axis.tick_params(labelsize=8)
        axis.grid(axis="x", alpha=0.3)
    axes[-1].set_xlabel("test accuracy (01: test loss), one dot per seed")
    save(figure, path, Description=json.dumps(shown))


def mistakes(path):
    """What the network of tutorial 04 still gets wrong: true digit "read as" predicted digit."""
    variables = run("04_mnist_cnn.py", "--epochs", "3", "--batch-size", "512")
    truth = variables["y_test"].argmax(axis=1)
    guess = variables["model"].predict(variables["x_test"], verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)[:20]
    images = variables["x_test"][wrong, :, :, 0] * 255
    titles = [f"{truth[i]} read as {guess[i]}" for i in wrong]
    draw_digits(path, images, titles, 10, ORANGE)


def stand_in(path):
    """Two rows of real MNIST digits above two rows of the stand-in."""
    arrays = offline_mnist.make_stand_in()
    real, labels = load_mnist()
    pairs = ((real, labels), (arrays["x_test"], arrays["y_test"]))
    # One image of each digit, twice: the n-th image of the label.
    images = [
        x[np.flatnonzero(y == digit)[n]] for x, y in pairs for n in (0, 1) for digit in range(10)
    ]
    figure, axes = plt.subplots(4, 10, figsize=(8, 3.6), layout="constrained")
    for axis, image in zip(axes.flat, images, strict=True):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_xticks([])
        axis.set_yticks([])
    for row, text in enumerate(("MNIST", "", "stand-in", "")):
        axes[row, 0].set_ylabel(text, fontsize=11)
    save(figure, path)


PICTURES = {
    "04_07.png": sample_digits,
    "04_01.png": learning_curve,
    "exercises.png": exercises,
    "then_and_now.png": then_and_now,
    "mistakes.png": mistakes,
    "stand_in.png": stand_in,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "img", help="default: img/")
    args = parser.parse_args()
    for name, make in PICTURES.items():
        make(args.out.resolve() / name)
        print(f"made {args.out / name}", flush=True)


if __name__ == "__main__":
    main()

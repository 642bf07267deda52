"""Make the pictures of img/ anew, or those that are named: `python tests/measured/pictures.py exercises.png`.

MNIST_NPZ may name the file of MNIST. A picture knows what it is of: `made_of`.
"""

import contextlib
import functools
import io
import json
import sys
import tempfile
import zlib
from pathlib import Path
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from measure import CURVES, guide_code, mnist_path, require_mnist, variants
from pages import label, names_of, results, runs
from PIL.PngImagePlugin import PngInfo

# isort: split
import offline_mnist  # measure.py says where these are
import programs
from browser import Browser, Sheet, find_browser, read_strokes
from draw_a_digit import TEMPLATE, draw
from files import ROOT

# With the variant that it shows a run of, with seed 0
PICTURES = {
    "04_01.png": "05",
    "mistakes.png": "04-book",
    "confusion.png": "04-book",
    "filters.png": "04-book",
    "weights.png": "03",
    "draw_a_digit.png": "04-book",
    "04_07.png": "",
    "exercises.png": "",
    "overfitting.png": "",
    "stand_in.png": "",
}
# The code of the guide that draws it: a word of each block that is to be typed
BLOCKS = {
    "mistakes.png": ["answer ="],
    "confusion.png": ["answer =", "ConfusionMatrixDisplay"],
    "filters.png": ["answer =", "filters ="],
    "weights.png": ["weights ="],
}
OF_RECORDS = {"exercises.png", "overfitting.png"}
BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by every eye (Okabe and Ito)


def made_of(name):
    """Return what a picture is of: a program, the results that it shows, or always the same data."""
    shown = [guide_code(word) for word in BLOCKS.get(name, [])]
    if name == "draw_a_digit.png":
        shown.append(TEMPLATE.read_text(encoding="utf-8"))
    if PICTURES[name]:
        shown.append(programs.digests()[PICTURES[name]])
    if name == "exercises.png":
        shown = {label(one, 0): results(one) for one in names_of("03")}
    elif name == "overfitting.png":
        shown = runs(CURVES)
    return f"{zlib.crc32(json.dumps(shown).encode()):08x}" if shown else ""


def digits(images, titles):
    """Draw images (n, 28, 28), ten in a row, with a title each."""
    count = len(images) // 10
    figure, axes = plt.subplots(count, 10, figsize=(8, 1.05 * count), layout="constrained")
    for axis, image, title in zip(axes.flat, images, titles, strict=True):
        axis.axis("off")
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8)
    return figure


@functools.cache
def run_here(name):
    """Run a variant here, in an empty folder, as if typed; return its variables."""
    variant, variables = variants()[name], {"__name__": "__main__"}
    sys.argv = [variant.path.name, *variant.flags.split()]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        exec(compile(variant.text, variant.path.name, "exec"), variables)
    return variables


def draw_typed(name):
    """Draw what the guide's code draws, typed after the script."""
    variables = dict(run_here(PICTURES[name]))
    with mock.patch.object(plt, "show"):
        for word in BLOCKS[name]:
            plt.close("all")
            exec(compile(guide_code(word), word, "exec"), variables)
    return plt.gcf()


def draw_exercises():
    """Draw the results of the exercises on 03, a dot for each seed, in the order of their table."""
    names = names_of("03")[::-1]
    figure, axis = plt.subplots(figsize=(8, 0.3 * len(names) + 0.8), layout="constrained")
    for name in names:
        labels = [label(name, 0).replace("`", "").replace("<br>", " ")] * len(results(name))
        axis.plot(results(name), labels, "o", color=ORANGE if name == "03" else BLUE, alpha=0.6)
    axis.axvline(variants()["03"].printed, color="gray", ls=":", label="printed in the book")
    axis.set_xlabel("test accuracy, one dot per seed")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(loc="lower right")
    return figure


def draw_overfitting():
    """Draw loss and accuracy in each epoch, on the training and the validation data, with dropout and without."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
    titles = ["without Dropout", "with two lines Dropout(0.2)"]
    for name, title, color in zip(names_of("overfitting"), titles, [ORANGE, BLUE], strict=True):
        for axis, value in zip(axes, ["loss", "accuracy"], strict=True):
            for column, line, data in [
                (value, "-", "training"),
                (f"val_{value}", ":", "validation"),
            ]:
                curve = mean_curve(name, column)
                axis.plot(*zip(*curve, strict=True), line, color=color, label=f"{data}, {title}")
            axis.set(xlabel="epoch", ylabel=value)
            axis.grid(alpha=0.3)
    axes[0].set_ylim(0, 0.3)
    axes[1].set_ylim(0.92, 1)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def mean_curve(name, column):
    """Return (epoch, mean over the seeds) for each epoch of a column of curves.csv."""
    values = {}
    for row in runs(CURVES)[name]:
        values.setdefault(int(row["epoch"]), []).append(float(row[column]))
    return [(epoch, np.mean(found)) for epoch, found in sorted(values.items())]


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
    "04_07.png": draw_digits,
    "exercises.png": draw_exercises,
    "overfitting.png": draw_overfitting,
    "stand_in.png": draw_stand_in,
}


def take_picture():
    """Return the page of draw_a_digit.py in a browser, with a 3 drawn on it, as a PNG."""
    draw(run_here("04-book")["model"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(find_browser(), folder, "--lang=en", "--accept-lang=en")
        sheet = Sheet(browser, Path("draw_a_digit.html"))
        window = {"width": 688, "height": 480, "deviceScaleFactor": 1, "mobile": False}
        browser.ask("Emulation.setDeviceMetricsOverride", **window)
        sheet.draw(read_strokes()["3"])
        sheet.answer()  # when it is there
        picture = browser.picture()
        browser.close()
    return picture


def png_of(name):
    """Return a picture as a PNG."""
    if name == "draw_a_digit.png":
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            return take_picture()
    figure = draw_typed(name) if name in BLOCKS else DRAW[name]()
    file = io.BytesIO()
    figure.savefig(file, bbox_inches="tight", pad_inches=0.05)
    return file.getvalue()


def save(png, name):
    """Write a picture in few colours, which makes the file small, with what it is of."""
    note = PngInfo()
    note.add_text("Description", made_of(name))
    few = {"method": PIL.Image.Quantize.MAXCOVERAGE, "dither": PIL.Image.Dither.NONE}
    picture = PIL.Image.open(io.BytesIO(png)).convert("RGB").quantize(64, **few)
    picture.save(ROOT / "img" / name, optimize=True, pnginfo=note)


def main():
    plt.switch_backend("Agg")  # no window, on any machine
    names = sys.argv[1:] or list(PICTURES)
    if not OF_RECORDS.issuperset(names):
        require_mnist(variants().values())
    for name in names:
        save(png_of(name), name)


if __name__ == "__main__":
    main()

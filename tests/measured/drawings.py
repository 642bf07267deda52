"""Measure how 03 and 04 read digits that are drawn, moved or small: `python tests/measured/drawings.py`.

It trains both, lets a browser draw the ten drawings of strokes.json in several situations, and writes drawings.csv.
It needs Chromium or Chrome. MNIST_NPZ may name the file of MNIST.
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import DRAWINGS, made_with, require_mnist, write
from pictures import VARIANTS, run_here

# isort: split
import programs  # measure.py says where these are
from browser import STROKES, Browser, find_browser, read_strokes
from draw_a_digit import draw

# How large the strokes become, where [0, 0] of them goes, how thick the brush is, and what the network gets
FULL = (1 - 0.1) / (20 / 28 - 0.1)  # from 20 of 28 pixels to all, brush and all
SITUATIONS = {
    "as drawn": (1, (0, 0), 1 / 10, "shrink()"),
    "black on white": (1, (0, 0), 1 / 10, "shrink().map((x) => 1 - x)"),
    "without margins": (FULL, (0.5 - FULL / 2, 0.5 - FULL / 2), 1 / 10, "shrink()"),
    "half as large, in a corner": (1 / 2, (0, 0), 1 / 10, "shrink()"),
    "half as large, in a corner, moved and scaled": (1 / 2, (0, 0), 1 / 10, "shrinkAsInMnist()"),
    "thin brush": (1, (0, 0), 1 / 50, "shrink()"),
    "moved right by 2 pixels": (1, (2 / 28, 0), 1 / 10, "shrink()"),
    "moved and scaled as in MNIST": (1, (0, 0), 1 / 10, "shrinkAsInMnist()"),
}
MOVES = 0, 2, 4, 6  # pixels, to the right
MEASURED = ["03", "04-book"]


def made_of(variant):
    """Return what a row is of: digests of the program and of the drawings."""
    lines = STROKES.read_text(encoding="utf-8").splitlines()
    return f"{programs.digests()[variant]} {programs.digest(lines)}"


def count_read(browser, page, situation):
    """Return how many of the ten drawings the network of a page reads."""
    scale, start, brush, image = SITUATIONS[situation]
    other = page.with_name("situation.html")
    text = page.read_text(encoding="utf-8").replace("BRUSH = 0.1;", f"BRUSH = {brush};")
    other.write_text(text, encoding="utf-8")
    browser.open(other.as_uri())
    read = 0
    for digit, strokes in read_strokes().items():
        placed = [(np.array(stroke) * scale + start).tolist() for stroke in strokes]
        code = f"strokes.splice(0, 10, ...{json.dumps(placed)}), predict({image})"
        read += int(digit) == np.argmax(browser.run(code))
    return read


def accuracy_moved(variables, pixels):
    """Return the accuracy on the first 1,000 test images, moved right by so many pixels."""
    images, truth = variables["x_test"][:1000], variables["y_test"][:1000].argmax(axis=1)
    moved = np.zeros((1000, 28, 28), np.float32)
    moved[:, :, pixels:] = images.reshape(1000, 28, 28)[:, :, : 28 - pixels]
    guess = variables["model"].predict(moved.reshape(images.shape), verbose=0).argmax(axis=1)
    return np.mean(guess == truth)


def results_of(variant, browser):
    """Return {situation: how many of the ten drawings are read, or the accuracy} of a variant, trained here."""
    variables = run_here(variant)
    draw(variables["model"])
    page = Path("draw_a_digit.html").absolute()
    results = {name: count_read(browser, page, name) for name in SITUATIONS}
    for pixels in MOVES:
        results[f"moved by {pixels}"] = f"{accuracy_moved(variables, pixels):.3f}"
    return results


def main():
    path = find_browser()
    if not path:
        sys.exit("There is no Chromium or Chrome.")
    require_mnist(VARIANTS[name] for name in MEASURED)
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(path, folder)
        for variant in MEASURED:
            with contextlib.chdir(folder):
                results = results_of(variant, browser)
            for situation, result in results.items():
                row = {"variant": variant, "situation": situation, "result": result}
                rows.append(row | {"made_of": made_of(variant), "made_with": made_with()})
        browser.close()
    write(DRAWINGS, rows)


if __name__ == "__main__":
    main()

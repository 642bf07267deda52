"""Measure how 03 and 04 read digits that are drawn, moved or small: `python tests/measured/drawings.py`.

It trains both, draws the ten drawings of strokes.json with the mouse of a browser, in several situations, and writes
drawings.csv. It needs Chromium or Chrome. MNIST_NPZ may name the file of MNIST.
"""

import contextlib
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measure import DRAWINGS, edited, made_with, require_mnist, variants, write
from pictures import run_here

# isort: split
import programs  # measure.py says where these are
from browser import STROKES, Browser, Sheet, find_browser, read_strokes
from draw_a_digit import draw


@dataclass
class Situation:
    """How the strokes are drawn: so large, from a place on, on an edited page, with its switch on or off."""

    scale: float = 1
    start: tuple = (0, 0)
    edits: list = field(default_factory=list)
    switch: bool = False


FULL = (1 - 0.1) / (20 / 28 - 0.1)  # from 20 of 28 pixels to all, brush and all
SITUATIONS = {
    "as drawn": Situation(),
    "black on white": Situation(edits=[("data[4 * i + 3] / 255", "1 - data[4 * i + 3] / 255")]),
    "without margins": Situation(scale=FULL, start=(0.5 - FULL / 2, 0.5 - FULL / 2)),
    "half as large, in a corner": Situation(scale=1 / 2),
    "half as large, in a corner, moved and scaled": Situation(scale=1 / 2, switch=True),
    "thin brush": Situation(edits=[("BRUSH = 0.1;", "BRUSH = 0.02;")]),
    "moved right by 2 pixels": Situation(start=(2 / 28, 0)),
    "moved and scaled as in MNIST": Situation(switch=True),
}
MOVES = 0, 2, 4, 6  # pixels, to the right
MEASURED = ["03", "04-book"]


def made_of(variant):
    """Return what a row is of: digests of the program and of the drawings."""
    lines = STROKES.read_text(encoding="utf-8").splitlines()
    return f"{programs.digests()[variant]} {programs.digest(lines)}"


def placed(stroke, situation):
    """Return the points of a stroke as large and where a situation has them."""
    return (np.array(stroke) * situation.scale + situation.start).tolist()


def count_read(browser, page, situation):
    """Return how many of the ten drawings the network of a page reads."""
    other = page.with_name("situation.html")
    text = edited(page.read_text(encoding="utf-8"), situation.edits, "drawings.py")
    other.write_text(text, encoding="utf-8")
    sheet = Sheet(browser, other)
    if situation.switch:
        sheet.click("mnist")
    return sum(
        sheet.reads(digit, [placed(stroke, situation) for stroke in strokes])
        for digit, strokes in read_strokes().items()
    )


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
    results = {name: count_read(browser, page, one) for name, one in SITUATIONS.items()}
    for pixels in MOVES:
        results[f"moved by {pixels}"] = f"{accuracy_moved(variables, pixels):.3f}"
    return results


def main():
    path = find_browser()
    if not path:
        sys.exit("There is no Chromium or Chrome.")
    require_mnist(variants()[name] for name in MEASURED)
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

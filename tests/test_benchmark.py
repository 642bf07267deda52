"""The numbers on speed in tests/README.md are those of benchmark.json, and its words true of them."""

import json
import re

import benchmark
import pytest
from conftest import ROOT

RECORD = json.loads((ROOT / "tests" / "benchmark.json").read_text(encoding="utf-8"))
TEXT = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
SECONDS = {
    (tutorial, name): row["seconds"]
    for tutorial, rows in RECORD["tutorials"].items()
    for name, row in rows.items()
}
# The rows of the table, as contenders of the benchmark.
ROWS = [
    *("tutorial, tensorflow", "plain, tensorflow", "batch size 256, tensorflow"),
    *("mixed precision, tensorflow", "tutorial, jax", "plain, jax", "batch size 256, jax"),
    *("mixed precision, jax", "tutorial, torch", "batch size 256, torch"),
    *("mixed precision, torch", "PyTorch, DataLoader", "PyTorch, slices"),
]


def ratio(tutorial, name, other):
    """Return how long `name` takes, as a part of what `other` takes."""
    return SECONDS[tutorial, name] / SECONDS[tutorial, other]


def test_table():
    (table,) = re.findall(
        r"^\| .* \| 02 \| 03 \| 04 \|\n\|[- |]+\|\n((?:\|.*\|\n)+)", TEXT, re.MULTILINE
    )
    shown = [
        [cell.strip() for cell in line.strip("|").split("|")[-3:]] for line in table.splitlines()
    ]
    recorded = [
        [f"{SECONDS[t, name]:.2f}" if (t, name) in SECONDS else "" for t in ("02", "03", "04")]
        for name in ROWS
    ]
    assert shown == recorded
    assert f"{RECORD['sgemm_gflops']:.0f} GFLOP/s" in TEXT
    assert f"{RECORD['tutorials']['04']['tutorial, tensorflow']['sgemm_share']:.0%}" in TEXT


def test_words_on_steps_per_execution_are_true():
    iris, mnist = (ratio(t, "tutorial, tensorflow", "plain, tensorflow") for t in ("02", "03"))
    assert f"02 takes {iris:.0%} and 03 {mnist:.0%} of the time" in TEXT


def test_words_on_mixed_precision_are_true():
    gain = ratio("04", "tutorial, tensorflow", "mixed precision, tensorflow")
    assert f"04 on TensorFlow {gain:.1f} times as fast" in TEXT
    assert ratio("04", "mixed precision, jax", "tutorial, jax") > 0.9


def test_steps_per_execution_changed_no_result():
    for tutorial in "02", "03":
        for backend in "tensorflow", "jax":
            rows = RECORD["tutorials"][tutorial]
            tutorial_row, plain = rows[f"tutorial, {backend}"], rows[f"plain, {backend}"]
            assert tutorial_row["accuracy"] == plain["accuracy"]
            assert tutorial_row["loss"] == plain["loss"]


def test_words_on_backends_are_true():
    def fastest(tutorial):
        backends = [f"tutorial, {name}" for name in ("tensorflow", "jax", "torch")]
        return sorted(backends, key=lambda name: SECONDS[tutorial, name])

    assert fastest("03")[0] == fastest("02")[0] == "tutorial, jax"
    assert fastest("04")[0] == "tutorial, tensorflow"
    assert fastest("04")[-1] == "tutorial, jax"


def test_every_contender_learned():
    for tutorial, floor in ("03", 0.5), ("04", 0.8):  # guessing reaches 0.1
        for name, row in RECORD["tutorials"][tutorial].items():
            if "batch size" not in name:
                assert row["accuracy"] > floor, (tutorial, name)


def test_cost_of_an_image_is_the_networks():
    # Forward 24.0 MFLOP; the backward pass costs twice that, less the gradient of the pixels.
    assert benchmark.CNN_FLOP / 1e6 == pytest.approx(71.6, abs=0.1)


def test_summary_and_table_of_small_figures():
    run = {"fit": 2.0, "epochs": [9.0, 2.0], "accuracy": 0.5, "loss": 1.0, "first_step": 3.0}
    run |= {"total": 4.0, "peak_mib": 700}
    figures = {
        t: {"tutorial, x": [run], "plain, x": [run | {"fit": 4.0, "epochs": [9.0, 4.0]}]}
        for t in ("02", "03", "04")
    }
    figures |= {
        "sgemm": {"numpy": [{"gflops": 100.0}]},
        "import keras": {"x": [run]},
        "01": {"x": [run]},
    }
    summary = benchmark.summarise(figures, 1000, 1)
    plain = summary["tutorials"]["03"]["plain, x"]
    assert (plain["seconds"], plain["tutorial_ratio"]) == (4.0, 0.5)
    assert summary["tutorials"]["04"]["tutorial, x"]["gflops"] == pytest.approx(35.8, abs=0.1)
    assert summary["tutorials"]["04"]["tutorial, x"]["sgemm_share"] == 0.36
    text = benchmark.table_of(summary)
    assert "plain, x" in text
    assert "0.50" in text

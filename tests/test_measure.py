"""The program that records the results keeps what is finished and refuses what is not MNIST."""

import json

import measure
import pytest

HERE = {"versions": {"keras": "3"}, "processor": "p", "cores": 2, "system": "s"}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Point the program at an empty folder; return the path of its record."""
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results.json")
    return measure.RESULTS


def test_parse():
    assert measure.parse("Epoch 1/1\ntest accuracy: 0.9737\nmore\n") == {"accuracy": 0.9737}
    assert measure.parse("x\n[1.2507541179, 0.0]\n") == {"loss": 1.2508, "accuracy": 0.0}
    with pytest.raises(RuntimeError, match="no result"):
        measure.parse("Epoch 1/1\n")


def test_a_recorded_run_is_not_missing(record):
    results = measure.load(HERE)
    runs = {"0": {"accuracy": 0.5}, "2": {"accuracy": 0.6}}
    results["variants"]["04"] = {"script": "x", "arguments": [], "runs": runs | {"1": {}}}
    results["variants"]["01"] = {"script": "x", "arguments": [], "runs": runs}
    measure.save(results)
    again = measure.load(HERE)
    assert again == results
    assert list(again["variants"]) == ["01", "04"]  # in the order of the variants
    assert measure.missing(again, ["04"]) == []
    assert measure.missing(again, ["01"]) == [("01", seed) for seed in (1, *range(3, 10))]
    assert not record.with_suffix(".tmp").exists()


def test_another_machine_is_refused(record):
    measure.save(measure.load(HERE))
    with pytest.raises(SystemExit, match="was recorded with cores 2, not 4"):
        measure.load(HERE | {"cores": 4})
    assert json.loads(record.read_text())["cores"] == 2


def test_the_stand_in_is_refused(monkeypatch):
    monkeypatch.setattr(
        measure, "call", lambda *_: ("test accuracy: 0.8\n", "Using a stand-in", 1.0, 1)
    )
    with pytest.raises(RuntimeError, match="there is no real MNIST"):
        measure.run(measure.VARIANTS["03"], 0)


def test_a_failed_run_says_why(tmp_path):
    command = [measure.sys.executable, "-c", "raise SystemExit('no luck')"]
    with pytest.raises(RuntimeError, match="exit code 1: no luck"):
        measure.call(command, tmp_path)


@pytest.mark.parametrize("windows", [False, True])
def test_a_run_is_timed_and_weighed_where_that_can_be_had(tmp_path, monkeypatch, windows):
    if windows:
        monkeypatch.delattr(measure.os, "wait4", raising=False)
    program = "import sys, time; time.sleep(0.2); print('out'); print('err', file=sys.stderr)"
    out, err, seconds, peak = measure.call([measure.sys.executable, "-c", program], tmp_path)
    assert (out.strip(), err.strip()) == ("out", "err")
    assert 0.2 <= seconds < 60
    assert peak > 1 if hasattr(measure.os, "wait4") else peak is None


def test_an_edit_is_made_where_its_text_stands_once(monkeypatch):
    def call(command, *_):
        text = measure.Path(command[1]).read_text(encoding="utf-8")
        return f"test accuracy: 0.{text.count('Dense(500)')}{text.count('Dense(50)')}\n", "", 1.0, 1

    monkeypatch.setattr(measure, "call", call)
    assert measure.run(measure.VARIANTS["03-neurons"], 0)["accuracy"] == 0.1
    twice = measure.dataclasses.replace(measure.VARIANTS["03"], edits=(("Dense(", "Dense("),))
    with pytest.raises(RuntimeError, match="once"):
        measure.run(twice, 0)

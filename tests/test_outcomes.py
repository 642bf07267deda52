"""Each script ends where the chapter's program ends: with the same weights, output and files.

It is run for real on few images, and the chapter's program (chapter.py) is trained with the same seed. What
few images cannot show is what the script hands to Keras at the real size, with flags of every size.
"""

import ast
import contextlib
import io
import re
import runpy
import signal
import sys
from math import ceil

import chapter
import keras
import matplotlib.pyplot as plt
import numpy as np
import programs
import pytest
from conftest import FEW, source
from keras.callbacks import History
from keras.models import load_model
from measure import SCRIPTS
from sklearn.datasets import load_iris

MENDS = "mend the script, or declare the difference in chapter.py (DIFFERENCES)"
ROOM = 1e-6  # for a weight: batches that are computed in one call may round differently
CASES = [("01", "--epochs 3 --batch-size 2 --seed 5"), ("01", "--epochs 1 --quiet")]
CASES += [("02", "--epochs 2 --batch-size 40 --seed 5")]
CASES += [("03", "--epochs 2 --batch-size 30 --seed 4")]
CASES += [("03-adagrad", "--optimizer adagrad --epochs 2 --batch-size 50 --steps-per-execution 2")]
CASES += [("04", "--epochs 2 --batch-size 50 --seed 3")]
CASES += [("05", "--epochs 2 --batch-size 50 --seed 7")]
# At the real size, with what each flag allows
REAL_SIZE = programs.loader(60_000, 10_000)
FLAGS = ["", "--epochs 1 --batch-size 1 --seed 4294967295"]
FLAGS += ["--epochs 1000 --batch-size 59999 --seed 31"]
SIZES = [(number, flags) for number in SCRIPTS for flags in FLAGS]
for name in "relu", "tanh":  # alone they are among the records
    SIZES += [(f"03-{name}", f"--activation {name} --optimizer adagrad {FLAGS[2]}")]


def chapter_s(name, flags, load_data):
    """Return the program of the chapter that a command stands for: its settings, its rows, its model."""
    found = re.findall(r"--(epochs|batch_size|seed) (\d+)", flags.replace("batch-", "batch_"))
    given = {key: int(value) for key, value in found}
    seed = given.pop("seed", 0)
    program = chapter.today(name)._replace(**given)
    if "adagrad" in flags:
        program = program._replace(optimizer="Adagrad")
    of_iris = seed if name[:2] in ("02", "05") else 0
    rows = programs.rows_of_chapter(program.data, of_iris, load_data)
    keras.utils.set_random_seed(seed)
    settings = {"epochs": program.epochs, "batch_size": program.batch_size}
    return settings, rows, chapter.build_today(program)


def same(arrays, others):
    return len(arrays) == len(others) > 0 and all(map(np.array_equal, arrays, others))


@pytest.fixture
def ended(few_images, monkeypatch, tmp_path):
    """Return a function that runs a script on few images to its end: its variables and its output."""

    def run(number, flags=""):
        monkeypatch.setattr(sys, "argv", [str(SCRIPTS[number]), *flags.split()])
        monkeypatch.chdir(tmp_path)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            variables = runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
        return variables, output.getvalue()

    return run


@pytest.mark.parametrize(("name", "flags"), CASES)
def test_a_script_ends_where_the_chapter_s_program_ends(ended, tmp_path, name, flags):
    found, output = ended(name[:2], flags)
    settings, (x_train, y_train, x_test, y_test), model = chapter_s(
        name, flags, programs.loader(*FEW)
    )
    history = model.fit(x_train, y_train, verbose=0, **settings)
    score = model.evaluate(x_test, y_test, verbose=0)
    pairs = zip(found["model"].get_weights(), model.get_weights(), strict=True)
    apart = max(np.abs(a - b).max() for a, b in pairs)
    assert apart < ROOM, f"{name}: other data, seed, network, optimizer, batches or epochs; {MENDS}"
    assert found["history"].history["loss"] == pytest.approx(history.history["loss"], abs=1e-5)
    if name == "01":
        assert f"Keras {keras.__version__}, backend {keras.backend.backend()}\n" in output
        assert ast.literal_eval(output.splitlines()[-1]) == pytest.approx(score, abs=1e-5)
    else:
        assert re.findall("test accuracy: (.*)", output) == [f"{score[1]:.4f}"]
    batches = ceil(len(x_train) / settings["batch_size"])
    shown = re.search(rf"(?<!\d){batches}/{batches}(?!\d)", output) is not None
    assert shown == ("--quiet" not in flags), f"{name} {flags}: the progress of its batches"
    files = {"my_model.keras", "learning_curve.png"} if name == "05" else set()
    assert {path.name for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize(("name", "flags"), SIZES)
def test_a_script_hands_over_the_chapter_s_program_at_every_size(name, flags):
    found = programs.handed_over(source(name[:2]), flags, REAL_SIZE)
    settings, (x_train, y_train, *test_rows), model = chapter_s(name, flags, REAL_SIZE)
    wanted = programs.describe(model, x_train, y_train, **settings)
    assert found.line == wanted, f"{name}: {programs.changes(wanted, found.line)}; {MENDS}"
    assert same(found.weights, model.get_weights()), f"{name} {flags}: not the start of this seed"
    changed = not same(found.weights, found.weights_in_the_end)  # by something else than fit
    assert not changed, f"{name} {flags} changes the weights after its training"
    rows = [found.evaluate.pop(one) for one in "xy"]
    assert same(rows, test_rows), f"{name} {flags}: evaluated on other rows than those kept apart"
    plain = programs.arguments(programs.EVALUATE, found.model)
    others = {key for key, value in found.evaluate.items() if value != plain[key]}
    assert others <= {"return_dict", "verbose"}, f"{name}: {others} may change what evaluate says"
    assert found.fit["verbose"] in ("auto", 1), f"{name} hides its progress"
    assert not found.model.run_eagerly, f"{name} computes step by step, which is slow"
    last = str(programs.SCORE) if name == "01" else f"test accuracy: {programs.SCORE[1]:.4f}"
    assert found.printed.splitlines().count(last) == 1, f"{name} {flags} does not print the result"
    assert found.steps_per_execution == 1, f"{name} {flags}: batches in one call"


def test_03_hands_over_its_further_options():
    flags = "--optimizer adam --activation relu --validation-split 0.1 --steps-per-execution 25"
    found = programs.handed_over(source("03"), flags, REAL_SIZE)
    optimizer = found.model.optimizer
    assert type(optimizer).__name__ == "Adam"
    assert programs.settings(optimizer) == "learning_rate=0.001, epsilon=1e-07"
    assert (found.steps_per_execution, found.fit["validation_split"]) == (25, 0.1)


def test_03_keeps_images_out_to_choose_settings_by(ended):
    found, output = ended("03", "--epochs 2 --batch-size 20 --validation-split 0.25")
    assert {*found["history"].history} == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert found["history"].params["steps"] == 3, "60 of 80 images to train with"
    assert "val_accuracy" in output


def test_05_saves_loads_and_predicts(ended, monkeypatch, tmp_path):
    (tmp_path / "my_model.keras").write_text("of an earlier run")
    found, output = ended("05", "--epochs 2 --batch-size 50")
    loaded = load_model(tmp_path / "my_model.keras")
    assert same(loaded.get_weights(), found["model"].get_weights())
    told = type(loaded.optimizer).__name__, programs.settings(loaded.optimizer)
    assert (told, len(loaded.trainable_weights)) == (("SGD", "learning_rate=0.01"), 4)
    # 112 flowers in batches of 50, twice
    assert "loaded, it predicts the same: True\nupdates in its optimizer: 6\n" in output
    names = load_iris().target_names
    guesses = names[loaded.predict(found["x_test"], verbose=0).argmax(axis=1)]
    pairs = list(zip(guesses, names[found["y_test"].argmax(axis=1)], strict=True))
    said = re.findall(r"predicted (\w+) +true (\w+)", output)
    assert said == pairs[:5], "the species of the first five flowers"
    assert output.endswith("\nwritten: my_model.keras, learning_curve.png\n")

    def load_wrongly(path):
        loaded = load_model(path)
        loaded.layers[-2].bias.assign_add([bias, 0, 0])
        loaded.optimizer.iterations.assign(7)
        return loaded

    monkeypatch.setattr(keras.models, "load_model", load_wrongly)
    for bias in 1e-5, 99:  # with the second one everything is setosa
        _, output = ended("05", "--epochs 1 --batch-size 112")
        assert "loaded, it predicts the same: False\nupdates in its optimizer: 7\n" in output
    assert re.findall(r"predicted (\w+)", output) == ["setosa"] * 5


@pytest.mark.parametrize("number", SCRIPTS)
def test_ctrl_c_ends_a_training_and_leaves_nothing(ended, monkeypatch, tmp_path, number):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # not as in a shell's background
    monkeypatch.setattr(History, "on_epoch_end", lambda *given: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        ended(number, "--batch-size 200")
    assert [path.name for path in tmp_path.iterdir()] == [], "left by an interrupted run"


@pytest.mark.parametrize(("epochs", "flag"), [(1, " --show"), (1000, "")])
def test_05_summary_and_learning_curve(ended, monkeypatch, tmp_path, epochs, flag):
    history, windows, curve = History(), [], tmp_path / "learning_curve.png"
    history.epoch = list(range(epochs))
    history.history = {name: np.random.rand(epochs).tolist() for name in ("accuracy", "loss")}
    monkeypatch.setattr(keras.Sequential, "fit", lambda *given, **more: history)
    monkeypatch.setattr(plt, "show", lambda: windows.append(curve.exists()))
    keras.layers.Dense(1)  # of the reader's: names begin anew all the same
    _, output = ended("05", f"--epochs {epochs}{flag}")
    assert windows == ([True] if flag else []), "a window with --show, once the file is written"
    assert re.search(r"Total params: 403\b", output)
    names = re.findall(r"(\w+) \((?:Dense|Activation)\)", output)
    assert names == ["dense", "activation", "dense_1", "activation_1"]
    (axis,) = plt.gcf().axes
    assert axis.get_autoscale_on(), "all of the curve is seen"
    for line, key in zip(axis.get_lines(), ["accuracy", "loss"], strict=True):
        # With dots, or the curve of one epoch could not be seen
        assert (line.get_label(), line.get_linestyle(), line.get_marker()) == (key, "-", ".")
        assert line.get_xydata().tolist() == [[*xy] for xy in enumerate(history.history[key], 1)]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["accuracy", "loss"]
    labels = axis.get_xlabel(), axis.get_ylabel()
    assert labels == ("epoch", "accuracy and loss on the training data")
    assert all(tick == int(tick) for tick in axis.get_xticks())
    again = io.BytesIO()
    plt.savefig(again)
    assert curve.read_bytes() == again.getvalue()

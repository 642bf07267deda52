"""Each script ends where the chapter's program ends: with the same weights, output and files.

It is run for real on few images, and the chapter's program (chapter.py) is trained with the same seed: if
both end with the same weights, then data, start, optimizer, batches, shuffling, dropout and epochs are the
chapter's, however they are written. What few images cannot show is what the script hands to Keras at the
real size, with flags of every size.
"""

import ast
import functools
import io
import re
import warnings
from math import ceil

import chapter
import keras
import matplotlib.pyplot as plt
import numpy as np
import programs
import pytest
from conftest import no_internet, run_here, source
from keras.models import load_model
from sklearn.datasets import load_iris

ROOM = 1e-6  # for a weight: batches that are computed in one call may round differently
CASES = [("01", ""), ("01", "--epochs 3 --batch-size 2 --seed 5 --quiet")]
CASES += [("02", "--epochs 3 --batch-size 16 --seed 5")]
CASES += [("03", "--epochs 3 --batch-size 64 --seed 4")]
CASES += [("03-adagrad", "--optimizer adagrad"), ("03-relu", "--activation relu")]
CASES += [("04", "--epochs 2 --batch-size 50 --seed 3")]
CASES += [("05", "--epochs 2 --seed 7")]
# At the real size, with what each flag allows
FLAGS = ["", "--epochs 2 --batch-size 16 --seed 4294967295", "--epochs 1 --batch-size 1 --seed 1"]
FLAGS += ["--epochs 1000 --batch-size 10000000000 --seed 31"]
FLAGS += ["--epochs 11 --batch-size 60001 --seed 12345"]
SIZES = [(number, flags) for number in ("01", "02", "05") for flags in FLAGS]
SIZES += [(number, flags) for number in ("03", "04") for flags in (FLAGS[0], FLAGS[2], FLAGS[3])]
SIZES += [("03-adagrad", f"--optimizer adagrad {FLAGS[3]}")]
SIZES += [("03-relu", f"--activation relu {FLAGS[3]}"), ("03-tanh", "--activation tanh")]
PROGRESS = r"(?<!\d){0}/{0}(?!\d)"


@pytest.fixture(scope="module")
def mnist():
    """Return noise of MNIST's size."""
    yield programs.noise(60_000, 10_000)
    real_rows.cache_clear()


@functools.lru_cache(maxsize=1)
def real_rows(script, seed):
    """Return the rows of the chapter's program for a script, of noise of MNIST's size."""
    return programs.rows_of_chapter(chapter.today(script), seed, programs.noise(60_000, 10_000))


def asked_for(name, flags):
    """Return the program of the chapter that a command stands for, and its seed."""
    given = {key: int(value) for key, value in re.findall(r"--(\S+) (\d+)", flags)}
    seed = given.pop("seed", 0)
    changes = {key.replace("-", "_"): value for key, value in given.items()}
    return chapter.today(name)._replace(**changes), seed


def same(arrays, others):
    return len(arrays) == len(others) > 0 and all(map(np.array_equal, arrays, others))


@pytest.fixture
def ended(few_images, monkeypatch, tmp_path):
    """Return a function that runs a script on few images: its variables and its output."""
    return lambda number, flags="": run_here(monkeypatch, number, flags, tmp_path)


@pytest.mark.parametrize(("name", "flags"), CASES)
def test_a_script_ends_where_the_chapter_s_program_ends(ended, tmp_path, name, flags):
    number = name[:2]
    found, output = ended(number, flags)
    program, seed = asked_for(name, flags)
    x_train, y_train, x_test, y_test = programs.rows_of_chapter(program, seed)
    keras.utils.set_random_seed(seed)
    model = chapter.build_today(program)
    settings = {"batch_size": program.batch_size, "epochs": program.epochs, "verbose": 0}
    history = model.fit(x_train, y_train, **settings)
    differs = [
        np.abs(a - b).max() for a, b in zip(found["model"].get_weights(), model.get_weights())
    ]
    mends = "mend the script, or declare the difference in chapter.py (DIFFERENCES)"
    assert max(differs) < ROOM, f"{number} {flags} does not end with the chapter's weights: {mends}"
    assert found["history"].history["loss"] == pytest.approx(history.history["loss"], abs=1e-5)
    score = model.evaluate(x_test, y_test, verbose=0)
    if number == "01":
        assert ast.literal_eval(output.splitlines()[-1]) == pytest.approx(score, abs=1e-5)
    else:
        assert re.findall("test accuracy: (.*)", output) == [f"{score[1]:.4f}"]
    batches = ceil(len(x_train) / program.batch_size)
    shown = bool(re.search(PROGRESS.format(batches), output))
    assert shown == ("--quiet" not in flags), f"{number} {flags}: the progress of its batches"
    files = {"my_model.keras", "learning_curve.png"} if number == "05" else set()
    assert {path.name for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize(("name", "flags"), SIZES)
def test_a_script_hands_over_the_chapter_s_program_at_every_size(mnist, name, flags):
    found = programs.handed_over(source(name[:2]), flags.split(), lambda path=None: mnist)
    program, seed = asked_for(name, flags)
    rows = real_rows(name[:2], 0 if name[:2] in ("03", "04") else seed)
    keras.utils.set_random_seed(seed)
    model = chapter.build_today(program)
    settings = {"batch_size": program.batch_size, "epochs": program.epochs}
    fit = programs.arguments(keras.Sequential.fit, model, *rows[:2], **settings)
    evaluate = programs.arguments(keras.Sequential.evaluate, model, *rows[2:])
    assert programs.describe(found.model, found.fit) == programs.describe(model, fit)
    assert same(found.weights, model.get_weights()), f"{name} {flags}: not the start of this seed"
    assert found.evaluate["self"] is found.model
    assert np.array_equal(found.evaluate["x"], rows[2]), f"{name} {flags}: other test data"
    assert np.array_equal(found.evaluate["y"], rows[3]), f"{name} {flags}: other test labels"
    for theirs, wanted in (found.fit, fit), (found.evaluate, evaluate):
        for key in wanted.keys() - {"self", "x", "y", "verbose"}:
            assert repr(theirs[key]) == repr(wanted[key]), f"{name} {flags}: {key}"
    assert found.fit["verbose"] != 0, f"{name} hides its progress"
    together = name[:2] == "03" and keras.backend.backend() != "torch"
    calls = ceil(60_000 / program.batch_size) if together else 1
    assert found.steps_per_execution == calls, f"{name} {flags}: batches in one call"


@pytest.mark.parametrize("number", ["03", "04"])
def test_a_script_takes_the_offline_digits_where_there_is_no_internet(monkeypatch, number):
    told = []
    monkeypatch.setattr(
        "offline_mnist.load_data", lambda error: told.append(error) or programs.SMALL
    )
    found = programs.handed_over(source(number), load_data=no_internet)
    assert [str(error) for error in told] == ["no internet"]
    wanted = programs.of_chapter(chapter.today(number))
    assert programs.describe(found.model, found.fit) == wanted


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch", "a later one"])
@pytest.mark.parametrize(("size", "calls"), [("319", 2), ("320", 1)])
def test_03_has_all_batches_in_one_call_but_on_pytorch(monkeypatch, size, calls, backend):
    monkeypatch.setattr(keras.config, "backend", lambda: backend.encode().decode())  # a new str
    found = programs.handed_over(source("03"), ["--batch-size", size])
    assert found.steps_per_execution == (1 if backend == "torch" else calls)


def last_progress(capsys):
    """Return what the progress says at its end, such as "4/4"."""
    shown = re.findall(r"(\d+)/(\d+)", capsys.readouterr().out)
    too_long = [pair for pair in shown if int(pair[0]) > int(pair[1])]
    assert too_long == [], "a bar that is too long"
    return "/".join(shown[-1])


def test_03_leaves_no_trace_of_it(ended, capsys):
    found, _ = ended("03", "--epochs 1")
    model, x_train, y_train = (found[name] for name in ("model", "x_train", "y_train"))
    rows = found["x_test"], found["y_test"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        model.predict(rows[0][:1])
        assert last_progress(capsys) == "1/1"
        model.evaluate(*rows)
        assert last_progress(capsys) == "4/4"  # 100 images in batches of 32
        for size, batches in (32, 10), (100, 4):
            before = int(model.optimizer.iterations)
            model.fit(x_train, y_train, batch_size=size)
            assert last_progress(capsys) == f"{batches}/{batches}"
            assert int(model.optimizer.iterations) == before + batches


def test_01_names_keras_and_its_backend(ended):
    _, output = ended("01")
    assert f"Keras {keras.__version__}, backend {keras.backend.backend()}\n" in output


def test_05_saves_loads_and_predicts(ended, tmp_path):
    flags = "--epochs 2 --batch-size 15 --seed 7"
    found, output = ended("05", flags)
    program, seed = asked_for("05", flags)
    _, _, x_test, y_test = programs.rows_of_chapter(program, seed)
    loaded = load_model(tmp_path / "my_model.keras")
    assert same(loaded.get_weights(), found["model"].get_weights())
    assert type(loaded.optimizer).__name__ == "SGD"
    updates = program.epochs * ceil(112 / program.batch_size)
    assert f"loaded, it predicts the same: True\nupdates in its optimizer: {updates}\n" in output
    names, guesses = load_iris().target_names, loaded.predict(x_test, verbose=0).argmax(axis=1)
    true = y_test.argmax(axis=1)
    wanted = [f"predicted {names[guesses[i]]:10}  true {names[true[i]]}" for i in range(5)]
    assert re.findall("predicted .*", output) == wanted
    assert output.endswith("\nwritten: my_model.keras, learning_curve.png\n")


def test_05_shows_what_the_loaded_network_says_even_if_it_differs(ended, monkeypatch):
    def load_wrongly(path):
        model = load_model(path)
        model.layers[-2].bias.assign([99, 0, 0])  # everything is setosa
        return model

    monkeypatch.setattr(keras.models, "load_model", load_wrongly)
    _, output = ended("05", "--epochs 1")
    assert "loaded, it predicts the same: False" in output
    assert re.findall(r"predicted (\w+)", output) == ["setosa"] * 5


@pytest.mark.parametrize("epochs", [1, 20, 1000])
def test_05_summary_and_learning_curve(ended, monkeypatch, tmp_path, epochs):
    history, windows = keras.callbacks.History(), []
    history.epoch = list(range(epochs))
    history.history = {name: np.random.rand(epochs).tolist() for name in ("accuracy", "loss")}
    monkeypatch.setattr(keras.Sequential, "fit", lambda *given, **more: history)
    monkeypatch.setattr(
        plt, "show", lambda: windows.append((tmp_path / "learning_curve.png").exists())
    )
    for flags in "", " --show":
        assert windows == []
        _, output = ended("05", f"--epochs {epochs}{flags}")
        assert re.search(r"Total params: 403\b", output)
        names = [name for name, _ in re.findall(r"(\w+) \((Dense|Activation)\)", output)]
        assert names == ["dense", "activation", "dense_1", "activation_1"], "in every run"
    assert windows == [True], "a window with --show, once the file is written"
    figure = plt.gcf()
    (axis,) = figure.axes
    for line, key in zip(axis.get_lines(), ["accuracy", "loss"], strict=True):
        assert line.get_label() == key
        assert list(line.get_xdata()) == [epoch + 1 for epoch in history.epoch]
        assert list(line.get_ydata()) == history.history[key]
        assert line.get_linestyle() == "-"
        assert line.get_marker() == "."  # or the curve of one epoch could not be seen
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["accuracy", "loss"]
    assert axis.get_xlabel() == "epoch"
    assert axis.get_ylabel() == "accuracy and loss on the training data"
    low, high = axis.get_xlim()
    ticks = [tick for tick in axis.get_xticks() if low <= tick <= high]
    assert all(tick == int(tick) for tick in ticks)
    assert min(ticks) > 0 or epochs > 100  # there is no epoch 0
    again = io.BytesIO()
    figure.savefig(again)
    assert plt.imread(tmp_path / "learning_curve.png").shape[:2] == (480, 640)
    assert (tmp_path / "learning_curve.png").read_bytes() == again.getvalue()

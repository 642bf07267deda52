"""Each tutorial runs as the reader runs it, is the chapter's network, and learns."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import SCRIPTS

DENSE_SIGMOID = [("Dense", "units", 50), ("Activation", "activation", "sigmoid")]
SOFTMAX = ("Activation", "activation", "softmax")
RELU = ("Activation", "activation", "relu")
IRIS = {
    "input_shape": [None, 4],
    "layers": [*DENSE_SIGMOID, ("Dense", "units", 3), SOFTMAX],
    "parameters": 403,
    "optimizer": ("SGD", {"learning_rate": 0.01, "momentum": 0.0}),
    "fit": {"epochs": 20, "batch_size": 1},
    "x": [112, 4],
}
CHAPTER = {
    "01": {
        "input_shape": [None, 3],
        "layers": [
            ("Dense", "units", 2),
            ("Activation", "activation", "sigmoid"),
            ("Dense", "units", 3),
            SOFTMAX,
        ],
        "parameters": 17,
        "optimizer": ("SGD", {"learning_rate": 0.01, "momentum": 0.0}),
        "fit": {"epochs": 10, "batch_size": 32},
        "x": [3, 3],
    },
    "02": IRIS,
    "03": {
        "input_shape": [None, 784],
        "layers": [
            *DENSE_SIGMOID,
            ("Dense", "units", 20),
            ("Activation", "activation", "sigmoid"),
            ("Dense", "units", 10),
            SOFTMAX,
        ],
        "parameters": 40_480,
        "optimizer": ("SGD", {"learning_rate": 0.01, "momentum": 0.0}),
        "fit": {"epochs": 10, "batch_size": 32},
        "x": [2000, 784],
    },
    "04": {
        "input_shape": [None, 28, 28, 1],
        "layers": [
            ("Conv2D", "filters", 32),
            RELU,
            ("Conv2D", "filters", 64),
            RELU,
            ("MaxPooling2D", "pool_size", [2, 2]),
            ("Dropout", "rate", 0.25),
            ("Flatten", "trainable", True),
            ("Dense", "units", 128),
            RELU,
            ("Dropout", "rate", 0.5),
            ("Dense", "units", 10),
            SOFTMAX,
        ],
        "parameters": 1_199_882,
        "optimizer": ("Adadelta", {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-8}),
        "fit": {"epochs": 10, "batch_size": 128},
        "x": [2000, 28, 28, 1],
    },
    "05": IRIS,
}


def assert_optimizer(record, name, config):
    """Compare the recorded optimizer; rates pass through float32."""
    assert record["optimizer"][0] == name
    for key, value in config.items():
        assert record["optimizer"][1][key] == pytest.approx(value, rel=1e-6), key


def test_every_tutorial_is_tested():
    assert sorted(SCRIPTS) == sorted(CHAPTER)


@pytest.mark.parametrize("number", CHAPTER)
def test_network_and_training_are_the_chapters(runs, number):
    expected = CHAPTER[number]
    record = runs(f"{number} alone").record
    layers = [
        (name, key, config[key])
        for (name, config), (_, key, _) in zip(record["layers"], expected["layers"], strict=True)
    ]
    assert layers == expected["layers"]
    assert record["input_shape"] == expected["input_shape"]
    assert record["parameters"] == expected["parameters"]
    assert_optimizer(record, *expected["optimizer"])
    assert record["loss"] == "categorical_crossentropy"
    assert set(record["history"]) == {"accuracy", "loss"}
    arguments = {key: record["arguments"][key] for key in ("epochs", "batch_size")}
    assert arguments == expected["fit"]
    assert record["x"]["shape"] == expected["x"]
    assert record["y"]["one_hot"]


def test_kernels_are_3_by_3(runs):
    layers = runs("04 alone").record["layers"]
    assert [config["kernel_size"] for name, config in layers if name == "Conv2D"] == [[3, 3]] * 2


@pytest.mark.parametrize("number", ["03", "04"])
def test_pixels_are_float32_from_0_to_1(runs, number):
    x = runs(f"{number} alone").record["x"]
    assert (x["dtype"], x["min"], x["max"]) == ("float32", 0.0, 1.0)


@pytest.mark.parametrize("number", CHAPTER)
def test_runs_alone_in_an_empty_folder(runs, number):
    run = runs(f"{number} alone")
    assert run.returncode == 0, run.stderr
    assert not run.record["offline"]
    made = {path.name for path in run.folder.iterdir()} - {SCRIPTS[number].name, "record.json"}
    assert made == ({"my_model.keras", "learning_curve.png"} if number == "05" else set())


@pytest.mark.parametrize(
    ("name", "epochs", "updates"),
    [
        ("01 alone", 1, 1),
        ("02 alone", 5, 5 * 112),
        ("04 alone", 1, 2),
        ("05 alone", 5, 5 * 112),
    ],
)
def test_limits_from_outside_take_effect(runs, name, epochs, updates):
    record = runs(name).record
    assert len(record["history"]["loss"]) == epochs
    assert record["updates"] == updates


@pytest.mark.parametrize("number", CHAPTER)
def test_runs_as_typed(runs, number):
    run = runs(number)
    assert run.returncode == 0, run.stderr
    epochs = {"01": 10, "02": 5, "03": 3, "04": 2, "05": 5}[number]
    assert [int(e) for e in re.findall(r"^Epoch (\d+)/", run.stdout, re.MULTILINE)] == [
        *range(1, epochs + 1)
    ]
    steps = {"01": 1, "02": 112, "03": 1875, "04": 63, "05": 112}[number]
    assert f"{steps}/{steps}" in run.stdout
    made = {path.name for path in run.folder.iterdir()}
    assert made == ({"私の モデル.keras", "学習 曲線.png"} if number == "05" else set())


def test_01_shows_versions_progress_and_result(runs):
    import keras

    loud, quiet = runs("01"), runs("01 quiet")
    first, *_, last = loud.stdout.splitlines()
    assert first.startswith(f"Keras {keras.__version__}, {keras.backend.backend()} ")
    assert re.fullmatch(r"\[\d\.\d+, [01]\.0\]", last)
    # The same seed, the same result; and --quiet hides just the progress.
    assert quiet.stdout.splitlines() == [first, last]


@pytest.mark.parametrize("number", CHAPTER)
def test_loss_falls(runs, number):
    if number in ("02", "05"):
        losses = runs(f"{number} alone").record["history"]["loss"]
    else:
        losses = [
            float(loss)
            for loss in re.findall(r"loss: ([\d.]+)\s*$", runs(number).stdout, re.MULTILINE)
        ]
    assert len(losses) > 1
    assert losses[-1] < losses[0]


def test_03_and_04_learn(runs):
    # Guessing reaches 0.1. Measured over four seeds, stand-in or real: 03 0.48 to 0.70, 04 0.80 to 0.88.
    assert runs("03").accuracy > 0.35
    assert runs("04").accuracy > 0.7


@pytest.mark.skipif("MNIST_NPZ" not in os.environ, reason="MNIST_NPZ is not set")
def test_03_learns_real_digits(runs):
    assert runs("03 real").accuracy > 0.55  # measured over four seeds: 0.66 to 0.70


def test_a_seed_repeats_a_run(runs):
    # 02 and 05 train the same network; only 02 runs several batches per call of the backend.
    once, again = runs("02 alone").record, runs("05 alone").record
    assert once["history"] == again["history"]
    assert runs("02").accuracy == runs("02 alone").accuracy


def test_steps_per_execution_fits_the_epoch(runs):
    import keras

    torch = keras.backend.backend() == "torch"
    assert runs("02 alone").record["steps_per_execution"] == (1 if torch else 56)
    assert runs("03 alone").record["steps_per_execution"] == (1 if torch else 63)


def test_03_exercises(runs):
    record = runs("03 adagrad").record
    rates = {"learning_rate": 0.01, "initial_accumulator_value": 0.0, "epsilon": 1e-8}
    assert_optimizer(record, "Adagrad", rates)
    activations = [
        config["activation"] for name, config in record["layers"] if name == "Activation"
    ]
    assert activations == ["tanh", "tanh", "softmax"]


def test_04_mixed_precision_spares_the_softmax(runs):
    record = runs("04 mixed").record
    assert set(record["compute_dtypes"][:-1]) == {"bfloat16"}
    assert record["compute_dtypes"][-1] == "float32"
    assert set(runs("04 alone").record["compute_dtypes"]) == {"float32"}


def test_05_shows_what_it_saved(runs):
    run = runs("05")
    summary, rest = run.stdout.split("Epoch 1/5")
    assert re.search(r"Total params: 403\b", summary)
    assert "the loaded model predicts exactly the same: True" in rest
    assert "its optimizer: sgd after 560 updates" in rest
    assert (
        len(re.findall(r"^predicted (?:setosa|versicolor|virginica) +true ", rest, re.MULTILINE))
        == 5
    )
    assert "learning curve: ?? ??.png" in rest  # the console of this run knows only ASCII
    assert (run.folder / "学習 曲線.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(("name", "file"), [("05", "私の モデル.keras"), ("05 h5", "a.h5")])
def test_05_model_file_reloads(runs, name, file):
    import keras

    run = runs(name)
    assert run.returncode == 0, run.stderr
    model = keras.models.load_model(run.folder / file)
    assert type(model.optimizer).__name__ == "SGD"
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    assert int(model.optimizer.iterations) == 112 * (5 if name == "05" else 1)
    assert model.count_params() == 403
    assert "the loaded model predicts exactly the same: True" in run.stdout
    shown = re.findall(r"^predicted (\w+)", run.stdout, re.MULTILINE)
    assert shown == predicted_names(model)


def predicted_names(model):
    """Return the species that `model` predicts for the first five test flowers of seed 0."""
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    iris = load_iris()
    _, x_test, _, _ = train_test_split(iris.data, iris.target, random_state=0)
    return list(iris.target_names[np.argmax(model.predict(x_test[:5], verbose=0), axis=1)])


BAD_INPUT = [
    (number, flag, value, f"argument {flag}: {value!r} is not a whole number from {low} to")
    for number in CHAPTER
    for flag, value, low in [
        ("--epochs", "0", 1),
        ("--epochs", "-3", 1),
        ("--epochs", "ten", 1),
        ("--batch-size", "0", 1),
        ("--batch-size", "-1", 1),
        ("--batch-size", "1.5", 1),
        ("--seed", "-1", 0),
        ("--seed", "4294967296", 0),
    ]
]
BAD_INPUT += [(number, "--epoch5", "1", "unrecognized arguments: --epoch5") for number in CHAPTER]
BAD_INPUT += [
    ("03", "--optimizer", "adam", "invalid choice: 'adam' (choose from"),
    ("03", "--activation", "swish", "invalid choice: 'swish' (choose from"),
    ("05", "--model-file", "model.txt", "model.txt must end in .keras or .h5"),
    ("05", "--model-file", "model", "model must end in .keras or .h5"),
    ("05", "--figure", "curve.xyz", "curve.xyz must end in .png or .jpg or .pdf or .svg"),
    ("05", "--figure", "curve", "curve must end in .png or"),
    ("05", "--model-file", "nowhere/a.keras", "No such file or directory"),
    ("05", "--figure", "nowhere/a.png", "No such file or directory"),
    ("05", "--model-file", "/proc/a.keras", f"cannot write {Path('/proc/a.keras')}"),
    ("05", "--figure", "/proc/a.png", f"cannot write {Path('/proc/a.png')}"),
]


@pytest.fixture
def start(call, tmp_path):
    """Return a function that runs a tutorial in an empty folder, to end before it imports Keras.

    The import would fail: there is no backend of this name.
    """
    return lambda number, *flags: call(SCRIPTS[number], flags, tmp_path, KERAS_BACKEND="none")


@pytest.mark.parametrize(("number", "flag", "value", "message"), BAD_INPUT)
def test_bad_input_is_answered_in_one_line(start, tmp_path, number, flag, value, message):
    run = start(number, f"{flag}={value}")
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert message in run.stderr
    assert not list(tmp_path.iterdir())


def test_05_does_not_overwrite_a_folder(start, tmp_path):
    (tmp_path / "a.keras").mkdir()
    run = start("05", "--model-file", "a.keras")
    assert (run.returncode, len(run.stderr.splitlines())) == (2, 1)
    assert "cannot write a.keras" in run.stderr


def test_05_figure_endings_are_matplotlibs():
    from matplotlib.backend_bases import FigureCanvasBase

    listed = re.search(
        r"^pictures = (.*)$", SCRIPTS["05"].read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert set(re.findall(r"\.(\w+)", listed)) <= set(FigureCanvasBase.filetypes)


@pytest.mark.parametrize("number", CHAPTER)
def test_help_shows_the_docstring_and_the_defaults(start, number):
    run = start(number, "--help")
    assert run.returncode == 0
    docstring = SCRIPTS[number].read_text(encoding="utf-8").split('"""')[1]
    assert run.stdout.startswith(docstring)
    for key, value in CHAPTER[number]["fit"].items():
        flag = "--" + key.replace("_", "-")
        assert re.search(rf"{flag} \S+\s+default: {value}\n", run.stdout), flag
    assert re.search(r"--seed SEED +default: 0\n", run.stdout)
    if number == "05":
        assert "default: my_model.keras" in run.stdout
        assert "default: learning_curve.png" in run.stdout

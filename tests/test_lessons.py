"""Each tutorial does what the chapter's program does: every array, weight, setting and printed result.

chapter.py states what the chapter wants; the tests hold every call of a script against it, at MNIST's
real size and with every flag.
"""

import collections
import itertools
import re
import sys

import chapter
import conftest
import keras
import numpy as np
import pytest
from conftest import SCORE, digest, lesson
from measure import SCRIPTS
from sklearn.datasets import load_iris

DOWNLOAD = "setdefaulttimeout load_data set_random_seed compile fit evaluate"
IRIS = "train_test_split set_random_seed compile"
CALLS = {"01": "set_random_seed compile fit evaluate", "02": f"{IRIS} fit evaluate"}
CALLS |= {"03": DOWNLOAD, "04": DOWNLOAD}
CALLS["05"] = f"{IRIS} summary fit evaluate save load_model predict predict savefig"
PARAMETERS = {"01": 17, "02": 403, "03": 40_480, "04": 1_199_882, "05": 403}
HUGE = 10**10
# Flags that all scripts have, with what they set in the chapter's program
COMMON = [
    {},
    {"epochs": 2, "batch_size": 16, "seed": 4294967295},
    {"epochs": 1, "batch_size": 1, "seed": 1},
    {"epochs": 1000, "batch_size": HUGE, "seed": 31},
    {"epochs": 11, "batch_size": 60_001, "seed": 12345},
]
Case = collections.namedtuple("Case", "number flags program seed")


def make_case(name, common, more=""):
    """Return a command, with common flags and those of its script alone, and what it stands for."""
    flags = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in common.items())
    settings = {key: value for key, value in common.items() if key != "seed"}
    program = chapter.PROGRAMS[name]._replace(**settings)
    return Case(name[:2], f"{flags} {more}".split(), program, common.get("seed", 0))


CASES = [make_case(number, common) for number in SCRIPTS for common in COMMON]
CASES += [make_case("03-adagrad", COMMON[1], "--optimizer adagrad")]
CASES += [make_case("03-adagrad", {}, "--optimizer adagrad --activation sigmoid")]
CASES += [make_case("03-relu", COMMON[3], "--activation relu")]
CASES += [make_case("03-tanh", {}, "--activation tanh --optimizer sgd")]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join([case[0], *case[1]]))


def layers(model):
    """Return the classes and settings of the layers, whatever their names."""
    return [(type(layer), layer.get_config() | {"name": ""}) for layer in model.layers]


def same(weights, others):
    return len(weights) == len(others) > 0 and all(map(np.array_equal, weights, others))


def data(case):
    """Return digests of the chapter's x_train, y_train, x_test and y_test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.datasets.mnist, "load_data", conftest.mnist)
        x_train, y_train, x_test, y_test = case.program.data(case.seed)
    return [digest(array) for array in (x_train, y_train * 1.0, x_test, y_test * 1.0)]


@every_case
def test_steps_of_the_lesson(case):
    made = lesson(case.number, *case.flags)
    assert " ".join(call.name for call in made.calls) == CALLS[case.number]
    assert made.one("set_random_seed").given == {"seed": case.seed}
    models = [made.one(name).given["self"] for name in ("compile", "fit", "evaluate")]
    assert models == [made.variables["model"]] * 3
    if CALLS[case.number] == DOWNLOAD:
        assert list(made.one("setdefaulttimeout").given.values()) == [10]
        assert made.one("load_data").given == {}
    files = {"my_model.keras", "learning_curve.png"} if case.number == "05" else set()
    assert made.files == files


@every_case
def test_data_and_settings_of_training_and_evaluation(case):
    made = lesson(case.number, *case.flags)
    fit, evaluate = (dict(made.one(name).given) for name in ("fit", "evaluate"))
    assert [given.pop(name) for given in (fit, evaluate) for name in "xy"] == data(case)
    del fit["self"], evaluate["self"]
    assert fit.pop("verbose", 1) == 1
    # Nothing else, so it shuffles, as Keras does by default
    assert fit == {"batch_size": case.program.batch_size, "epochs": case.program.epochs}
    assert evaluate == {"verbose": 0}


@pytest.mark.parametrize("number", ["03", "04"])
def test_data_without_internet(number):
    offline, online = lesson(number, "--seed", "3", online=False), lesson(number)
    _, loaded = (call for call in offline.calls if call.name == "load_data")
    assert str(loaded.given["error"]) == "no internet"
    for name, array in itertools.product(["fit", "evaluate"], "xy"):
        assert offline.one(name).given[array] == online.one(name).given[array]


@every_case
def test_network_with_its_initial_weights_and_optimizer(case):
    made = lesson(case.number, *case.flags)
    keras.utils.set_random_seed(case.seed)
    model, wanted = made.variables["model"], chapter.build(case.program)
    assert layers(model) == layers(wanted)
    assert model.input_shape == wanted.input_shape
    assert wanted.count_params() == PARAMETERS[case.number]
    assert same(made.one("fit").weights, wanted.get_weights())
    given = dict(made.one("compile").given)
    del given["self"], given["optimizer"]
    wanted = {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    assert given == wanted
    optimizer = model.optimizer
    assert type(optimizer).__name__ == case.program.optimizer
    wanted = type(optimizer)(**chapter.OPTIMIZERS[case.program.optimizer]).get_config()
    assert optimizer.get_config() == wanted | {"name": optimizer.name}


@every_case
def test_evaluation_is_of_the_trained_weights_and_printed(case):
    made = lesson(case.number, *case.flags)
    history = made.one("fit").result
    assert same(made.one("evaluate").weights, history.trained)
    if case.number == "01":
        assert made.lines[-1] == str(SCORE)
    else:
        assert [line for line in made.lines if "test accuracy" in line] == ["test accuracy: 0.8765"]
    if case.number in ("02", "03", "04"):
        assert len(made.lines) == 1
    if case.number in ("03", "05"):
        assert made.variables["history"] is history


def test_01_names_keras_its_quiet_and_the_show_of_05_do_what_they_say():
    made, quiet = lesson("01"), lesson("01", "--quiet")
    assert made.lines[0] == f"Keras {keras.__version__}, backend {keras.backend.backend()}"
    assert quiet.one("fit").given["verbose"] == 0
    assert quiet.lines == made.lines
    assert [call.name for call in lesson("05", "--show").calls][-2:] == ["savefig", "show"]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch", "xyz"])  # a later one
@pytest.mark.parametrize(("size", "calls"), [("59999", 2), ("60000", 1)])
def test_03_has_all_batches_in_one_call_but_on_pytorch(monkeypatch, size, calls, backend):
    monkeypatch.setattr(keras.config, "backend", lambda: backend.encode().decode())  # a new str
    monkeypatch.setattr(keras.datasets.mnist, "load_data", conftest.mnist)
    monkeypatch.setattr(
        keras.Sequential, "fit", lambda model, *x, **y: sys.exit(model.steps_per_execution)
    )
    given = conftest.end_of(monkeypatch, "03", "--batch-size", size)
    assert given == (1 if backend == "torch" else calls)


@pytest.fixture(params=COMMON, ids=str)
def tips(request):
    """Return the lesson 05, with common flags."""
    return lesson("05", *make_case("05", request.param).flags)


def test_05_saves_the_trained_network_and_predicts_with_the_loaded_one(tips):
    model, loaded = tips.variables["model"], tips.one("load_model").result
    assert tips.one("save").given == {"self": model, "filepath": "my_model.keras"}
    assert tips.one("load_model").given == {"filepath": "my_model.keras"}
    assert same(loaded.get_weights(), tips.one("evaluate").weights)
    assert "updates in its optimizer: 7" in tips.lines
    predictions = [call for call in tips.calls if call.name == "predict"]
    assert [call.given["self"] for call in predictions] == [loaded, model] != [model, model]
    for call in predictions:
        assert call.given["x"] == tips.one("evaluate").given["x"]
        assert call.given["verbose"] == 0
    assert np.array_equal(*[call.result for call in predictions])
    assert "loaded, it predicts the same: True" in tips.lines


def test_05_shows_predicted_and_true_species(tips):
    names, seed = load_iris().target_names, tips.one("set_random_seed").given["seed"]
    predicted = next(call for call in tips.calls if call.name == "predict").result.argmax(axis=1)
    true = chapter.iris_rows(seed)[3].argmax(axis=1)
    shown = [line.split() for line in tips.lines if line.startswith("predicted ")]
    assert len(set(predicted[:5])) > 1
    assert shown == [["predicted", names[predicted[i]], "true", names[true[i]]] for i in range(5)]


def test_05_shows_what_the_loaded_network_says_even_if_it_differs(monkeypatch):
    real = keras.models.load_model

    def load_wrongly(path):
        model = real(path)
        model.layers[-2].bias.assign([99, 0, 0])  # everything is setosa
        return model

    monkeypatch.setattr(keras.models, "load_model", load_wrongly)
    made = lesson.__wrapped__("05", "--seed", "7")
    assert "loaded, it predicts the same: False" in made.lines
    _, trained = (call.result for call in made.calls if call.name == "predict")
    shown = [line.split()[1] for line in made.lines if line.startswith("predicted ")]
    assert shown == ["setosa"] * 5 != list(load_iris().target_names[trained[:5].argmax(axis=1)])


def test_05_shows_the_summary_with_the_same_names_in_every_run(tips):
    assert tips.one("summary").given == {"self": tips.variables["model"]}
    output = "\n".join(tips.lines)
    assert re.search(r"Total params: 403\b", output)
    names = re.findall(r"(\w+) \((Dense|Activation)\)", output)
    assert [name for name, _ in names] == ["dense", "activation", "dense_1", "activation_1"]


def test_05_learning_curve(tips):
    history, figure = tips.one("fit").result, tips.one("savefig").given["self"]
    (axis,) = figure.axes
    accuracy, loss = axis.get_lines()
    for line, key in (accuracy, "accuracy"), (loss, "loss"):
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
    assert min(ticks) > 0 or len(history.epoch) > 100  # there is no epoch 0
    assert tips.one("savefig").given == {"self": figure, "fname": "learning_curve.png"}
    assert figure.get_size_inches().tolist() == [6.4, 4.8]  # 640 x 480 pixels


# The flags, all of which are looked at before Keras is imported
COUNTS = ["--epochs", "--batch-size"]
REFUSED = [(flag, value) for flag in COUNTS for value in ("0", "-3", "ten", "1.5", "")]
REFUSED += [("--seed", value) for value in ("-1", "4294967296", "9999999999", "ten", "")]
REFUSED = [(number, *case) for number in SCRIPTS for case in [*REFUSED, ("--epoch5", "1")]]
REFUSED += [("03", "--optimizer", "adam"), ("03", "--activation", "swish")]
REFUSED += [("01", "--quiet", "yes"), ("05", "--show", "1"), ("02", "--optimizer", "sgd")]
ACCEPTED = [(flag, value) for flag in COUNTS for value in ("1", f"{HUGE}")]
ACCEPTED += [("--seed", "0"), ("--seed", "4294967295")]
ACCEPTED = [(number, *case) for number in SCRIPTS for case in ACCEPTED]


@pytest.mark.parametrize(("number", "flag", "value"), REFUSED)
def test_wrong_flags_get_usage_and_one_line(monkeypatch, capsys, number, flag, value):
    monkeypatch.setitem(sys.modules, "keras", None)
    assert conftest.end_of(monkeypatch, number, f"{flag}={value}") == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    *usage, error = stderr.splitlines()
    assert usage[0].startswith(f"usage: {SCRIPTS[number].name} ")
    assert all(line.startswith(("usage: ", " ")) for line in usage)
    assert error.startswith(f"{SCRIPTS[number].name}: error: ")
    assert flag in error
    if value in ("0", "-1", "-3", "4294967296"):
        assert re.findall(r"\d+", error)[-3:] == ["1", "0", "4294967295"]  # the limits


@pytest.mark.parametrize(("number", "flag", "value"), ACCEPTED)
def test_right_flags_are_accepted(monkeypatch, capsys, number, flag, value):
    monkeypatch.setitem(sys.modules, "keras", None)
    assert conftest.end_of(monkeypatch, number, flag, value) == "imports Keras"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", SCRIPTS)
def test_help_shows_the_docstring_and_every_default(number, tmp_path):
    run = conftest.call(SCRIPTS[number], ["--help"], tmp_path, KERAS_BACKEND="none", COLUMNS="100")
    assert (run.returncode, run.stderr) == (0, "")
    assert SCRIPTS[number].read_text(encoding="utf-8").split('"""')[1].strip() in run.stdout
    program = chapter.PROGRAMS[number]
    shown = {"--epochs": program.epochs, "--batch-size": program.batch_size, "--seed": 0}
    words = " ".join(run.stdout.split())
    for flag, default in shown.items():
        assert re.search(rf"{flag} \w+ \w[\w ]+ \(default: {default}\)", words)
    own = {"01": ["--quiet"], "03": ["--optimizer", "--activation"], "05": ["--show"]}
    flags = set(re.findall(r"^  (--[\w-]+)", run.stdout, re.MULTILINE))
    assert flags == {*shown, *own.get(number, [])}
    if number == "03":
        assert re.search(r"--optimizer \S+ [\w ]+ \(default: sgd\)", words)
        assert re.search(r"--activation \S+ [\w ]+ \(default: sigmoid\)", words)

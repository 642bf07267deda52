"""Each tutorial does what the chapter's program does: every array, weight, setting and printed result.

chapter.py states what the chapter wants; the tests hold every call of a script against it, at MNIST's
real size and with every flag.
"""

import collections
import re
import runpy
import sys

import chapter
import conftest
import keras
import numpy as np
import pytest
from conftest import SCORE, SCRIPTS, digest, lesson
from sklearn.datasets import load_iris

DOWNLOAD = "set_random_seed setdefaulttimeout load_data compile fit evaluate"
IRIS = "set_random_seed train_test_split compile"
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
# A command, and the program and the seed of the chapter that it stands for
Case = collections.namedtuple("Case", "number flags program seed")


def make_case(name, common, more=""):
    """Return the case of a program of the chapter, with common flags, and those of its script alone."""
    flags = [
        word for key, value in common.items() for word in (f"--{key.replace('_', '-')}", f"{value}")
    ]
    settings = {key: value for key, value in common.items() if key != "seed"}
    program = chapter.PROGRAMS[name]._replace(**settings)
    return Case(name[:2], (*flags, *more.split()), program, common.get("seed", 0))


CASES = [make_case(number, common) for number in SCRIPTS for common in COMMON]
CASES += [make_case("03-adagrad", COMMON[1], "--optimizer adagrad")]
CASES += [make_case("03-adagrad", {}, "--optimizer adagrad --activation sigmoid")]
CASES += [make_case("03-relu", COMMON[3], "--activation relu")]
CASES += [make_case("03-tanh", {}, "--activation tanh --optimizer sgd")]
IDS = [" ".join([case.number, *case.flags]) for case in CASES]
every_case = pytest.mark.parametrize("case", CASES, ids=IDS)
every_script = pytest.mark.parametrize("number", SCRIPTS)


def reference(case):
    """Return the chapter's network, with the weights that the seed gives."""
    keras.utils.set_random_seed(case.seed)
    return chapter.build(case.program)


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
def test_data(case):
    fit, evaluate = (
        lesson(case.number, *case.flags).one(name).given for name in ("fit", "evaluate")
    )
    assert [fit["x"], fit["y"], evaluate["x"], evaluate["y"]] == data(case)


@pytest.mark.parametrize("number", ["03", "04"])
def test_data_without_internet(number):
    offline, online = lesson(number, "--seed", "3", online=False), lesson(number)
    _, loaded = (call for call in offline.calls if call.name == "load_data")
    assert str(loaded.given["error"]) == "no internet"
    for name in "fit", "evaluate":
        for array in "x", "y":
            assert offline.one(name).given[array] == online.one(name).given[array]


@every_case
def test_network_and_initial_weights(case):
    made, wanted = lesson(case.number, *case.flags), reference(case)
    model = made.variables["model"]
    configs = [[layer.get_config() for layer in network.layers] for network in (model, wanted)]
    for config in configs[0] + configs[1]:
        del config["name"]
    assert configs[0] == configs[1]
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in wanted.layers]
    assert model.input_shape == wanted.input_shape
    assert wanted.count_params() == PARAMETERS[case.number]
    assert same(made.one("fit").weights, wanted.get_weights())


@every_case
def test_compile(case):
    made = lesson(case.number, *case.flags)
    given = dict(made.one("compile").given)
    del given["self"], given["optimizer"]
    wanted = {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    if case.number == "03":
        batches = -(-60_000 // case.program.batch_size)
        wanted["steps_per_execution"] = 1 if keras.backend.backend() == "torch" else batches
    assert given == wanted
    optimizer = made.variables["model"].optimizer
    assert type(optimizer).__name__ == case.program.optimizer
    wanted = type(optimizer)(**chapter.OPTIMIZERS[case.program.optimizer]).get_config()
    assert optimizer.get_config() == wanted | {"name": optimizer.name}


@every_case
def test_fit(case):
    given = dict(lesson(case.number, *case.flags).one("fit").given)
    for name in "self", "x", "y":
        del given[name]
    assert given.pop("verbose", 1) == 1
    # Nothing else, so it shuffles, as Keras does by default
    assert given == {"batch_size": case.program.batch_size, "epochs": case.program.epochs}


@every_case
def test_evaluation_is_of_the_trained_weights_and_printed(case):
    made = lesson(case.number, *case.flags)
    fit, evaluate = made.one("fit"), made.one("evaluate")
    assert {name: evaluate.given[name] for name in evaluate.given.keys() - {"self", "x", "y"}} == {
        "verbose": 0
    }
    assert same(evaluate.weights, fit.result.trained)
    if case.number == "01":
        assert made.lines[-1] == str(SCORE)
    else:
        assert [line for line in made.lines if "test accuracy" in line] == ["test accuracy: 0.8765"]
    if case.number in ("02", "03", "04"):
        assert len(made.lines) == 1
    if case.number in ("03", "05"):
        assert made.variables["history"] is fit.result


def test_01_names_keras_and_its_backend():
    line = f"Keras {keras.__version__}, backend {keras.backend.backend()}"
    assert lesson("01").lines[0] == line


def test_01_quiet_hides_the_progress_and_nothing_else():
    quiet = lesson("01", "--quiet")
    assert quiet.one("fit").given["verbose"] == 0
    assert quiet.lines == lesson("01").lines


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize(("size", "calls"), [("59999", 2), ("60000", 1)])
def test_03_has_all_batches_in_one_call_but_on_pytorch(monkeypatch, size, calls, backend):
    compiled = []
    monkeypatch.setattr(keras.config, "backend", lambda: backend.encode().decode())  # a new str
    monkeypatch.setattr(keras.Sequential, "compile", lambda model, **given: compiled.append(given))
    monkeypatch.setattr(keras.Sequential, "fit", lambda *given, **more: sys.exit())
    monkeypatch.setattr(keras.datasets.mnist, "load_data", conftest.mnist)
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS["03"]), "--batch-size", size])
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPTS["03"]), run_name="__main__")
    assert compiled[0]["steps_per_execution"] == (1 if backend == "torch" else calls)


# What 05 adds


@pytest.fixture(params=COMMON, ids=str)
def tips(request):
    """Return the lesson 05, with common flags."""
    return lesson("05", *make_case("05", request.param).flags)


def test_05_saves_and_loads_the_trained_network(tips):
    save, load = tips.one("save"), tips.one("load_model")
    model, loaded = tips.variables["model"], load.result
    assert save.given == {"self": model, "filepath": "my_model.keras"}
    assert load.given == {"filepath": "my_model.keras"}
    assert loaded is not model
    assert same(loaded.get_weights(), tips.one("evaluate").weights)
    assert "updates in its optimizer: 7" in tips.lines


def test_05_predicts_with_the_loaded_network(tips):
    model, loaded = tips.variables["model"], tips.one("load_model").result
    predictions = [call for call in tips.calls if call.name == "predict"]
    assert [call.given["self"] for call in predictions] == [loaded, model]
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
    summary, model = tips.one("summary"), tips.variables["model"]
    assert summary.given == {"self": model}
    assert re.search(r"Total params: 403\b", tips.output)
    names = re.findall(r"(\w+) \((Dense|Activation)\)", tips.output)
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
    assert ticks
    assert all(tick == int(tick) for tick in ticks)
    assert min(ticks) > 0 or len(history.epoch) > 100  # there is no epoch 0
    assert tips.one("savefig").given == {"self": figure, "fname": "learning_curve.png"}
    assert figure.get_size_inches().tolist() == [6.4, 4.8]  # 640 x 480 pixels


def test_05_shows_the_curve_only_when_asked():
    shown = lesson("05", "--show")
    assert [call.name for call in shown.calls][-2:] == ["savefig", "show"]


def test_05_names_the_file_that_it_cannot_write(monkeypatch, tmp_path):
    (tmp_path / "my_model.keras").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keras.Sequential, "fit", conftest.train)
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS["05"])])
    with pytest.raises(OSError, match=r"my_model\.keras"):
        runpy.run_path(str(SCRIPTS["05"]), run_name="__main__")


# The command line: everything here ends before Keras is imported


@pytest.fixture
def start(monkeypatch, capsys):
    """Return a function that runs a script up to the import of Keras: (exit code, stdout, stderr).

    The exit code is "imports Keras" where the flags were good.
    """

    def run(number, *flags):
        monkeypatch.setitem(sys.modules, "keras", None)
        monkeypatch.setattr(sys, "argv", [str(SCRIPTS[number]), *flags])
        try:
            runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
        except (SystemExit, ModuleNotFoundError) as end:
            return getattr(end, "code", "imports Keras"), *capsys.readouterr()

    return run


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
def test_wrong_flags_get_usage_and_one_line(start, number, flag, value):
    code, stdout, stderr = start(number, f"{flag}={value}")
    assert (code, stdout) == (2, "")
    *usage, error = stderr.splitlines()
    assert usage[0].startswith(f"usage: {SCRIPTS[number].name} ")
    assert all(line.startswith(("usage: ", " ")) for line in usage)
    assert error.startswith(f"{SCRIPTS[number].name}: error: ")
    assert flag in error
    if value in ("0", "-1", "-3", "4294967296"):
        assert re.findall(r"\d+", error)[-3:] == ["1", "0", "4294967295"]  # the limits


@pytest.mark.parametrize(("number", "flag", "value"), ACCEPTED)
def test_right_flags_are_accepted(start, number, flag, value):
    assert start(number, flag, value) == ("imports Keras", "", "")


@every_script
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
        assert "--optimizer adagrad (default: sgd)" in words
        assert "--activation relu or tanh (default: sigmoid)" in words

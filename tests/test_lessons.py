"""What each tutorial does is what the chapter's program does: every array, weight and setting.

`CHAPTER` states for each script what the chapter wants, from the sources: the chapter's own rows,
scikit-learn's iris, MNIST's arrays. The tests compare it with every call that the script makes.
"""

import dataclasses
import inspect
import re
import runpy
import sys
from collections.abc import Callable

import conftest
import keras
import numpy as np
import pytest
from conftest import SCRIPTS, lesson
from keras import layers
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split


@dataclasses.dataclass
class Program:
    """What the chapter fixes in a program, and the flags that change it."""

    data: Callable  # seed => x_train, y_train, x_test, y_test
    network: Callable  # () => layers, with all that the chapter and Keras 2.0.6 fix in them
    optimizer: str  # the name of its class
    rates: dict  # its settings, in numbers
    epochs: int
    batch_size: int
    calls: str  # what the script calls, in this order
    one_call_per_epoch: bool = False
    parameters: int = 0


def dense(units):
    """Return a Dense layer as Keras 2.0.6 made it by default."""
    return layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")


def conv(filters):
    """Return a convolution of 3 x 3 pixels as Keras 2.0.6 made it by default."""
    start = {"kernel_initializer": "glorot_uniform", "bias_initializer": "zeros"}
    return layers.Conv2D(filters, (3, 3), strides=(1, 1), padding="valid", **start)


def activation(name):
    return layers.Activation(name)


def dummy_rows(seed):
    x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
    return x_train, np.eye(3)[[2, 1, 0]], np.array([[0.1, 0.3, 0.5]]), np.eye(3)[[2]]


def iris_rows(seed):
    iris = load_iris()
    x_train, x_test, y_train, y_test = train_test_split(
        iris.data, iris.target, test_size=38, shuffle=True, stratify=None, random_state=seed
    )
    return x_train, np.eye(3)[y_train], x_test, np.eye(3)[y_test]


def mnist_rows(*shape):
    """Return the function that scales MNIST's pixels to 0 to 1 in this shape."""

    def rows(seed):
        (x_train, y_train), (x_test, y_test) = conftest.small_mnist()
        x_train, x_test = (np.float32(x).reshape(-1, *shape) / 255 for x in (x_train, x_test))
        return x_train, np.eye(10)[y_train], x_test, np.eye(10)[y_test]

    return rows


def iris_network():
    return [layers.Input((4,)), dense(50), activation("sigmoid"), dense(3), activation("softmax")]


def perceptron(hidden="sigmoid"):
    return [
        *(layers.Input((784,)), dense(50), activation(hidden), dense(20), activation(hidden)),
        *(dense(10), activation("softmax")),
    ]


def cnn():
    return [
        *(layers.Input((28, 28, 1)), conv(32), activation("relu"), conv(64), activation("relu")),
        *(layers.MaxPooling2D((2, 2), strides=(2, 2), padding="valid"), layers.Dropout(0.25)),
        *(layers.Flatten(), dense(128), activation("relu"), layers.Dropout(0.5)),
        *(dense(10), activation("softmax")),
    ]


SGD = {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False, "weight_decay": None}
ADADELTA = {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-8, "weight_decay": None}
# Keras 2.0.6 had 1e-8 outside of the root, where today's epsilon stands inside: its square.
ADAGRAD = {"learning_rate": 0.01, "initial_accumulator_value": 0.0, "epsilon": 1e-16}
PLOTTED = (
    "set_random_seed train_test_split compile summary fit evaluate save load_model predict predict"
)
CHAPTER = {
    "01": Program(
        dummy_rows,
        lambda: [
            layers.Input((3,)),
            dense(2),
            activation("sigmoid"),
            dense(3),
            activation("softmax"),
        ],
        *("SGD", SGD, 10, 32, "set_random_seed compile fit evaluate"),
        parameters=17,
    ),
    "02": Program(
        *(iris_rows, iris_network, "SGD", SGD, 20, 1),
        "set_random_seed train_test_split compile fit evaluate",
        one_call_per_epoch=True,
        parameters=403,
    ),
    "03": Program(
        *(mnist_rows(784), perceptron, "SGD", SGD, 10, 32),
        "set_random_seed compile fit evaluate",
        one_call_per_epoch=True,
        parameters=40_480,
    ),
    "04": Program(
        *(mnist_rows(28, 28, 1), cnn, "Adadelta", ADADELTA, 10, 128),
        "set_random_seed compile fit evaluate",
        parameters=1_199_882,
    ),
    "05": Program(
        *(iris_rows, iris_network, "SGD", SGD, 20, 1),
        PLOTTED + " savefig",
        parameters=403,
    ),
}
FLAGS = ("--epochs", "2", "--batch-size", "16", "--seed", "4294967295")
ONE_UPDATE = ("--epochs", "1", "--batch-size", "2147483647")
# id, script, flags, what differs from the script's defaults, and the seed
CASES = [(number, (), program, 0) for number, program in CHAPTER.items()]
CASES += [
    (number, FLAGS, dataclasses.replace(program, epochs=2, batch_size=16), 4294967295)
    for number, program in CHAPTER.items()
    if number != "03"
]
CASES += [
    (
        "03",
        (*ONE_UPDATE, "--optimizer", "adagrad", "--activation", "relu"),
        dataclasses.replace(
            CHAPTER["03"],
            network=lambda: perceptron("relu"),
            optimizer="Adagrad",
            rates=ADAGRAD,
            epochs=1,
            batch_size=2147483647,
        ),
        0,
    ),
    (
        "03",
        (*FLAGS, "--optimizer", "sgd", "--activation", "tanh"),
        dataclasses.replace(
            CHAPTER["03"], network=lambda: perceptron("tanh"), epochs=2, batch_size=16
        ),
        4294967295,
    ),
]
every_case = pytest.mark.parametrize(
    ("number", "flags", "program", "seed"),
    CASES,
    ids=[" ".join([number, *flags]) for number, flags, _, _ in CASES],
)
every_script = pytest.mark.parametrize("number", CHAPTER)


def same(array, expected):
    """Say whether two arrays are equal in type, shape and every element."""
    return array.dtype == expected.dtype and np.array_equal(array, expected)


def reference(program, seed):
    """Return the chapter's network, built anew with the weights that this seed gives."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    return keras.Sequential(program.network())


def test_every_tutorial_is_tested():
    assert sorted(SCRIPTS) == sorted(CHAPTER)


@every_case
def test_steps_of_the_lesson(number, flags, program, seed):
    made = lesson(number, *flags)
    assert [call.name for call in made.calls] == program.calls.split()
    assert made.one("set_random_seed").given == {"seed": seed}
    models = {
        id(call.given["self"]) for call in made.calls if call.name in ("compile", "fit", "evaluate")
    }
    assert models == {id(made.variables["model"])}


@every_case
def test_data(number, flags, program, seed):
    made = lesson(number, *flags)
    x_train, y_train, x_test, y_test = program.data(seed)
    fit, evaluate = made.one("fit").given, made.one("evaluate").given
    assert same(fit["x"], x_train)
    assert np.array_equal(fit["y"], y_train)
    assert same(evaluate["x"], x_test)
    assert np.array_equal(evaluate["y"], y_test)


@pytest.mark.parametrize("number", ["03", "04"])
def test_data_without_internet(number):
    offline = lesson(number, *ONE_UPDATE, online=False)
    assert str(offline.one("load_data").given["error"]) == "no internet"
    for name in "fit", "evaluate":
        one, other = (made.one(name).given for made in (offline, lesson(number)))
        assert same(one["x"], other["x"])
        assert same(one["y"], other["y"])


@every_case
def test_network(number, flags, program, seed):
    model, wanted = lesson(number, *flags).variables["model"], reference(program, seed)
    configs = [[layer.get_config() for layer in network.layers] for network in (model, wanted)]
    assert configs[0] == configs[1]
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in wanted.layers]
    assert model.input_shape == wanted.input_shape
    assert wanted.count_params() == program.parameters


@every_case
def test_initial_weights(number, flags, program, seed):
    made, wanted = lesson(number, *flags).one("fit").before, reference(program, seed).get_weights()
    assert len(made) == len(wanted) > 0
    assert all(same(one, other) for one, other in zip(made, wanted, strict=True))


@every_case
def test_compile(number, flags, program, seed):
    made = lesson(number, *flags)
    given = dict(made.one("compile").given)
    del given["self"], given["optimizer"]
    wanted = {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    if program.one_call_per_epoch:
        batches = -(-len(program.data(seed)[0]) // program.batch_size)
        wanted["steps_per_execution"] = 1 if keras.backend.backend() == "torch" else batches
    assert given == wanted
    optimizer = made.variables["model"].optimizer
    assert type(optimizer).__name__ == program.optimizer
    wanted = type(optimizer)(**program.rates).get_config()
    wanted["name"] = optimizer.name
    assert optimizer.get_config() == wanted


@every_case
def test_fit(number, flags, program, seed):
    made = lesson(number, *flags)
    given = {key: value for key, value in made.one("fit").given.items() if key not in "self x y"}
    assert given.pop("verbose", 1) == 1
    assert given == {"batch_size": program.batch_size, "epochs": program.epochs}  # so it shuffles
    batches = -(-len(program.data(seed)[0]) // program.batch_size)
    # Keras counts the epochs where there is more than one.
    epochs = min(program.epochs, conftest.EPOCHS)
    *_, last = made.output.split(f"Epoch {epochs}/{epochs}")
    assert f"{batches}/{batches}" in last  # the progress bar ends where it should


@every_case
def test_evaluation_is_what_is_printed(number, flags, program, seed):
    made = lesson(number, *flags)
    evaluate = made.one("evaluate")
    assert {key: evaluate.given[key] for key in evaluate.given.keys() - {"self", "x", "y"}} == {
        "verbose": 0
    }
    if number == "01":
        assert made.lines[-1] == str(evaluate.result)
    else:
        assert f"test accuracy: {evaluate.result[1]:.4f}" in made.lines
        assert made.output.count("test accuracy") == 1
    if number in ("02", "03", "04"):
        assert made.lines[-1].startswith("test accuracy: ")


@every_case
def test_evaluation_is_of_the_trained_weights(number, flags, program, seed):
    made = lesson(number, *flags)
    fit, evaluate = made.one("fit"), made.one("evaluate")
    assert all(map(same, fit.after, evaluate.before))
    assert not any(map(np.array_equal, fit.before, fit.after))  # each layer has learned


@every_case
def test_files(number, flags, program, seed):
    wanted = {"my_model.keras", "learning_curve.png"} if number == "05" else set()
    assert lesson(number, *flags).files == wanted


def test_keras_shuffles_by_default():
    assert inspect.signature(keras.Sequential.fit).parameters["shuffle"].default is True


def test_01_names_keras_and_its_backend():
    line = f"Keras {keras.__version__}, backend {keras.backend.backend()}"
    assert lesson("01").lines[0] == line


def test_01_quiet_hides_the_progress_and_nothing_else():
    quiet = lesson("01", "--quiet")
    assert quiet.lines == [lesson("01").lines[0], lesson("01").lines[-1]]
    assert quiet.one("fit").given["verbose"] == 0
    assert "verbose" not in lesson("02").one("fit").given


@pytest.mark.parametrize("number", ["03"])
def test_history_is_kept(number):
    made = lesson(number)
    assert made.variables["history"] is made.one("fit").result


@pytest.mark.parametrize("number", ["02"])
def test_one_call_per_epoch_changes_no_result(number):
    # 05 trains the network of 02, one batch per call.
    assert lesson("02").one("fit").result.history == lesson("05").one("fit").result.history


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize(
    ("number", "size", "batches"),
    [("02", "111", 2), ("02", "112", 1), ("03", "39", 2), ("03", "40", 1)],
)
def test_all_batches_in_one_call_but_on_pytorch(monkeypatch, number, size, batches, backend):
    class Stop(BaseException):
        pass

    def stop(model, **given):
        raise Stop(given["steps_per_execution"])

    monkeypatch.setattr(keras.Sequential, "compile", stop)
    monkeypatch.setattr(keras.config, "backend", lambda: backend.encode().decode())  # a new str
    monkeypatch.setattr(keras.datasets.mnist, "load_data", conftest.small_mnist)
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS[number]), "--batch-size", size])
    with pytest.raises(Stop) as end:
        runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
    assert end.value.args == (1 if backend == "torch" else batches,)


# What 05 adds, with its own flags


@pytest.fixture(params=[(), FLAGS, ONE_UPDATE], ids=" ".join)
def tips(request):
    """Return the lesson 05, with the flags of the parameter."""
    return lesson("05", *request.param)


def test_05_saves_and_loads_the_trained_network(tips):
    save, load = tips.one("save"), tips.one("load_model")
    model, loaded = tips.variables["model"], load.result
    assert save.given == {"self": model, "filepath": "my_model.keras"}
    assert load.given == {"filepath": "my_model.keras"}
    assert loaded is not model
    assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))
    updates = int(model.optimizer.iterations)
    assert updates == len(tips.one("fit").result.epoch) * -(
        -112 // tips.one("fit").given["batch_size"]
    )
    assert f"updates in its optimizer: {updates}" in tips.lines


def test_05_predicts_with_the_loaded_network(tips):
    model, loaded = tips.variables["model"], tips.one("load_model").result
    predictions = [call for call in tips.calls if call.name == "predict"]
    assert [call.given["self"] for call in predictions] == [loaded, model]
    for call in predictions:
        assert same(call.given["x"], tips.one("evaluate").given["x"])
        assert call.given["verbose"] == 0
    assert np.array_equal(*[call.result for call in predictions])
    assert "loaded, it predicts the same: True" in tips.lines
    names = load_iris().target_names
    predicted = names[predictions[0].result.argmax(axis=1)]
    true = names[tips.one("evaluate").given["y"].argmax(axis=1)]
    shown = [line.split() for line in tips.lines if line.startswith("predicted ")]
    wanted = [["predicted", predicted[i], "true", true[i]] for i in range(5)]
    assert shown == wanted


def test_05_shows_what_the_loaded_network_says_even_if_it_differs(monkeypatch):
    real, names = keras.models.load_model, load_iris().target_names

    def load_wrongly(path):
        model = real(path)
        model.layers[-2].bias.assign([0, 99, 0])  # everything is versicolor
        return model

    monkeypatch.setattr(keras.models, "load_model", load_wrongly)
    made = lesson.__wrapped__("05", *ONE_UPDATE)
    assert "loaded, it predicts the same: False" in made.lines
    _, trained = (call.result for call in made.calls if call.name == "predict")
    shown = [line.split()[1] for line in made.lines if line.startswith("predicted ")]
    assert shown == ["versicolor"] * 5 != list(names[trained[:5].argmax(axis=1)])


def test_05_shows_the_summary_before_training(tips):
    before, after = tips.output.split("loss:", maxsplit=1)
    assert re.search(r"Total params: 403\b", before)
    assert "Total params" not in after
    for name in "dense", "dense_1":
        assert re.search(rf"\b{name} \(Dense\)", before)
    assert tips.one("summary").given == {"self": tips.variables["model"]}


def test_05_learning_curve(tips):
    history = tips.one("fit").result.history
    (axis,) = tips.figure.axes
    accuracy, loss = axis.get_lines()
    epochs = list(range(1, len(history["loss"]) + 1))
    for line, key in (accuracy, "accuracy"), (loss, "loss"):
        assert line.get_label() == key
        assert list(line.get_xdata()) == epochs
        assert list(line.get_ydata()) == history[key]
        assert line.get_linestyle() == "-"
        assert line.get_marker() == "."  # or the curve of one epoch could not be seen
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["accuracy", "loss"]
    assert axis.get_xlabel() == "epoch"
    assert axis.get_ylabel() == "accuracy and loss on the training data"
    low, high = axis.get_xlim()
    ticks = [tick for tick in axis.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == int(tick) >= 1 for tick in ticks)
    assert tips.one("savefig").given == {"self": tips.figure, "fname": "learning_curve.png"}
    assert tips.figure.get_size_inches().tolist() == [6.4, 4.8]  # 640 x 480 pixels


def test_05_shows_the_curve_only_when_asked():
    shown = lesson("05", *ONE_UPDATE, "--show")
    assert [call.name for call in shown.calls][-2:] == ["savefig", "show"]
    assert "show" not in [call.name for call in lesson("05", *ONE_UPDATE).calls]


def test_05_names_the_file_that_it_cannot_write(monkeypatch, tmp_path):
    (tmp_path / "my_model.keras").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS["05"]), *ONE_UPDATE])
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
            with pytest.raises(SystemExit) as end:
                runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
            code = end.value.code
        except ModuleNotFoundError:
            code = "imports Keras"
        return code, *capsys.readouterr()

    return run


REFUSED = [
    *[
        (flag, value)
        for flag in ("--epochs", "--batch-size")
        for value in ("0", "-3", "2147483648", "9999999999")
    ],
    *[("--seed", value) for value in ("-1", "4294967296", "9999999999")],
    *[
        (flag, value)
        for flag in ("--epochs", "--batch-size", "--seed")
        for value in ("ten", "1.5", "")
    ],
    ("--epoch5", "1"),
]
REFUSED = [(number, *case) for number in CHAPTER for case in REFUSED]
REFUSED += [
    ("03", "--optimizer", "adam"),
    ("03", "--activation", "swish"),
    ("01", "--quiet", "yes"),
]
REFUSED += [
    ("04", "--mixed-precision", "1"),
    ("05", "--model-file", "a.keras"),
    ("05", "--show", "1"),
]


@pytest.mark.parametrize(("number", "flag", "value"), REFUSED)
def test_wrong_flags_get_usage_and_one_line(start, number, flag, value):
    code, stdout, stderr = start(number, f"{flag}={value}")
    assert (code, stdout) == (2, "")
    *usage, error = stderr.splitlines()
    assert usage[0].startswith(f"usage: {SCRIPTS[number].name} ")
    assert all(line.startswith(("usage: ", " ")) for line in usage)
    assert error.startswith(f"{SCRIPTS[number].name}: error: ")
    assert flag in error


ACCEPTED = [("--epochs", "1"), ("--epochs", "2147483647"), ("--batch-size", "1")]
ACCEPTED += [("--batch-size", "2147483647"), ("--seed", "0"), ("--seed", "4294967295")]
ACCEPTED = [(number, *case) for number in CHAPTER for case in ACCEPTED]
ACCEPTED += [("03", "--optimizer", name) for name in ("sgd", "adagrad")]
ACCEPTED += [("03", "--activation", name) for name in ("sigmoid", "relu", "tanh")]


@pytest.mark.parametrize(("number", "flag", "value"), ACCEPTED)
def test_right_flags_are_accepted(start, number, flag, value):
    assert start(number, flag, value) == ("imports Keras", "", "")


@every_script
def test_error_names_the_limits(start, number):
    *_, error = start(number, "--epochs", "0")[2].splitlines()
    assert re.findall(r"\d+", error)[-4:] == ["1", "2147483647", "0", "4294967295"]


@every_script
def test_help_shows_the_docstring_the_flags_and_their_defaults(number, tmp_path):
    run = conftest.call(SCRIPTS[number], ["--help"], tmp_path, KERAS_BACKEND="none", COLUMNS="100")
    assert (run.returncode, run.stderr) == (0, "")
    text = SCRIPTS[number].read_text(encoding="utf-8")
    assert text.split('"""')[1].strip() in run.stdout
    listed = re.split(r"^  (?=--)", run.stdout, flags=re.MULTILINE)[1:]
    helps = dict(re.fullmatch(r"(?s)(--[\w-]+).*?\s{2,}(\S.*)", text).groups() for text in listed)
    helps = {flag: " ".join(words.split()) for flag, words in helps.items()}
    program = CHAPTER[number]
    defaults = {"--epochs": program.epochs, "--batch-size": program.batch_size, "--seed": 0}
    defaults |= {"03": {"--optimizer": "sgd", "--activation": "sigmoid"}}.get(number, {})
    for flag, default in defaults.items():
        assert re.fullmatch(rf"\w.{{8,}} \(default: {default}\)", helps.pop(flag)), flag
    assert set(helps) == {"01": {"--quiet"}, "05": {"--show"}}.get(number, set())
    assert all(len(words) > 8 for words in helps.values())

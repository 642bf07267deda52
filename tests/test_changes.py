"""Each row of "What changed since the book": its test runs what the chapter has, and asks the English page.

The Japanese page has the same facts in each row: see test_pages.py.
"""

import contextlib
import io
import re
import sys
import traceback
import warnings

import chapter
import keras
import numpy as np
import programs
import pytest
from conftest import FOLDER, call, source
from measure import SCRIPTS, TUTORIALS

# Written instead in the reader's own code, while a script does it in another way or need not
ELSEWHERE = ['Dense(50, name="dense_1")', "epochs=10", "set_random_seed(0)", "random_state=0"]
ELSEWHERE += ['history.history["accuracy"]', "from keras.layers import Dense", "Input(shape=(4,))"]
ELSEWHERE += ["{score[1]:.4f}"]
ROW = r'(?m)^\| <a id="no-(\d+)"></a>\1 \|(.*) \|$'
# {number of a row: its other cells}
ROWS = re.findall(ROW, (TUTORIALS / "changes.md").read_text(encoding="utf-8"))
ROWS = {int(number): re.sub("<!--.*?-->", "", text).split(" |") for number, text in ROWS}
# 33 flowers, so that an epoch has two batches of 32: inputs (33, 4) and one-hot labels (33, 3)
FLOWERS = np.random.default_rng(0).random((33, 4)), np.eye(3)[np.arange(33) % 3]
ON_LINUX = keras.backend.backend() == "tensorflow" and sys.platform == "linux"
NO_TENSORFLOW = "No module named 'tensorflow'"
# 17 and 18 are what test_outcomes.py holds of 03 and of the curve of 05, 23 is about web pages
TESTED = {17, 18, 23}
SAVE_AND_LOAD = """
model.save("model.h5")
loaded = keras.models.load_model("model.h5")
assert np.array_equal(*[one.predict(FLOWERS[0], verbose=0) for one in (model, loaded)])
"""
SAVE_TWICE = """
model = chapter.build(chapter.IRIS)
model.fit(*FLOWERS, verbose=0)
for name in "first.keras", "second.h5", "third.keras":
    model.save(name)
assert type(keras.models.load_model("first.keras").optimizer).__name__ == "SGD"
print(type(keras.models.load_model("third.keras").optimizer).__name__)
"""
DAMAGED = """
(FOLDER / "datasets").mkdir(exist_ok=True)
(FOLDER / "datasets" / "damaged.npz").write_bytes(b"damaged")
keras.datasets.mnist.load_data("damaged.npz")
"""
SUMMARIES = """
lines = []
chapter.build(chapter.IRIS).summary(print_fn=lines.append)
model.summary(print_fn=lines.append)
assert "===" not in "".join(lines)
print(*re.findall("Total params: (.*) ", "".join(lines)))
"""
CODE_IN_A_FILE = """
keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)]).save("model.keras")
keras.models.load_model("model.keras")
"""
# Row, what runs after a training with the chapter's iris network, and what it says, as the page does
CASES = [
    (1, 'print(programs.settings(keras.optimizers.get("Adadelta")))', ["0.001"]),
    (2, 'print(len(history.epoch), "epoch")', ["1 epoch"]),
    (3, 'print(programs.settings(keras.optimizers.get("Adagrad")))', ["0.001", "0.1"]),
    (4, "model.summary()", ["dense", "activation", "dense_1", "activation_1"]),
    (5, "import keras.layers.core", ["No module named 'keras.layers.core'"]),
    (6, 'history.history["acc"]', ["KeyError: 'acc'"]),
    (7, "keras.layers.Dense(50, input_dim=4)", ["Do not pass an input_shape"]),
    (7, "next(chapter.CNN.network())", ["Do not pass an input_shape"]),
    (8, SAVE_AND_LOAD, ["This file format is considered legacy", "Compiled the loaded model, but"]),
    (9, "model.fit(*(rows[:3] for rows in FLOWERS))", ["1/1", "accuracy", "loss"]),
    (11, "print(float(np.float32(36 / 38)))", ["0.9473684430122375"]),
    (14, DAMAGED, ["URL fetch failure on https://"]),
    (19, SUMMARIES, ["403", "405"]),
    (20, SAVE_TWICE, ["Skipping variable loading for optimizer 'rm_sprop'", "RMSprop"]),
]


def row(number):
    """Return the mark of the test of a row."""
    TESTED.add(number)
    return pytest.mark.row(number)


def cases(*of_rows):
    """Return the cases of a test, each marked with the row that it begins with."""
    return [pytest.param(*case, marks=row(case[0]), id=f"row {case[0]}") for case in of_rows]


def assert_said(number, said, *facts):
    """Check that Keras has `said` these facts, in this order, and that the row of the page has them."""
    assert number in ROWS, f"there is no row {number} any more; what its test shows is to go, too"
    shown = " ".join(ROWS[number]).replace("`", "")
    missing = [fact for fact in facts if fact not in shown]
    assert missing == [], f"row {number} does not say {missing}"
    order = ".*".join(map(re.escape, facts))
    assert re.search(f"(?s){order}", said.replace("`", "")), f"Keras does not say {facts}: {said}"


def test_rows_and_scripts_lead_to_each_other():
    named, commented = set(), set()
    numbers = list(range(1, len(ROWS) + 1))
    assert list(ROWS) == numbers, "number the rows, `# Book n:` and @row(n) anew"
    assert TESTED == set(ROWS), "rows without a test marked @row(n), or tests without a row"
    silent = [number for number in ROWS if "**silent**" in ROWS[number][1]]
    assert silent == list(range(1, len(silent) + 1)) != [], "silent rows come first"
    for script in SCRIPTS:
        comments = re.sub(r'(?s)""".*?"""', "", source(script))
        numbers = re.findall(r"# *Book(?: (\d+): \S)?", comments)  # "" for one without
        commented |= {(script, number) for number in numbers}
    for number, cells in ROWS.items():
        codes = [code for code in re.findall("`(.*?)`", cells[2]) if code not in ELSEWHERE]
        for script in re.findall(r"\b0\d\b", cells[-1]):
            named.add((script, str(number)))
            text = "".join(source(script).split())
            for code in codes:
                begin = "".join(code.replace("...", "").rstrip(")").split())
                assert begin in text, f"{script} has no {code}, as row {number} says"
    declared = {(script, str(one.row)) for script, one in chapter.DIFFERENCES.items()}
    assert declared - commented == set(), "DIFFERENCES without their comment `# Book n:`"
    assert commented - named == set(), "`# Book n:` without a row that names it"
    assert named - commented == set(), "named in a row without its `# Book n:`"


@pytest.fixture(scope="module")
def trained():
    """Return what code can use: the chapter's iris network and its History, trained once, and the rest."""
    keras.backend.clear_session()  # as in row 22; the names of layers begin anew
    model = chapter.build(chapter.IRIS)
    tools = {"keras": keras, "np": np, "re": re, "chapter": chapter, "programs": programs}
    history = model.fit(*FLOWERS, verbose=0)
    return tools | {"model": model, "history": history, "FLOWERS": FLOWERS, "FOLDER": FOLDER}


@pytest.fixture
def said(trained, caplog, monkeypatch, tmp_path_factory):
    """Return a function that runs code, and returns what was printed, logged, warned of and raised."""

    def run(code):
        monkeypatch.chdir(tmp_path_factory.getbasetemp())
        with (
            contextlib.redirect_stdout(io.StringIO()) as printed,
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("always")
            try:
                exec(code, dict(trained))
            except AssertionError:  # of the code itself
                raise
            except Exception:
                print(traceback.format_exc())
        return "\n".join([caplog.text, *(str(one.message) for one in warned), printed.getvalue()])

    return run


@pytest.mark.parametrize(("number", "code", "facts"), cases(*CASES))
def test_what_the_chapter_has_says_this_today(said, number, code, facts):
    assert_said(number, said(code), *facts)


@pytest.mark.typed("01")
@pytest.mark.parametrize(
    ("number", "gone", "facts"),
    cases(
        (10, "Using TensorFlow backend", []),
        (21, "SSE4.1", ["oneDNN", "cpu_feature_guard"] if ON_LINUX else []),
        (22, "Exception ignored", []),
    ),
)
def test_what_01_prints(typed, number, gone, facts):
    printed = typed[1].stdout + typed[1].stderr
    assert not re.search(gone, printed), f"row {number}: {gone}"
    assert_said(number, printed, *facts)


@pytest.mark.parametrize(
    ("number", "name", "text", "message"),
    cases(
        # Python looks in this folder first, and what it finds there says that there is none
        (12, "tensorflow.py", f"raise ImportError({NO_TENSORFLOW!r})", NO_TENSORFLOW),
        (13, "keras.json", '{"backend": "theano"}', "Unable to import backend : theano"),
    ),
)
def test_import_without_a_backend(tmp_path, number, name, text, message):
    (tmp_path / name).write_text(text)
    environment = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    ended = call("-c", ["import keras"], tmp_path, **environment)
    assert_said(number, ended.stderr.splitlines()[-1], message)


@row(13)
def test_channels_first_in_the_settings_of_2017(request):
    request.addfinalizer(lambda: keras.config.set_image_data_format("channels_last"))
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
        programs.handed_over(source("04"))
    assert_said(13, "channels_first", "channels_first")


def test_what_is_said_of_files_beside_the_rows(said):
    assert "disallowed by default" in said(CODE_IN_A_FILE)
    if keras.backend.backend() == "tensorflow":
        assert "Unknown variable" in said(f"{SAVE_AND_LOAD}loaded.fit(*FLOWERS)")


@row(15)
@row(16)
def test_a_seed_repeats_a_run():
    losses = []
    for seed in 1, 1, 2:
        keras.utils.set_random_seed(seed)
        history = chapter.build(chapter.IRIS).fit(*FLOWERS, epochs=2, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1] != losses[2]

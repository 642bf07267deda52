"""Each row of "What changed since the book": its test runs what the chapter has, and asks both pages."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import chapter
import keras
import numpy as np
import pages
import programs
import pytest
from conftest import ENVIRONMENT, call, source
from keras.models import load_model
from measure import SCRIPTS, TUTORIALS

SILENT = {"en": "**silent**", "ja": "**警告なし**"}
# Written instead in the reader's own code, while a script does it in another way or need not
ELSEWHERE = ['Dense(50, name="dense_1")', "epochs=10", "set_random_seed(0)", "random_state=0"]
ELSEWHERE += ['history.history["accuracy"]', "from keras.layers import Dense", "Input(shape=(4,))"]
ROW = r'(?m)^\| <a id="no-(\d+)"></a>\1 \|(.*) \|$'
TABLES = {}  # {language: {number of a row: its other cells}}
for language, page in ("en", "changes.md"), ("ja", "changes.ja.md"):
    found = re.findall(ROW, (TUTORIALS / page).read_text(encoding="utf-8"))
    TABLES[language] = {int(number): cells.split(" |") for number, cells in found}
# 33 flowers, so that an epoch has two batches of 32: inputs (33, 4) and one-hot labels (33, 3)
FLOWERS = np.random.default_rng(0).random((33, 4)), np.eye(3)[np.arange(33) % 3]
NAMES = ["dense", "activation", "dense_1", "activation_1"]
AVERAGE = "0.9473684430122375"  # of 38 flowers, 36 of them right
NO_CORE = "No module named 'keras.layers.core'"
NO_TENSORFLOW = "No module named 'tensorflow'"
ON_LINUX = keras.backend.backend() == "tensorflow" and sys.platform == "linux"
# 17 and 18 are what test_outcomes.py holds of 03 and of the curve of 05, 23 is about web pages
TESTED = {17, 18, 23}


def row(number):
    """Return the mark of the test of a row."""
    TESTED.add(number)
    return pytest.mark.row(number)


def rows(*cases):
    """Return the cases of a test, each marked with the row that it begins with."""
    return [pytest.param(*case, marks=row(case[0]), id=f"row {case[0]}") for case in cases]


def assert_shown(number, *facts, **said):
    """Check that both pages have these facts in what they say of today, and Keras in what it `said`."""
    without = [language for language, table in TABLES.items() if number not in table]
    assert without == [], f"there is no row {number} any more; what its test shows is to go, too"
    texts = {language: table[number][1] for language, table in TABLES.items()} | said
    for name, text in texts.items():
        missing = [fact for fact in facts if fact not in re.sub("`|<!--.*?-->", "", text)]
        assert missing == [], f"row {number} ({name}) does not say {missing}"


@pytest.mark.parametrize("language", TABLES)
def test_rows_and_scripts_lead_to_each_other(language):
    table, named, commented = TABLES[language], set(), set()
    numbers = list(range(1, len(table) + 1))
    assert list(table) == numbers, f"number the rows ({language}), `# Book n:` and @row(n) anew"
    assert TESTED == set(table), f"rows ({language}) without a test marked @row(n), or tests alone"
    silent = [number for number in table if SILENT[language] in table[number][1]]
    assert silent == list(range(1, len(silent) + 1)) != [], f"silent rows come first ({language})"
    for script in SCRIPTS:
        comments = re.sub(r'(?s)""".*?"""', "", source(script))
        numbers = re.findall(r"# *Book(?: (\d+): \S)?", comments)  # "" for one without
        commented |= {(script, number) for number in numbers}
    for number, cells in table.items():
        codes = [code for code in re.findall("`(.*?)`", cells[2]) if code not in ELSEWHERE]
        for script in re.findall(r"\b0\d\b", cells[-1]):
            named.add((script, str(number)))
            text = "".join(source(script).split())
            for code in codes:
                begin = "".join(code.replace("...", "").rstrip(")").split())
                assert begin in text, f"{script} has no {code}, as row {number} ({language}) says"
    declared = {(script, str(one.row)) for script, one in chapter.DIFFERENCES.items()}
    assert declared - commented == set(), "DIFFERENCES without their comment `# Book n:`"
    assert commented - named == set(), f"`# Book n:` without a row that names it ({language})"
    assert named - commented == set(), f"named in a row ({language}) without its `# Book n:`"


@pytest.fixture(scope="module")
def trained():
    """Return the History of the chapter's iris network, trained once, and what it was summarized as."""
    keras.backend.clear_session()  # as in row 22; the names of layers begin anew
    model = chapter.build(chapter.IRIS)
    printed = []
    model.summary(print_fn=printed.append)
    history = model.fit(*FLOWERS, verbose=0)
    model.summary(print_fn=printed.append)
    return history, "".join(printed)


@pytest.mark.parametrize(
    ("number", "look", "today", "facts"),
    rows(
        (2, lambda history, _: int(history.model.optimizer.iterations), 2, ["1", "Keras 2.1.0"]),
        (4, lambda history, _: [layer.name for layer in history.model.layers], NAMES, NAMES),
        (5, lambda *_: find_spec("keras.layers.core"), None, [NO_CORE]),
        (6, lambda history, _: {*history.history}, {"accuracy", "loss"}, ["KeyError: 'acc'"]),
        (11, lambda *_: str(float(np.float32(36 / 38))), AVERAGE, [AVERAGE]),
        (19, lambda _, text: re.findall(r"===|Total params: (\d+)", text), ["403", "405"], ["405"]),
    ),
)
def test_what_is_there_today(trained, number, look, today, facts):
    assert look(*trained) == today, f"row {number}"
    assert_shown(number, *facts)


@pytest.mark.parametrize(
    ("number", "name", "today", "book"),
    rows(
        (1, "Adadelta", {"learning_rate": 0.001}, "04-book"),
        (3, "Adagrad", {"learning_rate": 0.001, "initial_accumulator_value": 0.1}, "03-adagrad"),
    ),
)
def test_optimizers_by_name(number, name, today, book):
    config = keras.optimizers.get(name).get_config()
    assert {key: config[key] for key in today} == pytest.approx(today)
    low, high = pages.average(f"{book[:2]}-{name.lower()}-default"), pages.average(book)
    assert float(high) - float(low) > 0.3
    assert_shown(number, low, high, *map(str, today.values()))


@row(7)
def test_input_dim_and_input_shape():
    message = "Do not pass an `input_shape`"
    for program in chapter.IRIS, chapter.CNN:
        with pytest.warns(UserWarning, match=message):
            next(program.network())  # its first layer
    assert_shown(7, message.replace("`", ""))


@row(8)
def test_h5(trained, tmp_path, caplog):
    model = trained[0].model
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert np.array_equal(*[one.predict(FLOWERS[0], verbose=0) for one in (model, loaded)])
    facts = "This file format is considered legacy", "Compiled the loaded model, but"
    assert_shown(8, *facts, log=caplog.text)
    if keras.backend.backend() == "tensorflow":  # what the guide says of training on
        with pytest.raises(ValueError, match="Unknown variable"):
            loaded.fit(*FLOWERS, verbose=0)


@row(20)
def test_keras_after_h5(tmp_path):
    model = chapter.build(chapter.IRIS)
    model.fit(*FLOWERS, verbose=0)
    for name in "first.keras", "second.h5", "third.keras":
        model.save(tmp_path / name)
    assert type(load_model(tmp_path / "first.keras").optimizer).__name__ == "SGD"
    message = "Skipping variable loading for optimizer 'rm_sprop'"
    with pytest.warns(UserWarning, match=message):
        assert type(load_model(tmp_path / "third.keras").optimizer).__name__ == "RMSprop"
    assert_shown(20, message)


@pytest.mark.typed("01")
@pytest.mark.parametrize(
    ("number", "gone", "facts"),
    rows(
        (9, r"3/3|loss: \S+ - acc", ["1/1", "accuracy", "loss"]),
        (10, "Using TensorFlow backend", []),
        (21, "SSE4.1", ["oneDNN", "cpu_feature_guard"] if ON_LINUX else []),
        (22, "Exception ignored", []),
    ),
)
def test_what_01_prints(typed, number, gone, facts):
    printed = typed[1].stdout + typed[1].stderr
    assert not re.search(gone, printed), f"row {number}: {gone}"
    assert_shown(number, *facts, printed=printed)


@pytest.mark.parametrize(
    ("number", "name", "text", "message"),
    rows(
        # Python looks in this folder first, and what it finds there says that there is none
        (12, "tensorflow.py", f"raise ModuleNotFoundError({NO_TENSORFLOW!r})", NO_TENSORFLOW),
        (13, "keras.json", '{"backend": "theano"}', "Unable to import backend : theano"),
    ),
)
def test_import_without_a_backend(tmp_path, number, name, text, message):
    (tmp_path / name).write_text(text)
    environment = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    ended = call("-c", ["import keras"], tmp_path, **environment)
    assert_shown(number, message, stderr=ended.stderr.splitlines()[-1])


@row(13)
def test_channels_first_in_the_settings_of_2017(request):
    request.addfinalizer(lambda: keras.config.set_image_data_format("channels_last"))
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
        programs.handed_over(source("04"))
    assert_shown(13, "channels_first")


@row(14)
def test_damaged_mnist_is_downloaded_again(capsys):
    datasets = Path(ENVIRONMENT["KERAS_HOME"], "datasets")
    datasets.mkdir(exist_ok=True)
    (datasets / "damaged.npz").write_bytes(b"damaged")
    message = "URL fetch failure on https://"
    with pytest.raises(Exception, match=f"^{message}"):
        keras.datasets.mnist.load_data("damaged.npz")
    assert "Downloading data from https://" in capsys.readouterr().out
    assert_shown(14, message)


@row(15)
@row(16)
def test_a_seed_repeats_a_run():
    losses = []
    for seed in 1, 1, 2:
        keras.utils.set_random_seed(seed)
        history = chapter.build(chapter.IRIS).fit(*FLOWERS, epochs=2, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_with_code_is_refused(tmp_path, name, capsys):
    layer = keras.layers.Lambda(lambda x: (print("ran"), x)[1])
    keras.Sequential([keras.Input((2,)), layer]).save(tmp_path / name)
    capsys.readouterr()
    with pytest.raises(ValueError, match="disallowed by default"):
        load_model(tmp_path / name)
    assert "ran" not in capsys.readouterr().out
    load_model(tmp_path / name, safe_mode=False)
    assert "ran" in capsys.readouterr().out

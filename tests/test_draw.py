"""The page to draw a digit on: it computes what Keras computes, is drawn on, and what it cannot do is refused."""

import functools
import html
import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import draw_a_digit
import keras
import numpy as np
import offline_mnist
import pytest
from browser import Browser, Sheet, find_browser, read_strokes
from draw_a_digit import draw
from files import TUTORIALS, scripts, source
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from running import hand_over, name_here, noise, run_as_typed

PAGE = "draw_a_digit.html"


@pytest.fixture(autouse=True)
def opened(tmp_path, monkeypatch):
    """Go to an empty folder, with a name as in Japan; return a list of what is opened in a browser instead of it."""
    folder = tmp_path / name_here("数字 0-9")
    folder.mkdir()
    monkeypatch.chdir(folder)
    addresses = []
    monkeypatch.setattr(draw_a_digit.webbrowser, "open", addresses.append)
    return addresses


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return a browser; skip the test where there is none, or none that starts."""
    path = find_browser()
    if path is None:
        pytest.skip("there is no Chromium or Chrome")
    browser = Browser(path, tmp_path_factory.mktemp("browser"))
    try:
        browser.open("about:blank")
    except OSError as error:
        browser.close()
        pytest.skip(f"{path} does not start: {error}")
    yield browser
    browser.close()


@pytest.fixture
def run_in_page(request, tmp_path):
    """Return what runs JavaScript with the network of the page: in a browser, or in Node where there is none."""
    try:
        browser = request.getfixturevalue("browser")
    except pytest.skip.Exception as no_browser:
        if not (node := shutil.which("node")):
            pytest.skip(f"{no_browser}, and no Node")
        return lambda page, code: run_in_node(node, page, code)
    return lambda page, code: browser.open(page.as_uri()) or browser.run(code)


def run_in_node(node, page, code):
    """Run JavaScript behind two of the three scripts of a page, without what happens on it."""
    first, _, last = re.findall("(?s)<script>(.*?)</script>", page.read_text(encoding="utf-8"))
    program = f"{first} const refresh = () => {{}}; {last} console.log(JSON.stringify({code}))"
    return json.loads(subprocess.check_output([node, "-"], input=program, encoding="utf-8"))


def network(*layers, image=True):
    """Return a network with random weights."""
    model = keras.Sequential([Input((28, 28, 1) if image else (784,)), *layers])
    draws = np.random.RandomState(0)
    shapes = [weights.shape for weights in model.get_weights()]
    # Large enough that answers differ from image to image, not so large that all are certain
    sizes = [3.5 / np.sqrt(max(100, np.prod(shape[:-1]))) for shape in shapes]
    model.set_weights([draws.normal(0, *one) for one in zip(sizes, shapes, strict=True)])
    return model


@functools.cache
def network_of(number):
    """Return the network of a script, with random weights."""
    model = hand_over(source(number), load_data=noise(80, 40)).variables["model"]
    return network(*model.layers, image=number == "04")


def all_that_the_page_knows():
    """Return a network that has every layer and activation of the page, and strides."""
    return network(
        Conv2D(6, (3, 5), strides=(1, 2), activation="tanh"),
        MaxPooling2D((3, 2), strides=(2, 1)),
        Activation("sigmoid"),
        Conv2D(5, 2, activation="relu"),
        Flatten(),
        Dropout(0.5),
        Dense(20),
        Dense(10, activation="softmax"),
    )


@pytest.mark.parametrize("which", ["03", "04", "all"])
def test_the_page_computes_what_keras_computes(which, run_in_page, mnist_file):
    model = network_of(which) if which != "all" else all_that_the_page_knows()
    draw(model)
    with np.load(mnist_file) as file:
        images = file["x_test"][:20]
    wanted = model.predict(images.reshape(-1, *model.input_shape[1:]) / 255, verbose=0)
    assert wanted.std(axis=0).max() > 0.01, "it tells no image from another"
    code = f"{images.reshape(-1, 784).tolist()}.map(row => predict(row.map(x => x / 255)))"
    found = run_in_page(Path(PAGE).absolute(), code)
    assert np.abs(found - wanted).max() < 1e-5


@pytest.fixture(scope="module")
def reader():
    """Return a network that reads as the digit of the stand-in to whose mean an image is nearest: a single layer."""
    digits = offline_mnist.make_stand_in()
    images, labels = digits["x_train"][::20].reshape(-1, 784) / 255, digits["y_train"][::20]
    means = np.array([images[labels == digit].mean(axis=0) for digit in range(10)])
    model = network(Dense(10, activation="softmax"), image=False)
    model.set_weights([means.T, -(means**2).sum(axis=1) / 2])
    return model


@pytest.fixture
def sheet(browser, reader):
    """Return the page with this network."""
    draw(reader)
    return Sheet(browser, Path(PAGE))


def pixels(strokes):
    """Return strokes as 28 x 28 values from 0 to 255: white is what is at most half a brush away."""
    grid = np.moveaxis(np.indices((280, 280)), 0, -1)[:, :, ::-1] / 280
    white = np.zeros((280, 280), bool)
    for one, other in itertools.chain(*(itertools.pairwise(np.array(one)) for one in strokes)):
        way = other - one
        part = np.clip((grid - one) @ way / (way @ way), 0, 1)[..., None]
        white |= np.linalg.norm(grid - one - part * way, axis=-1) < 0.05
    return white.reshape(28, 10, 28, 10).mean(axis=(1, 3)) * 255


def shift(image, right):
    return np.roll(np.reshape(image, (28, 28)), right, axis=1)


@pytest.mark.parametrize("how", [Browser.drag, Browser.touch])
def test_a_3_drawn_is_read_as_3_and_an_empty_field_has_no_answer(how, sheet):
    nothing, bars = empty = sheet.answer()
    assert "3" not in nothing
    assert bars == [""] * 10
    strokes = read_strokes()["3"]
    sheet.draw(strokes, how)
    difference = pixels(strokes) - np.reshape(sheet.image(), (28, 28))
    assert np.abs(difference).max() < 60  # 37 where strokes meet
    said, bars = sheet.answer()
    assert "3" in said
    assert max(range(10), key=lambda digit: int(bars[digit].strip("%"))) == 3
    sheet.click("clear")
    assert (sheet.answer(), max(sheet.image())) == (empty, 0)


def test_a_second_finger_draws_nothing(sheet):
    fingers = [{"x": 100, "y": 100, "id": 0}, {"x": 200, "y": 200, "id": 1}]
    for kind, down in ("Start", 1), ("Start", 2), ("Move", 2):
        fingers[0]["x"] += 10 * (kind == "Move")
        fingers[1]["y"] += 10 * (kind == "Move")
        sheet.browser.ask(
            "Input.dispatchTouchEvent", type=f"touch{kind}", touchPoints=fingers[:down]
        )
    sheet.browser.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    (stroke,) = sheet.run("strokes")
    assert np.ptp(stroke, axis=0).max() < 0.1


def test_a_digit_is_moved_by_arrow_keys_and_by_dragging(sheet):
    sheet.drag([(0.3, 0.3), (0.6, 0.4), (0.5, 0.7)])
    drawn = sheet.image()
    sheet.run("mnist.focus()")  # where the last click was
    sheet.press("ArrowRight")
    assert np.abs(shift(drawn, 1) - shift(sheet.image(), 0)).max() <= 8
    sheet.click("move")
    sheet.drag([(0.5, 0.5), (0.4, 0.6), (0.5 - 3 / 28, 0.5)])
    assert np.abs(shift(drawn, -2) - shift(sheet.image(), 0)).max() <= 8


def test_the_switch_moves_and_scales_as_in_mnist(sheet):
    sheet.drag([(0.1, 0.2), (0.2, 0.3), (0.1, 0.5)])
    sheet.click("mnist")
    rows, columns = np.nonzero(image := np.reshape(sheet.image(), (28, 28)))
    assert 19 <= np.ptp(rows) + 1 <= 21
    middle = [np.average(one + 0.5, weights=image[rows, columns]) for one in (rows, columns)]
    assert np.abs(np.subtract(middle, 14)).max() < 0.1


def test_the_page_loads_nothing_and_has_every_text_in_both_languages():
    draw(network_of("03"))
    page = Path(PAGE).read_text(encoding="utf-8")
    assert not re.search(
        r"https?:|@import|url\(|fetch\(|<link(?! rel=\"icon\" href=\"data:,\">)| src=", page
    )
    languages = re.findall(r'<span lang="(\w+)">', page)
    assert languages
    assert languages == ["en", "ja"] * (len(languages) // 2)


def image_network(*layers):
    """Return a network of these layers, with ten probabilities behind them."""
    return network(*layers, Flatten(), Dense(10, activation="softmax"))


REFUSED = [
    ("no Sequential network for images", lambda: "digits.keras"),
    ("no Sequential network for images", lambda: keras.Sequential([Dense(10)])),
    ("no Sequential network for images", lambda: keras.Model(x := Input((784,)), Dense(10)(x))),
    ("no Sequential network for images", lambda: keras.Sequential([Input((4,)), Dense(10)])),
    ("no Sequential network for images", lambda: keras.Sequential([Input((28, 28)), Flatten()])),
    ("not end with ten probabilities", lambda: network(Dense(10), image=False)),
    (
        "not end with ten probabilities",
        lambda: network(Dense(9, activation="softmax"), image=False),
    ),
    ("compute a layer Permute", lambda: image_network(keras.layers.Permute((2, 1, 3)))),
    ("Dense with use_bias=False", lambda: image_network(Flatten(), Dense(10, use_bias=False))),
    ("Conv2D with padding='same'", lambda: image_network(Conv2D(2, 3, padding="same"))),
    ("Conv2D with groups=2", lambda: image_network(Conv2D(2, 3), Conv2D(2, 3, groups=2))),
    ("Conv2D with dilation_rate=(2, 2)", lambda: image_network(Conv2D(2, 3, dilation_rate=2))),
    ("MaxPooling2D with padding='same'", lambda: image_network(MaxPooling2D(3, padding="same"))),
    (
        "Flatten with data_format='channels_first'",
        lambda: image_network(Flatten(data_format="channels_first")),
    ),
    ("Activation with activation='gelu'", lambda: image_network(Activation("gelu"))),
    ("compute Dense on images", lambda: image_network(Dense(2))),
    ("compute Activation on images", lambda: image_network(Activation("softmax"))),
]


@pytest.mark.parametrize(("said", "make"), REFUSED)
def test_a_network_that_the_page_cannot_compute_is_refused_in_one_line(said, make):
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        draw(make())
    assert "\n" not in str(refused.value)
    assert list(Path().iterdir()) == []


def save_network(path):
    keras.Sequential([Input((4,)), Dense(3)]).save(path)


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("gone.keras", lambda path: None, "there is no file gone.keras"),
        ("text.keras", lambda path: path.write_text("no network"), "text.keras: "),
        ("picture.png", lambda path: path.write_bytes(b"\x89PNG"), "picture.png: "),
        ("folder.keras", Path.mkdir, "there is no file folder.keras"),
        ("flowers.keras", save_network, "this is no Sequential network for images"),
    ],
)
def test_a_file_that_cannot_be_used_gets_the_usage_and_one_line(
    name, write, said, monkeypatch, capsys
):
    write(Path(name))
    monkeypatch.setattr(sys, "argv", ["draw_a_digit.py", name])
    with pytest.raises(SystemExit) as ended:
        draw_a_digit.main()
    assert ended.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: draw_a_digit.py ")
    assert error.startswith("draw_a_digit.py: error: ")
    assert said in error
    assert not Path(PAGE).exists()


def test_a_saved_network_is_drawn_as_well(monkeypatch):
    network_of("03").save("digits.keras")
    draw(network_of("03"))
    drawn = Path(PAGE).read_bytes()
    Path(PAGE).unlink()
    monkeypatch.setattr(sys, "argv", ["draw_a_digit.py", "digits.keras"])
    draw_a_digit.main()
    assert Path(PAGE).read_bytes() == drawn


def test_its_own_page_is_written_anew_and_another_file_is_not():
    draw(network_of("03"))
    draw(network_of("03"))
    Path(PAGE).write_text("of somebody else")
    with pytest.raises(FileExistsError, match="another draw_a_digit.html"):
        draw(network_of("03"))
    assert Path(PAGE).read_text() == "of somebody else"
    assert draw_a_digit.TEMPLATE.name != PAGE, "or it would be in its own way"


@pytest.mark.parametrize("screen", [None, "DISPLAY", "WAYLAND_DISPLAY"])
def test_one_line_says_where_the_page_is_and_it_is_opened_if_there_is_a_screen(
    screen, opened, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in "DISPLAY", "WAYLAND_DISPLAY":
        monkeypatch.delenv(name, raising=False)
    if screen:
        monkeypatch.setenv(screen, ":0")
    assert draw(network_of("03")) is None
    address = Path(PAGE).absolute().as_uri()
    assert capsys.readouterr().out == f"written: {PAGE} (for a browser: {address})\n"
    assert opened == ([address] if screen else [])


def test_in_a_notebook_the_page_is_shown_below_the_cell(opened, monkeypatch):
    shown = []
    ipython = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel="here"),
        display=SimpleNamespace(display=lambda data, raw: shown.append(data["text/html"])),
    )
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    draw(network_of("03"))
    (frame,) = shown
    (page,) = re.findall(r'^<iframe srcdoc="([^"]*)" style="[^"]*"></iframe>$', frame)
    assert html.unescape(page).encode() == Path(PAGE).read_bytes().removeprefix(draw_a_digit.MARK)
    assert opened == []


def test_help_does_not_wait_for_keras():
    script = TUTORIALS / "draw_a_digit.py"
    ended = run_as_typed([script, "--help"], ".", KERAS_BACKEND="none")
    assert ended.returncode == 0, ended.stderr
    assert "draw(model)" in ended.stdout


@pytest.mark.full
def test_04_reads_the_drawings(browser, pytestconfig):
    typed = [sys.executable, "-i", scripts()["04"], "--epochs", "3", "--batch-size", "512"]
    subprocess.run(
        typed,
        input="from draw_a_digit import draw; draw(model)\n",
        encoding="utf-8",
        env={**pytestconfig.kept},
        check=True,
    )
    sheet = Sheet(browser, Path(PAGE))
    read = {digit: sheet.reads(digit, strokes) for digit, strokes in read_strokes().items()}
    assert read["3"]
    assert sum(read.values()) >= 8

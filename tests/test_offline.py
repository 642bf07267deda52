"""Without internet 03 and 04 use the file that MNIST_NPZ names, or the stand-in, and say so."""

import io
import socket
import sys
import threading
from functools import partial

import keras
import numpy as np
import offline_mnist
import PIL.Image
import programs
import pytest
from conftest import mnist_file, no_internet, source
from sklearn.datasets import load_digits


@pytest.mark.parametrize(("part", "count"), [("train", 60_000), ("test", 10_000)])
def test_stand_in_is_the_digits_split_enlarged_shifted_and_repeated(part, count):
    digits, stand_in = load_digits(), offline_mnist.make_stand_in()
    assert len(np.unique(digits.data, axis=0)) == 1797  # so no test digit is a training digit
    chosen = (np.arange(1797) % 7 == 0) == (part == "test")
    pictures = [PIL.Image.fromarray(np.float32(image)) for image in digits.images[chosen]]
    enlarged = [picture.resize((20, 20), PIL.Image.Resampling.BILINEAR) for picture in pictures]
    middle = np.pad(np.rint(np.array(enlarged) * 255 / 16), ((0, 0), (4, 4), (4, 4)))
    shifted = [np.roll(middle, (d, r), (1, 2)) for d in range(-2, 3) for r in range(-2, 3)]
    wanted = np.resize(np.int16(shifted), (count, 28, 28))
    images, labels = stand_in[f"x_{part}"], stand_in[f"y_{part}"]
    assert (images.shape, images.dtype, labels.dtype) == (wanted.shape, np.uint8, np.uint8)
    assert (np.abs(images - wanted) <= ((wanted > 0) & (wanted < 255))).all()  # Pillow rounds twice
    assert np.array_equal(labels, np.resize(digits.target[chosen], count))


@pytest.mark.typed("03")
def test_stand_in_is_announced_and_the_reader_reminded_of_it(typed):
    notice = typed[1].stderr.split("MNIST could not be downloaded (URL fetch failure on https://")[
        1
    ]
    assert all(word in notice for word in ("stand-in", "Expect", "MNIST_NPZ"))
    assert "stand-in" in notice.splitlines()[-1]


@pytest.mark.typed("04")
def test_mnist_npz_is_announced(typed):
    _, ended = typed
    assert f"MNIST_NPZ names: {mnist_file()}" in ended.stderr
    assert "URL fetch failure on https://" in ended.stderr
    assert "stand-in" not in ended.stderr


def save(path, good, **changed):
    """Write the arrays of a good file, but for those that are given."""
    np.savez(path, **{**np.load(good), **changed})


@pytest.mark.parametrize("place", ["with a file", "without", "in a notebook"])
def test_load_data_returns_all_arrays_in_keras_order(tmp_path, monkeypatch, capsys, place):
    """Not every digit need be in a file. A notebook does not end, so it has no reminder at its end."""
    reminders, wanted = [], offline_mnist.make_stand_in()
    monkeypatch.setattr(offline_mnist.atexit, "register", reminders.append)
    if place == "in a notebook":
        monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    if place == "with a file":
        path = tmp_path / "mnist.npz"
        save(path, mnist_file(), y_train=np.zeros(2000, np.uint8))
        monkeypatch.setenv("MNIST_NPZ", str(path))
        wanted = np.load(path)
    for part, (x, y) in zip(["train", "test"], offline_mnist.load_data("no net"), strict=True):
        assert np.array_equal(x, wanted[f"x_{part}"])
        assert np.array_equal(y, wanted[f"y_{part}"])
    out, err = capsys.readouterr()
    assert out == ""
    assert "(no net)" in err
    assert reminders == ([offline_mnist.remind] if place == "without" else [])


def test_the_reminder_comes_after_the_result(monkeypatch):
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(pipe, write_through=True))
    print("the result")
    offline_mnist.remind()
    assert b"stand-in" in pipe.getvalue().split(b"the result")[1]


BROKEN = [
    ("No such file", lambda path, good: None),
    ("[Errno ", lambda path, good: path.mkdir()),
    ("not a zip file", lambda path, good: path.write_text("not an archive")),
    ("not a zip file", lambda path, good: path.write_bytes(b"")),
    ("not a zip file", lambda path, good: path.write_bytes(good.read_bytes()[:-5000])),
    ("not a zip file", lambda path, good: path.write_bytes(b"\x93NUMPY\x01\x00v\x00{}")),
    ("y_train is not", lambda path, good: np.savez(path, x_train=np.load(good)["x_train"])),
    ("allow_pickle", partial(save, y_test=np.array([{}], dtype=object))),
    ("Header info", partial(save, y_test=np.zeros(1, [("name" * 3000, int)]))),  # said in two lines
    ("x_test has shape (2000, 784)", partial(save, x_test=np.zeros((2000, 784), np.uint8))),
    ("y_test has shape (1999,)", partial(save, y_test=np.zeros(1999, np.uint8))),
    ("y_test has shape (2000, 10)", partial(save, y_test=np.zeros((2000, 10), np.uint8))),
    ("type float64", partial(save, y_test=np.zeros(2000))),
    ("type int8", partial(save, y_test=np.zeros(2000, np.int8))),
    ("y_test is", partial(save, y_test=np.full(2000, 10, np.uint8))),
    ("is empty", partial(save, x_test=np.zeros((0, 28, 28), np.uint8), y_test=np.uint8([]))),
]


@pytest.fixture
def seconds(monkeypatch):
    """Return the time limits that a script asks for; its ten seconds are half a second here."""
    asked, real = [], socket.setdefaulttimeout

    def shorten(limit):
        asked.append(limit)
        real(limit / 20)

    monkeypatch.setattr(socket, "setdefaulttimeout", shorten)
    yield asked
    real(None)


@pytest.mark.parametrize("number", ["03", "04"])
@pytest.mark.parametrize(("message", "write"), BROKEN)
def test_unusable_mnist_npz_is_one_line(
    tmp_path, monkeypatch, capsys, seconds, number, message, write
):
    path = tmp_path / "broken.npz"
    write(path, mnist_file())
    monkeypatch.setenv("MNIST_NPZ", str(path))
    with pytest.raises(SystemExit) as ended:
        programs.handed_over(source(number), load_data=no_internet)
    assert seconds == [10]
    (line,) = ended.value.code.splitlines()
    assert line.startswith(f"MNIST_NPZ={path} is not usable (")
    assert message in line
    assert "with x_train and x_test of shape (n, 28, 28), y_train and y_test of shape" in line
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("number", ["03", "04"])
@pytest.mark.parametrize("kind", ["silent", "stalled"])
def test_a_network_that_says_nothing_is_no_internet(
    tmp_path, monkeypatch, capsys, seconds, number, kind
):
    server, get_file = socket.create_server(("127.0.0.1", 0)), keras.utils.get_file
    here = {"origin": f"http://127.0.0.1:{server.getsockname()[1]}/", "cache_dir": tmp_path}

    def serve():
        begun = b"HTTP/1.0 200 OK\r\nContent-Length: 11490434\r\n\r\n" + bytes(99_999)
        with server, server.accept()[0] as connection:
            connection.sendall(begun if kind == "stalled" else b"")
            threading.Event().wait(3)  # who waits for longer is sent away

    monkeypatch.setattr("keras.src.datasets.mnist.get_file", lambda **a: get_file(**a | here))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("MNIST_NPZ", str(mnist_file()))
    threading.Thread(target=serve, daemon=True).start()
    found = programs.handed_over(source(number), load_data=keras.datasets.mnist.load_data)
    assert seconds == [10]
    assert "timed out" in capsys.readouterr().err
    assert np.array_equal(found.fit["y"].argmax(axis=1), np.load(mnist_file())["y_train"])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]

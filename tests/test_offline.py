"""Without internet 03 and 04 use the file that MNIST_NPZ names, or the stand-in, and say so."""

import io
import socket
import sys
import threading
from functools import partial
from unittest import mock

import keras
import numpy as np
import offline_mnist
import PIL.Image
import programs
import pytest
from conftest import mnist_file, source, start
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
@pytest.mark.typed("04")
def test_the_stand_in_is_announced_and_reminded_of_and_a_file_is_announced():
    stand_in, file = (start(number)[1].result().stderr for number in ("03", "04"))
    failed = "MNIST could not be downloaded ("
    notice = stand_in.partition(failed)[2]
    assert all(word in notice for word in ("stand-in", "Expect", "MNIST_NPZ"))
    assert "stand-in" in notice.splitlines()[-1]
    assert f"MNIST_NPZ names: {mnist_file()}" in file.partition(failed)[2]
    assert "stand-in" not in file


def test_the_reminder_comes_after_the_result_but_not_in_a_notebook(monkeypatch, capsys):
    """A notebook does not end."""
    monkeypatch.setattr(offline_mnist.atexit, "register", pytest.fail)
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    offline_mnist.load_data("no net")
    assert capsys.readouterr().out == ""
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(pipe, write_through=True))
    print("the result")
    offline_mnist.remind()
    assert b"stand-in" in pipe.getvalue().split(b"the result")[1]


def save(path, **changed):
    """Write the arrays of a good file, but for those that are given."""
    np.savez(path, **{**np.load(mnist_file()), **changed})


# What we say of a file (Python and NumPy say the rest in words of their own), and what writes it
BROKEN = [
    ("", lambda path: None),
    ("", lambda path: path.write_text("not an archive")),
    ("y_train", lambda path: np.savez(path, x_train=np.zeros((1, 28, 28), np.uint8))),
    ("", partial(save, y_test=np.array([{}], dtype=object))),
    ("", partial(save, y_test=np.zeros(1, [("name" * 3000, int)]))),  # refused in two lines
    ("x_train has shape (2000, 784)", partial(save, x_train=np.zeros((2000, 784), np.uint8))),
    ("y_test has shape (2000, 10)", partial(save, y_test=np.zeros((2000, 10), np.uint8))),
    ("type int8", partial(save, y_test=np.zeros(2000, np.int8))),
    ("y_train is", partial(save, y_train=np.full(2000, 10, np.uint8))),
    ("is empty", partial(save, x_test=np.zeros((0, 28, 28), np.uint8), y_test=np.uint8([]))),
]


@pytest.mark.parametrize(("message", "write"), BROKEN)
def test_unusable_mnist_npz_is_one_line(tmp_path, monkeypatch, capsys, message, write):
    path = tmp_path / "broken.npz"
    write(path)
    monkeypatch.setenv("MNIST_NPZ", str(path))
    with pytest.raises(SystemExit) as ended:
        offline_mnist.load_data("no net")
    assert capsys.readouterr() == ("", "")
    (line,) = ended.value.code.splitlines()
    assert line.startswith(f"MNIST_NPZ={path} is not usable (")
    assert message in line
    assert "with x_train and x_test of shape (n, 28, 28), y_train and y_test of shape" in line


@pytest.mark.parametrize("number", ["03", "04"])
@pytest.mark.parametrize("kind", ["silent", "stalled"])
def test_a_network_that_says_nothing_is_no_internet(tmp_path, monkeypatch, capsys, number, kind):
    server, get_file, limits = socket.create_server(("127.0.0.1", 0)), keras.utils.get_file, []
    here = {"origin": f"http://127.0.0.1:{server.getsockname()[1]}/", "cache_dir": tmp_path}

    def serve():
        begun = b"HTTP/1.0 200 OK\r\nContent-Length: 11490434\r\n\r\n" + bytes(99_999)
        with server, server.accept()[0] as connection:
            connection.sendall(begun if kind == "stalled" else b"")
            threading.Event().wait(3)  # who waits for longer is sent away

    def download(**given):
        limits.append(socket.getdefaulttimeout())
        socket.setdefaulttimeout(0.2)
        return get_file(**given | here)

    # Of MNIST's size, or a few; not every digit need be in a file
    size = (60_000, 10_000) if (number, kind) == ("03", "silent") else (5, 5)
    (x_train, y_train), (x_test, y_test) = programs.loader(*size)()
    digits = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez(tmp_path / "noise.npz", **digits)
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "noise.npz"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("keras.src.datasets.mnist.get_file", download)
    threading.Thread(target=serve, daemon=True).start()
    socket.setdefaulttimeout(None)  # whatever a test before this one has left
    found = programs.handed_over(source(number), load_data=keras.datasets.mnist.load_data)
    assert limits == [10]
    assert "MNIST could not be downloaded (" in capsys.readouterr().err
    for part, given in ("train", found.fit), ("test", found.evaluate):
        assert np.array_equal(np.rint(given["x"].ravel() * 255), digits[f"x_{part}"].ravel())
        assert np.array_equal(given["y"], np.eye(10)[digits[f"y_{part}"]])
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["noise.npz"]


@pytest.mark.parametrize("number", ["03", "04"])
def test_ctrl_c_in_the_download_ends_the_script(number):
    with pytest.raises(KeyboardInterrupt):
        programs.handed_over(source(number), load_data=mock.Mock(side_effect=KeyboardInterrupt))

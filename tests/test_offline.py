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
import pytest
from files import source
from running import FEW, hand_over, lines_for_few, save_noise
from sklearn.datasets import load_digits

NOTICE = "MNIST could not be downloaded ("


@pytest.fixture(scope="module")
def stand_in():
    return offline_mnist.make_stand_in()


@pytest.mark.parametrize(("part", "count"), [("train", 60_000), ("test", 10_000)])
def test_the_stand_in_is_the_digits_split_enlarged_shifted_and_repeated(part, count, stand_in):
    digits = load_digits()
    assert len(np.unique(digits.data, axis=0)) == 1797, "no test digit is a training digit"
    chosen = (np.arange(1797) % 7 == 0) == (part == "test")
    pictures = [PIL.Image.fromarray(np.float32(image)) for image in digits.images[chosen]]
    enlarged = [picture.resize((20, 20), PIL.Image.Resampling.BILINEAR) for picture in pictures]
    middle = np.pad(np.rint(np.array(enlarged) * 255 / 16), ((0, 0), (4, 4), (4, 4)))
    shifted = [
        np.roll(middle, (down, right), (1, 2)) for down in range(-2, 3) for right in range(-2, 3)
    ]
    wanted = np.resize(np.int16(shifted), (count, 28, 28))
    images, labels = stand_in[f"x_{part}"], stand_in[f"y_{part}"]
    assert (images.shape, images.dtype, labels.dtype) == (wanted.shape, np.uint8, np.uint8)
    assert (np.abs(images - wanted) <= ((wanted > 0) & (wanted < 255))).all()  # Pillow rounds twice
    assert np.array_equal(labels, np.resize(digits.target[chosen], count))


@pytest.mark.parametrize("number", ["03"])
def test_the_stand_in_is_announced_and_reminded_of(number, typed):
    notice = typed[1].stderr.partition(NOTICE)[2]
    assert all(word in notice for word in ("stand-in", "Expect", "MNIST_NPZ"))
    assert "stand-in" in notice.splitlines()[-1]


@pytest.mark.parametrize("number", ["04"])
def test_a_file_is_announced(number, typed, mnist_file):
    notice = typed[1].stderr.partition(NOTICE)[2]
    assert f"MNIST_NPZ names: {mnist_file}" in notice
    assert "stand-in" not in notice


def test_the_reminder_comes_after_the_result(monkeypatch):
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe)))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(pipe, write_through=True))
    print("the result")
    offline_mnist.remind()
    assert b"stand-in" in pipe.getvalue().split(b"the result")[1]


def test_a_notebook_which_does_not_end_is_not_reminded(monkeypatch):
    monkeypatch.setattr(offline_mnist.atexit, "register", pytest.fail)
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    offline_mnist.load_data("no net")


def save(path, **changed):
    """Write a good file of five images, but for the arrays that are given."""
    images, labels = np.zeros((5, 28, 28), np.uint8), np.zeros(5, np.uint8)
    good = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(path, **good | changed)


# What writes a file that cannot be used, and what we say of it; Python and NumPy say the rest in words of their own
BROKEN = {
    "missing": (lambda path: None, ""),
    "no archive": (lambda path: path.write_text("not an archive"), ""),
    "objects": (partial(save, y_test=np.array([{}], dtype=object)), ""),
    "refused in two lines": (partial(save, y_test=np.zeros(1, [("name" * 3000, int)])), ""),
    "flat images": (
        partial(save, x_train=np.zeros((5, 784), np.uint8)),
        "x_train has shape (5, 784)",
    ),
    "one-hot labels": (
        partial(save, y_test=np.zeros((5, 10), np.uint8)),
        "y_test has shape (5, 10)",
    ),
    "no digit": (partial(save, y_train=np.full(5, 10, np.uint8)), "y_train is"),
    "empty": (
        partial(save, x_test=np.zeros((0, 28, 28), np.uint8), y_test=np.uint8([])),
        "is empty",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_be_used_ends_the_program_with_one_line(
    kind, tmp_path, capsys, monkeypatch
):
    write, said = BROKEN[kind]
    path = tmp_path / "broken.npz"
    write(path)
    monkeypatch.setenv("MNIST_NPZ", str(path))
    with pytest.raises(SystemExit) as ended:
        offline_mnist.load_data("no net")
    assert capsys.readouterr() == ("", "")
    (line,) = ended.value.code.splitlines()
    assert line.startswith(f"MNIST_NPZ={path} is not usable (")
    assert said in line
    assert "with x_train and x_test of shape (n, 28, 28), y_train and y_test of shape" in line


@pytest.mark.parametrize(("number", "kind"), [("03", "silent"), ("04", "stalled")])
def test_a_network_that_says_nothing_is_no_internet(
    number, kind, tmp_path, loopback, capsys, monkeypatch
):
    get_file, limits = keras.utils.get_file, []
    here = {"origin": f"http://127.0.0.1:{loopback.getsockname()[1]}/", "cache_dir": tmp_path}

    def serve():
        begun = b"HTTP/1.0 200 OK\r\nContent-Length: 11490434\r\n\r\n" + bytes(99_999)
        with loopback.accept()[0] as connection:
            connection.sendall(begun if kind == "stalled" else b"")
            threading.Event().wait(3)  # who waits for longer is sent away

    def download(**given):
        limits.append(socket.getdefaulttimeout())
        socket.setdefaulttimeout(0.2)
        return get_file(**given | here)

    save_noise(tmp_path / "noise.npz", *FEW)
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "noise.npz"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("keras.src.datasets.mnist.get_file", download)
    threading.Thread(target=serve, daemon=True).start()
    socket.setdefaulttimeout(None)  # whatever a test before this one has left
    found = hand_over(source(number), load_data=keras.datasets.mnist.load_data)
    assert limits == [10]
    assert NOTICE in capsys.readouterr().err
    # What is printed stands on a line with Keras' progress
    lines = [line for line in found.lines if not line.startswith("prints")]
    wanted = lines_for_few(source(number))
    assert lines == [line for line in wanted if not line.startswith("prints")]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["noise.npz"]


@pytest.mark.parametrize("number", ["03", "04"])
def test_the_notice_says_why_there_is_no_download(number, tmp_path, capsys, monkeypatch):
    save(tmp_path / "good.npz")
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "good.npz"))
    hand_over(source(number), load_data=mock.Mock(side_effect=Exception("no way there")))
    assert f"{NOTICE}no way there)" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["03", "04"])
def test_ctrl_c_in_the_download_ends_the_script(number):
    with pytest.raises(KeyboardInterrupt):
        hand_over(source(number), load_data=mock.Mock(side_effect=KeyboardInterrupt))

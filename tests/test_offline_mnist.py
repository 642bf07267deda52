"""Without internet, 03 and 04 use the file that MNIST_NPZ names, or the stand-in, and say so."""

import runpy
import sys

import keras
import numpy as np
import offline_mnist
import PIL.Image
import pytest
from conftest import SCRIPTS
from conftest import mnist_file as small_file
from sklearn.datasets import load_digits


@pytest.fixture
def mnist_file():
    """Return the path of a file of MNIST's form, with 2,000 images of each kind."""
    return small_file(2000)


@pytest.fixture(scope="module")
def stand_in():
    return offline_mnist.make_stand_in()


def test_stand_in_has_the_form_of_mnist(stand_in):
    shapes = {name: array.shape for name, array in stand_in.items()}
    assert shapes == {
        "x_train": (60_000, 28, 28),
        "y_train": (60_000,),
        "x_test": (10_000, 28, 28),
        "y_test": (10_000,),
    }
    assert {array.dtype for array in stand_in.values()} == {np.dtype(np.uint8)}
    assert stand_in["x_train"].min() == 0
    assert stand_in["x_train"].max() == 255
    for labels in stand_in["y_train"], stand_in["y_test"]:
        share = np.bincount(labels, minlength=10) / len(labels)
        assert share == pytest.approx(np.full(10, 0.1), abs=0.03)


def test_stand_in_digits_keep_to_the_middle(stand_in):
    inked = stand_in["x_train"].any(axis=0)
    assert not inked[:2].any() and not inked[-2:].any()
    assert not inked[:, :2].any() and not inked[:, -2:].any()
    assert inked[2, 2:-2].any() and inked[-3, 2:-2].any()  # shifted by two up, and down


def crops(images):
    """Return each image as bytes, moved to the top left so that shifted copies are equal."""
    moved = set()
    for image in images:
        rows, columns = image.any(axis=1).nonzero()[0], image.any(axis=0).nonzero()[0]
        moved.add(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes())
    return moved


def test_no_test_digit_has_a_sibling_in_training(stand_in):
    train, test = crops(stand_in["x_train"]), crops(stand_in["x_test"])
    assert len(train) == pytest.approx(1540, abs=5)
    assert len(test) == 257
    assert not train & test


def test_stand_in_is_the_same_every_time(stand_in):
    again = offline_mnist.make_stand_in()
    assert all(np.array_equal(again[name], stand_in[name]) for name in stand_in)


@pytest.mark.command("03")
def test_stand_in_is_announced_and_the_reader_reminded_of_it(command):
    notice, reminder = (
        command.stderr.split("MNIST could not be")[1],
        command.stderr.splitlines()[-1],
    )
    assert "downloaded (URL fetch failure on https://" in notice
    assert "stand-in" in notice
    assert "Expect" in notice
    assert "MNIST_NPZ" in notice
    assert "stand-in" in reminder


@pytest.mark.command("04")
def test_mnist_npz_is_announced(command, mnist_file):
    assert f"MNIST_NPZ names: {mnist_file}" in command.stderr
    assert "URL fetch failure on https://" in command.stderr
    assert "stand-in" not in command.stderr


def test_the_reminder_comes_after_the_result(monkeypatch):
    written = []

    class Buffered:
        """What stdout is in a pipe: the text is written when it is flushed."""

        def flush(self):
            written.append("the result")

    class Unbuffered:
        def write(self, text):
            written.append(text)

    monkeypatch.setattr(sys, "stdout", Buffered())
    monkeypatch.setattr(sys, "stderr", Unbuffered())
    offline_mnist.remind()
    assert written[0] == "the result"
    assert "stand-in" in "".join(written[1:])


@pytest.mark.parametrize("npz", [False, True])
def test_load_data_returns_the_arrays_in_keras_order(mnist_file, monkeypatch, capsys, npz):
    if npz:
        monkeypatch.setenv("MNIST_NPZ", str(mnist_file))
    wanted = offline_mnist.read_npz(mnist_file) if npz else offline_mnist.make_stand_in()
    registered = []
    monkeypatch.setattr(offline_mnist.atexit, "register", registered.append)
    (x_train, y_train), (x_test, y_test) = offline_mnist.load_data("no network")
    for name, array in (
        ("x_train", x_train),
        ("y_train", y_train),
        ("x_test", x_test),
        ("y_test", y_test),
    ):
        assert np.array_equal(array, wanted[name])
    out, err = capsys.readouterr()
    assert out == ""
    assert "(no network)" in err
    assert registered == ([] if npz else [offline_mnist.remind])


def test_stand_in_is_the_digits_of_scikit_learn_enlarged(stand_in):
    digits = load_digits()
    is_test = np.arange(1797) % 7 == 0
    for part, mask in ("train", ~is_test), ("test", is_test):
        images, labels = digits.images[mask], digits.target[mask]
        copies, count = stand_in[f"x_{part}"], len(images)
        assert np.array_equal(stand_in[f"y_{part}"], np.resize(labels, len(copies)))
        # Pillow enlarges with the same bilinear weights; it rounds twice, so by one level or two.
        for n in 0, 5, count - 1:
            picture = PIL.Image.fromarray(np.float32(images[n]))
            enlarged = np.rint(
                np.array(picture.resize((20, 20), PIL.Image.Resampling.BILINEAR)) * 255 / 16
            )
            in_the_middle = copies[12 * count + n]  # the 13th of 25 shifts is none
            assert np.abs(in_the_middle[4:24, 4:24] - enlarged).max() <= 1
            assert not in_the_middle[:4].any()
            assert not in_the_middle[:, :4].any()


def test_every_shift_by_up_to_two_pixels_is_there(stand_in):
    copies = stand_in["x_train"]
    middle, seen = copies[12 * 1540], set()
    for n in range(25):
        found = [
            (down, right)
            for down in range(-4, 5)
            for right in range(-4, 5)
            if np.array_equal(np.roll(middle, (down, right), (0, 1)), copies[n * 1540])
        ]
        seen.update(found)
    assert seen == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


def test_mnist_npz_is_read_unchanged(mnist_file, monkeypatch):
    monkeypatch.setenv("MNIST_NPZ", str(mnist_file))
    (x_train, y_train), (x_test, y_test) = offline_mnist.load_data("no network")
    with np.load(mnist_file) as file:
        assert np.array_equal(x_train, file["x_train"])
        assert np.array_equal(y_train, file["y_train"])
        assert np.array_equal(x_test, file["x_test"])
        assert np.array_equal(y_test, file["y_test"])


def broken_file(kind, good, folder):
    """Return the path of a file with a defect, made from the arrays of the file `good`."""
    with np.load(good) as file:
        arrays = dict(file)
    path = folder / "broken.npz"
    if kind == "missing":
        return path
    if kind == "a folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("not an archive")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(good.read_bytes()[:-5000])
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, arrays["x_train"])
    elif kind == "pickle":
        np.savez(path, **arrays | {"y_test": np.array([{}], dtype=object)})
    else:
        del arrays["y_test"]
        changed = {
            "three arrays": {},
            "flat images": {
                "y_test": arrays["y_train"],
                "x_test": np.zeros((2000, 784), np.uint8),
            },
            "other counts": {"y_test": np.zeros(1999, np.uint8)},
            "one-hot labels": {"y_test": np.zeros((2000, 10), np.uint8)},
            "floats": {"y_test": np.zeros(2000)},
            "signed": {"y_test": np.zeros(2000, np.int8)},
            "letters": {"y_test": np.full(2000, 10, np.uint8)},
            "no images": {
                "x_test": np.zeros((0, 28, 28), np.uint8),
                "y_test": np.zeros(0, np.uint8),
            },
        }
        np.savez(path, **arrays | changed[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "No such file"),
        ("a folder", "[Errno "),
        ("text", "not a zip file"),
        ("empty", "not a zip file"),
        ("cut", "not a zip file"),
        ("npy", "not a zip file"),
        ("pickle", "allow_pickle"),
        ("three arrays", "y_test"),
        ("flat images", "x_test has shape (2000, 784)"),
        ("other counts", "y_test has shape (1999,)"),
        ("one-hot labels", "y_test has shape (2000, 10)"),
        ("floats", "type float64"),
        ("signed", "type int8"),
        ("letters", "y_test"),
        ("no images", "is empty"),
    ],
)
def test_unusable_mnist_npz_is_an_error(mnist_file, tmp_path, monkeypatch, kind, message):
    monkeypatch.setenv("MNIST_NPZ", str(broken_file(kind, mnist_file, tmp_path)))
    with pytest.raises(SystemExit) as error:
        offline_mnist.load_data("no network")
    assert str(error.value).startswith(f"MNIST_NPZ={tmp_path}")
    assert len(str(error.value).splitlines()) == 1
    assert message in str(error.value)
    assert "must name an .npz file with" in str(error.value)


def test_not_every_digit_need_be_there(mnist_file, tmp_path):
    with np.load(mnist_file) as file:
        arrays = {**file, "y_train": np.zeros(2000, np.uint8)}
    np.savez(tmp_path / "zeros.npz", **arrays)
    assert not offline_mnist.read_npz(tmp_path / "zeros.npz")["y_train"].any()


def test_of_a_long_reason_the_first_line_is_said(monkeypatch):
    def refuse(path):
        raise ValueError("the first line\nthe second")

    monkeypatch.setattr(offline_mnist.zipfile, "ZipFile", refuse)
    with pytest.raises(SystemExit, match=r"is not usable: the first line\. It must"):
        offline_mnist.read_npz("any.npz")


@pytest.mark.parametrize("number", ["03", "04"])
def test_unusable_mnist_npz_ends_a_tutorial(monkeypatch, capsys, number):
    def fail():
        raise OSError("no internet")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    monkeypatch.setenv("MNIST_NPZ", "nowhere.npz")
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS[number])])
    with pytest.raises(SystemExit, match="^MNIST_NPZ=nowhere.npz is not usable: "):
        runpy.run_path(str(SCRIPTS[number]), run_name="__main__")
    assert capsys.readouterr().out == ""

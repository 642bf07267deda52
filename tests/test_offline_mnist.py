"""Without internet, 03 and 04 use the file that MNIST_NPZ names, or the stand-in, and say so."""

import numpy as np
import offline_mnist
import pytest


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


def test_stand_in_is_announced(runs):
    notice = runs("03").stderr
    assert "MNIST could not be downloaded (URL fetch failure on https://" in notice
    assert "Using a stand-in made from scikit-learn's small digits" in notice
    assert "Expect line" in notice
    assert "set\nMNIST_NPZ to the path of an mnist.npz" in notice


def test_mnist_npz_is_announced(runs, mnist_file):
    notice = runs("04").stderr
    assert f"Using the file that MNIST_NPZ names: {mnist_file}" in notice
    assert "stand-in" not in notice


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
                "y_test": arrays["y_train"][:1000],
                "x_test": np.zeros((1000, 784), np.uint8),
            },
            "other counts": {"y_test": np.zeros(999, np.uint8)},
            "one-hot labels": {"y_test": np.zeros((1000, 10), np.uint8)},
            "floats": {"y_test": np.zeros(1000)},
            "letters": {"y_test": np.full(1000, 26, np.uint8)},
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
        ("text", "not a whole .npz archive"),
        ("empty", "not a whole .npz archive"),
        ("cut", "not a whole .npz archive"),
        ("npy", "not a whole .npz archive"),
        ("pickle", "allow_pickle"),
        ("three arrays", "y_test"),
        ("flat images", "x_test has shape (1000, 784)"),
        ("other counts", "y_test has shape (999,)"),
        ("one-hot labels", "y_test has shape (1000, 10)"),
        ("floats", "type float64"),
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


def test_unusable_mnist_npz_ends_a_tutorial(runs):
    run = runs("03 unusable")
    assert run.returncode == 1
    assert "Epoch" not in run.stdout
    assert "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith("MNIST_NPZ=nowhere.npz is not usable: ")

"""MNIST for a machine without internet: from a file, or a stand-in for it.

03_mnist_mlp.py and 04_mnist_cnn.py import this only when Keras cannot download MNIST.
"""

import atexit
import os
import sys
import zipfile

import numpy as np
from sklearn.datasets import load_digits

IMAGE_SHAPES = {"x_train": (28, 28), "y_train": (), "x_test": (28, 28), "y_test": ()}


def load_data(error):
    """Return ((x_train, y_train), (x_test, y_test)) in MNIST's shapes and types (uint8).

    `error` is what the download ended with. A notice on stderr tells of it and of the data used
    instead; for the stand-in, one more line does so when the program ends, below its result, but for
    a notebook, which does not end. A MNIST_NPZ that cannot be used ends the program with one line.
    """
    path = os.environ.get("MNIST_NPZ")
    if path:
        arrays = read_npz(path)
        used = f"Using the file that MNIST_NPZ names: {path}"
    else:
        arrays = make_stand_in()
        used = (
            "Using a stand-in made from scikit-learn's small digits: the Expect line of this\n"
            "script does not apply to it. For the real MNIST run once with internet, or set\n"
            "MNIST_NPZ to the path of an mnist.npz."
        )
        if not hasattr(sys, "ps1"):  # what a notebook has, or an interactive Python
            atexit.register(remind)
    print(f"MNIST could not be downloaded ({error}).\n{used}", file=sys.stderr)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def remind():
    """Say below the result that it is not one of MNIST."""
    sys.stdout.flush()  # the result comes first, in a pipe as well
    print("(a result of the stand-in, not of MNIST: see the notice above)", file=sys.stderr)


def read_npz(path):
    """Return the four arrays of an `.npz` like Keras' mnist.npz, with any number of images."""
    try:
        zipfile.ZipFile(path).close()  # says plainly what is wrong with a file that is no archive
        with np.load(path) as file:
            arrays = {name: file[name] for name in IMAGE_SHAPES}
        for name, array in arrays.items():
            images = arrays[name.replace("y_", "x_")]
            if array.shape != (len(images), *IMAGE_SHAPES[name]) or array.dtype != np.uint8:
                raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}")
            if not len(array) or (name[0] == "y" and array.max() > 9):
                raise ValueError(f"{name} is empty or holds more than the digits 0 to 9")
    except Exception as error:  # NumPy and zipfile have a dozen ways to refuse a file
        problem = (str(error) or type(error).__name__).splitlines()[0]
        sys.exit(
            f"MNIST_NPZ={path} is not usable ({problem}). It must name an .npz file with x_train and "
            "x_test of shape (n, 28, 28), y_train and y_test of shape (n,), all uint8."
        )
    return arrays


def make_stand_in():
    """Return 60,000 and 10,000 digits that look like MNIST's, the same ones every time.

    scikit-learn brings 1,797 real handwritten digits of 8 x 8 pixels. They are split first and
    multiplied afterwards, so that no test image is a copy of a training image.
    """
    digits = load_digits()
    is_test = np.arange(len(digits.images)) % 7 == 0  # 1 in 7, as in MNIST
    x_train, y_train = grow(digits.images[~is_test], digits.target[~is_test], 60_000)
    x_test, y_test = grow(digits.images[is_test], digits.target[is_test], 10_000)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def grow(images, labels, count):
    """Return `count` images (count, 28, 28) and labels (count,) out of n 8 x 8 images.

    Each image, of values from 0 to 16, is enlarged to 20 x 20, laid in the middle of 28 x 28 pixels
    and shifted by up to two pixels each way: 25 copies of it, then the same again.
    """
    # Row i of `weights` says how the 20 pixels mix the 8 (bilinear interpolation).
    middles = (np.arange(20) + 0.5) * 8 / 20 - 0.5
    weights = np.array([np.interp(middles, np.arange(8), row) for row in np.eye(8)]).T
    enlarged = np.rint(weights @ images @ weights.T * (255 / 16)).astype(np.uint8)

    centred = np.pad(enlarged, ((0, 0), (4, 4), (4, 4)))
    shifts = range(-2, 3)
    copies = [np.roll(centred, (down, right), axis=(1, 2)) for down in shifts for right in shifts]
    grown = np.resize(np.concatenate(copies), (count, 28, 28))  # from the start again, as needed
    return grown, np.resize(labels, count).astype(np.uint8)

"""Section 4.3: a first network, on three rows of dummy data.

Run:    python tutorials/01_intro_dummy_net.py
Expect: loss 0.8935 to 2.0520, accuracy 0.0 or 1.0 (10 seeds), about 5 seconds
"""

import argparse
import platform
import sys


def integer(text, low=1, high=2**31 - 1):
    """Return the value of a flag, or let argparse say in one line what would be right."""
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


# The flags come before the lesson: Keras takes seconds to import, --help and slips need not wait.
parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
parser.formatter_class = argparse.RawDescriptionHelpFormatter
default = "default: %(default)s"
parser.add_argument("--epochs", type=integer, default=10, help=default)
parser.add_argument("--batch-size", type=integer, default=32, help=default)
parser.add_argument("--seed", type=lambda s: integer(s, 0), default=0, help=default)
parser.add_argument("--quiet", action="store_true", help="do not show the progress")
args = parser.parse_args()

# Libraries
import keras
import numpy as np
from keras.layers import Activation, Dense, Input  # Book: keras.layers.core, a module now gone
from keras.models import Sequential
from keras.optimizers import SGD

# Book: Keras printed "Using TensorFlow backend." by itself; today one has to ask.
backend = keras.backend.backend()
version = sys.modules[backend].__version__
print(f"Keras {keras.__version__}, {backend} {version}, Python {platform.python_version()}")

keras.utils.set_random_seed(args.seed)

# Data: three rows of three numbers, each with its class as a one-hot label
x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
y_train = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])

x_test = np.array([[0.1, 0.3, 0.5]])
y_test = np.array([[0, 0, 1]])

# Model
model = Sequential()
model.add(Input(shape=(3,)))  # Book: Dense(2, input_dim=3), which warns today
model.add(Dense(2))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(
    optimizer=SGD(learning_rate=0.01), loss="categorical_crossentropy", metrics=["accuracy"]
)

# Training
verbose = 0 if args.quiet else 1
# Book: no epochs given, which meant 10; since Keras 2.1.0 it silently means 1
model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs, verbose=verbose)

# Evaluation: [loss, accuracy]
print(model.evaluate(x_test, y_test, verbose=0))

# For `uv run`:
# /// script
# requires-python = ">=3.11"
# dependencies = ["keras>=3.15.1", "tensorflow>=2.20", "numpy>=2.1"]
# ///

"""Section 4.4: tell three species of iris apart by four measurements of the flower.

Run:    python tutorials/02_iris_mlp.py
Expect: test accuracy 0.6579 to 1.0000 (20 seeds), about 6 seconds
"""

import argparse
import math


def integer(text, low=1, high=2**31 - 1):
    """Return the value of a flag, or let argparse say in one line what would be right."""
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


# The flags come before the lesson: Keras takes seconds to import, --help and slips need not wait.
parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
parser.formatter_class = argparse.RawDescriptionHelpFormatter
default = "default: %(default)s"
parser.add_argument("--epochs", type=integer, default=20, help=default)
parser.add_argument("--batch-size", type=integer, default=1, help=default)
parser.add_argument("--seed", type=lambda s: integer(s, 0), default=0, help=default)
args = parser.parse_args()

# Libraries
import keras
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(args.seed)

# Data: 150 flowers of three species, split at random into 112 to learn from and 38 to test with
iris = load_iris()
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)

# Species 0, 1, 2 => one-hot labels
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# Several batches per call of the backend give the same result in half of the time. The number
# must divide the batches of an epoch, or the progress bar overshoots; PyTorch can do only one.
batches = math.ceil(len(x_train) / args.batch_size)
most = 1 if keras.backend.backend() == "torch" else 100
steps_per_execution = max(n for n in range(1, most + 1) if batches % n == 0)

# Model
model = Sequential()
model.add(Input(shape=(4,)))  # Book: Dense(50, input_dim=4), which warns today
model.add(Dense(50))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(
    optimizer=SGD(learning_rate=0.01),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    steps_per_execution=steps_per_execution,
)

# Training
model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# For `uv run`:
# /// script
# requires-python = ">=3.11"
# dependencies = ["keras>=3.15.1", "tensorflow>=2.20", "scikit-learn>=1.6"]
# ///

"""Section 4.5: read handwritten digits (MNIST) with a multi-layer perceptron.

Run:    python tutorials/03_mnist_mlp.py
Expect: test accuracy 0.8719 to 0.8916 (10 seeds), about 12 seconds
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
parser.add_argument("--epochs", type=integer, default=10, help=default)
parser.add_argument("--batch-size", type=integer, default=32, help=default)
parser.add_argument("--seed", type=lambda s: integer(s, 0), default=0, help=default)
parser.add_argument("--optimizer", choices=["sgd", "adagrad"], default="sgd", help=default)
parser.add_argument(
    "--activation", choices=["sigmoid", "relu", "tanh"], default="sigmoid", help=default
)
args = parser.parse_args()

# Libraries
import keras
from keras.datasets import mnist
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.optimizers import SGD, Adagrad
from keras.utils import to_categorical

keras.utils.set_random_seed(args.seed)

# Data: 60,000 images of handwritten digits to learn from, 10,000 to test with, 28 x 28 pixels each
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()  # Book: another server, no checksum
except Exception as error:  # no internet, say
    import offline_mnist  # it lies beside this script in tutorials/

    (x_train, y_train), (x_test, y_test) = offline_mnist.load_data(error)

# 28 x 28 => 784, and 0-255 => 0-1
x_train = x_train.reshape(-1, 784).astype("float32") / 255
x_test = x_test.reshape(-1, 784).astype("float32") / 255

# Digits 0 to 9 => one-hot labels
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# Several batches per call of the backend give the same result in a third of the time. The number
# must divide the batches of an epoch, or the progress bar overshoots; PyTorch can do only one.
batches = math.ceil(len(x_train) / args.batch_size)
most = 1 if keras.backend.backend() == "torch" else 400
steps_per_execution = max(n for n in range(1, most + 1) if batches % n == 0)

# Model
model = Sequential()
model.add(Input(shape=(784,)))  # Book: Dense(50, input_dim=784), which warns today
model.add(Dense(50))
model.add(Activation(args.activation))
model.add(Dense(20))
model.add(Activation(args.activation))
model.add(Dense(10))
model.add(Activation("softmax"))

optimizer = SGD(learning_rate=0.01)
if args.optimizer == "adagrad":
    # Book: "Adagrad", which then meant these values; today it silently means 0.001, 0.1 and 1e-7
    optimizer = Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-8)
model.compile(
    optimizer=optimizer,
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    steps_per_execution=steps_per_execution,
)

# Training
# Book: no epochs given, which meant 10; since Keras 2.1.0 it silently means 1
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# For `uv run`:
# /// script
# requires-python = ">=3.11"
# dependencies = ["keras>=3.15.1", "tensorflow>=2.20", "numpy>=2.1", "scikit-learn>=1.6"]
# ///

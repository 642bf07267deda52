# %% Flags for a terminal
r"""Section 4.5: read handwritten digits (MNIST) with a multi-layer perceptron.

It shows how images become rows of numbers, and what the exercises change: try --activation relu.

Run:    .venv/bin/python tutorials/03_mnist_mlp.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.8719 to 0.8951 (40 seeds), about 9 seconds

The flags below and the block for uv at the end are not the book's. A comment `# Book 7:` says what
the book has there; row 7 of tutorials/changes.md (changes.ja.md) says more. `# Extra:` is ours.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=32, help="images per update (default: 32)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--optimizer", choices=["sgd", "adagrad"], help="update rule (default: sgd)")
parser.add_argument(
    "--activation", choices=["sigmoid", "relu", "tanh"], help="of hidden layers (default: sigmoid)"
)
parser.set_defaults(optimizer="sgd", activation="sigmoid")
# In a cell of a notebook the defaults apply. There, args.epochs = 2 changes one of them.
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import socket
from importlib import import_module
from math import ceil

import keras
from keras.datasets import mnist
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.optimizers import Adagrad
from keras.utils import to_categorical

# %% Data: 60,000 images of 28 x 28 pixels to train with and 10,000 others to test with
# Extra: If a server does not answer for ten seconds, stop trying to download.
socket.setdefaulttimeout(10)
try:
    # Book 14: In 2017 Keras took the file from another server, unchecked. Today it is checked.
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
except Exception as error:
    # Extra: Without internet, the file offline_mnist.py in the same folder gives other digits.
    (x_train, y_train), (x_test, y_test) = import_module("offline_mnist").load_data(error)

# 28 x 28 => 784, since a Dense layer wants a row. 0-255 => 0-1: with larger values,
# --activation relu would learn nothing.
x_train = x_train.reshape(len(x_train), 784).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 784).astype("float32") / 255
# One-hot labels, one column per digit: 2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% Model: two hidden layers, of 50 and 20 neurons
# Book 15: The book sets no seed. Each of its runs gives another result.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: The book writes Dense(50, input_dim=784). Today this gives a warning.
model.add(Input(shape=(784,)))
model.add(Dense(50))
model.add(Activation(args.activation))
model.add(Dense(20))
model.add(Activation(args.activation))
model.add(Dense(10))
model.add(Activation("softmax"))  # a probability for each of the ten digits

# The optimizer lowers the loss step by step. Adagrad gives every weight a step size of its own.
optimizer = "sgd"
if args.optimizer == "adagrad":
    # Book 3: The book writes "Adagrad". In 2017 that meant nearly these values.
    # Today it means other values, without a warning, and the network learns less.
    optimizer = Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-16)

model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])

# %% Training: the weights change once per batch; larger batches mean fewer updates in an epoch
batches = ceil(len(x_train) / args.batch_size)  # in an epoch: 60,000 / 32 = 1,875
# Book 17: Keras calls TensorFlow once per batch, in 2017 and today. One call for all batches of an
# epoch is faster and gives the same result. PyTorch cannot do it.
model.steps_per_execution = 1 if keras.config.backend() == "torch" else batches
model.train_function = None  # Extra: makes Keras use the new number; all this is only for speed
# Book 2: The book sets no epochs. The default was 10; since Keras 2.1.0 it is 1, without a warning.
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)
# Extra: From here on, one batch per call again, as Keras does without these lines.
model.steps_per_execution = 1
model.train_function = None

# %% Evaluation on images that were not used for training
score = model.evaluate(x_test, y_test, verbose=0)
# Book 11: The book prints "test accuracy : " and all digits. Here four decimals are enough.
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

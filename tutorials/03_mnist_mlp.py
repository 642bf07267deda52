# %% Read handwritten digits with a multi-layer perceptron (section 4.5)
r"""Turn images (MNIST) into rows of numbers, train, and try other settings with the options.

Run:    .venv/bin/python tutorials/03_mnist_mlp.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.8719 to 0.8951 (40 seeds), about 34 seconds
Marks:  `# Book 7:` matters only if you own the book (book.md, row 7); `# Extra:` is not in it
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
add = parser.add_argument
add("--epochs", type=int, default=10, help="passes over the data (default: 10)")
add("--batch-size", type=int, default=32, help="images per update (default: 32)")
add("--seed", type=int, default=0, help="random seed of the run (default: 0)")
add("--optimizer", choices=["sgd", "adagrad", "adam"], help="update rule (default: sgd)")
add("--activation", choices=["sigmoid", "relu", "tanh"], help="in hidden layers (default: sigmoid)")
add("--validation-split", type=float, default=0.0, help="part of the training data kept out, to choose settings by (default: 0)")  # fmt: skip
add("--steps-per-execution", type=int, default=1, help="batches per call of TensorFlow: 25 takes half the time (default: 1)")  # fmt: skip
parser.set_defaults(optimizer="sgd", activation="sigmoid")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # in a notebook, set one by args.epochs = 2
ranges = "--epochs, --batch-size, --steps-per-execution at least 1, --seed 0 to 4294967295"
counts = args.epochs, args.batch_size, args.steps_per_execution
if min(counts) < 1 or not 0 <= args.seed < 2**32 or not 0 <= args.validation_split < 1:
    parser.error(f"{ranges}, --validation-split 0 up to, not including, 1")

# %% Libraries
import socket
from importlib import import_module

import keras
from keras.datasets import mnist
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.optimizers import Adagrad, Adam
from keras.utils import to_categorical

# %% Data: 60,000 images of 28 x 28 pixels to train with and 10,000 others to test with
# Extra: If a server does not answer for ten seconds, stop trying to download.
socket.setdefaulttimeout(10)
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
except Exception as error:
    # Extra: Without internet, offline_mnist.py (in the same folder) supplies other digits.
    (x_train, y_train), (x_test, y_test) = import_module("offline_mnist").load_data(error)

# A Dense layer takes a row of numbers: 28 x 28 => 784. With values up to 255, the first updates of
# SGD would be far too large for relu, which would then learn nothing. So divide them: 0-255 => 0-1.
x_train = x_train.reshape(len(x_train), 784).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 784).astype("float32") / 255
# One-hot labels, one column per digit: 2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% Model: two hidden layers, of 50 and 20 neurons
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: Dense(50, input_dim=784). Today this warns.
model.add(Input(shape=(784,)))
model.add(Dense(50))
model.add(Activation(args.activation))  # sigmoid: 0 to 1, tanh: -1 to 1, relu: negative => 0
model.add(Dense(20))
model.add(Activation(args.activation))
model.add(Dense(10))
model.add(Activation("softmax"))  # a probability for each of the ten digits

# The gradient of a weight says how fast the loss rises when the weight grows. SGD subtracts it from
# the weight, times the learning rate, which is 0.01 for all weights.
optimizer = "sgd"
if args.optimizer == "adagrad":
    # Adagrad gives each weight its own learning rate: the larger its past gradients, the smaller.
    # So weights with small gradients, which SGD hardly moves, learn as well.
    # Book 3: "Adagrad". Today this has other settings, nothing warns, and the network learns less.
    optimizer = Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-16)
elif args.optimizer == "adam":
    # Extra: Adam, too, has a learning rate for each weight, and follows an average of its gradients.
    optimizer = Adam(learning_rate=0.001, epsilon=1e-7)

model.compile(
    optimizer=optimizer,
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    steps_per_execution=args.steps_per_execution,  # Extra: speed, same result
)

# %% Training: one update per batch, so with larger batches an epoch has fewer updates
# Book 2: fit without epochs. That meant 10 epochs; today it means 1, and nothing warns.
history = model.fit(
    x_train,
    y_train,
    batch_size=args.batch_size,
    epochs=args.epochs,
    validation_split=args.validation_split,  # Extra: choose by val_accuracy
)

# %% Evaluation on the test data, once, with the settings that you have chosen
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

"""Section 4.3: a first neural network, on three rows of dummy data.

Run:    python tutorials/01_intro_dummy_net.py
Expect: accuracy 0.0 or 1.0, loss 0.6095 to 2.0520 (100 seeds), about 4 seconds
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter  # flags; the lesson is below

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=32, help="rows per update (default: 32)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--quiet", action="store_true", help="hide the progress (default: show it)")
args = parser.parse_args()
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# Libraries
import keras
import numpy as np
from keras.layers import Activation, Dense, Input  # Book 5: keras.layers.core, a module now gone
from keras.models import Sequential

# Book 10: Keras printed "Using TensorFlow backend." by itself; today one has to ask
print(f"Keras {keras.__version__}, backend {keras.config.backend()}")

keras.utils.set_random_seed(args.seed)  # Book 15: no seed, so no run could be repeated

# Training data: three rows of three numbers; a one-hot label has a 1 in the column of the class
x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
y_train = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])

# Test data, kept out of training: only unseen data can show that a network generalizes
x_test = np.array([[0.1, 0.3, 0.5]])
y_test = np.array([[0, 0, 1]])

# Model: layers, stacked in the order in which the data passes through them
model = Sequential()
model.add(Input(shape=(3,)))  # Book 7: Dense(2, input_dim=3), which warns today
# Hidden layer: 2 neurons, each a weighted sum of the inputs; sigmoid squeezes it into 0 to 1
model.add(Dense(2))
model.add(Activation("sigmoid"))
# Output layer: a neuron per class; softmax turns their values into probabilities
model.add(Dense(3))
model.add(Activation("softmax"))

# The loss measures how wrong the probabilities are; the optimizer changes the weights to lower it.
# Accuracy is the share of rows whose most probable class is the right one.
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# Training: an epoch is one pass over the training data; the weights change once per batch of rows.
# Three rows fit into one batch, so ten epochs are only ten updates.
verbose = 0 if args.quiet else 1  # Book 9: the progress counted rows, 3/3; today batches, 1/1
# Book 2: no epochs given, which meant 10; since Keras 2.1.0 it silently means 1
model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs, verbose=verbose)

# Evaluation on the test data: [loss, accuracy]; with one row the accuracy is either 0.0 or 1.0
print(model.evaluate(x_test, y_test, verbose=0))

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy"]
# tool.uv.exclude-newer = "2026-11-25T00:00:00Z"
# ///

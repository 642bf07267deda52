# %% Flags for a terminal
r"""Section 4.3: a first neural network, on three rows of dummy data.

It shows how to build, train and evaluate a network with Keras, in as few lines as possible.

Run:    .venv/bin/python tutorials/01_intro_dummy_net.py (Windows: .venv\Scripts\python)
Expect: accuracy 0.0 or 1.0, loss 0.6095 to 2.0520 (100 seeds), about 4 seconds

The flags below and the block for uv at the end are not the book's. A comment `# Book 7:` says what
the book has there; row 7 of tutorials/changes.md (changes.ja.md) says more. `# Extra:` is ours.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=32, help="rows per update (default: 32)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--quiet", action="store_true", help="hide the progress (default: show it)")
# In a cell of a notebook the defaults apply. There, args.epochs = 2 changes one of them.
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import keras
import numpy as np

# Book 5: The book imports Dense from keras.layers.core. Today this module is gone.
from keras.layers import Activation, Dense, Input
from keras.models import Sequential

# Book 10: In 2017 Keras printed "Using TensorFlow backend." by itself. Today this line does.
print(f"Keras {keras.__version__}, backend {keras.config.backend()}")

# %% Data: three rows to train with, three numbers in each
x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
# A one-hot label has a 1 in the column of the class
y_train = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])

# Test data, kept out of training: only unseen data can show that a network generalizes
x_test = np.array([[0.1, 0.3, 0.5]])
y_test = np.array([[0, 0, 1]])

# %% Model: layers, in the order in which the data pass through them
# Book 15: The book sets no seed. Each of its runs gives another result.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: The book writes Dense(2, input_dim=3). Today this gives a warning.
model.add(Input(shape=(3,)))
# Hidden layer: 2 neurons, each a weighted sum of the inputs plus a number, the bias.
# Sigmoid turns this into a number from 0 to 1.
model.add(Dense(2))
model.add(Activation("sigmoid"))
# Output layer: a neuron per class; softmax turns their values into probabilities
model.add(Dense(3))
model.add(Activation("softmax"))

# The loss measures how wrong the probabilities are. The optimizer changes the weights to lower it.
# Accuracy is the share of rows whose most probable class is the right one.
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% Training: an epoch is one pass over the training data
# The weights are updated once per batch. Here all three rows are one batch: 10 epochs, 10 updates.
# With SGD's learning rate of 0.01 they hardly move the weights, so the network does not learn yet.
# Book 9: In 2017 the progress counted rows, 3/3. Today it counts batches, 1/1.
verbose = 0 if args.quiet else 1
# Book 2: The book sets no epochs. The default was 10; since Keras 2.1.0 it is 1, without a warning.
# Extra: `history` keeps the loss and the accuracy of every epoch.
history = model.fit(
    x_train, y_train, batch_size=args.batch_size, epochs=args.epochs, verbose=verbose
)

# %% Evaluation on the test data: [loss, accuracy]
# With one row the accuracy is either 0.0 or 1.0.
print(model.evaluate(x_test, y_test, verbose=0))

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

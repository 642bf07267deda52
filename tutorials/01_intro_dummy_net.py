# %% A first neural network, on three rows of dummy data (section 4.3)
r"""Build, train and evaluate a network with Keras, in as few lines as possible.

Run:    .venv/bin/python tutorials/01_intro_dummy_net.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.0 or 1.0, loss 0.6095 to 2.0520 (100 seeds), about 6 seconds
Marks:  `# Book 7:` matters only if you own the book (book.md, row 7); `# Extra:` is not in it
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=32, help="rows per update (default: 32)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--quiet", action="store_true", help="hide the progress (default: show it)")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # in a notebook, set one by args.epochs = 2
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import keras
import numpy as np

# Book 5: from keras.layers.core import Dense, Activation. Today this is an error.
from keras.layers import Activation, Dense, Input
from keras.models import Sequential

# Keras describes the network. Its backend, here TensorFlow, does the arithmetic.
print(f"Keras {keras.__version__}, backend {keras.config.backend()}")

# %% Data: three rows to train with, three numbers in each
x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
# One-hot labels: a row for each row above, a column for each of three classes, 1 in the right one
y_train = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])

# Test data, kept out of training: only unseen data show whether a network learned a general rule
x_test = np.array([[0.1, 0.3, 0.5]])
y_test = np.array([[0, 0, 1]])

# %% Model: layers, in the order in which the data pass through them
# A neuron has weights, numbers that training changes. They start as random numbers; with a seed
# these are the same in every run.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: Dense(2, input_dim=3). Today this warns.
model.add(Input(shape=(3,)))  # a row is 3 numbers; how many rows there are is left open
# Hidden layer, between input and output: 2 neurons. Each multiplies its inputs by its weights, sums
# the products, and adds its bias, one more number that training changes. Sigmoid squeezes the sum
# between 0 and 1.
model.add(Dense(2))
model.add(Activation("sigmoid"))
# Output layer: a neuron for each class. Softmax turns their values into probabilities.
model.add(Dense(3))
model.add(Activation("softmax"))

# The loss (cross-entropy) is minus the logarithm of the probability of the right class: 0 if this
# probability is 1, and -log(1/3) = 1.1 for a guess among three classes.
# The optimizer, SGD (stochastic gradient descent), changes the weights to lower it.
# Accuracy is the share of rows whose most probable class is the right one.
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% Training: an epoch is one pass over the training data
# A batch is the rows of one update of the weights. Here it is all three: 10 epochs, 10 updates. The
# learning rate of SGD, 0.01, makes each update small: after ten, the result is mostly chance.
verbose = 0 if args.quiet else 1
# Book 2: fit without epochs. That meant 10 epochs; today it means 1, and nothing warns.
# Extra: `history` keeps the loss and the accuracy of every epoch. 05 draws them.
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

# %% Flags for a terminal
r"""Section 4.6: read handwritten digits (MNIST) with a convolutional network (CNN).

It shows the layers that know which pixels are neighbors, and dropout against overfitting.

Run:    .venv/bin/python tutorials/04_mnist_cnn.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.9897 to 0.9916 (10 seeds), about 5 minutes
        with --epochs 3 --batch-size 512, as in the book:
        test accuracy 0.9746 to 0.9810 (10 seeds), about 68 seconds

The flags below and the block for uv at the end are not the book's. A comment `# Book 7:` says what
the book has there; row 7 of tutorials/changes.md (changes.ja.md) says more. `# Extra:` is ours.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=128, help="images per update (default: 128)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
# In a cell of a notebook the defaults apply. There, args.epochs = 2 changes one of them.
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import socket
from importlib import import_module

import keras
from keras.datasets import mnist
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adadelta
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

# Height, width and channels (1 for gray, 3 for color), and 0-255 => 0-1
x_train = x_train.reshape(len(x_train), 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 28, 28, 1).astype("float32") / 255
# One-hot labels, one column per digit: 2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% Model: a convolution knows which pixels are neighbors; the MLP of section 4.5 does not
# Book 15: The book sets no seed. Each of its runs gives another result.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: The book writes Conv2D(..., input_shape=(28, 28, 1)). Today this gives a warning.
model.add(Input(shape=(28, 28, 1)))
# 32 filters of 3 x 3 pixels slide over the image. Each learns a pattern, such as an edge.
model.add(Conv2D(32, kernel_size=(3, 3)))
model.add(Activation("relu"))  # turns negative values into 0
# Each filter made an image of its own. 64 more look for patterns across those 32 images.
model.add(Conv2D(64, kernel_size=(3, 3)))
model.add(Activation("relu"))
# Pooling keeps the largest of each 2 x 2 values (24 x 24 => 12 x 12): exact places matter less
model.add(MaxPooling2D(pool_size=(2, 2)))
# Dropout: in training a random quarter of the values is set to 0, which reduces overfitting
model.add(Dropout(0.25))
model.add(Flatten())  # lays the 12 x 12 x 64 values in a row, for the Dense layers
model.add(Dense(128))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(10))
model.add(Activation("softmax"))  # a probability for each of the ten digits

# Adadelta gives every weight a step size of its own, which the learning rate multiplies.
model.compile(
    loss="categorical_crossentropy",
    # Book 1: The book writes "Adadelta". In 2017 that meant these values. Today it means a
    # learning rate of 0.001, without a warning, and the network hardly learns.
    optimizer=Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8),
    metrics=["accuracy"],
)

# %% Training: fewer epochs and larger batches finish sooner, but mean fewer updates
# Extra: `history` keeps the loss and the accuracy of every epoch.
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% Evaluation on images that were not used for training; nothing is dropped out now
score = model.evaluate(x_test, y_test, verbose=0)
# Book 11: The book prints "test acc : " and all digits. Here four decimals are enough.
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

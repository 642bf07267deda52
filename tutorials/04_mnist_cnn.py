"""Section 4.6: read handwritten digits (MNIST) with a convolutional network (CNN).

Run:    python tutorials/04_mnist_cnn.py
Expect: test accuracy 0.9901 to 0.9907 (2 seeds), about 5 minutes
        with --epochs 3 --batch-size 512, as in the book:
        test accuracy 0.9746 to 0.9810 (10 seeds), about 68 seconds
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter  # flags; the lesson is below

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=128, help="images per update (default: 128)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
args = parser.parse_args()
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# Libraries
import socket

import keras
from keras.datasets import mnist
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adadelta
from keras.utils import to_categorical

keras.utils.set_random_seed(args.seed)  # Book 15: no seed, so no run could be repeated

# Data: 60,000 images of 28 x 28 pixels to train with and 10,000 others to test with
socket.setdefaulttimeout(10)  # a network that is silent for ten seconds counts as no internet
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()  # Book 14: another server, no checksum
except Exception as error:  # Book 14: no fallback; here for a machine without internet
    from offline_mnist import load_data  # the file next to this one in tutorials/

    (x_train, y_train), (x_test, y_test) = load_data(error)

# Height, width and channels (1 for gray, 3 for color), and 0-255 => 0-1
x_train = x_train.reshape(len(x_train), 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 28, 28, 1).astype("float32") / 255
# One-hot labels, one column per digit: 2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# Model: a convolution knows which pixels are neighbors; the MLP of section 4.5 does not
model = Sequential()
model.add(Input(shape=(28, 28, 1)))  # Book 7: Conv2D(..., input_shape=(28, 28, 1)), a warning
# 32 filters of 3 x 3 pixels slide over the image; each learns a pattern, such as an edge
model.add(Conv2D(32, kernel_size=(3, 3)))
model.add(Activation("relu"))  # turns negative values into 0
# Each filter made an image of its own; 64 more look for patterns across those 32 images
model.add(Conv2D(64, kernel_size=(3, 3)))
model.add(Activation("relu"))
# Pooling keeps the largest of each 2 x 2 values (24 x 24 => 12 x 12): exact places matter little
model.add(MaxPooling2D(pool_size=(2, 2)))
# Dropout: training without a random quarter of the values prevents learning by heart (overfitting)
model.add(Dropout(0.25))
model.add(Flatten())  # lays the 12 x 12 x 64 values in a row, for the Dense layers
model.add(Dense(128))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(10))
model.add(Activation("softmax"))  # a probability for each of the ten digits

model.compile(
    # Book 1: "Adadelta", then with these values; today silently rate 0.001, which hardly learns
    optimizer=Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# Training: fewer epochs and larger batches finish sooner, but mean fewer updates
model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation on images that were not used for training; nothing is dropped out now
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")  # Book 11: "test acc : " and every digit

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-25T00:00:00Z"
# ///

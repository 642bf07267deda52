"""Section 4.6: read handwritten digits (MNIST) with a convolutional network (CNN).

Run:    python tutorials/04_mnist_cnn.py
Expect: test accuracy 0.9901 to 0.9907 (2 seeds), about 5 minutes
        with --epochs 3 --batch-size 512, as in the book:
        test accuracy 0.9769 to 0.9800 (5 seeds), about 68 seconds
"""

import argparse


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
parser.add_argument("--batch-size", type=integer, default=128, help=default)
parser.add_argument("--seed", type=lambda s: integer(s, 0), default=0, help=default)
parser.add_argument(
    "--mixed-precision",
    action="store_true",
    help="bfloat16: faster on new GPUs and on CPUs with AVX512_BF16 or AMX, slower on others",
)
args = parser.parse_args()

# Libraries
import keras
from keras.datasets import mnist
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adadelta
from keras.utils import to_categorical

keras.utils.set_random_seed(args.seed)
if args.mixed_precision:  # compute in 16 bits, keep the weights in 32
    keras.config.set_dtype_policy("mixed_bfloat16")

# Data: 60,000 images of handwritten digits to learn from, 10,000 to test with, 28 x 28 pixels each
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()  # Book: another server, no checksum
except Exception as error:  # no internet, say
    import offline_mnist  # it lies beside this script in tutorials/

    (x_train, y_train), (x_test, y_test) = offline_mnist.load_data(error)

# A convolution wants height, width and channels: 28 x 28 => 28 x 28 x 1, and 0-255 => 0-1
x_train = x_train.reshape(-1, 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(-1, 28, 28, 1).astype("float32") / 255

# Digits 0 to 9 => one-hot labels
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# Model
model = Sequential()
model.add(Input(shape=(28, 28, 1)))  # Book: Conv2D(..., input_shape=(28, 28, 1)), which warns
model.add(Conv2D(32, kernel_size=(3, 3)))
model.add(Activation("relu"))
model.add(Conv2D(64, kernel_size=(3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(128))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(10))
model.add(Activation("softmax", dtype="float32"))  # 16 bits would be too coarse for the loss
model.compile(
    # Book: "Adadelta", which then meant these values; today's rate 0.001 silently hardly learns
    optimizer=Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# Training
model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# For `uv run`:
# /// script
# requires-python = ">=3.11"
# dependencies = ["keras>=3.15.1", "tensorflow>=2.20", "numpy>=2.1", "scikit-learn>=1.6"]
# ///

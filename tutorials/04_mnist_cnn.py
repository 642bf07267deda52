# %% Read handwritten digits with a convolutional network, a CNN (section 4.6)
r"""Use layers that look at neighboring pixels (MNIST), and dropout, which reduces overfitting.

Run:    .venv/bin/python tutorials/04_mnist_cnn.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.9897 to 0.9916 (10 seeds), about 7 minutes
        with --epochs 3 --batch-size 512, as in the book:
        test accuracy 0.9746 to 0.9810 (10 seeds), about 2 minutes
Marks:  `# Book 7:` matters only if you own the book (book.md, row 7); `# Extra:` is not in it
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=128, help="images per update (default: 128)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # in a notebook, set one by args.epochs = 2
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
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
except Exception as error:
    # Extra: Without internet, offline_mnist.py (in the same folder) supplies other digits.
    (x_train, y_train), (x_test, y_test) = import_module("offline_mnist").load_data(error)

# Height, width and channels: a gray image has 1 channel, a color image 3. 0-255 => 0-1, as in 03.
x_train = x_train.reshape(len(x_train), 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 28, 28, 1).astype("float32") / 255
# One-hot labels, one column per digit: 2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% Model: a convolution looks at neighboring pixels; to a Dense layer no pixel is near another
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: Conv2D(32, kernel_size=(3, 3), input_shape=(28, 28, 1)). Today this warns.
model.add(Input(shape=(28, 28, 1)))
# 32 filters of 3 x 3 weights slide over the image. Each learns a pattern, and makes a new image
# with large values where the pattern is. These 32 images are the channels of the output. A square
# of 3 x 3 fits into 26 x 26 places: 28 x 28 => 26 x 26.
model.add(Conv2D(32, kernel_size=(3, 3)))
model.add(Activation("relu"))  # turns negative values into 0
# 64 more filters. Each looks at all 32 channels at once, with 3 x 3 x 32 weights, and so can learn
# combinations of the first patterns. 26 x 26 => 24 x 24.
model.add(Conv2D(64, kernel_size=(3, 3)))
model.add(Activation("relu"))
# Pooling keeps the largest value of every 2 x 2 square: 24 x 24 => 12 x 12. Where in the square it
# was is lost, so the output changes less when a digit is moved a little.
model.add(MaxPooling2D(pool_size=(2, 2)))
# Dropout, in training only, sets about a quarter of the values to 0, a different one in each batch,
# and makes the rest larger. So no neuron can rely on one other alone, which reduces overfitting:
# learning the training data by heart.
model.add(Dropout(0.25))
model.add(Flatten())  # lays the 12 x 12 x 64 values in a row, for the Dense layers
model.add(Dense(128))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(10))
model.add(Activation("softmax"))  # a probability for each of the ten digits

# Like Adagrad (03), Adadelta multiplies each gradient by a factor: the larger the gradients of this
# weight were, the smaller. But it forgets old gradients, so the factor need not become ever
# smaller. The learning rate multiplies the result: 1.0 leaves it as it is.
model.compile(
    loss="categorical_crossentropy",
    # Book 1: "Adadelta". Today this has a learning rate of 0.001, and nothing warns.
    optimizer=Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8),
    metrics=["accuracy"],
)

# %% Training: with fewer epochs or larger batches it ends sooner, after fewer updates
# Extra: `history` keeps the loss and the accuracy of every epoch. 05 draws them.
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% Evaluation on the test data; nothing is dropped out now
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

"""Section 4.5: read handwritten digits (MNIST) with a multi-layer perceptron.

Run:    python tutorials/03_mnist_mlp.py
Expect: test accuracy 0.8719 to 0.8916 (10 seeds), about 10 seconds
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter  # flags; the lesson is below

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
parser.add_argument("--batch-size", type=int, default=32, help="images per update (default: 32)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
rules, activations = ["sgd", "adagrad"], ["sigmoid", "relu", "tanh"]
parser.add_argument("--optimizer", choices=rules, default="sgd", help="update rule (default: sgd)")
text = "of the hidden layers (default: sigmoid)"
parser.add_argument("--activation", choices=activations, default="sigmoid", help=text)
args = parser.parse_args()
if not (1 <= args.epochs < 2**31 and 1 <= args.batch_size < 2**31 and 0 <= args.seed < 2**32):
    parser.error("--epochs and --batch-size must be 1 to 2147483647, --seed 0 to 4294967295")

# Libraries
import keras
from keras.datasets import mnist
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.optimizers import Adagrad
from keras.utils import to_categorical

keras.utils.set_random_seed(args.seed)  # Book: no seed, so no run could be repeated

# Data: 60,000 images of 28 x 28 pixels to train with and 10,000 others to test with
try:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()  # Book: another server, no checksum
except Exception as error:  # Book: no fallback; here for a machine without internet
    from offline_mnist import load_data  # the file next to this one in tutorials/

    (x_train, y_train), (x_test, y_test) = load_data(error)

# 28 x 28 => 784, since a Dense layer wants a row; 0-255 => 0-1, a range that trains well
x_train = x_train.reshape(len(x_train), 784).astype("float32") / 255
x_test = x_test.reshape(len(x_test), 784).astype("float32") / 255

# One-hot labels, one column per digit: 2 => [0, 0, 1, 0, ...]
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# Model: two hidden layers, of 50 and 20 neurons
model = Sequential()
model.add(Input(shape=(784,)))  # Book: Dense(50, input_dim=784), which warns today
model.add(Dense(50))
model.add(Activation(args.activation))
model.add(Dense(20))
model.add(Activation(args.activation))
# Softmax gives each of the ten digits a probability
model.add(Dense(10))
model.add(Activation("softmax"))

# The optimizer lowers the loss step by step; Adagrad gives every weight a step size of its own
optimizer = "sgd"
if args.optimizer == "adagrad":
    # Book: "Adagrad", then rate 0.01, sums of squared gradients from 0, divisor sqrt(sum) + 1e-8;
    # today silently rate 0.001, sums from 0.1, divisor sqrt(sum + epsilon): 1e-16 comes nearest
    optimizer = Adagrad(learning_rate=0.01, initial_accumulator_value=0.0, epsilon=1e-16)
batches = len(range(0, len(x_train), args.batch_size))  # in an epoch; the last may be smaller
model.compile(
    optimizer=optimizer,
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    # Book: one batch per call; a whole epoch per call is faster, same result (PyTorch cannot)
    steps_per_execution=1 if keras.config.backend() == "torch" else batches,
)

# Training: an update per batch, 1,875 in an epoch; larger batches run faster but update less often
# Book: no epochs given, which meant 10; since Keras 2.1.0 it silently means 1
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation on images that were not used for training
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")  # Book: "test accuracy : " and every digit

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-24T00:00:00Z"
# ///

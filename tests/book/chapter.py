"""The chapter's five programs, stated once: data, networks, optimizers, epochs and batches.

This file runs on the book's software (Python 3.6, Keras 2.0.6, TensorFlow 1.3; the README beside it installs it)
and on today's. test_book.py holds the scripts against it; the book's software trains and replays it:

    python tests/book/chapter.py 03-relu 20    train this program with 20 seeds; prints lines for runs.csv
    python tests/book/chapter.py replay        print what test_book.py repeats on today's Keras, as JSON
"""

import collections
import json
import os
import re
import sys
from functools import partial

import keras
import numpy as np
from keras.datasets import mnist
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# `data` makes x_train, y_train, x_test and y_test, with one-hot labels, `network` the layers
Program = collections.namedtuple("Program", "data network optimizer epochs batch_size")
MNIST = os.environ.get("MNIST_NPZ", "mnist.npz")  # this file, or Keras' own

# What Keras 2.0.6 does when the chapter names an optimizer, in the words of today's Keras. Its Adagrad
# divides by sqrt(a) + 1e-8, today's by sqrt(a + epsilon): 1e-16 is the nearest there is.
OPTIMIZERS = {
    "SGD": {"learning_rate": 0.01},
    "Adadelta": {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-8},
    "Adagrad": {"learning_rate": 0.01, "initial_accumulator_value": 0.0, "epsilon": 1e-16},
}
# How far today's Keras may be from what 2.0.6 makes of given weights and inputs: an output or a loss, and
# a weight after any of 50 updates. Adagrad's may be further, where gradients are hardly above 1e-8: those
# of the replay go down to 3e-7 and leave 9.4e-4 on every backend. epsilon=1e-8 would leave 1.3e-1.
OUTPUT_TOLERANCE = 1e-5
UPDATE_TOLERANCE = {"SGD": 1e-6, "Adadelta": 1e-6, "Adagrad": 1.2e-3}
# How Dense and Conv2D start by default
START = {"kernel_initializer": "glorot_uniform", "bias_initializer": "zeros"}


def dummy_rows(seed):
    x_train = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
    y_train = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    return x_train, y_train, np.array([[0.1, 0.3, 0.5]]), np.array([[0, 0, 1]])


def iris_rows(seed):
    iris = load_iris()
    x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=seed)
    return x_train, np.eye(3)[y_train], x_test, np.eye(3)[y_test]


def mnist_rows(shape, seed):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(MNIST)
    x_train = x_train.reshape((-1,) + shape).astype("float32") / 255
    x_test = x_test.reshape((-1,) + shape).astype("float32") / 255
    return x_train, np.eye(10)[y_train], x_test, np.eye(10)[y_test]


def perceptron(inputs, *sizes, activation="sigmoid"):
    """Yield the layers of a network of these sizes; the last is softmax."""
    yield Dense(sizes[0], input_dim=inputs, **START)
    for size in sizes[1:]:
        yield Activation(activation)
        yield Dense(size, **START)
    yield Activation("softmax")


def cnn():
    """Yield the layers of section 4.6."""
    form = dict(START, kernel_size=(3, 3), strides=(1, 1), padding="valid")
    yield Conv2D(32, input_shape=(28, 28, 1), **form)
    yield Activation("relu")
    yield Conv2D(64, **form)
    yield Activation("relu")
    yield MaxPooling2D(pool_size=(2, 2))
    yield Dropout(0.25)
    yield Flatten()
    yield Dense(128, **START)
    yield Activation("relu")
    yield Dropout(0.5)
    yield Dense(10, **START)
    yield Activation("softmax")


IRIS = Program(iris_rows, partial(perceptron, 4, 50, 3), "SGD", 20, 1)
DIGITS = partial(perceptron, 784, 50, 20, 10)
MLP = Program(partial(mnist_rows, (784,)), DIGITS, "SGD", 10, 32)
CNN = Program(partial(mnist_rows, (28, 28, 1)), cnn, "Adadelta", 10, 128)
# By the numbers of the scripts, with the exercises of 4.5 and the run that 4.6 prints
PROGRAMS = {
    "01": Program(dummy_rows, partial(perceptron, 3, 2, 3), "SGD", 10, 32),
    "02": IRIS,
    "03": MLP,
    "03-adagrad": MLP._replace(optimizer="Adagrad"),
    "03-relu": MLP._replace(network=partial(DIGITS, activation="relu")),
    "03-tanh": MLP._replace(network=partial(DIGITS, activation="tanh")),
    "04": CNN,
    "04-book": CNN._replace(epochs=3, batch_size=512),
    "05": IRIS,
}


def build(program, optimizer=None):
    """Return the network of a program, compiled as in the chapter, not yet trained."""
    model = Sequential(list(program.network()))
    optimizer = optimizer or program.optimizer
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def build_today(program):
    """Return the same, compiled so that today's Keras does what 2.0.6 did."""
    optimizer = getattr(keras.optimizers, program.optimizer)
    return build(program, optimizer(**OPTIMIZERS[program.optimizer]))


def train(program, seed):
    """Train a program on the book's software and return its test [loss, accuracy]."""
    import tensorflow

    np.random.seed(seed)  # Keras 2.0.6 draws the seeds of its layers, and its order of rows, here
    tensorflow.set_random_seed(seed)
    model = build(program)
    x_train, y_train, x_test, y_test = program.data(seed)
    model.fit(x_train, y_train, batch_size=program.batch_size, epochs=program.epochs, verbose=0)
    return model.evaluate(x_test, y_test, verbose=0)


def given_weights(shapes):
    """Return weights of these shapes, float32: the same numbers with every version of NumPy.

    The kernels reach so far that values keep their size from layer to layer; no bias is 0.
    """
    draws, weights = np.random.RandomState(2017), []
    for shape in shapes:
        limit = np.sqrt(6 / np.prod(shape[:-1])) if len(shape) > 1 else 0.5
        weights.append(draws.uniform(-limit, limit, shape).astype("float32"))
    return weights


def given_rows(shape, classes):
    """Return eight inputs (8, *shape) from -1 to 1, float32, and their one-hot classes."""
    inputs = np.random.RandomState(28).uniform(-1, 1, (8,) + tuple(shape)).astype("float32")
    return inputs, np.eye(classes, dtype="float32")[np.arange(8) % classes]


def replay_network(model):
    """Return the output (8, classes) and the loss of a network, given weights and rows as above."""
    model.set_weights(given_weights([weight.shape for weight in model.get_weights()]))
    inputs, targets = given_rows(model.input_shape[1:], model.output_shape[-1])
    loss, _ = model.test_on_batch(inputs, targets)
    return np.asarray(model.predict_on_batch(inputs)).tolist(), float(loss)


def replay_updates(optimizer, updates=50):
    """Return the weights (updates + 1, 6, 3) of a single matrix before and after each update.

    Column i of the inputs goes up to 10 ** -i, and so do the gradients of row i of the weights: what
    an optimizer's epsilon does shows only beside gradients that are as small.
    """
    weights = given_weights([(6, 3)])
    inputs, targets = given_rows((6,), 3)
    inputs *= np.array([1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5], "float32")
    model = Sequential([Dense(3, input_dim=6, use_bias=False), Activation("softmax")])
    model.compile(optimizer, loss="categorical_crossentropy")
    model.set_weights(weights)
    for _ in range(updates):
        model.train_on_batch(inputs, targets)
        weights += model.get_weights()
    return np.array(weights)


def replay():
    networks = {name: replay_network(build(program)) for name, program in PROGRAMS.items()}
    optimizers = {name: replay_updates(name).tolist() for name in OPTIMIZERS}
    return {"keras": keras.__version__, "networks": networks, "optimizers": optimizers}


def main():
    if sys.argv[1:] == ["replay"]:
        print(re.sub(r"(\d\.\d{8})\d+", r"\1", json.dumps(replay())))
        return
    name, seeds = sys.argv[1:]
    for seed in range(int(seeds)):
        loss, accuracy = train(PROGRAMS[name], seed)
        print(f"{name},{seed},{loss if name == '01' else accuracy:.4f}")


if __name__ == "__main__":
    main()

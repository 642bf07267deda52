"""Section 4.7: save and load a network, print its summary, plot its learning curve.

Run:    python tutorials/05_tips_save_summary_plot.py
Expect: test accuracy 0.6579 to 0.9737 (5 seeds), about 7 seconds;
        the loaded network predicts exactly what the saved one does
"""

import argparse
import sys
import tempfile
from pathlib import Path


def integer(text, low=1, high=2**31 - 1):
    """Return the value of a flag, or let argparse say in one line what would be right."""
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


# The flags come before the lesson: Keras takes seconds to import, --help and slips need not wait.
parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
parser.formatter_class = argparse.RawDescriptionHelpFormatter
default = "default: %(default)s"
parser.add_argument("--epochs", type=integer, default=20, help=default)
parser.add_argument("--batch-size", type=integer, default=1, help=default)
parser.add_argument("--seed", type=lambda s: integer(s, 0), default=0, help=default)
parser.add_argument("--model-file", type=Path, default="my_model.keras", help=default)
parser.add_argument("--figure", type=Path, default="learning_curve.png", help=default)
parser.add_argument("--show", action="store_true", help="open a window with the learning curve")
args = parser.parse_args()
sys.stdout.reconfigure(errors="replace")  # a path may have letters that the console lacks
pictures = (".png", ".jpg", ".pdf", ".svg")
for path, endings in (args.model_file, (".keras", ".h5")), (args.figure, pictures):
    if path.suffix not in endings:
        parser.error(f"the name of {path} must end in {' or '.join(endings)}")
    try:  # now, not after the training
        with path.open("r+b") if path.exists() else tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        parser.error(f"cannot write {path}: {error.strerror}")

# Libraries
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Activation, Dense, Input
from keras.models import Sequential, load_model
from keras.optimizers import SGD
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(args.seed)

# Data: 150 flowers of three species, split at random into 112 to learn from and 38 to test with
iris = load_iris()
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)

# Species 0, 1, 2 => one-hot labels
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# Model
model = Sequential()
model.add(Input(shape=(4,)))  # Book: Dense(50, input_dim=4), which warns today
model.add(Dense(50))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(
    optimizer=SGD(learning_rate=0.01), loss="categorical_crossentropy", metrics=["accuracy"]
)

# Summary
model.summary()  # Book: dense_1 and dense_2; today the names are dense and dense_1

# Training
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# Saving and loading
model.save(args.model_file)  # Book: my_model.h5, a format that Keras now calls legacy
loaded_model = load_model(args.model_file)
result = loaded_model.predict(x_test, verbose=0)
same = np.array_equal(result, model.predict(x_test, verbose=0))
print(f"saved and loaded: {args.model_file}")
print(f"the loaded model predicts exactly the same: {same}")
optimizer = loaded_model.optimizer
print(f"its optimizer: {optimizer.name} after {int(optimizer.iterations)} updates")

# Predictions for five of the test flowers
names = iris.target_names
for i in range(5):
    print(f"predicted {names[result[i].argmax()]:10}  true {names[y_test[i].argmax()]}")

# Learning curve
plt.plot(history.history["accuracy"], label="accuracy")  # Book: "acc"; today KeyError: 'acc'
plt.plot(history.history["loss"], label="loss")
plt.xlabel("epoch")
plt.ylabel("on the training data")
plt.legend()
plt.savefig(args.figure)
print(f"learning curve: {args.figure}")
if args.show:
    plt.show()

# For `uv run`:
# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "keras>=3.15.1", "tensorflow>=2.20", "numpy>=2.1", "scikit-learn>=1.6", "matplotlib>=3.10",
# ]
# ///

# %% Flags for a terminal
r"""Section 4.4: tell three species of iris apart by four measurements of the flower.

It shows the steps with real data: split them, make one-hot labels, train, test on unseen flowers.

Run:    .venv/bin/python tutorials/02_iris_mlp.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.6579 to 1.0000 (80 seeds), about 6 seconds

The flags below and the block for uv at the end are not the book's. A comment `# Book 7:` says what
the book has there; row 7 of tutorials/changes.md (changes.ja.md) says more. `# Extra:` is ours.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
parser.add_argument("--batch-size", type=int, default=1, help="flowers per update (default: 1)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
# In a cell of a notebook the defaults apply. There, args.epochs = 2 changes one of them.
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import keras
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# %% Data: 150 flowers, shuffled; 112 are training data, 38 are kept apart as test data
# A row has the length and the width of a flower's sepal, and those of its petal, in cm
iris = load_iris()
# Book 15: The book gives no random_state. Each of its runs has another split.
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)

# One-hot labels: 2 => [0, 0, 1]. The numbers of the species are only names, without an order.
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# %% Model: 4 measurements => 50 neurons => 3 species
# Book 15: The book sets no seed. Each of its runs starts with other weights.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: The book writes Dense(50, input_dim=4). Today this gives a warning.
model.add(Input(shape=(4,)))
# Hidden layer: its activation lets the network learn more than straight boundaries
model.add(Dense(50))
model.add(Activation("sigmoid"))
# Output layer: softmax turns the values of the 3 neurons into probabilities that sum to 1
model.add(Dense(3))
model.add(Activation("softmax"))

# The loss is small where the true species gets a high probability. SGD moves the weights a small
# step in the direction that lowers the loss, batch by batch.
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% Training: a batch of 1 means an update after every flower, 112 in each epoch
# After 20 epochs the network is still learning: compare --epochs 100.
# Extra: `history` keeps the loss and the accuracy of every epoch.
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% Evaluation on flowers that were not used for training
score = model.evaluate(x_test, y_test, verbose=0)
# Book 11: The book prints "test acc : " and all digits. Here four decimals are enough.
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

# %% Tell three species of iris apart (section 4.4)
r"""Train a network with real data: split them, make one-hot labels, test on unseen flowers.

Run:    .venv/bin/python tutorials/02_iris_mlp.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.6579 to 1.0000 (80 seeds), about 8 seconds
Marks:  `# Book 7:` matters only if you own the book (book.md, row 7); `# Extra:` is not in it
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
parser.add_argument("--batch-size", type=int, default=1, help="flowers per update (default: 1)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # in a notebook, set one by args.epochs = 2
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import keras
from keras.layers import Activation, Dense, Input
from keras.models import Sequential
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# %% Data: 150 flowers of three species, 50 of each
# A row has 4 numbers: the length and the width of a flower's sepal, and those of its petal, in cm.
iris = load_iris()
# Shuffled and split: 112 flowers to train with, 38 to test with. A network can learn its training
# data by heart (overfitting). Only unseen flowers show whether it can tell new ones apart.
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)

# One-hot labels: 2 => [0, 0, 1]. The network has an output for each species, and the label says
# what each should be. The numbers 0, 1 and 2 are only names: species 2 is not twice species 1.
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# %% Model: 4 measurements => 50 neurons => 3 species
# The seed fixes the starting weights, and the order in which training shuffles the flowers.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: Dense(50, input_dim=4). Today this warns.
model.add(Input(shape=(4,)))
# Hidden layer. Without its activation, the sigmoid, the network could separate the species by
# straight boundaries only.
model.add(Dense(50))
model.add(Activation("sigmoid"))
# Output layer: softmax turns the values of the 3 neurons into probabilities that sum to 1.
model.add(Dense(3))
model.add(Activation("softmax"))

# The loss is small when the true species gets a high probability. The gradient of a weight says how
# fast the loss rises when the weight grows. SGD moves the weight the other way, by the gradient
# times the learning rate.
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% Training: a batch of 1 means an update after every flower, 112 in each epoch
# After 20 epochs the network is still learning. Run it again with --epochs 100 to see more.
# Extra: `history` keeps the loss and the accuracy of every epoch. 05 draws them.
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% Evaluation on flowers that were not used for training
# A random guess is right 1 time in 3, an accuracy of 0.33. Since 38 flowers are few and 20 epochs
# are short, the result depends much on the seed, which also chooses the test data.
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "scikit-learn"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

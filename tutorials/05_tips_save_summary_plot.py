# %% Flags for a terminal
r"""Section 4.7: save and load a network, print its summary, plot its learning curve.

It shows these three tips with the network of section 4.4.

Run:    .venv/bin/python tutorials/05_tips_save_summary_plot.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.6579 to 1.0000 (80 seeds), about 7 seconds

The flags below and the block for uv at the end are not the book's. A comment `# Book 7:` says what
the book has there; row 7 of tutorials/changes.md (changes.ja.md) says more. `# Extra:` is ours.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
parser.add_argument("--batch-size", type=int, default=1, help="flowers per update (default: 1)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--show", action="store_true", help="also show the learning curve in a window")
# In a cell of a notebook the defaults apply. There, args.epochs = 2 changes one of them.
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# %% Libraries
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Activation, Dense, Input
from keras.models import Sequential, load_model
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# %% Data: training data and test data of section 4.4, with one-hot labels
iris = load_iris()
# Book 15: The book gives no random_state. Each of its runs has another split.
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# %% Model: the network of section 4.4, a hidden layer and softmax
# Extra: In a notebook this forgets earlier layers, so that the names below begin anew.
keras.utils.clear_session()
# Book 15: The book sets no seed. Each of its runs starts with other weights.
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: The book writes Dense(50, input_dim=4). Today this gives a warning.
model.add(Input(shape=(4,)))
model.add(Dense(50))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% Tip: the summary has the layers, their output shapes, and their weights and biases
# None stands for any number of rows. The first Dense has 4 x 50 weights and 50 biases: 250.
# Book 4: The book's layers are called dense_1 and dense_2. Today they are dense and dense_1.
model.summary()

# %% Training: fit returns the loss and the accuracy of every epoch
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% Evaluation on flowers that were not used for training
# Extra: The book evaluates this network in section 4.4 only.
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# %% Tip: a file holds the layers, their weights and the optimizer, so training could go on
# Book 8: The book saves as my_model.h5. Today Keras calls this format legacy and warns.
model.save("my_model.keras")
loaded_model = load_model("my_model.keras")
# Extra: The loaded network is compared with the trained one. Updates: 20 epochs x 112 batches.
result = loaded_model.predict(x_test, verbose=0)
print("loaded, it predicts the same:", np.array_equal(result, model.predict(x_test, verbose=0)))
print("updates in its optimizer:", int(loaded_model.optimizer.iterations))

# Extra: Predictions for five test flowers: the most probable species, and the true one
names = iris.target_names
for i in range(5):
    print(f"predicted {names[result[i].argmax()]:10}  true {names[y_test[i].argmax()]}")

# %% Tip: while the network learns, the accuracy rises and the loss falls
# Book 18: The book's curve begins at epoch 0 and has no labels. Its plt.ylim() sets nothing.
epochs = [epoch + 1 for epoch in history.epoch]
plt.figure()
# Book 6: The book writes history.history["acc"]. Today the key is "accuracy".
plt.plot(epochs, history.history["accuracy"], ".-", label="accuracy")
plt.plot(epochs, history.history["loss"], ".-", label="loss")
plt.locator_params(axis="x", integer=True, min_n_ticks=1)  # Extra: whole numbers only
plt.xlabel("epoch")
plt.ylabel("accuracy and loss on the training data")
plt.legend()
# Book 18: The book only calls plt.show(), which needs a screen. A file does not.
plt.savefig("learning_curve.png")
print("written: my_model.keras, learning_curve.png")  # Extra: what is left behind
if args.show:
    plt.show()

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn", "matplotlib"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

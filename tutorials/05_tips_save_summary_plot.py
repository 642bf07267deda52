# %% Save a network, print its summary, plot its learning curve (section 4.7)
r"""Save a trained network, print its layers, plot how it learned. The network is that of 02.

Run:    .venv/bin/python tutorials/05_tips_save_summary_plot.py (Windows: .venv\Scripts\python)
Expect: test accuracy 0.6579 to 1.0000 (80 seeds), about 12 seconds
Marks:  `# Book 7:` matters only if you own the book (book.md, row 7); `# Extra:` is not in it
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
parser.add_argument("--batch-size", type=int, default=1, help="flowers per update (default: 1)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--show", action="store_true", help="also show the curve (default: file only)")
in_cell = parser.prog in ("ipykernel_launcher.py", "colab_kernel_launcher.py", "pydevconsole.py")
args = parser.parse_args([] if in_cell else None)  # in a notebook, set one by args.epochs = 2
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

# %% Data: the flowers of 02, split in the same way, with one-hot labels
iris = load_iris()
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# %% Model: the network of 02, a hidden layer and softmax
# Extra: Keras forgets earlier layers. If this cell runs again, the first is still named "dense".
keras.utils.clear_session()
keras.utils.set_random_seed(args.seed)

model = Sequential()
# Book 7: Dense(50, input_dim=4). Today this warns.
model.add(Input(shape=(4,)))
model.add(Dense(50))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# %% Tip: the summary shows the layers, the shapes of their outputs, and their parameters (Param #)
# Parameters are weights and biases. The first Dense has 4 x 50 weights and 50 biases: 250. In a
# shape, None stands for any number of rows.
# Book 4: layers named dense_1 and dense_2. Today these are dense and dense_1.
model.summary()

# %% Training: fit returns an object that keeps the loss and the accuracy of every epoch
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# %% Evaluation on the test data
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# %% Tip: a saved file holds the layers and their weights, so another program need not train again
# It also holds the state of the optimizer, such as how many updates it has made: 20 epochs x 112
# batches = 2240. So training could go on. An older file of this name is replaced.
# Book 8: my_model.h5. Today Keras calls this format legacy, and warns.
model.save("my_model.keras")
loaded_model = load_model("my_model.keras")
# predict gives three probabilities for each flower. Are they the same after loading?
result = loaded_model.predict(x_test, verbose=0)
print("loaded, it predicts the same:", np.array_equal(result, model.predict(x_test, verbose=0)))
print("updates in its optimizer:", int(loaded_model.optimizer.iterations))

# argmax gives the place of the largest number: in a prediction the most probable species, in a
# one-hot label the true one.
names = iris.target_names
for i in range(5):
    print(f"predicted {names[result[i].argmax()]:10}  true {names[y_test[i].argmax()]}")

# %% Tip: while a network learns, the accuracy rises and the loss falls, if not in every epoch
# These are of the training data. Whether it learns them by heart, only unseen data show.
epochs = [epoch + 1 for epoch in history.epoch]  # history.epoch counts from 0
plt.figure()
# Book 6: history.history["acc"]. Today this is a KeyError.
plt.plot(epochs, history.history["accuracy"], ".-", label="accuracy")
plt.plot(epochs, history.history["loss"], ".-", label="loss")
plt.locator_params(axis="x", integer=True, min_n_ticks=1)  # whole numbers on the axis
plt.xlabel("epoch")
plt.ylabel("accuracy and loss on the training data")
plt.legend()
plt.savefig("learning_curve.png")  # needs no screen; plt.show does
print("written: my_model.keras, learning_curve.png")
if args.show:
    plt.show()

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn", "matplotlib"]
# tool.uv.exclude-newer = "2026-11-26T00:00:00Z"
# ///

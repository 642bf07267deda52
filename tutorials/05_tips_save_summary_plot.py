"""Section 4.7: save and load a network, print its summary, plot its learning curve.

Run:    python tutorials/05_tips_save_summary_plot.py
Expect: test accuracy 0.6579 to 0.9737 (5 seeds), about 7 seconds
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter  # flags; the lesson is below

parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=20, help="passes over the data (default: 20)")
parser.add_argument("--batch-size", type=int, default=1, help="flowers per update (default: 1)")
parser.add_argument("--seed", type=int, default=0, help="random seed of the run (default: 0)")
parser.add_argument("--show", action="store_true", help="also show the learning curve in a window")
args = parser.parse_args()
if args.epochs < 1 or args.batch_size < 1 or not 0 <= args.seed < 2**32:
    parser.error("--epochs and --batch-size must be at least 1, --seed 0 to 4294967295")

# Libraries
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras.layers import Activation, Dense, Input
from keras.models import Sequential, load_model
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

keras.utils.clear_session()  # in a notebook: forget the layers of earlier runs, and their names
keras.utils.set_random_seed(args.seed)  # Book 15: no seed, so no run could be repeated

# Data: training data and test data of section 4.4, with one-hot labels
iris = load_iris()  # Book 15: split below without random_state, so in another way in every run
x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=args.seed)
y_train = to_categorical(y_train, num_classes=3)
y_test = to_categorical(y_test, num_classes=3)

# Model: the network of section 4.4, a hidden layer and softmax
model = Sequential()
model.add(Input(shape=(4,)))  # Book 7: Dense(50, input_dim=4), which warns today
model.add(Dense(50))
model.add(Activation("sigmoid"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(optimizer="SGD", loss="categorical_crossentropy", metrics=["accuracy"])

# Summary: layers, output shapes (None: any number of rows), weights and biases (4 x 50 + 50 = 250)
model.summary()  # Book 4: dense_1 and dense_2; today the names are dense and dense_1

# Training: fit returns the loss and the accuracy of every epoch
history = model.fit(x_train, y_train, batch_size=args.batch_size, epochs=args.epochs)

# Evaluation on flowers that were not used for training
score = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {score[1]:.4f}")

# Saving: the file holds the layers, their weights and the optimizer, so training could go on
model.save("my_model.keras")  # Book 8: my_model.h5, a format that Keras now calls legacy
loaded_model = load_model("my_model.keras")  # Book 8: model = load_model("my_model.h5")
result = loaded_model.predict(x_test, verbose=0)
print("loaded, it predicts the same:", np.array_equal(result, model.predict(x_test, verbose=0)))
print("updates in its optimizer:", int(loaded_model.optimizer.iterations))  # 20 epochs x 112

# Predictions for five test flowers: the species with the highest probability, and the true one
names = iris.target_names
for i in range(5):
    print(f"predicted {names[result[i].argmax()]:10}  true {names[y_test[i].argmax()]}")

# Learning curve: while the network learns, the accuracy rises and the loss falls
epochs = [epoch + 1 for epoch in history.epoch]  # Book 18: an axis from 0, without labels
plt.figure()  # Book 18: plt.ylim(), which sets nothing without numbers
plt.plot(epochs, history.history["accuracy"], ".-", label="accuracy")  # Book 6: "acc", an error
plt.plot(epochs, history.history["loss"], ".-", label="loss")
plt.locator_params(axis="x", integer=True, min_n_ticks=1)  # there is no epoch 2.5
plt.xlabel("epoch")
plt.ylabel("accuracy and loss on the training data")
plt.legend()
plt.savefig("learning_curve.png")  # Book 18: only plt.show(), which needs a screen
if args.show:
    plt.show()

# /// script
# requires-python = ">=3.11,<3.14"  # this block is for `uv run`
# dependencies = ["keras", "tensorflow", "numpy", "scikit-learn", "matplotlib"]
# tool.uv.exclude-newer = "2026-11-25T00:00:00Z"
# ///

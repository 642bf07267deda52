"""Run a script as if typed, then print what its network has reached on the data that it was trained with.

    report.py script.py --seed 0

The last line that is printed is JSON:
- training: the accuracy, or the error of a regression, on the training data without those kept out for validation,
- to_beat: what always the same answer reaches on the test data: the commonest class, or the mean,
- history: of the training, a list for each of loss, accuracy and so on.
"""

import json
import runpy
import sys


def to_beat(y_train, y_test):
    """Return the share of the commonest class, of one-hot labels; of others the distance from the mean."""
    if y_train.ndim == 1:
        return float(abs(y_test - y_train.mean()).mean())
    return float(y_test.mean(axis=0).max())


def main():
    del sys.argv[0]
    script = runpy.run_path(sys.argv[0], run_name="__main__")
    x_train, y_train, history = script["x_train"], script["y_train"], script["history"].history
    kept_out = getattr(script.get("args"), "validation_split", 0)
    trained = int(len(x_train) * (1 - kept_out))
    _, training = script["model"].evaluate(x_train[:trained], y_train[:trained], verbose=0)
    report = {"training": training, "to_beat": to_beat(y_train, script["y_test"])}
    print(json.dumps(report | {"history": history}))


if __name__ == "__main__":
    main()

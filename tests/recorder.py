"""Run a tutorial unchanged and write down what it asked Keras for: python recorder.py SCRIPT [FLAGS]

Writes record.json into the current folder: the model's layers, number of trainable parameters,
optimizer, loss and metrics; the arguments of `fit`, its data, its history and the updates it made;
whether the script needed offline_mnist. DOWNLOAD, if set, names an .npz that stands for the file that
`mnist.load_data()` would download.
"""

import json
import os
import runpy
import sys
from pathlib import Path

import keras
import numpy as np

record = {}
fit = keras.Sequential.fit


def recording_fit(model, x, y, **arguments):
    history = fit(model, x, y, **arguments)
    record.update(
        layers=[(type(layer).__name__, layer.get_config()) for layer in model.layers],
        input_shape=model.input_shape,
        compute_dtypes=[layer.compute_dtype for layer in model.layers],
        parameters=sum(int(np.prod(weight.shape)) for weight in model.trainable_variables),
        optimizer=(type(model.optimizer).__name__, model.optimizer.get_config()),
        loss=model.loss,
        steps_per_execution=model.steps_per_execution,
        arguments=arguments,
        history=history.history,
        updates=int(model.optimizer.iterations),
        x={"shape": x.shape, "dtype": str(x.dtype), "min": float(x.min()), "max": float(x.max())},
        y={
            "shape": y.shape,
            "one_hot": bool((y.sum(axis=1) == 1).all() and set(np.unique(y)) == {0, 1}),
        },
    )
    return history


def downloaded():
    with np.load(os.environ["DOWNLOAD"]) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])


keras.Sequential.fit = recording_fit
if "DOWNLOAD" in os.environ:
    keras.datasets.mnist.load_data = downloaded
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
record["offline"] = "offline_mnist" in sys.modules
Path("record.json").write_text(json.dumps(record))

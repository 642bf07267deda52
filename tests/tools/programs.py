"""What a script hands to Keras, and as a line of plain text the program that a record is of.

Two scripts, or a script and the chapter's program, that hand over the same are the same program, however
their lines are written. A comment, an output or a flag more changes nothing of it.
"""

import contextlib
import difflib
import functools
import inspect
import io
import sys
import types
import zlib
from unittest import mock

import chapter
import keras
import measure
import numpy as np

FIT, EVALUATE = keras.Sequential.fit, keras.Sequential.evaluate
# The settings that make up a program; those that are not used are left out of its line. Not the whole
# `get_config()`, which changes with Keras' version.
SETTINGS = """units filters kernel_size strides padding pool_size rate activation use_bias
    kernel_initializer bias_initializer kernel_regularizer bias_regularizer learning_rate
    momentum nesterov rho epsilon initial_accumulator_value weight_decay clipnorm clipvalue
    label_smoothing from_logits"""
# Arguments of `fit` that have a part of the line to themselves, or change no result
SHOWN = "self", "x", "y", "epochs", "batch_size", "verbose"
SCORE = [0.25, 0.75]  # the loss and accuracy that stand for a result


@functools.cache
def loader(training, test):
    """Return what stands for Keras' `mnist.load_data`: so many images of noise, always the same."""
    draws = np.random.RandomState(0)
    x_train = draws.randint(0, 256, (training, 28, 28), np.uint8)
    x_test = draws.randint(0, 200, (test, 28, 28), np.uint8)  # not scaled by their own maximum
    data = tuple((x, (np.arange(len(x)) % 10).astype(np.uint8)) for x in (x_train, x_test))
    return lambda path=None: data


SMALL = loader(320, 100)


def settings(thing):
    """Return the settings of a layer, a loss or an optimizer, as they are written in Python."""
    config, found = thing.get_config(), []
    for name in SETTINGS.split():
        value = config.get(name)
        if isinstance(value, dict):  # an initializer
            value = value["class_name"]
        if isinstance(value, float):
            value = float(f"{value:.6g}")
        if value not in (None, False, 0, "linear"):
            found.append(f"{name}={value}")
    return ", ".join(found)


def arguments(method, *given, **more):
    """Return the arguments of a call by name, with the defaults of those that are not given."""
    bound = inspect.signature(method).bind(*given, **more)
    bound.apply_defaults()
    return bound.arguments


def changes(then, now):
    """Return which parts of a line of a program are no more (-), and which are new (+)."""
    lines = then.split("; "), now.split("; ")
    return [*difflib.unified_diff(*lines, n=0, lineterm="")]


def describe(model, *given, **more):
    """Return the line of a compiled model and of what its `fit` is given."""
    parts = [f"Input({model.input_shape[1:]})"]
    for layer in model.layers:
        dtype = "" if layer.compute_dtype == "float32" else f" in {layer.compute_dtype}"
        parts.append(f"{type(layer).__name__}({settings(layer)}){dtype}")
    loss = model.loss
    parts.append(loss if isinstance(loss, str) else f"{loss.name} {settings(loss)}".strip())
    parts.append(f"{type(model.optimizer).__name__}({settings(model.optimizer)})")
    fit, plain = arguments(FIT, model, *given, **more), arguments(FIT, model)
    parts.append(f"epochs {fit['epochs']}, batches of {fit['batch_size']}")
    for name in "xy":
        numbers = np.ascontiguousarray(fit[name], "float32")
        parts.append(f"{name} {numbers.shape} {zlib.crc32(numbers):08x}")
    others = [name for name in fit if name not in SHOWN and fit[name] != plain[name]]
    return "; ".join(parts + [f"{name}={fit[name]!r:.20}" for name in others])


def handed_over(text, flags="", load_data=SMALL):
    """Run the text of a script, 05 up to its saving, without training; return what it has handed over.

    `model`, its `weights` and `steps_per_execution` when `fit` was called, the `line` of the program, the
    arguments of `fit` and `evaluate`, which returns SCORE, and what it has `printed`.
    """
    found = types.SimpleNamespace()

    def fit(model, *given, **more):
        assert not hasattr(found, "fit"), "it trains twice"
        found.model, found.weights = model, model.get_weights()
        found.steps_per_execution = model.steps_per_execution
        found.line = describe(model, *given, **more)
        found.fit = arguments(FIT, model, *given, **more)
        return keras.callbacks.History()

    def evaluate(*given, **more):
        found.weights_in_the_end = given[0].get_weights()
        found.evaluate = arguments(EVALUATE, *given, **more)
        return SCORE

    with (
        mock.patch.multiple(keras.Sequential, fit=fit, evaluate=evaluate),
        mock.patch.object(keras.Sequential, "save", side_effect=StopIteration),
        mock.patch.object(keras.datasets.mnist, "load_data", load_data),
        mock.patch.object(sys, "argv", ["script.py", *flags.split()]),
        contextlib.redirect_stdout(io.StringIO()) as printed,
        contextlib.suppress(StopIteration),
    ):
        exec(compile(text, "script.py", "exec"), {"__name__": "__main__"})
    found.printed = printed.getvalue()
    return found


@functools.lru_cache(maxsize=1)
def rows_of_chapter(data, seed=0, load_data=SMALL):
    """Return x_train, y_train, x_test and y_test of the `data` of a program of chapter.py."""
    with mock.patch.object(chapter.mnist, "load_data", load_data):
        return data(seed)


def of_record(record, name):
    """Return the line that a run of today's scripts ("results") or of the book's software is of."""
    if record == "book":
        program = chapter.PROGRAMS[name]
        x, y, _, _ = rows_of_chapter(program.data)
        settings_of_fit = {"epochs": program.epochs, "batch_size": program.batch_size}
        return describe(chapter.build_today(program), x, y, **settings_of_fit)
    variant = measure.VARIANTS[name]
    found = handed_over(measure.edited(variant.script, variant.edits), variant.flags)
    keras.config.set_dtype_policy("float32")
    return found.line

r"""Draw a digit in the browser, and see what a trained network reads.

In Python:  from draw_a_digit import draw; draw(model)
A file:     .venv/bin/python tutorials/draw_a_digit.py digits.keras (Windows: .venv\Scripts\python)

Both write draw_a_digit.html into the current folder and open it. The network is inside: the page
needs no internet and no other file, so it can be copied, even to a phone.
"""

import base64
import json
import os
import sys
import webbrowser
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from html import escape
from pathlib import Path

import numpy as np

MARK = b"<!-- Written by draw_a_digit.py, which replaces this file when it runs again -->\n"
TEMPLATE = Path(__file__).with_name("draw_a_digit.template.html")
# What the page can compute: these layers, with these settings. None: a layer without the setting
LAYERS = "Dense", "Conv2D", "MaxPooling2D", "Flatten", "Activation", "Dropout"
SETTINGS = {
    "activation": (None, "linear", "relu", "sigmoid", "tanh", "softmax"),
    "padding": (None, "valid"),
    "data_format": (None, "channels_last"),
    "dilation_rate": (None, (1, 1)),
    "groups": (None, 1),
    "quantization_mode": (None,),
}


def draw(model):
    """Write the page with this network inside, say where it is, and show it.

    ValueError if the page cannot compute the network, FileExistsError if its name is taken.
    """
    layers = json.dumps(describe(model), separators=(",", ":"))
    page = TEMPLATE.read_text(encoding="utf-8").replace("NETWORK = []", f"NETWORK = {layers}")
    path = Path("draw_a_digit.html").absolute()
    if path.exists() and not path.read_bytes().startswith(MARK):
        raise FileExistsError(f"another {path.name} is in this folder: rename it, or go elsewhere")
    path.write_bytes(MARK + page.encode())
    print(f"written: {path.name} (for a browser: {path.as_uri()})")
    show(path, page)


def describe(model):
    """Return what the page must know of each layer. ValueError if it cannot compute the network."""
    shape = getattr(model, "input_shape", None)
    if type(model).__name__ != "Sequential" or not shape:
        raise ValueError(f"this is no trained Sequential network: {type(model).__name__}")
    if shape[1:] not in ((784,), (28, 28, 1)):
        raise ValueError(
            f"the network takes {shape[1:]}, not images of shape (784,) or (28, 28, 1)"
        )
    layers = [describe_layer(layer) for layer in model.layers]
    if model.output_shape[1:] != (10,) or layers[-1]["activation"] not in ("softmax", "sigmoid"):
        raise ValueError("the network does not end with ten probabilities, one for each digit")
    return layers


def describe_layer(layer):
    """Return what the page must know of a layer. ValueError if it cannot compute the layer."""
    kind = type(layer).__name__
    if kind not in LAYERS:
        raise ValueError(f"the page cannot compute a layer {kind}, only {', '.join(LAYERS)}")
    found = {name: getattr(layer, name, None) for name in SETTINGS}
    found["activation"] = getattr(found["activation"], "__name__", found["activation"])
    for name, value in found.items():
        if value not in SETTINGS[name]:
            raise ValueError(f"the page cannot compute {kind} with {name}={value!r}")
    if (kind == "Dense" or found["activation"] == "softmax") and len(layer.input.shape) > 2:
        raise ValueError(f"the page cannot compute {kind} on images: Flatten must come first")
    known = {"type": kind, "activation": found["activation"] or "linear"}
    if kind in ("Conv2D", "MaxPooling2D"):
        known["size"] = layer.kernel_size if kind == "Conv2D" else layer.pool_size
        known["strides"] = layer.strides
    if kind in ("Dense", "Conv2D"):
        kernel, *bias = layer.get_weights()
        known["kernel"] = to_base64(kernel)
        known["bias"] = to_base64(bias[0] if bias else np.zeros(kernel.shape[-1]))
    return known


def to_base64(numbers):
    """Return numbers as text for a page: four bytes each, and four letters for three bytes."""
    return base64.b64encode(np.asarray(numbers, "<f4")).decode()


def show(path, page):
    """Show the page: in a notebook below the cell, else in the browser if there is a screen."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):
        frame = f'<iframe srcdoc="{escape(page)}" style="width: 100%; height: 500px; border: 0"></iframe>'
        sys.modules["IPython"].display.display({"text/html": frame}, raw=True)
    elif sys.platform in ("win32", "darwin") or {"DISPLAY", "WAYLAND_DISPLAY"} & {*os.environ}:
        webbrowser.open(path.as_uri())


def main():
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", help="a network that model.save has written")
    args = parser.parse_args()
    if not os.path.isfile(args.file):
        parser.error(f"there is no file {args.file}")
    from keras.models import load_model  # takes seconds, and --help need not wait for it

    try:
        model = load_model(args.file, compile=False)
    except Exception:  # Keras has many ways to refuse a file
        parser.error(f"{args.file} is no network that Keras can load")
    try:
        draw(model)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()

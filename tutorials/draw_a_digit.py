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

MARK = b"<!-- Written by draw_a_digit.py, which replaces this file when it runs again -->\n"
TEMPLATE = Path(__file__).with_name("draw_a_digit.template.html")
# The layers that the page can compute, the settings that it gets, and those with the only values that it can compute
LAYERS = "Dense", "Conv2D", "MaxPooling2D", "Flatten", "Activation", "Dropout"
GIVEN = "activation", "kernel_size", "pool_size", "strides"
KNOWN = {
    "activation": ("linear", "relu", "sigmoid", "tanh", "softmax"),
    "padding": ("valid",),
    "data_format": ("channels_last",),
    "dilation_rate": ((1, 1),),
    "groups": (1,),
    "use_bias": (True,),
    "quantization_config": (None,),
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
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel") and "spyder_kernels" not in sys.modules:  # a notebook
        frame = f'<iframe srcdoc="{escape(page)}" style="width: 100%; height: 500px; border: 0"></iframe>'
        sys.modules["IPython"].display.display({"text/html": frame}, raw=True)
    elif sys.platform in ("win32", "darwin") or {"DISPLAY", "WAYLAND_DISPLAY"} & {*os.environ}:
        webbrowser.open(path.as_uri())


def describe(model):
    """Return what the page gets to know of each layer. ValueError if it cannot compute the network."""
    shape = getattr(model, "input_shape", (None,))[1:]
    if type(model).__name__ != "Sequential" or shape not in ((784,), (28, 28, 1)):
        raise ValueError("this is no Sequential network for images of shape (784,) or (28, 28, 1)")
    layers = [describe_layer(layer) for layer in model.layers]
    if model.output_shape[1:] != (10,) or layers[-1]["activation"] not in ("softmax", "sigmoid"):
        raise ValueError("the network does not end with ten probabilities, one for each digit")
    return layers


def describe_layer(layer):
    """Return what the page gets to know of a layer. ValueError if it cannot compute the layer."""
    kind, config = type(layer).__name__, layer.get_config()
    if kind not in LAYERS:
        raise ValueError(f"the page cannot compute a layer {kind}, only {', '.join(LAYERS)}")
    for name, known in KNOWN.items():
        if config.get(name, known[0]) not in known:  # a layer without this setting is fine
            raise ValueError(f"the page cannot compute {kind} with {name}={config[name]!r}")
    if len(layer.input.shape) > 2 and (kind == "Dense" or config.get("activation") == "softmax"):
        raise ValueError(f"the page cannot compute {kind} on images: Flatten must come first")
    given = {name: config[name] for name in GIVEN if name in config}
    # Four bytes a number, which the page reads as a Float32Array
    weights = [base64.b64encode(one.astype("<f4")).decode() for one in layer.get_weights()]
    return {"type": kind, "activation": "linear", "weights": weights} | given


def main():
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", help="a network that model.save has written")
    path = parser.parse_args().file
    if not os.path.isfile(path):
        parser.error(f"there is no file {path}")
    from keras.models import load_model  # takes seconds, and --help need not wait for it

    try:
        draw(load_model(path, compile=False))
    except Exception as error:  # Keras has many ways to refuse a file
        reason, *_ = str(error).split("\n")
        parser.error(f"{path}: {reason}")


if __name__ == "__main__":
    main()

"""Time the tutorials against plain Keras and plain PyTorch, side by side on this machine.

    python tests/benchmark.py --quick            a minute's look
    python tests/benchmark.py                    three rounds of everything that is installed
    python tests/benchmark.py --json FILE        the same, with the figures written to FILE
    python tests/benchmark.py --only 03 --json FILE    only 03, its figures replaced in FILE

Every contender is a process of its own; the contenders of a tutorial run in turn, round after round,
on the same data (set MNIST_NPZ, or let Keras download MNIST). A tutorial is read from its script as it
stands. "plain" is the same script without steps_per_execution. The PyTorch contenders are the same
network, initialisation, optimizer and batch size, written here.

Seconds belong to the machine; the ratios to the tutorial are the result. The accuracy stands beside
each time: a contender that does not learn the same is no contender.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import runpy
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure
import numpy as np

TUTORIALS = measure.TUTORIALS
# Multiplications and additions that the CNN of 04 costs for one training image: its forward pass is
# conv 1, conv 2 and the two dense layers; the backward pass costs twice that, except that nobody asks
# for the gradient of the pixels.
CONV_1 = 2 * 26 * 26 * 32 * 9
CNN_FLOP = 3 * (CONV_1 + 2 * 24 * 24 * 64 * 9 * 32 + 2 * 9216 * 128 + 2 * 128 * 10) - CONV_1


TUTORIALS_TIMED = ("02", "03", "04")


# What a contender does: these functions run in its process and return its figures.


def run_keras(job):
    """Run a tutorial and time its fit; with `plain`, without steps_per_execution.

    The script is copied into the current folder, with the `edits` of the job.
    """
    os.environ["KERAS_BACKEND"] = job["backend"]
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.epochs, self.first_step = [], None

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            if self.first_step is None:
                self.first_step = time.time() - job["started"]

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(time.perf_counter() - self.start)

    clock, found = Clock(), {}
    compile_model, fit = keras.Sequential.compile, keras.Sequential.fit

    def plain_compile(model, steps_per_execution=1, **arguments):
        compile_model(model, **arguments)

    def timed_fit(model, *data, **arguments):
        start = time.perf_counter()
        history = fit(model, *data, callbacks=[clock], **arguments)
        found.update(fit=time.perf_counter() - start, loss=history.history["loss"][-1])
        return history

    if job["plain"]:
        keras.Sequential.compile = plain_compile
    keras.Sequential.fit = timed_fit
    keras.datasets.mnist.load_data = lambda: load_mnist(job["data"])
    evaluate = keras.Sequential.evaluate

    def kept_evaluate(model, *data, **arguments):
        found["score"] = evaluate(model, *data, **arguments)
        return found["score"]

    keras.Sequential.evaluate = kept_evaluate
    script = Path(job["script"])
    script.write_text(measure.edited(TUTORIALS / script, job["edits"]), encoding="utf-8")
    sys.argv = [str(script), *job["arguments"]]
    runpy.run_path(str(script), run_name="__main__")
    return {
        "epochs": clock.epochs,
        "fit": found["fit"],
        "first_step": clock.first_step,
        "accuracy": found["score"][1],
        "loss": found["loss"],
    }


def load_mnist(path):
    with np.load(path) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])


def run_torch(job):
    """Train the tutorial's network in plain PyTorch, from a DataLoader or from slices of a tensor."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    (x_train, y_train), (x_test, y_test) = torch_data(job)
    network = {
        "02_iris_mlp.py": lambda: nn.Sequential(nn.Linear(4, 50), nn.Sigmoid(), nn.Linear(50, 3)),
        "03_mnist_mlp.py": lambda: nn.Sequential(
            nn.Linear(784, 50), nn.Sigmoid(), nn.Linear(50, 20), nn.Sigmoid(), nn.Linear(20, 10)
        ),
        "04_mnist_cnn.py": lambda: nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
            *(nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
        ),
    }[job["script"]]()
    for layer in network:
        if hasattr(layer, "weight"):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    if job["script"] == "04_mnist_cnn.py":
        optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0, rho=0.95, eps=1e-8)
    else:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    loss_of = nn.CrossEntropyLoss()
    size = job["batch_size"]

    if job["loader"]:
        data = torch.utils.data.TensorDataset(x_train, y_train)
        loader = torch.utils.data.DataLoader(data, batch_size=size, shuffle=True)

        def batches():
            return loader
    else:

        def batches():
            order = torch.randperm(len(x_train))
            return ((x_train[part], y_train[part]) for part in order.split(size))

    epochs, first_step = [], None
    for _ in range(job["epochs"]):
        start = time.perf_counter()
        total, right = torch.zeros(()), torch.zeros(())  # the progress that Keras reports too
        for x, y in batches():
            optimizer.zero_grad()
            scores = network(x)
            loss = loss_of(scores, y)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x)
            right += (scores.argmax(1) == y).sum()
            first_step = first_step or time.time() - job["started"]
        epochs.append(time.perf_counter() - start)
    network.eval()
    with torch.no_grad():
        accuracy = float((network(x_test).argmax(1) == y_test).float().mean())
    loss = float(total) / len(x_train)
    return {
        "epochs": epochs,
        "fit": sum(epochs),
        "first_step": first_step,
        "accuracy": accuracy,
        "loss": loss,
    }


def torch_data(job):
    """Return the tutorial's data as tensors: float32 images (n, 784) or (n, 1, 28, 28), int64 labels."""
    import torch

    if job["script"] == "02_iris_mlp.py":
        from sklearn.datasets import load_iris
        from sklearn.model_selection import train_test_split

        iris = load_iris()
        x_train, x_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=0)
    else:
        (x_train, y_train), (x_test, y_test) = load_mnist(job["data"])
        shape = (-1, 784) if job["script"] == "03_mnist_mlp.py" else (-1, 1, 28, 28)
        x_train, x_test = (x.reshape(shape).astype("float32") / 255 for x in (x_train, x_test))
    pairs = ((x_train, y_train), (x_test, y_test))
    return [
        (torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.int64)) for x, y in pairs
    ]


def run_import(job):
    """Import Keras."""
    os.environ["KERAS_BACKEND"] = job["backend"]
    import keras

    return {"version": keras.__version__}


def run_sgemm(job):
    """Return the GFLOP/s of NumPy's product of two 4096 x 4096 float32 matrices, the best of five."""
    a = np.random.default_rng(0).random((4096, 4096), np.float32)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return {"gflops": 2 * 4096**3 / min(seconds) / 1e9}


WORKERS = {"keras": run_keras, "torch": run_torch, "import": run_import, "sgemm": run_sgemm}


# The program that starts them.


def installed_backends():
    """Return the names of the installed Keras backends, TensorFlow first."""
    return [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]


def installed_versions():
    """Return the versions of Python and of the packages that are measured."""
    optional = [name for name in ("jax", "torch") if importlib.util.find_spec(name)]
    packages = {name: importlib.metadata.version(name) for name in (*measure.PACKAGES, *optional)}
    return {"python": platform.python_version(), **packages}


def contenders(quick, folder):
    """Return {tutorial: {contender: job}}; the first contender of each is the tutorial itself.

    `folder` is where the data lies, as `write_data` leaves it.
    """
    backends = installed_backends()
    first = backends[0]
    table = {
        "import keras": {name: {"worker": "import", "backend": name} for name in backends},
        "01": {first: keras_job("01_intro_dummy_net.py", first, [])},
        "sgemm": {"numpy": {"worker": "sgemm"}},
    }
    plans = {  # tutorial: (script, batch size, epochs)
        "02": ("02_iris_mlp.py", 1, 5 if quick else 20),
        "03": ("03_mnist_mlp.py", 32, 3 if quick else 5),
        "04": ("04_mnist_cnn.py", 128, 2),
    }
    for tutorial, (script, batch_size, epochs) in plans.items():
        data = str(folder / ("part.npz" if tutorial == "04" else "whole.npz"))
        flags = ["--epochs", str(epochs)]
        rows = table[tutorial] = {}
        for backend in backends[:1] if quick else backends:
            rows[f"tutorial, {backend}"] = keras_job(script, backend, flags, data)
            if tutorial == "04":
                mixed = keras_job(script, backend, flags, data, edits=measure.MIXED_PRECISION)
                rows[f"mixed precision, {backend}"] = mixed
            elif backend != "torch":  # which has no steps_per_execution
                rows[f"plain, {backend}"] = keras_job(script, backend, flags, data, plain=True)
            if tutorial == "03":
                large = [*flags, "--batch-size", "256"]
                rows[f"batch size 256, {backend}"] = keras_job(script, backend, large, data)
        if "torch" in backends:
            for name, loader in ("PyTorch, DataLoader", True), ("PyTorch, slices", False):
                rows[name] = {
                    "worker": "torch",
                    "script": script,
                    "batch_size": batch_size,
                    "epochs": epochs,
                    "loader": loader,
                    "data": data,
                }
    return table


def keras_job(script, backend, arguments, data=None, plain=False, edits=()):
    return {
        "worker": "keras",
        "script": script,
        "backend": backend,
        "arguments": arguments,
        "data": data,
        "plain": plain,
        "edits": edits,
    }


def write_data(folder, quick):
    """Write MNIST as whole.npz, and with fewer images for the CNN as part.npz; return how many."""
    if path := os.environ.get("MNIST_NPZ"):
        (x_train, y_train), (x_test, y_test) = load_mnist(path)
    else:
        from keras.datasets import mnist

        (x_train, y_train), (x_test, y_test) = mnist.load_data()
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez(folder / "whole.npz", **arrays)
    count = 3_000 if quick else 6_000
    part = {k: arrays[k][: count if "train" in k else 2_000] for k in arrays}
    np.savez(folder / "part.npz", **part)
    return count


def run_job(job, folder):
    """Run a job in a process of its own; return its figures with "total" seconds and "peak_mib".

    OPENBLAS_CORETYPE and its like are dropped: NumPy's product of matrices is to show what the
    processor can do.
    """
    job = {**job, "started": time.time()}
    command = [sys.executable, __file__, "--worker", json.dumps(job)]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    output, _, total, peak = measure.call(command, folder, environ)
    return {**json.loads(output.splitlines()[-1]), "total": total, "peak_mib": peak}


def measure_all(table, rounds, folder):
    """Run every job `rounds` times, the contenders of a tutorial in turn; return lists of figures."""
    count = rounds * sum(map(len, table.values()))
    done = 0
    start = time.perf_counter()
    figures = {tutorial: {name: [] for name in rows} for tutorial, rows in table.items()}
    for tutorial, rows in table.items():
        for number in range(rounds):
            for name, job in rows.items():
                figures[tutorial][name].append(run_job(job, folder))
                done += 1
                spent = time.perf_counter() - start
                print(
                    f"\r[{done}/{count}] {spent / 60:.1f} min, round {number + 1}: {tutorial} {name:30}",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
    print(file=sys.stderr)
    return figures


def summarise(figures, images, rounds):
    """Return the medians and ratios of the figures, ready for JSON."""
    sgemm = statistics.median(run["gflops"] for run in figures["sgemm"]["numpy"])
    summary = {
        "versions": installed_versions(),
        "processor": measure.processor(),
        "cores": os.cpu_count(),
        "rounds": rounds,
        "cnn_images": images,
        "sgemm_gflops": round(sgemm, 1),
        "import_keras": {
            name: median(run["total"] for run in runs)
            for name, runs in figures["import keras"].items()
        },
        "01_total": {
            name: median(run["total"] for run in runs) for name, runs in figures["01"].items()
        },
        "tutorials": {},
    }
    for tutorial in TUTORIALS_TIMED:
        if tutorial not in figures:
            continue
        rows = {}
        for name, runs in figures[tutorial].items():
            if tutorial == "02":  # short: the whole of fit
                seconds = [run["fit"] for run in runs]
            else:  # an epoch, the first one left out
                seconds = [statistics.median(run["epochs"][1:]) for run in runs]
            rows[name] = {
                "seconds": median(seconds),
                "range": [round(min(seconds), 3), round(max(seconds), 3)],
                "accuracy": round(runs[0]["accuracy"], 4),
                "loss": runs[0]["loss"],
                "first_step": median(run["first_step"] for run in runs),
                "peak_mib": round(statistics.median(run["peak_mib"] for run in runs)),
            }
        reference = next(iter(rows.values()))
        for row in rows.values():
            row["tutorial_ratio"] = round(reference["seconds"] / row["seconds"], 2)
        if tutorial == "04":
            for row in rows.values():
                row["gflops"] = round(CNN_FLOP * images / row["seconds"] / 1e9, 1)
                row["sgemm_share"] = round(row["gflops"] / sgemm, 2)
        summary["tutorials"][tutorial] = rows
    return summary


def median(values):
    return round(statistics.median(values), 3)


def table_of(summary):
    """Return the summary as text."""
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    lines = [
        f"{summary['processor']}, {summary['cores']} cores; {versions}",
        f"median of {summary['rounds']}; matrix product {summary['sgemm_gflops']} GFLOP/s",
        "import keras, seconds: " + str(summary["import_keras"]),
        "01 in total, seconds: " + str(summary["01_total"]),
    ]
    for tutorial, rows in summary["tutorials"].items():
        what = "in fit" if tutorial == "02" else "per epoch"
        images = f" of {summary['cnn_images']} images" if tutorial == "04" else ""
        lines += [
            "",
            f"{tutorial:28} seconds {what}{images}   tutorial/this  accuracy  first step  MiB",
        ]
        for name, row in rows.items():
            low, high = row["range"]
            share = (
                f"  {row['gflops']} GFLOP/s, {row['sgemm_share']:.0%}" if "gflops" in row else ""
            )
            lines.append(
                f"{name:28} {row['seconds']:7.2f} ({low:.2f} to {high:.2f}) {row['tutorial_ratio']:12.2f}"
                f" {row['accuracy']:12.4f} {row['first_step']:9.1f} s {row['peak_mib']:6}{share}"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round, fewer images and epochs")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--only", choices=TUTORIALS_TIMED, help="of the tutorials, only this one")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print("\n" + json.dumps(WORKERS[args.worker["worker"]](args.worker)))
        return
    before = None
    if args.only and args.json and args.json.exists():
        before = json.loads(args.json.read_text(encoding="utf-8"))
        if before["versions"] != installed_versions():
            sys.exit(f"{args.json} was measured with other versions: run everything anew")
    rounds = 1 if args.quick else args.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = write_data(folder, args.quick)
        table = contenders(args.quick, folder)
        if args.only:
            left_out = set(TUTORIALS_TIMED) - {args.only}
            table = {name: rows for name, rows in table.items() if name not in left_out}
        figures = measure_all(table, rounds, folder)
    summary = summarise(figures, images, rounds)
    print(table_of(summary))
    if args.json:
        if before:
            before["tutorials"] |= summary["tutorials"]
            summary = before
        args.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

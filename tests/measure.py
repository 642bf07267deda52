"""Run the tutorials in full, over several seeds, and record what they reach in tests/results.json.

    python tests/measure.py                  every run that is not recorded yet
    python tests/measure.py 02 03-relu       only these variants
    python tests/measure.py --list           the variants, and what is recorded of each

Each run is the reader's own command in an empty folder, on the real MNIST. A run is recorded as soon
as it ends, so the program can be stopped at any time and started again.
"""

import argparse
import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TUTORIALS = Path(__file__).resolve().parents[1] / "tutorials"
RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ["keras", "tensorflow", "numpy", "scikit-learn"]


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to run a tutorial.

    `seconds` is a guess, for the estimate of the time left. `edits` are (old, new): text to replace in
    the script first, to measure what another line would do, such as the book's today.
    """

    script: str
    seeds: int
    seconds: float
    arguments: tuple = ()
    edits: tuple = ()

    def command(self):
        """Return what is run, as it is recorded."""
        edits = {"edits": [list(edit) for edit in self.edits]} if self.edits else {}
        return {"script": self.script, "arguments": list(self.arguments), **edits}


MLP = "03_mnist_mlp.py"
CNN = "04_mnist_cnn.py"
BOOK_CNN = ("--epochs", "3", "--batch-size", "512")
ADADELTA = ("Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8)", '"Adadelta"')
HIDDEN = "model.add(Dense(20))\nmodel.add(Activation(args.activation))\n"
SEEDED = "keras.utils.set_random_seed(args.seed)"
MIXED_PRECISION = (
    (SEEDED, f'keras.config.set_dtype_policy("mixed_bfloat16")\n{SEEDED}'),
    ('Activation("softmax")', 'Activation("softmax", dtype="float32")'),
)
VARIANTS = {
    "01": Variant("01_intro_dummy_net.py", 10, 5),
    "02": Variant("02_iris_mlp.py", 20, 6),
    "02-epochs-100": Variant("02_iris_mlp.py", 20, 10, ("--epochs", "100")),
    "05": Variant("05_tips_save_summary_plot.py", 5, 9),
    "03": Variant(MLP, 10, 14),
    "03-adagrad": Variant(MLP, 3, 14, ("--optimizer", "adagrad")),
    "03-relu": Variant(MLP, 3, 14, ("--activation", "relu")),
    "03-tanh": Variant(MLP, 3, 14, ("--activation", "tanh")),
    "03-epochs-5": Variant(MLP, 3, 9, ("--epochs", "5")),
    "03-epochs-20": Variant(MLP, 3, 24, ("--epochs", "20")),
    "03-epochs-40": Variant(MLP, 3, 44, ("--epochs", "40")),
    "03-batch-16": Variant(MLP, 3, 24, ("--batch-size", "16")),
    "03-batch-64": Variant(MLP, 3, 10, ("--batch-size", "64")),
    "03-batch-256": Variant(MLP, 3, 7, ("--batch-size", "256")),
    "03-neurons": Variant(MLP, 3, 14, edits=(("Dense(50)", "Dense(500)"),)),
    "03-layer": Variant(MLP, 3, 14, edits=((HIDDEN, HIDDEN * 2),)),
    "03-best": Variant(
        MLP, 3, 75, ("--activation", "relu", "--epochs", "40", "--batch-size", "16")
    ),
    "04-book": Variant(CNN, 5, 70, BOOK_CNN),
    "04-book-adadelta-default": Variant(CNN, 3, 70, BOOK_CNN, (ADADELTA,)),
    "04": Variant(CNN, 2, 280),
}


def environment():
    """Return what the figures depend on: versions and machine."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
    }


def processor():
    """Return the processor's name, from /proc/cpuinfo where there is one."""
    try:
        return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        return platform.processor() or platform.machine()


def edited(script, edits):
    """Return the text of a script with each (old, new) of `edits` replaced.

    Raises RuntimeError where the old text is not there exactly once.
    """
    text = script.read_text(encoding="utf-8")
    for old, new in edits:
        if text.count(old) != 1:
            raise RuntimeError(f"{script.name} does not have {old!r} once")
        text = text.replace(old, new)
    return text


def run(variant, seed, environ=None):
    """Run a tutorial once and return its figures.

    {"accuracy": 0 to 1, "seconds": wall time of the whole command, "peak_mib": of its memory}, with
    the "loss" too where the script prints [loss, accuracy]. Raises RuntimeError if the run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = TUTORIALS / variant.script
        environ = dict(environ or os.environ)
        if variant.edits:
            text = edited(script, variant.edits)
            environ["PYTHONPATH"] = str(TUTORIALS)  # for offline_mnist
            script = Path(folder, script.name)
            script.write_text(text, encoding="utf-8")
        command = [sys.executable, str(script), *variant.arguments, "--seed", str(seed)]
        output, errors, seconds, peak = call(command, Path(folder), environ)
    if "stand-in" in errors:
        raise RuntimeError("there is no real MNIST: set MNIST_NPZ, or run once with internet")
    return {**parse(output), "seconds": round(seconds, 1), "peak_mib": peak}


def call(command, folder, environ=None):
    """Run a command in a folder; return its stdout, stderr, seconds and peak memory in MiB.

    The peak is None on Windows, which does not tell it. Raises RuntimeError if the command fails.
    """
    peak = None
    with (
        open(folder / "out", "w+", encoding="utf-8") as out,
        open(folder / "err", "w+", encoding="utf-8", errors="replace") as err,
    ):
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=err)
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = round(usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))
        process.wait()
        seconds = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        output, errors = out.read(), err.read()
    if process.returncode:
        last = "".join(errors.splitlines()[-1:])
        raise RuntimeError(f"exit code {process.returncode}: {last}")
    return output, errors, seconds, peak


def parse(output):
    """Return {"accuracy": ...} or {"loss": ..., "accuracy": ...} from what a tutorial printed."""
    if match := re.search(r"^test accuracy: ([\d.]+)$", output, re.MULTILINE):
        return {"accuracy": float(match[1])}
    if match := re.search(r"^\[([\d.]+), ([\d.]+)\]$", output, re.MULTILINE):
        return {"loss": round(float(match[1]), 4), "accuracy": float(match[2])}
    raise RuntimeError(f"no result in the output: {output[-200:]!r}")


def load(here):
    """Return the recorded results, or an empty record of the environment `here`."""
    if not RESULTS.exists():
        return {**here, "date": str(datetime.date.today()), "variants": {}}
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for key, value in here.items():
        if results[key] != value:
            sys.exit(
                f"{RESULTS.name} was recorded with {key} {results[key]}, not {value}: "
                "remove it to measure everything anew"
            )
    return results


def save(results):
    """Write the results so that a stop at any moment leaves a whole file."""
    order = [name for name in VARIANTS if name in results["variants"]]
    results = {**results, "variants": {name: results["variants"][name] for name in order}}
    text = json.dumps(results, indent=1)
    text = re.sub(r"\{\s+([^{}]*?)\s+\}", lambda m: "{" + re.sub(r"\s+", " ", m[1]) + "}", text)
    whole = RESULTS.with_suffix(".tmp")
    whole.write_text(text + "\n", encoding="utf-8")
    whole.replace(RESULTS)


def missing(results, names):
    """Return [(variant name, seed)] of the runs that are not recorded."""
    recorded = {name: entry["runs"] for name, entry in results["variants"].items()}
    return [
        (name, seed)
        for name in names
        for seed in range(VARIANTS[name].seeds)
        if str(seed) not in recorded.get(name, {})
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variant", nargs="*", help="default: all")
    parser.add_argument("--list", action="store_true", help="show what is recorded, run nothing")
    args = parser.parse_args()
    if unknown := set(args.variant) - set(VARIANTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(VARIANTS)}")
    names = args.variant or list(VARIANTS)
    results = load(environment())
    todo = missing(results, names)
    if args.list:
        for name in names:
            left = sum(name == other for other, _ in todo)
            print(f"{name:26} {VARIANTS[name].seeds - left} of {VARIANTS[name].seeds} seeds")
        return

    failures = []
    guessed = spent = 0
    for number, (name, seed) in enumerate(todo, 1):
        variant = VARIANTS[name]
        left = sum(VARIANTS[other].seconds for other, _ in todo[number - 1 :])
        minutes = left * (spent / guessed if guessed else 1) / 60
        print(
            f"[{number}/{len(todo)}] {name} seed {seed}, {minutes:.0f} min left: ",
            end="",
            flush=True,
        )
        try:
            figures = run(variant, seed)
        except RuntimeError as error:
            failures.append(f"{name} seed {seed}: {error}")
            print(f"FAILED: {error}", flush=True)
            continue
        guessed += variant.seconds
        spent += figures["seconds"]
        entry = results["variants"].setdefault(name, {**variant.command(), "runs": {}})
        entry["runs"][str(seed)] = figures
        entry["runs"] = dict(sorted(entry["runs"].items(), key=lambda run: int(run[0])))
        save(results)
        print(figures, flush=True)
    if failures:
        sys.exit("\n".join([f"{len(failures)} of {len(todo)} runs failed:", *failures]))


if __name__ == "__main__":
    main()

"""Measure what the scripts reach, on the real MNIST, and record it.

    measure.py                   every seed of variants.toml that has no run of today's program
    measure.py 03 03-relu        those of these variants
    measure.py --list            what is missing; nothing is run
    measure.py --anew 03-relu    forget the runs of these variants, then measure them with the versions of today
    measure.py --seconds         one more round of the times that pages show, while nothing else runs
    measure.py --outputs         the ends of the outputs that the pages show

It can be stopped at any time, and goes on where it stopped. MNIST_NPZ may name the file of MNIST.
"""

import argparse
import csv
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
# As typed, Python looks for modules in this folder only
sys.path += map(str, [HERE.parent, HERE.parent / "book", HERE.parents[1] / "tutorials"])

# isort: split
import programs
from files import TUTORIALS, scripts

RESULTS, SECONDS, OUTPUTS = HERE / "results.csv", HERE / "seconds.csv", HERE / "outputs"
DRAWINGS = HERE / "drawings.csv"  # how 03 and 04 read what is drawn
CURVES = HERE / "curves.csv"  # loss and accuracy of each epoch, with a validation split
CURVE = "loss", "accuracy", "val_loss", "val_accuracy"
# SHA-256 of MNIST's images and labels, of training and test, in this order
MNIST = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


@dataclass
class Variant:
    """A script, or the guide's program for data of one's own, with options or edited lines, as it is measured.

    variants.toml explains the fields.
    """

    name: str
    seeds: int
    flags: str = ""
    edits: list = field(default_factory=list)
    label: list = field(default_factory=list)
    teaches: list = field(default_factory=list)
    output: bool = False
    timed: bool = True
    printed: float | None = None

    def __post_init__(self):
        if {len(self.label), len(self.teaches)} - {0, 2}:
            raise ValueError(f"[{self.name}] in variants.toml: a text in English, and in Japanese")

    @property
    def script(self):
        """Return the number of the script, or "my_data"."""
        return self.name.partition("-")[0]

    @property
    def path(self):
        """Return where the program stands: a script, or the guide."""
        if self.script == "my_data":
            return TUTORIALS / "README.md"
        return scripts()[self.script]

    @property
    def command(self):
        """Return what is run, in short: `03 --epochs 5`."""
        edited = ", edited" if self.edits else ""
        return f"{self.script} {self.flags}".strip() + edited

    @property
    def text(self):
        """Return the text of the program, edited. ValueError if a line to edit is not there once."""
        if self.script == "my_data":
            text = guide_code("seed = 0")
        else:
            text = self.path.read_text(encoding="utf-8")
        return edited(text, self.edits, f"{self.name} of variants.toml")

    def typed(self, seed):
        """Return what is run for a seed: a text, and the options behind its name."""
        if self.script == "my_data":
            return self.text.replace("seed = 0\n", f"seed = {seed}\n"), []
        return self.text, [*self.flags.split(), "--seed", str(seed)]


def edited(text, edits, who):
    """Return a text with each old part of the edits replaced by the new one. ValueError if one is not there once."""
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{who} edits {old!r}, which is not there once")
        text = text.replace(old, new)
    return text


def guide_code(word):
    """Return the one block of Python in the guide that has a word."""
    text = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    (code,) = (one for one in re.findall(r"(?ms)^```python\n(.*?)^```", text) if word in one)
    return code


@functools.cache
def variants():
    """Return {name: variant} of variants.toml."""
    with open(HERE / "variants.toml", "rb") as file:
        return {name: Variant(name, **given) for name, given in tomllib.load(file).items()}


def read(path):
    """Return the rows of a CSV file, a dictionary each; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    """Write a CSV file anew."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@functools.cache
def made_with():
    """Return the versions of Python and of what computes, and the machine: what a run is measured with."""
    installed = {
        one.name.lower().replace("_", "-"): one.version
        for one in importlib.metadata.distributions()
    }
    tensorflow = installed.get("tensorflow-cpu") or installed["tensorflow"]
    versions = (
        f"Python {platform.python_version()}, Keras {installed['keras']}, TensorFlow {tensorflow}"
    )
    cpuinfo = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    processor = re.search(r"model name\s*: (.*)|$", cpuinfo)[1] or platform.machine()
    return f"{versions}; {platform.system()}, {processor}, {os.cpu_count()} cores"


def mnist_path():
    """Return where the data of 03 and 04 are."""
    return os.environ.get("MNIST_NPZ") or os.path.expanduser("~/.keras/datasets/mnist.npz")


def require_mnist(chosen):
    """End the program if one of these variants uses MNIST, and the data at hand are not those of MNIST."""
    if not any("mnist" in variant.text for variant in chosen):
        return
    path = mnist_path()
    digest = hashlib.sha256()
    try:
        with np.load(path) as file:
            for name in "x_train", "y_train", "x_test", "y_test":
                digest.update(file[name].tobytes())
    except OSError as error:
        sys.exit(
            f"There is no MNIST: {error}. Run 03 once with internet, or set MNIST_NPZ to its file."
        )
    if digest.hexdigest() != MNIST:
        sys.exit(f"{path} does not hold MNIST, but other data. A record is of the real ones.")


def run(variant, seed, environment=None, before=()):
    """Run a variant once, in an empty folder; return its output and its seconds. RuntimeError if it fails.

    `before` stands before the name of the script in the command.
    """
    more = {"PYTHONPATH": str(TUTORIALS), "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"}
    environment = (environment or os.environ) | more
    text, options = variant.typed(seed)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        script.write_text(text, encoding="utf-8")
        command = [sys.executable, *before, script, *options]
        begin = time.perf_counter()
        ended = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False
        )
        seconds = time.perf_counter() - begin
    errors = ended.stderr.decode("utf-8", "replace")
    if ended.returncode or "stand-in" in errors:
        raise RuntimeError(f"{variant.command} ended with {ended.returncode}: {errors[-300:]}")
    return ended.stdout.decode("utf-8"), seconds


def score(output):
    """Return the result that an output shows, on the test data: an accuracy; of 01 and of a regression the loss."""
    (found,) = re.findall(r"(?m)^(?:\[|test accuracy: |test data: )([\d.]+)", output)
    return f"{float(found):.4f}"


def run_and_report(variant, seed):
    """Run a variant once; return the cells of a run (result, training, to_beat), and its history."""
    output, _ = run(variant, seed, before=[HERE / "report.py"])
    *shown, last = output.splitlines()
    report = json.loads(last)
    cells = {name: f"{report[name]:.4f}" for name in ("training", "to_beat")}
    return {"result": score("\n".join(shown)), **cells}, report["history"]


def ending(output):
    """Return an output from its last epoch on, without colours and without what is overwritten."""
    text = re.sub(r"\x1b\[[\d;]*m|.*[\b\r]", "", output)
    lines = text[text.rindex("Epoch ") :].strip().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def claim_program(variant):
    """Return the digest of what a variant hands to Keras; programs.txt must have it, a new one is added."""
    import running  # only here, since it imports Keras, which takes seconds

    lines = running.hand_over(variant.text, variant.flags, running.images_for(variant.name)).lines
    known = programs.read_programs()
    if variant.name not in known:
        programs.write_program(variant.name, variant.command, lines)
    elif known[variant.name][1] != lines:
        sys.exit(
            f"{variant.name} is not as in programs.txt. If it is right: python -m pytest --update"
        )
    return programs.digest(lines)


def missing_runs(chosen, anew=False):
    """Return the rows of results.csv that stay, and the (seed, variant) that are to be run, a seed of each in turn.

    A row stays if it is of another variant, or of today's program.
    """
    of = programs.digests()
    stay = [
        row
        for row in read(RESULTS)
        if row["variant"] not in chosen or (not anew and row["program"] == of.get(row["variant"]))
    ]
    recorded = {(row["variant"], int(row["seed"])) for row in stay}
    seeds = [(seed, name) for name, variant in chosen.items() for seed in range(variant.seeds)]
    todo = [(seed, chosen[name]) for seed, name in seeds if (name, seed) not in recorded]
    return stay, sorted(todo, key=lambda one: one[0])


def list_missing(chosen):
    """Print which runs are missing."""
    _, todo = missing_runs(chosen)
    for seed, variant in todo:
        print(f"{variant.name} seed {seed}")
    print(f"{len(todo)} runs are missing.")


def measure_results(chosen, anew):
    """Run the seeds of these variants that are missing, or all of them anew, and record them one by one."""
    stay, todo = missing_runs(chosen, anew)
    require_mnist(variant for _, variant in todo)
    of = {name: claim_program(chosen[name]) for name in {variant.name for _, variant in todo}}
    for count, (seed, variant) in enumerate(todo, 1):
        print(f"[{count}/{len(todo)}] {variant.name} seed {seed}", flush=True)
        run_of = {"variant": variant.name, "seed": seed}
        cells, history = run_and_report(variant, seed)
        stay.append(run_of | cells | {"program": of[variant.name], "made_with": made_with()})
        if "--validation-split" in variant.flags:
            record_curve(run_of, history)
        write(RESULTS, stay)
    print("Every run is there.")


def record_curve(run_of, history):
    """Put the history of a run into curves.csv, in place of an earlier one: a row for each epoch."""
    rows = [
        row
        for row in read(CURVES)
        if (row["variant"], row["seed"]) != (run_of["variant"], str(run_of["seed"]))
    ]
    for epoch in range(len(history["loss"])):
        values = {name: f"{history[name][epoch]:.4f}" for name in CURVE}
        rows.append(run_of | {"epoch": epoch + 1} | values)
    write(CURVES, rows)


def measure_seconds(chosen):
    """Time those of these variants that are timed; when all are done, add them as a round to what is published."""
    require_mnist(chosen.values())
    published, unfinished = read(SECONDS), SECONDS.with_suffix(".unfinished.csv")
    number = 1 + max((int(row["round"]) for row in published), default=-1)
    rows = read(unfinished)
    done = {row["variant"] for row in rows}
    for variant in chosen.values():
        if variant.timed and variant.name not in done:
            print(f"round {number}: {variant.name}", flush=True)
            _, seconds = run(variant, number)
            row = {"round": number, "variant": variant.name, "seconds": f"{seconds:.1f}"}
            rows.append(row | {"made_with": made_with()})
            write(unfinished, rows)
    write(SECONDS, published + rows)
    unfinished.unlink()


def record_outputs(chosen):
    """Record how the outputs of scripts end, with seed 0."""
    require_mnist(chosen.values())
    for variant in chosen.values():
        if variant.output:
            output, _ = run(variant, 0)
            (OUTPUTS / f"{variant.name}.txt").write_text(
                ending(output), encoding="utf-8", newline="\n"
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", nargs="*", help="names in variants.toml (default: all)")
    parser.add_argument(
        "--anew", action="store_true", help="forget the runs of these variants first"
    )
    parser.add_argument("--list", action="store_true", help="say what is missing, run nothing")
    parser.add_argument(
        "--seconds", action="store_true", help="time the variants once more instead"
    )
    parser.add_argument(
        "--outputs", action="store_true", help="record the outputs that pages show instead"
    )
    args = parser.parse_args()
    known = variants()
    if unknown := [name for name in args.variants if name not in known]:
        parser.error(f"variants.toml has no {unknown[0]}")
    if args.seconds and args.variants:
        parser.error("--seconds is of all variants, so that they compare")
    if args.outputs and (hidden := [name for name in args.variants if not known[name].output]):
        parser.error(f"no page shows the output of {hidden[0]}")
    if args.anew and not args.variants:
        parser.error("--anew needs the names of variants")
    chosen = {name: known[name] for name in args.variants or known}
    if args.list:
        list_missing(chosen)
    elif args.seconds:
        measure_seconds(chosen)
    elif args.outputs:
        record_outputs(chosen)
    else:
        measure_results(chosen, args.anew)


if __name__ == "__main__":
    main()

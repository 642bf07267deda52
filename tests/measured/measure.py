"""Measure what the scripts reach, on the real MNIST, and record it.

    measure.py                   every seed of variants.toml that has no run of today's program
    measure.py 03 03-relu        those of these variants
    measure.py --list            what is missing; nothing is run
    measure.py --anew 03-relu    forget the runs of these variants, then measure them with the versions of today
    measure.py --seconds         the times of all variants, in three rounds, while nothing else runs
    measure.py --outputs         the ends of the outputs that the pages show

It can be stopped at any time, and goes on where it stopped. MNIST_NPZ may name the file of MNIST.
"""

import argparse
import csv
import functools
import hashlib
import importlib.metadata
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
ROOT = HERE.parents[1]
TUTORIALS = ROOT / "tutorials"
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "book"), str(TUTORIALS)]

# isort: split
import programs  # the line above says where it is

RESULTS, SECONDS, OUTPUTS = HERE / "results.csv", HERE / "seconds.csv", HERE / "outputs"
ROUNDS = 3
# SHA-256 of MNIST's images and labels, of training and test, in this order
MNIST = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


@dataclass
class Variant:
    """A script, with options or edited lines, as it is measured; variants.toml explains the fields."""

    name: str
    seeds: int
    flags: str = ""
    edits: list = field(default_factory=list)
    label: list = field(default_factory=list)
    teaches: list = field(default_factory=list)
    printed: float | None = None

    @property
    def script(self):
        """Return the number of the script."""
        return self.name[:2]

    @property
    def path(self):
        """Return where the script is."""
        (path,) = TUTORIALS.glob(f"{self.script}_*[!a].py")
        return path

    @property
    def command(self):
        """Return what is run, in short: `03 --epochs 5`."""
        edited = ", edited" if self.edits else ""
        return f"{self.script} {self.flags}".strip() + edited

    @property
    def text(self):
        """Return the text of the script, edited. ValueError if a line to edit is not there once."""
        text = self.path.read_text(encoding="utf-8")
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(
                    f"{self.path.name} does not have {old!r} once, which {self.name} of variants.toml edits"
                )
            text = text.replace(old, new)
        return text


def read_variants():
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


def require_mnist(variants):
    """End the program if one of these variants uses MNIST, and the data at hand are not those of MNIST."""
    if not any("mnist" in variant.text for variant in variants):
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


def run(variant, seed, environment=None):
    """Run a variant once, in an empty folder; return its output and its seconds. RuntimeError if it fails."""
    more = {"PYTHONPATH": str(TUTORIALS), "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"}
    environment = (environment or os.environ) | more
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        script.write_text(variant.text, encoding="utf-8")
        command = [sys.executable, script, *variant.flags.split(), "--seed", str(seed)]
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
    """Return the loss and the accuracy on the test data that an output shows; the loss is of 01 only, else ""."""
    loss, accuracy = re.search(
        r"(?m)^(?:\[([\d.]+), |test accuracy: )([\d.]+)\]?$", output
    ).groups()
    return f"{float(loss):.4f}" if loss else "", f"{float(accuracy):.4f}"


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


def missing_runs(variants, anew=False):
    """Return the rows of results.csv that stay, and the (seed, variant) that are to be run, a seed of each in turn.

    A row stays if it is of another variant, or of today's program.
    """
    of = programs.digests()
    stay = [
        row
        for row in read(RESULTS)
        if row["variant"] not in variants or (not anew and row["program"] == of.get(row["variant"]))
    ]
    recorded = {(row["variant"], int(row["seed"])) for row in stay}
    seeds = [(seed, name) for name, variant in variants.items() for seed in range(variant.seeds)]
    todo = [(seed, variants[name]) for seed, name in seeds if (name, seed) not in recorded]
    return stay, sorted(todo, key=lambda one: one[0])


def list_missing(variants):
    """Print which runs are missing."""
    _, todo = missing_runs(variants)
    for seed, variant in todo:
        print(f"{variant.name} seed {seed}")
    print(f"{len(todo)} runs are missing.")


def measure_results(variants, anew):
    """Run the seeds of these variants that are missing, or all of them anew, and record them one by one."""
    stay, todo = missing_runs(variants, anew)
    require_mnist(variant for _, variant in todo)
    of = {name: claim_program(variants[name]) for name in {variant.name for _, variant in todo}}
    for count, (seed, variant) in enumerate(todo, 1):
        print(f"[{count}/{len(todo)}] {variant.name} seed {seed}", flush=True)
        output, _ = run(variant, seed)
        loss, accuracy = score(output)
        row = {"variant": variant.name, "seed": seed, "loss": loss, "accuracy": accuracy}
        stay.append(row | {"program": of[variant.name], "made_with": made_with()})
        write(RESULTS, stay)
    print("Every run is there.")


def measure_seconds(variants):
    """Time all variants in rounds; what is published changes only when all are done."""
    require_mnist(variants.values())
    unfinished = SECONDS.with_suffix(".unfinished.csv")
    rows = read(unfinished)
    done = {(int(row["round"]), row["variant"]) for row in rows}
    for number in range(ROUNDS):
        for variant in variants.values():
            if (number, variant.name) not in done:
                print(f"round {number + 1} of {ROUNDS}: {variant.name}", flush=True)
                _, seconds = run(variant, number)
                row = {"round": number, "variant": variant.name, "seconds": f"{seconds:.1f}"}
                rows.append(row | {"made_with": made_with()})
                write(unfinished, rows)
    unfinished.replace(SECONDS)


def record_outputs(variants):
    """Record how the outputs of scripts end, with seed 0."""
    require_mnist(variants.values())
    for variant in variants.values():
        if variant.name == variant.script:
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
    parser.add_argument("--seconds", action="store_true", help="time all variants instead")
    parser.add_argument(
        "--outputs", action="store_true", help="record the outputs that pages show instead"
    )
    args = parser.parse_args()
    known = read_variants()
    if unknown := [name for name in args.variants if name not in known]:
        parser.error(f"variants.toml has no {unknown[0]}")
    if args.seconds and args.variants:
        parser.error("--seconds is of all variants, so that they compare")
    if args.anew and not args.variants:
        parser.error("--anew needs the names of variants")
    variants = {name: known[name] for name in args.variants or known}
    if args.list:
        list_missing(variants)
    elif args.seconds:
        measure_seconds(variants)
    elif args.outputs:
        record_outputs(variants)
    else:
        measure_results(variants, args.anew)


if __name__ == "__main__":
    main()

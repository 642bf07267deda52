"""Run what is not recorded yet, of today's scripts and of the book's software, and record it.

    python tests/tools/measure.py                     every run that is missing
    python tests/tools/measure.py 02 03-relu          only these variants
    python tests/tools/measure.py --book-python PY    the book's, too, with the Python of `nox -s book`

A run is a line of a CSV file, written when it ends: the program can be stopped at any time. It takes a
seed of every variant before the next, so that times compare. MNIST_NPZ may name the file of MNIST.
"""

import argparse
import csv
import dataclasses
import functools
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "tutorials"
SCRIPTS = {path.name[:2]: path for path in sorted(TUTORIALS.glob("[0-9]*.py"))}
RECORDS = ROOT / "tests" / "records"


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to run a script, as variants.toml explains it; `script` is its number, or "import"."""

    script: str
    seeds: int
    flags: str = ""
    edits: tuple = ()
    label: tuple = ()
    backend: str = "tensorflow"
    printed: float = None
    margin: float = None
    speed: bool = False

    @property
    def command(self):
        """Return what is run, as it is recorded."""
        edits = [f"{old!r} => {new!r}" for old, new in self.edits]
        backend = [] if self.backend == "tensorflow" else [f"on {self.backend}"]
        return "; ".join([f"{self.script} {self.flags}".strip(), *edits, *backend])


TOML = Path(__file__).with_name("variants.toml").read_text(encoding="utf-8")
VARIANTS = {name: Variant(name.split("-")[0], **keys) for name, keys in tomllib.loads(TOML).items()}


def read(name):
    """Return the recorded runs, a dictionary each, of a CSV file of the records."""
    with open(RECORDS / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def missing(record, names):
    """Return [(seed, variant, record)] of what is not recorded."""
    recorded = {(run["variant"], int(run["seed"])) for run in read(record)}
    wanted = [(seed, name) for name in names for seed in range(VARIANTS[name].seeds)]
    return [(seed, name, record) for seed, name in wanted if (name, seed) not in recorded]


def edited(number, edits):
    """Return the text of a script with each (old, new) of `edits` replaced; old must stand there once."""
    text = SCRIPTS[number].read_text(encoding="utf-8")
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{number} does not have {old!r} once")
        text = text.replace(old, new)
    return text


def call(command, environ, folder=None):
    """Run a command, not on Windows; return its output and peak memory in MiB. RuntimeError if it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output, errors = (os.pread(file.fileno(), 10**8, 0).decode() for file in (out, err))
    if process.returncode or "stand-in" in errors:  # which is not what a record is of
        raise RuntimeError(f"exit code {process.returncode}: {errors[-300:]}")
    return output, usage.ru_maxrss // (1024 if sys.platform == "linux" else 1024**2)


@functools.cache
def environment(python, backend):
    """Return what a run is measured with: the versions of a Python and its packages, and the machine."""
    modules = f"keras, {backend}, numpy, sklearn"
    code = f"import platform, {modules}; print('python', platform.python_version(), end='')\n"
    code += f"for m in ({modules}): print(';', m.__name__, m.__version__, end='')"
    versions, _ = call([python, "-c", code], {**os.environ, "KERAS_BACKEND": backend})
    cpuinfo = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    model = re.search(r"model name\s*: (.*)|$", cpuinfo)[1] or platform.machine()
    return f"{versions}; {platform.system()}, {model}, {os.cpu_count()} cores"


def run(name, seed, environ=os.environ, book_python=None):
    """Run a variant once, today's or the book's, in an empty folder; return what is recorded of it."""
    variant = VARIANTS[name]
    environ = {**environ, "KERAS_BACKEND": variant.backend, "PYTHONPATH": str(TUTORIALS)}
    with tempfile.TemporaryDirectory() as folder:
        if book_python:
            command = [book_python, str(ROOT / "tests" / "chapter.py"), name, str(seed)]
        elif variant.script == "import":
            command = [sys.executable, "-c", "import keras"]
        else:
            script = Path(folder, "script.py")
            script.write_text(edited(variant.script, variant.edits), encoding="utf-8")
            command = [sys.executable, str(script), *variant.flags.split(), "--seed", str(seed)]
        start = time.perf_counter()
        output, peak = call(command, environ, folder)
        seconds = time.perf_counter() - start
    if (name, seed, book_python) == ("03", 0, None):
        lines = re.sub(r"\x1b\[[\d;]*m", "", output).strip().split("\n")[-3:]  # without colours
        lines = [re.split("[\b\r]", line)[-1] + "\n" for line in lines]  # as a terminal shows them
        (RECORDS / "sample.txt").write_text("".join(lines), encoding="utf-8")
    found = re.search(r"(?m)^\[([\d.]+), ([\d.]+)\]$|^test accuracy: (.*)$", output)
    numbers = [f"{float(number):.4f}" for number in found.groups() if number] if found else []
    loss, accuracy = ["", "", *numbers][-2:]
    figures = [name, seed, loss, accuracy, f"{seconds:.1f}", peak, variant.command]
    return [*figures, environment(command[0], variant.backend)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variant", nargs="*", default=list(VARIANTS), help="default: all")
    parser.add_argument("--book-python", help="the Python that `nox -s book` makes")
    args = parser.parse_args()
    if unknown := set(args.variant) - set(VARIANTS):
        parser.error(f"unknown: {', '.join(unknown)}")
    todo = missing("results", args.variant)
    if args.book_python:
        todo += missing("book", [name for name in args.variant if VARIANTS[name].margin])
    for number, (seed, name, record) in enumerate(sorted(todo, key=lambda one: one[0]), 1):
        print(f"[{number}/{len(todo)}] {record} {name} seed {seed}", flush=True)
        row = run(name, seed, book_python=args.book_python if record == "book" else None)
        with open(RECORDS / f"{record}.csv", "a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(row)

"""Run what is not recorded yet, of today's scripts and of the book's software, and record it.

    python tests/tools/measure.py                     every run that is missing
    python tests/tools/measure.py 02 03-relu          only these variants
    python tests/tools/measure.py --anew 04           forget the runs of this one, then measure it
    python tests/tools/measure.py --book-python PY    the book's, too, with the Python of `nox -s book`

A run is a line of a CSV file, written when it ends: the program can be stopped at any time. It takes a
seed of every variant before the next, so that times compare. MNIST_NPZ may name the file of MNIST.
programs.csv says which program the runs of a variant are of; those of another one are not added to them.
"""

import argparse
import csv
import dataclasses
import functools
import json
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
ENDINGS = RECORDS / "endings.json"
sys.path.insert(0, str(ROOT / "tests"))  # where chapter.py is


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to run a script, as variants.toml explains it; `script` is its number, or "import"."""

    script: str
    seeds: int
    flags: str = ""
    edits: tuple = ()
    label: tuple = ()
    teaches: tuple = ()
    backend: str = "tensorflow"
    printed: float = None
    margin: float = None
    speed: bool = False

    @property
    def command(self):
        """Return what is run, as it is recorded."""
        edited = ", edited" if self.edits else ""
        backend = f", on {self.backend}" if self.backend != "tensorflow" else ""
        return f"{self.script} {self.flags}".strip() + edited + backend


TOML = Path(__file__).with_name("variants.toml").read_text(encoding="utf-8")
VARIANTS = {name: Variant(name.split("-")[0], **keys) for name, keys in tomllib.loads(TOML).items()}


def read(name):
    """Return the rows, a dictionary each, of a CSV file of the records."""
    with open(RECORDS / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name, rows, mode="a"):
    """Add rows to a CSV file of the records; with the mode "w", write it anew."""
    with open(RECORDS / f"{name}.csv", mode, encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def forget(variants):
    """Leave out of the records what is of today's runs of these variants."""
    for name in "results", "programs":
        rows = read(name)
        kept = [r for r in rows if r.get("record") == "book" or r["variant"] not in variants]
        write(name, [list(rows[0]), *(row.values() for row in kept)], "w")


def recorded_programs():
    """Return {(record, variant): the line of the program that its runs are of}."""
    return {(row["record"], row["variant"]): row["program"] for row in read("programs")}


def claim(record, name):
    """Record of which program the runs of a variant are; SystemExit if there are some of another one."""
    import programs  # only here, since it takes seconds

    if VARIANTS[name].script == "import":
        return
    line = programs.of_record(record, name)
    recorded = recorded_programs().get((record, name))
    if recorded is None:
        write("programs", [[record, name, line]])
    elif recorded != line:
        sys.exit(f"the runs of {name} in {record}.csv are of another program; --anew forgets them")


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
    """Run a variant once, today's or the book's, in an empty folder; return its row and its output."""
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
    loss = accuracy = ""
    if found := re.search(r"(?m)^\[([\d.]+), ([\d.]+)\]$", output):
        loss, accuracy = (f"{float(number):.4f}" for number in found.groups())
    elif found := re.search(r"(?m)^test accuracy: (.*)$", output):
        accuracy = f"{float(found[1]):.4f}"
    row = [name, seed, loss, accuracy, f"{seconds:.1f}", peak, variant.command]
    return [*row, environment(command[0], variant.backend)], output


def record_ending(name, output):
    """Record how the output of a script ends, from its last epoch on, as a terminal shows it."""
    text = re.sub(r"\x1b\[[\d;]*m", "", output)  # without colours
    lines = text[text.rindex("Epoch ") :].strip().split("\n")
    endings = json.loads(ENDINGS.read_text(encoding="utf-8"))
    endings[name] = [re.split("[\b\r]", line)[-1] for line in lines]
    text = json.dumps(endings, indent=1, ensure_ascii=False, sort_keys=True)
    ENDINGS.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variant", nargs="*", default=list(VARIANTS), help="default: all")
    parser.add_argument("--anew", action="store_true", help="forget their runs of today first")
    parser.add_argument("--book-python", help="the Python that `nox -s book` makes")
    args = parser.parse_args()
    if unknown := set(args.variant) - set(VARIANTS):
        parser.error(f"unknown: {', '.join(unknown)}")
    if args.anew:
        forget(args.variant)
    todo = missing("results", args.variant)
    if args.book_python:
        todo += missing("book", [name for name in args.variant if VARIANTS[name].margin])
    for record, name in sorted({(record, name) for _, name, record in todo}):
        claim(record, name)
    for number, (seed, name, record) in enumerate(sorted(todo, key=lambda one: one[0]), 1):
        print(f"[{number}/{len(todo)}] {record} {name} seed {seed}", flush=True)
        row, output = run(name, seed, book_python=args.book_python if record == "book" else None)
        write(record, [row])
        if record == "results" and seed == 0 and name in SCRIPTS:
            record_ending(name, output)

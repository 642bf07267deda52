"""Run what is not recorded yet, of today's scripts and of the book's software, and record it.

A run is a line of a CSV file, written when it ends: the program can be stopped at any time. It takes a
seed of every variant before the next, so that times compare. MNIST_NPZ may name the file of MNIST.
"""

import argparse
import collections
import csv
import functools
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "tutorials"
# By their numbers: the scripts, and their Japanese twins
SCRIPTS = {path.name[:2]: path for path in sorted(TUTORIALS.glob("[0-9]*[!a].py"))}
TWINS = {number: path.with_suffix(".ja.py") for number, path in SCRIPTS.items()}
RECORDS = ROOT / "tests" / "records"
ENDINGS = RECORDS / "endings.json"
sys.path[:0] = [str(ROOT / "tests"), str(TUTORIALS)]  # where chapter.py and offline_mnist.py are
TOML = Path(__file__).with_name("variants.toml").read_text(encoding="utf-8")
# The keys of variants.toml that may be left out; it explains them all
DEFAULTS = {"flags": "", "edits": [], "label": [], "teaches": [], "backend": "tensorflow"}
DEFAULTS |= {"printed": None, "margin": None, "speed": False}
# `script` is the number of one, or "import"; `command` says what is run, as it is recorded
Variant = collections.namedtuple("Variant", ["script", "command", "seeds", *DEFAULTS])
VARIANTS = {}
for name, given in tomllib.loads(TOML).items():
    script, keys = name.split("-")[0], DEFAULTS | given
    command = f"{script} {keys['flags']}".strip() + (", edited" if keys["edits"] else "")
    if keys["backend"] != "tensorflow":
        command += f", on {keys['backend']}"
    VARIANTS[name] = Variant(script, command, **keys)


def read(name):
    """Return the rows, a dictionary each, of a CSV file of the records."""
    text = (RECORDS / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def write(name, rows, mode="a"):
    """Add rows to a CSV file of the records; with the mode "w", write it anew."""
    with open(RECORDS / f"{name}.csv", mode, encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def recorded_programs():
    """Return {(record, variant): the line of the program that its runs are of}."""
    return {(row["record"], row["variant"]): row["program"] for row in read("programs")}


def claim(record, name):
    """Record of which program the runs of a variant are; SystemExit if there are some of another one."""
    import programs  # only here, since it takes seconds

    line = programs.of_record(record, name)
    if (record, name) not in recorded_programs():
        write("programs", [[record, name, line]])
    if recorded_programs()[record, name] != line:
        sys.exit(f"the runs of {name} in {record}.csv are of another program; --anew forgets them")


def edited(number, edits):
    """Return the text of a script with each (old, new) of `edits` replaced; old must stand there once."""
    text = SCRIPTS[number].read_text(encoding="utf-8")
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{number} does not have {old!r} once, which variants.toml edits")
        text = text.replace(old, new)
    return text


@functools.cache
def environment(python, backend):
    """Return what a run is measured with: the versions of a Python and its packages, and the machine."""
    modules = f"keras, {backend}, numpy, sklearn"
    code = f"import platform, {modules}; print('python', platform.python_version(), end='')\n"
    code += f"for m in ({modules}): print(';', m.__name__, m.__version__, end='')"
    environ = {**os.environ, "KERAS_BACKEND": backend}
    versions = subprocess.check_output([python, "-c", code], env=environ, text=True)
    cpuinfo = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    model = re.search(r"model name\s*: (.*)|$", cpuinfo)[1] or os.uname().machine
    return f"{versions}; {os.uname().sysname}, {model}, {os.cpu_count()} cores"


def run(name, seed, environ=os.environ, book_python=None):
    """Run a variant once, not on Windows; return its row and its output. RuntimeError if it fails."""
    variant = VARIANTS[name]
    environ = {**environ, "KERAS_BACKEND": variant.backend, "PYTHONPATH": str(TUTORIALS)}
    text = "import keras" if variant.script == "import" else edited(variant.script, variant.edits)
    command = [sys.executable, "-c", text, *variant.flags.split(), "--seed", str(seed)]
    if book_python:
        command = [
            os.path.abspath(book_python),
            str(ROOT / "tests" / "chapter.py"),
            name,
            str(seed),
        ]
    with TemporaryDirectory() as folder, TemporaryFile() as out, TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output, errors = (os.pread(file.fileno(), 10**8, 0).decode() for file in (out, err))
    if process.returncode or "stand-in" in errors:  # which is not what a record is of
        raise RuntimeError(f"exit code {process.returncode}: {errors[-300:]}")
    found = re.search(r"(?m)^(?:\[([\d.]+), |test accuracy: )([\d.]+)\]?$|\Z", output)
    loss, accuracy = (f"{float(number):.4f}" if number else "" for number in found.groups())
    peak = usage.ru_maxrss // (1024 if sys.platform == "linux" else 1024**2)  # MiB
    row = [name, seed, loss, accuracy, f"{seconds:.1f}", peak, variant.command]
    return [*row, environment(command[0], variant.backend)], output


def ending(output):
    """Return the lines of an output from the last epoch on, without colours and what is overwritten."""
    text = re.sub(r"\x1b\[[\d;]*m|.*[\b\r]", "", output)
    return text[text.rindex("Epoch ") :].strip().split("\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", choices=VARIANTS, metavar="variant", help="default: all")
    parser.add_argument("--anew", action="store_true", help="forget their runs, then measure them")
    parser.add_argument("--book-python", help="the book's, too, with this Python")
    args = parser.parse_args()
    asked = [("results", name) for name in args.name or VARIANTS]
    if args.book_python:
        asked += [("book", name) for _, name in asked if VARIANTS[name].margin]
    for table in ("results", "book", "programs") if args.anew else ():
        rows = read(table)
        kept = [row for row in rows if (row.get("record", table), row["variant"]) not in asked]
        write(table, [rows[0].keys(), *(row.values() for row in kept)], "w")
    todo = []
    for record, name in asked:
        recorded = {int(row["seed"]) for row in read(record) if row["variant"] == name}
        seeds = set(range(VARIANTS[name].seeds)) - recorded
        todo += [(seed, record, name) for seed in seeds]
        if seeds and VARIANTS[name].script != "import":
            claim(record, name)
    for number, (seed, record, name) in enumerate(sorted(todo), 1):
        print(f"[{number}/{len(todo)}] {record} {name} seed {seed}", flush=True)
        row, output = run(name, seed, book_python=args.book_python if record == "book" else None)
        write(record, [row])
        if record == "results" and seed == 0 and name in SCRIPTS:
            endings = json.loads(ENDINGS.read_text(encoding="utf-8")) | {name: ending(output)}
            text = json.dumps(endings, indent=1, ensure_ascii=False, sort_keys=True)
            ENDINGS.write_text(text + "\n", encoding="utf-8", newline="\n")

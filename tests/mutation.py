"""Mutation testing: change the tutorials in every small way there is, and see whether a test fails.

    python tests/mutation.py                   every mutant that has no result yet
    python tests/mutation.py 02 offline_mnist  only these modules
    python tests/mutation.py --whole           then the survivors again, with the whole default suite
    python tests/mutation.py --report          what is recorded

The mutants are those of cosmic-ray's default operators, each statement deleted once, and train and
test swapped: at each place, and at all places of a statement together. They are tried in copies of
the repository. Each result is recorded as soon as it is known, so the program can be stopped at any
time and started again; a result counts until its module or one of its tests changes. It needs Linux or macOS,
git, cosmic-ray and what requirements.txt names.
"""

import argparse
import contextlib
import hashlib
import itertools
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]
# The tests that belong to a module, as arguments of pytest
TESTS = {
    "01": ["tests/test_lessons.py", "-k", "01"],
    "02": ["tests/test_lessons.py", "-k", "02"],
    "03": ["tests/test_lessons.py", "-k", "03"],
    "04": ["tests/test_lessons.py", "-k", "04"],
    "05": ["tests/test_lessons.py", "-k", "05"],
    # Without the whole trainings that some of its tests wait for
    "offline_mnist": ["tests/test_offline_mnist.py", "-m", "not command"],
}
SECONDS, WHOLE_SECONDS = 120, 900  # a mutant whose tests take longer is caught
PYTEST = ["-x", "-q", "-p", "no:cacheprovider"]
# Imported once; a process forked from there tests a mutant in seconds.
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["keras", "matplotlib.pyplot", "pytest", "sklearn.datasets"])
THREADS = ["OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]
# What parso calls a statement
STATEMENTS = [
    "simple_stmt",
    "if_stmt",
    "for_stmt",
    "while_stmt",
    "try_stmt",
    "with_stmt",
    "funcdef",
]
OTHER = {"train": "test", "test": "train"}


def find(root, name):
    """Return the path of a module."""
    return next((root / "tutorials").glob(f"{name}*.py"))


def edited(source, changes):
    """Return the source with each (node, text) of `changes` done: text in the place of the node."""
    starts = [0, *itertools.accumulate(len(line) for line in source.splitlines(keepends=True))]
    for node, text in sorted(changes, key=lambda change: change[0].start_pos, reverse=True):
        start, end = (starts[row - 1] + column for row, column in (node.start_pos, node.end_pos))
        source = source[:start] + text + source[end:]
    return source


def mutants_of_the_tool(source):
    """Yield (kind, mutated source) for each place of cosmic-ray's operators without arguments."""
    for name in operator_names():
        operator = get_operator(name)
        for occurrence in itertools.count() if not operator.arguments() else ():
            mutated = mutate_code(source, operator(), occurrence)
            if mutated is None:
                break
            yield name.split("/")[1], mutated


def deletions(source):
    """Yield (kind, mutated source) for each statement that is not a docstring."""
    for node in ast_nodes(parso.parse(source)):
        if node.type in STATEMENTS and node.get_first_leaf().type != "string":
            yield "deletion", edited(source, [(node, "pass\n")])


def swaps(source):
    """Yield (kind, mutated source) for x_train, y_test and so on, as names and as strings.

    A place that reads is swapped alone, and together with all such places of its statement. Places
    that are assigned to are swapped together, where both train and test are.
    """
    statements = {}
    for node in ast_nodes(parso.parse(source)):
        if node.type in ("name", "string") and re.fullmatch(".?[xy]_(train|test).?", node.value):
            assigned = node.type == "name" and node.is_definition()
            statement = node.search_ancestor(*STATEMENTS).start_pos, node.type, assigned
            swapped = re.sub("train|test", lambda match: OTHER[match[0]], node.value)
            statements.setdefault(statement, []).append((node, swapped))
    for (*_, assigned), changes in statements.items():
        both = all(any(word in node.value for node, _ in changes) for word in OTHER)
        if len(changes) > 1 and (both or not assigned):
            yield "swap", edited(source, changes)
        for change in changes if not assigned else ():
            yield "swap", edited(source, [change])


def make_mutants(root, name):
    """Return {key: (description, mutated source)}; the key is a hash of that source and its tests."""
    path = find(root, name)
    source = path.read_text(encoding="utf-8")
    tests = [root / TESTS[name][0], root / "tests" / "conftest.py"]
    about = repr((TESTS[name], [path.read_bytes() for path in tests]))
    mutants = {}
    for kind, mutated in (*mutants_of_the_tool(source), *deletions(source), *swaps(source)):
        lines = enumerate(zip(source.splitlines(), mutated.splitlines()), 1)
        row, (old, new) = next((row, pair) for row, pair in lines if pair[0] != pair[1])
        description = f"{path.name}:{row}: {kind}\n    - {old.strip()}\n    + {new.strip()}"
        key = hashlib.sha256((about + mutated).encode()).hexdigest()
        mutants[key] = description, mutated
    return mutants


def copy_repository(folder):
    """Copy what git tracks or would track, as it is now."""
    command = ["git", "ls-files", "-coz", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def run_tests(copy, arguments):
    """Run pytest in a copy, in a process group of its own; what it says goes to a file."""
    import pytest

    os.setsid()
    os.chdir(copy)
    os.environ |= dict.fromkeys(THREADS, "1") | {"TMPDIR": str(copy.parent)}
    with open(f"{copy}.txt", "wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os._exit(pytest.main([*PYTEST, f"--basetemp={copy}.tmp", *arguments]))


def start_tests(copy, arguments):
    """Start `run_tests` in a process of its own."""
    shutil.rmtree(copy / "tutorials" / "__pycache__", ignore_errors=True)
    process = FORKSERVER.Process(target=run_tests, args=(copy, arguments))
    process.start()
    return process


def end_tests(copy, process):
    """Return how the tests ended and why; if they still run, end them and all that they started."""
    if process.exitcode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return "timeout", ""
    if process.exitcode == -signal.SIGKILL:  # by a system short of memory, say, not by the mutant
        return "killed", ""
    said = Path(f"{copy}.txt").read_text(encoding="utf-8", errors="replace")
    reasons = re.findall("^(?:FAILED|ERROR) .*", said, re.MULTILINE) or said.splitlines()[-1:]
    return ("caught", "".join(reasons[:1])) if process.exitcode else ("survived", "")


def try_all(copies, path, texts, arguments, seconds):
    """Test each {key: text} as the module `path`, one in a copy at a time; yield (key, result)."""
    original = (copies[0] / path).read_bytes()
    todo, free, running = iter(texts.items()), list(copies), {}
    try:
        while True:
            for key, text in itertools.islice(todo, len(free)):
                copy = free.pop()
                (copy / path).write_text(text, encoding="utf-8")
                running[copy] = key, start_tests(copy, arguments), time.monotonic() + seconds
            if not running:
                break
            time.sleep(0.1)
            for copy, (key, process, deadline) in list(running.items()):
                if process.exitcode is not None or time.monotonic() > deadline:
                    result = end_tests(copy, process)
                    del running[copy]
                    free.append(copy)
                    yield key, result
    finally:
        for copy, (_, process, _) in running.items():
            end_tests(copy, process)
        for copy in copies:
            (copy / path).write_bytes(original)


def load(record):
    """Return {key: [outcome, reason]} from the record; a line that was cut off does not count."""
    results = {}
    for line in record.read_text(encoding="utf-8").splitlines() if record.exists() else ():
        with contextlib.suppress(ValueError):
            results |= json.loads(line)
    return results


def try_module(name, copies, record, arguments, seconds, before, suffix):
    """Try the mutants of a module whose outcome so far is `before`, and record what happens."""
    path = find(copies[0], name).relative_to(copies[0])
    mutants, results = make_mutants(copies[0], name), load(record)
    keys = [key for key in mutants if results.get(key, [None])[0] == before]
    if not keys:
        return
    unchanged = {"": (copies[0] / path).read_text(encoding="utf-8")}
    [(_, (outcome, reason))] = try_all(copies[:1], path, unchanged, arguments, seconds)
    if outcome != "survived":
        sys.exit(f"{path} unchanged does not pass its tests {arguments}: {outcome} {reason}")
    texts = {key: mutants[key][1] for key in keys}
    with contextlib.closing(try_all(copies, path, texts, arguments, seconds)) as tries:
        for number, (key, (outcome, reason)) in enumerate(tries, 1):
            what = mutants[key][0].splitlines()[0]
            print(f"[{number}/{len(keys)}] {what}: {outcome}{suffix} {reason}", flush=True)
            if outcome != "killed":
                with record.open("a", encoding="utf-8") as file:
                    file.write("\n" + json.dumps({key: [outcome + suffix, reason]}))


def report(names, record):
    """Print for each module how many mutants were caught, and the survivors with their lines."""
    results = load(record)
    for name in names:
        mutants = make_mutants(ROOT, name)
        outcomes = {key: results[key][0] for key in mutants if key in results}
        survivors = [key for key, outcome in outcomes.items() if outcome.startswith("survived")]
        caught = len(outcomes) - len(survivors)
        print(
            f"{find(ROOT, name).name}: {len(mutants)} mutants, {len(outcomes)} tried, "
            f"{caught} caught ({caught / max(len(outcomes), 1):.1%}), {len(survivors)} survived"
        )
        for key in survivors:
            print(f"  {mutants[key][0]}" + "\n    (with the whole suite)" * ("(" in outcomes[key]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module", nargs="*", help="default: all")
    parser.add_argument("--report", action="store_true", help="show what is recorded, run nothing")
    parser.add_argument("--whole", action="store_true", help="try survivors with the whole suite")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time (default: 2)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".mutation", help="of the record")
    args = parser.parse_args()
    if unknown := set(args.module) - set(TESTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(TESTS)}")
    names, record = args.module or list(TESTS), args.folder / "results.jsonl"
    if not args.report:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit("stopped"))
        args.folder.mkdir(parents=True, exist_ok=True)
        (args.folder / ".gitignore").write_text("*\n")
        with tempfile.TemporaryDirectory() as folder:
            copies = [Path(folder, str(number)) for number in range(args.jobs)]
            copy_repository(copies[0])
            for copy in copies[1:]:
                shutil.copytree(copies[0], copy)
            for name in names:
                try_module(name, copies, record, TESTS[name], SECONDS, None, "")
                if args.whole:
                    try_module(name, copies, record, [], WHOLE_SECONDS, "survived", " (whole)")
    report(names, record)


if __name__ == "__main__":
    main()

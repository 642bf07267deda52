"""Change the scripts in every small way there is, and see whether a test fails.

    python tests/tools/mutation.py          every module; an hour on two cores
    python tests/tools/mutation.py 02 03    two of them

The mutants are those of cosmic-ray's operators, each statement deleted, and train and test swapped.
"""

import ast
import collections
import contextlib
import importlib
import io
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "*env*", "img", "__pycache__")
TESTS = {f"0{n}": ["tests/test_lessons.py", "-k", f"0{n}"] for n in range(1, 6)}
TESTS["offline_mnist"] = ["tests/test_offline.py", "-m", "not command"]
SECONDS = 120  # a mutant whose tests take longer is caught, by time-out


def swaps(code):
    """Yield a statement with train and test swapped: in one place, in all, and in all that it reads."""
    target, equals, value = code.rpartition(" = ")
    names, strings = r'(?<=[xy]_)(?<!"[xy]_)(train|test)', r'(?<="[xy]_)(train|test)(?=")'
    for start, text in ("", code), (target + equals, value):
        for parts in re.split(names, text), re.split(strings, text):
            places = range(1, len(parts), 2)
            for chosen in places, *([n] for n in places):
                other = {n: "test" if parts[n] == "train" else "train" for n in chosen}
                yield start + "".join(other.get(n, part) for n, part in enumerate(parts))


def mutants(source):
    """Yield (kind, mutated source), some of them twice."""
    for operator in map(get_operator, operator_names()):
        for number in itertools.count() if not operator.arguments() else ():
            if (mutated := mutate_code(source, operator(), number)) is None:
                break
            yield operator.__name__, mutated
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and not ast.unparse(node).startswith(("'", '"')):
            before, after = "".join(lines[: node.lineno - 1]), "".join(lines[node.end_lineno :])
            yield "deletion", before + " " * node.col_offset + "pass\n" + after
            if not hasattr(node, "body"):
                for code in swaps("".join(lines[node.lineno - 1 : node.end_lineno])):
                    yield "swap", before + code + after


def test(path, source, arguments):
    """Run the tests in a copy of the repository with this source and exit, or be ended by the clock."""
    os.setsid()
    signal.alarm(SECONDS)
    copy = tempfile.mkdtemp()
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED, dirs_exist_ok=True)
    os.chdir(copy)
    path.write_text(source, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *arguments])
    shutil.rmtree(copy)
    os._exit(code)


def outcomes(path, sources, arguments):
    """Test each source, one on each core; yield (source, outcome) when it is known."""
    todo, running = [*sources], {}
    while todo or running:
        while todo and len(running) < os.cpu_count():
            source = todo.pop(0)
            running[os.fork() or test(path, source, arguments)] = source
        process, status = os.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # what it started and left
        yield running.pop(process), "caught" if status else "survived"


def report(module):
    """Try the mutants of a module; print what becomes of each, and at last the survivors."""
    (path,) = (ROOT / "tutorials").glob(f"{module}*.py")
    name, source = path.relative_to(ROOT), path.read_text(encoding="utf-8")
    if [*outcomes(name, [source], TESTS[module])] != [(source, "survived")]:
        sys.exit(f"{name}: its tests fail as it is")
    kinds = {mutated: kind for kind, mutated in mutants(source) if mutated != source}
    found = collections.defaultdict(list)
    for number, (mutated, outcome) in enumerate(outcomes(name, kinds, TESTS[module]), 1):
        rows = enumerate(zip(source.splitlines(), mutated.splitlines()), 1)
        row, (old, new) = next(row for row in rows if len({*row[1]}) == 2)
        found[outcome].append(f"{name}:{row}: {kinds[mutated]}\n    - {old}\n    + {new}")
        print(f"[{number}/{len(kinds)}] {outcome}: {found[outcome][-1]}", flush=True)
    counts = ", ".join(f"{len(those)} {outcome}" for outcome, those in found.items())
    print(f"{name}: {len(kinds)} mutants: {counts}", *found["survived"], sep="\n", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as tempfile.tempdir:
        os.environ |= {"KERAS_HOME": tempfile.tempdir, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
        for package in "keras", "matplotlib.pyplot", "sklearn.datasets":
            importlib.import_module(package)  # once: each test is a fork of this process
        for module in sys.argv[1:] or TESTS:
            report(module)

"""programs.txt: what each script, and each variant of one that is measured, hands to Keras.

A part begins with `[name] command`; below it stand the lines of running.py, a part of the program each.
"""

import difflib
import re
import zlib
from pathlib import Path

FILE = Path(__file__).with_name("programs.txt")


def read_programs():
    """Return {name: (command, lines)}."""
    parts = re.findall(r"(?m)^\[(\S+)\] (.*)\n((?:    .+\n)+)", FILE.read_text(encoding="utf-8"))
    return {
        name: (command, re.sub("(?m)^    ", "", lines).splitlines())
        for name, command, lines in parts
    }


def write_program(name, command, lines):
    """Put a program into the file, or replace it."""
    programs = read_programs() | {name: (command, lines)}
    head = FILE.read_text(encoding="utf-8").partition("\n\n")[0]
    parts = [
        "\n    ".join([f"[{name}] {programs[name][0]}", *programs[name][1]])
        for name in sorted(programs)
    ]
    FILE.write_text("\n\n".join([head, *parts]) + "\n", encoding="utf-8", newline="\n")


def digests():
    """Return {name: eight digits that stand for its program}, by which a recorded run knows what it is of."""
    return {name: digest(lines) for name, (_, lines) in read_programs().items()}


def digest(lines):
    """Return eight digits that stand for the lines of a program, but for what it prints and writes."""
    trained = [line for line in lines if not line.startswith(("prints ", "writes "))]
    return f"{zlib.crc32(chr(10).join(trained).encode()):08x}"


def changes(before, after):
    """Return the lines that are no more ("- ...") and those that are new ("+ ...")."""
    return [line for line in difflib.ndiff(before, after) if line[0] in "+-"]

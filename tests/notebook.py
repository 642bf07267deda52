"""Run all five tutorials with %run in one Jupyter kernel, in an empty folder, as in a notebook.

It needs ipykernel and nbclient (`nox -s notebook` installs them), and fails if a cell does.
"""

import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat.v4

SCRIPTS = sorted((Path(__file__).resolve().parents[1] / "tutorials").glob("[0-9]*.py"))


def main():
    cells = [nbformat.v4.new_code_cell(f'%run "{path.as_posix()}"') for path in SCRIPTS]
    book = nbformat.v4.new_notebook(cells=cells)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            book, timeout=600, allow_errors=True, resources={"metadata": {"path": folder}}
        )
        client.execute()
        print("files in its folder:", *sorted(path.name for path in Path(folder).iterdir()))
    failed = False
    for path, cell in zip(SCRIPTS, cells, strict=True):
        printed = [out for out in cell.outputs if out.output_type == "stream"]
        lines = "".join(out.text for out in printed if out.name == "stdout").splitlines()
        lines = [line for line in lines if line and "\x1b" not in line]  # no progress bars
        errors = [out for out in cell.outputs if out.output_type == "error"]
        print(f"\n{path.name}", *lines[-3:], *("\n".join(e.traceback) for e in errors), sep="\n  ")
        failed |= bool(errors)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()

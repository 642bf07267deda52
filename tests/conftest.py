"""What every test has: a clean environment, images to run on, and the commands that run beside the tests."""

import gc
import os
import shutil
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from files import scripts, scripts_and_twins, texts

# What a test is run for, by the name of its argument, if it does not say it itself; a file of tests can have more
LISTS = {"number": scripts, "path": scripts_and_twins, "page": texts}
# What a Python needs to run, and what says on which backend and on which MNIST. Nothing else that a reader, a
# shell or a continuous integration has set may have a say in a result.
KEPT = """PATH HOME USERPROFILE SYSTEMROOT SYSTEMDRIVE COMSPEC PATHEXT TEMP TMP TMPDIR LOCALAPPDATA APPDATA
    LD_LIBRARY_PATH LD_PRELOAD LC_ALL LANG PYTHONUTF8 PYTHONCOERCECLOCALE OPENBLAS_CORETYPE SSL_CERT_FILE
    KERAS_BACKEND MNIST_NPZ"""
THREADS = ["OMP_NUM_THREADS", "NPROC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]
NOBODY = "http://127.0.0.1:9"  # a proxy that is not there: every download fails at once

# What a reader types, by the number of the script: its flags, and how the console encodes what it prints
TYPED = {
    "01": ("", "utf-8"),
    "02": ("--batch-size 4", "ascii"),
    "03": ("--epochs 1 --optimizer adam --batch-size 256", "utf-8"),
    "04": ("--epochs 1 --batch-size 10", "utf-8"),
    "05": ("--epochs 5", "cp932"),
}


def pytest_addoption(parser):
    parser.addoption(
        "--update", action="store_true", help="write down anew what the scripts hand to Keras"
    )


def pytest_generate_tests(metafunc):
    """Run a test once for each of the list of its argument."""
    marked = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    for name, values in (LISTS | getattr(metafunc.module, "LISTS", {})).items():
        if name in metafunc.fixturenames and name not in str(marked):
            metafunc.parametrize(name, values(), ids=lambda value: getattr(value, "name", None))


def pytest_configure(config):
    """Clean the environment, before anything imports Keras."""
    config.kept = {
        name: value for name, value in os.environ.items() if name.upper() in KEPT.split()
    }
    config.folder = tempfile.mkdtemp()
    config.add_cleanup(lambda: shutil.rmtree(config.folder, ignore_errors=True))
    os.environ.clear()
    os.environ |= config.kept | {"KERAS_HOME": config.folder, "MPLBACKEND": "agg", "MNIST_NPZ": ""}
    os.environ |= dict.fromkeys(["https_proxy", "HTTPS_PROXY"], NOBODY)
    os.environ |= dict.fromkeys(THREADS, "1")  # commands run beside the tests


def pytest_collection_modifyitems(items):
    """Put those tests first that may write down programs, and those last that wait for commands."""
    items.sort(key=lambda item: ("typed" in item.fixturenames, "hands_over" not in item.name))


@pytest.fixture(scope="session", autouse=True)
def step_by_step():
    """Let TensorFlow compute step by step here: to compile a training takes longer than its few steps."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import tensorflow

        tensorflow.config.run_functions_eagerly(True)
    gc.freeze()  # what is imported by now need not be looked through again, which takes seconds in all


@pytest.fixture(scope="session")
def mnist_file(pytestconfig):
    """Return the path of an `.npz` with the first 1,000 images of each part of MNIST, or of the stand-in."""
    import numpy
    import offline_mnist

    path = pytestconfig.kept.get("MNIST_NPZ")
    digits = offline_mnist.read_npz(path) if path else offline_mnist.make_stand_in()
    few = os.path.join(pytestconfig.folder, "1000.npz")
    numpy.savez(few, **{name: array[:1000] for name, array in digits.items()})
    return few


@pytest.fixture(scope="session", autouse=True)
def commands(request, step_by_step):
    """Start the commands of TYPED that the selected tests wait for, the later ones first; return {number: future}."""
    waiting = [item for item in request.session.items if "typed" in item.fixturenames]
    numbers = {item.callspec.params["number"] for item in waiting}
    if not numbers:
        return {}
    few = request.getfixturevalue("mnist_file")
    pool = ThreadPoolExecutor(max(1, min(3, os.cpu_count() - 1)))
    return {
        number: pool.submit(
            run_command, number, few if number == "04" else "", request.config.folder
        )
        for number in sorted(numbers, reverse=True)
    }


@pytest.fixture
def loopback():
    """Return a server on this machine; skip the test where there is no network at all, as in some containers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        try:
            with socket.create_connection(server.getsockname(), timeout=1):
                server.accept()[0].close()
        except OSError as error:
            pytest.skip(f"no network on this machine: {error}")
        yield server


def run_command(number, mnist_npz, folder):
    """Run a script as typed, in an empty folder; return this folder and how the command ended."""
    from running import name_here, run_as_typed

    flags, encoding = TYPED.get(number, ("", "utf-8"))
    here = os.path.join(folder, name_here(f"{number} 日本語"))  # as a Japanese reader has it
    os.mkdir(here)
    environment = {"PYTHONIOENCODING": encoding, "MNIST_NPZ": mnist_npz}
    return here, run_as_typed([scripts()[number], *flags.split()], here, **environment)


@pytest.fixture
def typed(commands, number):
    """Return the folder in which a script was run as typed, and how the command ended."""
    return commands[number].result()

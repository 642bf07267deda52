"""What one environment does not show: other versions, backends, places, platforms.

    python -m pip install nox uv
    nox                          every session marked * in the list, on every Python found here
    nox --list                   the sessions, with what each is for
    nox -s "newest-3.13"         one of them

Arguments after `--` go to pytest.
"""

import datetime
import json
import os
import platform
import re
import subprocess
import time
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# TensorFlow for Python 3.14 is a release candidate so far. It requires keras-nightly, which has the
# same files as keras: pip installs keras over them, uv both at once, and that can end in a mixture.
RELEASED = PYTHONS[:-1]
CANDIDATES = """
tensorflow-cpu>=2.22.0rc0 ; python_version == "3.14" and sys_platform == "linux" and platform_machine == "x86_64"
tensorflow>=2.22.0rc0 ; python_version == "3.14" and (sys_platform != "linux" or platform_machine != "x86_64")
"""
# uv takes one wheel's dependencies for those of all; the wheels of the candidate differ in this one.
OVERRIDES = """\
h5py<3.15 ; python_version < "3.14"
h5py~=3.15.1 ; python_version >= "3.14"
"""
ROOT = Path(__file__).parent
REQUIREMENTS = "requirements.txt"
VERSIONS = ROOT / "versions.txt"
COMPILE = ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
COMPILE += ["--no-python-downloads"]  # it resolves for other Pythons and needs none of them
SETUP = ROOT / "tests" / "setup.json"


def lower_bounds(session):
    """Return the path of a copy of requirements.txt that does not name the exact versions."""
    path = Path(session.cache_dir, "lower-bounds.txt")
    text = Path(REQUIREMENTS).read_text(encoding="utf-8").replace("-r versions.txt", "")
    path.write_text(text, encoding="utf-8")
    return path


def run_tests(session, **environment):
    """Show the versions and run the tests."""
    session.run(*(["uv"] if session.venv_backend == "uv" else []), "pip", "list", external=True)
    session.run("python", "-m", "pytest", *session.posargs, env=environment)


@nox.session(python=PYTHONS, venv_backend="venv")
def locked(session):
    """The versions of versions.txt, installed as the README says."""
    session.install("-r", REQUIREMENTS)
    run_tests(session)


@nox.session(python=PYTHONS, venv_backend="venv")
def newest(session):
    """The newest versions of everything."""
    session.install("-r", str(lower_bounds(session)))
    run_tests(session)


@nox.session(python=RELEASED)
def lowest(session):
    """The lowest versions that requirements.txt allows."""
    session.install("--resolution", "lowest-direct", "-r", str(lower_bounds(session)))
    run_tests(session)


@nox.session(python=RELEASED)
def jax(session):
    """Keras on JAX."""
    session.install("-r", REQUIREMENTS)
    session.install("jax")
    run_tests(session, KERAS_BACKEND="jax")


@nox.session(python=RELEASED)
def torch(session):
    """Keras on PyTorch: on Linux the build for GPUs, several GB, but with UV_TORCH_BACKEND=cpu."""
    session.install("-r", REQUIREMENTS)
    session.install("torch")
    run_tests(session, KERAS_BACKEND="torch")


@nox.session
def hostile(session):
    """The tests where everything that can be set is set, with the settings of a Keras of 2017."""
    session.install("-r", REQUIREMENTS)
    home = Path(session.create_tmp()).resolve()
    (home / ".keras").mkdir(exist_ok=True)
    settings = {"backend": "theano", "image_data_format": "channels_first"}
    settings |= {"floatx": "float32", "epsilon": 1e-07}
    (home / ".keras" / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    (home / "offline_mnist.py").write_text("raise ImportError('not this one')\n", encoding="utf-8")
    run_tests(
        session,
        HOME=str(home),
        USERPROFILE=str(home),
        PYTHONPATH=str(home),
        PYTHONWARNINGS="error",
        PYTHONOPTIMIZE="2",
        PYTHONIOENCODING="ascii",
        PYTEST_ADDOPTS="--strict-markers --capture=sys -p no:cacheprovider",
        KERAS_MAX_EPOCHS="1",
        KERAS_MAX_STEPS_PER_EPOCH="1",
        TF_CPP_MIN_LOG_LEVEL="3",
        TF_ENABLE_ONEDNN_OPTS="0",
        TF_USE_LEGACY_KERAS="1",
        TF_NUM_INTRAOP_THREADS="1",
        XLA_FLAGS="--xla_force_host_platform_device_count=3",
        JAX_ENABLE_X64="1",
        JAX_PLATFORMS="cpu",
        MPLBACKEND="TkAgg",
        OMP_NUM_THREADS="1",
        LANG="C",
        LC_ALL="C",
        COLUMNS="40",
        FORCE_COLOR="1",
    )


@nox.session
def notebook(session):
    """All five tutorials with %run, in the kernel of one notebook."""
    session.install("-r", REQUIREMENTS)
    session.install("ipykernel", "nbclient")
    quick = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "100"}
    session.run("python", "tests/notebook.py", env=quick)


@nox.session(venv_backend="none")
def platforms(session):
    """For which Python and machine all wheels exist, held against the table in tests/README.md."""
    pythons = [*PYTHONS, "3.15"]
    machines = {
        "Linux, x86-64": "x86_64-manylinux_2_28",
        "Linux, arm64": "aarch64-manylinux_2_28",
        "macOS, arm64": "aarch64-apple-darwin",
        "macOS, x86-64": "x86_64-apple-darwin",
        "Windows, x86-64": "x86_64-pc-windows-msvc",
        "Windows, arm64": "aarch64-pc-windows-msvc",
    }

    def tensorflow(python, machine):
        options = ["--python-version", python, "--python-platform", machine, "--only-binary=:all:"]
        command = [*COMPILE, *options, REQUIREMENTS]
        done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
        if done.returncode and "No solution found" not in done.stderr:
            session.error(done.stderr)
        found = re.search(r"(?m)^tensorflow==(\S+)", done.stdout)
        return found[1] if found else "—"

    rows = [["Python", *pythons]]
    rows += [[name, *(tensorflow(p, machines[name]) for p in pythons)] for name in machines]
    rows = ["| " + " | ".join(row) + " |" for row in rows]
    print(*rows, sep="\n")
    page = ROOT / "tests" / "README.md"
    lines = [" ".join(line.split()) for line in page.read_text(encoding="utf-8").split("\n")]
    if wrong := [row for row in rows if row not in lines]:
        session.error("\n".join([f"{page} does not have:", *wrong]))


@nox.session(default=False, python="3.11", venv_backend="venv")
def mutation(session):
    """Change the scripts in every small way there is, and see whether a test fails; hours."""
    session.install("-r", REQUIREMENTS, "cosmic-ray==8.7.0")
    session.run("python", "tests/mutation.py", *session.posargs)


@nox.session(default=False, python="3.6", venv_backend="venv")
def book(session):
    """Train the chapter's networks with the book's own software, for tests/book.json; an hour."""
    # This old pip trips over settings and folders made for newer ones.
    old = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    session.run("python", "-m", "pip", "install", "pip==21.3.1", env=old)
    software = ["tensorflow==1.3.0", "keras==2.0.6", "numpy<1.17", "h5py<3"]
    software += ["scikit-learn==0.19.2", "scipy<1.6"]
    session.run("python", "-m", "pip", "install", "--prefer-binary", *software, env=old)
    session.run("python", "tests/book.py", *session.posargs)


@nox.session(default=False, venv_backend="none")
def lock(session):
    """Make versions.txt anew: today's newest versions, for these Pythons and every system."""
    path = lower_bounds(session)
    text = path.read_text(encoding="utf-8") + CANDIDATES
    ours = f'python_version >= "{PYTHONS[0]}" and python_version <= "{PYTHONS[-1]}"'
    text = re.sub(r"(?m)^(\w[^;\n]*?)(?: ; (.*))?$", rf"\1 ; ({ours}) and (\2)", text)
    path.write_text(text.replace(" and ()", ""), encoding="utf-8")
    overrides, locked = (Path(session.cache_dir, name) for name in ("overrides.txt", "locked.txt"))
    overrides.write_text(OVERRIDES, encoding="utf-8")
    today = str(datetime.datetime.now(datetime.UTC).date())
    options = ["--universal", "--upgrade", "--output-file", str(locked)]
    options += ["--override", str(overrides), "--exclude-newer", f"{today}T00:00:00Z"]
    # For a lower Python than ours, so that uv writes down where ours begin. Elsewhere the versions do
    # not apply, and pip says at once which requirement it cannot find.
    options += ["--python-version", "3.10"]
    session.run(*COMPILE, *options, str(path), external=True)
    first = f"# Made by `nox -s lock` on {today}: the versions that the tests are run with\n"
    VERSIONS.write_text(first + locked.read_text(encoding="utf-8"), encoding="utf-8")
    # `uv run` gets the same versions by the same date.
    for path in (ROOT / "tutorials").glob("[0-9]*.py"):
        script = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r'(exclude-newer = ")[\d-]+', rf"\g<1>{today}", script),
            encoding="utf-8",
            newline="\n",
        )


@nox.session(default=False, venv_backend="venv", python=["3.11", "3.13"])
def setup(session):
    """Measure what the set-up downloads, writes and takes, for tests/setup.json."""
    wheels, folder = (Path(session.create_tmp(), name) for name in ("wheels", "venv"))

    def megabytes(folder):
        paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        return round(sum(path.stat().st_size for path in paths) / 1e6)

    session.run("python", "-m", "pip", "download", "-q", "-d", str(wheels), "-r", REQUIREMENTS)
    start = time.perf_counter()
    session.run("python", "-m", "venv", "--clear", str(folder))
    python = str(folder / ("Scripts/python" if platform.system() == "Windows" else "bin/python"))
    offline = ["--no-index", "--find-links", str(wheels)]
    session.run(python, "-m", "pip", "install", "-q", *offline, "-r", REQUIREMENTS, external=True)
    record = json.loads(SETUP.read_text(encoding="utf-8")) if SETUP.exists() else {}
    record[f"{platform.system()}, Python {session.python}"] = {
        "download_mb": megabytes(wheels),
        "installed_mb": megabytes(folder),
        "seconds_without_download": round(time.perf_counter() - start),
    }
    SETUP.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

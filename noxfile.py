"""What one environment does not show: `python -m pip install "nox>=2024.10.9" uv && nox --list`."""

import os
import re
import time
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# TensorFlow for Python 3.14 is a release candidate so far. It requires keras-nightly, which has the
# same files as keras: pip installs keras over them, uv both at once, and that can end in a mixture.
RELEASED = PYTHONS[:-1]
CANDIDATE = r'>=2.22.0rc0 ; python_version == "3.14" and (\1)'
# uv takes one wheel's dependencies for those of all; the wheels of the candidate differ in this one.
OVERRIDES = 'h5py<3.15 ; python_version < "3.14"\nh5py~=3.15.1 ; python_version >= "3.14"\n'
REQUIREMENTS = ["-r", "requirements.txt"]
LOWER_BOUNDS = re.findall(r"(?m)^\w.*", Path("requirements.txt").read_text(encoding="utf-8"))
BOOK = "tensorflow==1.3.0 keras==2.0.6 numpy<1.17 h5py<3 scikit-learn==0.19.2 scipy<1.6"
HOSTILE = """PYTHONWARNINGS=error PYTHONOPTIMIZE=2 PYTHONIOENCODING=ascii LANG=C LC_ALL=C COLUMNS=40
    KERAS_MAX_EPOCHS=1 KERAS_MAX_STEPS_PER_EPOCH=1 MPLBACKEND=TkAgg FORCE_COLOR=1 OMP_NUM_THREADS=1
    TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0 TF_USE_LEGACY_KERAS=1 TF_NUM_INTRAOP_THREADS=1
    XLA_FLAGS=--xla_force_host_platform_device_count=3 JAX_ENABLE_X64=1 JAX_PLATFORMS=cpu
    PYTEST_ADDOPTS=--capture=sys"""


def tests(name, about, packages, python=None, venv_backend="uv", **environment):
    """Define a session that installs the packages, shows all versions and runs the tests."""

    def run(session):
        session.install(*packages, env={"UV_TORCH_BACKEND": "cpu"})  # no GPU, so not its build
        session.run("uv", "pip", "list", external=True)
        session.run("python", "-m", "pytest", *session.posargs, env=environment)

    run.__doc__ = about
    nox.session(run, python, name=name, venv_backend=venv_backend)


NOTEBOOK = [*REQUIREMENTS, "ipykernel", "nbclient"]
tests("locked", "The versions of versions.txt.", REQUIREMENTS, PYTHONS, "venv")
tests("newest", "The newest versions of everything.", LOWER_BOUNDS, PYTHONS, "venv")
tests("lowest", "The lowest versions.", ["--resolution=lowest-direct", *LOWER_BOUNDS], RELEASED)
tests("jax", "Keras on JAX.", [*REQUIREMENTS, "jax"], RELEASED, KERAS_BACKEND="jax")
tests("torch", "Keras on PyTorch.", [*REQUIREMENTS, "torch"], RELEASED, KERAS_BACKEND="torch")
tests("notebook", "The tutorials with %run.", NOTEBOOK, PYTEST_ADDOPTS="-k notebook")


@nox.session
def hostile(session):
    """The tests where everything that can be set is set, with the settings of a Keras of 2017."""
    session.install(*REQUIREMENTS)
    home = Path(session.create_tmp()).resolve()
    (home / "keras.json").write_text('{"backend": "theano", "image_data_format": "channels_first"}')
    (home / "offline_mnist.py").write_text("raise ImportError('not this one')\n")
    environment = dict(setting.split("=", 1) for setting in HOSTILE.split())
    environment |= dict.fromkeys(["HOME", "USERPROFILE", "KERAS_HOME", "PYTHONPATH"], str(home))
    session.run("python", "-m", "pytest", *session.posargs, env=environment)


@nox.session(default=False, python="3.6", venv_backend="venv")
def book(session):
    """tests/chapter.py on the book's own software; measure.py --book-python takes this Python."""
    session.env.update(PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="")  # which its pip trips over
    session.install("pip==21.3.1")
    session.install("--prefer-binary", *BOOK.split())
    session.run("python", "tests/chapter.py", *session.posargs)


@nox.session(default=False, venv_backend="none")
def lock(session):
    """Make versions.txt anew: today's newest versions, for these Pythons and every system."""
    wanted, overrides = (Path(session.create_tmp(), name) for name in ("wanted", "overrides"))
    ours = f'python_version >= "{PYTHONS[0]}" and python_version <= "{PYTHONS[-1]}"'
    candidates = [re.sub(">=.* ; (.*)", CANDIDATE, line) for line in LOWER_BOUNDS if ";" in line]
    pairs = [line.partition(" ; ") for line in LOWER_BOUNDS + candidates]
    lines = [f"{name} ; ({ours}) and ({marker or ours})\n" for name, _, marker in pairs]
    wanted.write_text("".join(lines))
    overrides.write_text(OVERRIDES)
    today = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
    # For a lower Python than ours, so that uv writes down where ours begin; elsewhere pip stops at once
    command = "uv pip compile --universal --no-header --no-annotate --quiet --no-python-downloads"
    more = ["--python-version=3.10", f"--exclude-newer={today}", f"--override={overrides}"]
    versions = session.run(*command.split(), *more, wanted, silent=True, stderr=None)
    first = f"# Made by `nox -s lock` on {today[:10]}: the versions that the tests are run with\n"
    Path("versions.txt").write_text(first + versions)
    for path in Path("tutorials").glob("[0-9]*.py"):  # `uv run` has the same versions by the date
        script = re.sub(r'(exclude-newer = ")[^"]+', rf"\g<1>{today}", path.read_text("utf-8"))
        path.write_text(script, encoding="utf-8", newline="\n")


@nox.session(default=False, python=["3.11", "3.13"], venv_backend="venv")
def setup(session):
    """Add to setup.csv what the README's second command downloads, writes (MB) and takes (seconds)."""
    wheels = Path(session.create_tmp(), "wheels")
    session.run("pip", "download", "-q", "-d", wheels, *REQUIREMENTS)
    start = time.perf_counter()
    session.install("--no-index", "--find-links", wheels, *REQUIREMENTS)
    seconds = time.perf_counter() - start
    line = f"{os.uname().sysname} {os.uname().machine},{session.python}"
    for place in wheels, Path(session.virtualenv.location, "lib"):
        sizes = [path.lstat().st_size for path in place.rglob("*") if not path.is_dir()]
        line += f",{sum(sizes) / 1e6:.0f}"
    with open("tests/records/setup.csv", "a", encoding="utf-8", newline="\n") as record:
        record.write(f"{line},{seconds:.0f}\n")

"""The whole matrix on this machine: `nox`. It says which Python versions it did not find.

    nox                          every session whose Python is installed
    nox --list                   their names
    nox -s "newest-3.13"         one of them

Arguments after `--` go to pytest.
"""

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13"]


def run_tests(session, *pip_arguments, **environment):
    """Install what requirements.txt allows, show the versions and run the tests."""
    session.install("-r", "requirements.txt", *pip_arguments)
    session.run("uv", "pip", "list", silent=False)
    session.run("pytest", *session.posargs, env=environment)


@nox.session(python=PYTHONS)
def newest(session):
    """The newest versions."""
    run_tests(session)


@nox.session(python=PYTHONS)
def lowest(session):
    """The lowest versions that requirements.txt allows."""
    run_tests(session, "--resolution", "lowest-direct")


@nox.session(python=PYTHONS)
def jax(session):
    """Keras on JAX."""
    run_tests(session, "jax", KERAS_BACKEND="jax")


@nox.session(python=PYTHONS)
def torch(session):
    """Keras on PyTorch."""
    run_tests(session, "torch", KERAS_BACKEND="torch")

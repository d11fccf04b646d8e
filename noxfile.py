"""The two commands of the README, and what they are made of."""

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")

nox.options.sessions = ["tests"]


@nox.session
def demo(session: nox.Session) -> None:
    """Take a synthetic case from its signals to a receipt of a NCMEC double on this machine."""
    session.install(".[cli,sandbox,pdq,webhooks]")
    session.run("cybertip", "demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Check style, types, layers and behaviour."""
    _install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """Run the tests on every version of Python that is promised and installed."""
    _install(session)
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure speed and memory, as ratios within this run, and print the table of docs/benchmarks.md."""
    _install(session)
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def reference(session: nox.Session) -> None:
    """Write the pages of the docs that are made from the code."""
    _install(session)
    session.run("python", "docs/make_reference.py", *session.posargs)


def _install(session: nox.Session) -> None:
    session.install("-e", ".[all]", *nox.project.dependency_groups(PYPROJECT, "test"))

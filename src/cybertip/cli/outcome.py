"""What the command's exit codes mean, and the one place where an error becomes one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from cybertip.errors import CybertipError, InvalidReport, NcmecError, TransportError

__all__ = ["Outcome", "outcomes"]


class Outcome(IntEnum):
    """Name the exit codes: scripts may rely on them."""

    DONE = 0
    INVALID = 1
    USAGE = 2
    REFUSED = 3
    NO_ANSWER = 4


@contextmanager
def outcomes() -> Iterator[None]:
    """Turn an error that the library raises on purpose into a message on standard error and an exit code."""
    try:
        yield
    except InvalidReport as error:
        _stop(str(error), Outcome.INVALID)
    except NcmecError as error:
        _stop(str(error), Outcome.REFUSED)
    except TransportError as error:
        _stop(str(error), Outcome.NO_ANSWER)
    except CybertipError as error:
        _stop(str(error), Outcome.NO_ANSWER)
    except OSError as error:
        # The system's own words name the file and what is wrong with it.
        _stop(f"{error.filename or 'input'}: {error.strerror or error}", Outcome.USAGE)


def _stop(message: str, outcome: Outcome) -> None:
    print(message, file=sys.stderr)
    raise typer.Exit(outcome)

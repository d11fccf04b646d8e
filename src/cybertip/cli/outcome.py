"""What the command's exit codes mean, and the one place where an error becomes one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from cybertip.errors import (
    AdapterError,
    CaseError,
    CybertipError,
    InvalidReport,
    NcmecError,
    NeedsHuman,
    SubmissionError,
    TransportError,
)

__all__ = ["Misuse", "Outcome", "advised", "outcomes", "warn"]


class Outcome(IntEnum):
    """Name the exit codes: scripts may rely on them."""

    DONE = 0
    INVALID = 1
    USAGE = 2
    REFUSED = 3
    NO_ANSWER = 4
    NEEDS_HUMAN = 5
    #: There is no such submission or case, or it does not stand as the command needs it.
    NOT_SO = 6
    #: The database, or the folder of the evidence.
    STORAGE = 7
    #: What a shell says of a program that was ended by Control-C.
    INTERRUPTED = 130


class Misuse(Exception):
    """An option, a setting or a file is not as the command needs it; the message says which and what to do."""


@contextmanager
def outcomes() -> Iterator[None]:
    """Turn an error that the library raises on purpose into a message on standard error and an exit code."""
    try:
        yield
    except Misuse as error:
        _stop(str(error), Outcome.USAGE)
    except InvalidReport as error:
        _stop(str(error), Outcome.INVALID)
    except NcmecError as error:
        _stop(str(error), Outcome.REFUSED)
    except TransportError as error:
        _stop(str(error), Outcome.NO_ANSWER)
    except NeedsHuman as error:
        _stop(str(error), Outcome.NEEDS_HUMAN)
    except (SubmissionError, CaseError) as error:
        _stop(str(error), Outcome.NOT_SO)
    except AdapterError as error:
        _stop(advised(error), Outcome.STORAGE)
    except CybertipError as error:
        _stop(str(error), Outcome.NO_ANSWER)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("cybertip"):
            raise
        _stop(f"{error}; a whole installation is: python -m pip install 'cybertip[all]'", Outcome.USAGE)
    except BrokenPipeError:
        # Whoever read our output has read enough. Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Outcome.DONE) from None
    except OSError as error:
        # The system's own words name the file and what is wrong with it.
        _stop(f"{error.filename or 'input'}: {error.strerror or error}", Outcome.USAGE)
    except KeyboardInterrupt:
        _stop("interrupted", Outcome.INTERRUPTED)


def advised(error: AdapterError) -> str:
    """Return an error's message with the command that helps, where one does."""
    return f"{error}; the command for it: cybertip storage upgrade" if "upgrade()" in str(error) else str(error)


def warn(text: str) -> None:
    """Tell the person on call something, on standard error, at once."""
    print(text, file=sys.stderr, flush=True)


def _stop(message: str, outcome: Outcome) -> None:
    warn(message)
    raise typer.Exit(outcome)

"""What a database's errors tell: whether it undid the transaction for sure, and what to say to the person on call.

Messages name no value. Of SQLAlchemy's errors the parameters are hidden, for they hold what nobody should read in a log.
"""

from sqlalchemy.exc import DBAPIError, StatementError

from cybertip.errors import AdapterError, Conflict

__all__ = ["RETRIES", "failure_of", "may_repeat"]

#: Seconds to wait before each repetition of a transaction that the database undid; then it is given up.
RETRIES = (0.01, 0.03, 0.1, 0.3)

# Deadlocks, failures to serialize, and of SQLite a reader that came too late to write: undone at once, and soon over.
_PASSING_OF_POSTGRESQL = {"40001", "40P01"}
_PASSING_OF_MARIADB = {1213, 1020}
_PASSING_OF_SQLITE = {6, 517}

# Locks that were waited for in vain: nothing was done either, but to wait as long again would help nobody.
_BUSY_OF_POSTGRESQL = {"55P03"}
_BUSY_OF_MARIADB = {1205}
_BUSY_OF_SQLITE = {5}

_SCHEMA_OF_POSTGRESQL = {"42P01", "42703"}
_SCHEMA_OF_MARIADB = {1146, 1054}
_SCHEMA_OF_SQLITE = ("no such table: cybertip_", "no such column:", "has no column named")

_FULL_OF_POSTGRESQL = {"53100"}
_FULL_OF_MARIADB = {1114, 1021, 3}
_SQLITE_FULL = 13


def may_repeat(error: BaseException) -> bool:
    """Tell whether the database says that the transaction did not happen, and would take it now."""
    state, number, code = _codes(error)
    return state in _PASSING_OF_POSTGRESQL or number in _PASSING_OF_MARIADB or code in _PASSING_OF_SQLITE


def _was_busy(error: BaseException) -> bool:
    state, number, code = _codes(error)
    busy = state in _BUSY_OF_POSTGRESQL or number in _BUSY_OF_MARIADB
    return busy or (code is not None and code & 0xFF in _BUSY_OF_SQLITE) or may_repeat(error)


def failure_of(error: Exception, *, committing: bool = False) -> AdapterError | Conflict:
    """Return the error of the port that stands for a database's; those of the port stand for themselves.

    `committing` says that the transaction was to be committed when it happened, so that it may have been.
    """
    for one in (error, error.__cause__):
        # An engine of the host's may show them.
        if isinstance(one, StatementError):
            one.hide_parameters = True
    if isinstance(error, AdapterError | Conflict):
        return error
    kind = type(getattr(error, "orig", None) or error).__name__
    state, number, code = _codes(error)
    if state in _SCHEMA_OF_POSTGRESQL or number in _SCHEMA_OF_MARIADB or _lacks_tables(error):
        return AdapterError(f"the tables are not there, or older than this program: run upgrade() first ({kind})")
    if _was_busy(error):
        return AdapterError(f"the database was too busy, or undid the work again and again; nothing was done ({kind})")
    if state in _FULL_OF_POSTGRESQL or number in _FULL_OF_MARIADB or code == _SQLITE_FULL:
        return AdapterError(f"the database has no room left; nothing was done ({kind})")
    if committing:
        return AdapterError(f"the database failed in the commit; nobody knows whether it took effect ({kind})")
    return AdapterError(f"the database failed before the commit ({kind})")


def _codes(error: BaseException) -> tuple[str | None, int | None, int | None]:
    """Return the SQLSTATE of PostgreSQL, the number of MariaDB, and the code of SQLite, as far as there are any."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return None, None, None
    original = error.orig
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return None, None, code
    # MariaDB's numbers tell more than its states, which its drivers may have, too.
    number = original.args[0] if original is not None and original.args else None
    if isinstance(number, int):
        return None, number, None
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    return state if isinstance(state, str) else None, None, None


def _lacks_tables(error: BaseException) -> bool:
    original = getattr(error, "orig", None)
    return getattr(original, "sqlite_errorcode", None) == 1 and any(sign in str(original) for sign in _SCHEMA_OF_SQLITE)

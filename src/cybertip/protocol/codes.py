"""NCMEC's response codes, and what each tells about the world. The list is documented as not exhaustive."""

from enum import IntEnum

from cybertip.errors import (
    AlreadyFinished,
    AlreadyRetracted,
    NcmecError,
    NotAllowed,
    NotFound,
    NotUnderstood,
    Unavailable,
)

__all__ = ["Code", "error_for"]


class Code(IntEnum):
    """Name a documented response code (NCMEC: section 4)."""

    SUCCESS = 0
    SERVER_ERROR = 1000
    SAVE_FAILED = 1100
    UPLOAD_FAILED = 1110
    FILE_UPLOAD_FAILED = 1111
    RESOURCE_NOT_FOUND = 1210
    UPDATE_FAILED = 1300
    AUTHENTICATION_REQUIRED = 2000
    NOT_AUTHORISED = 3000
    MAY_NOT_SUBMIT = 3100
    MAY_NOT_UPDATE = 3300
    INVALID_REQUEST = 4000
    VALIDATION_FAILED = 4100
    MALFORMED_XML = 4110
    MALFORMED_FILE = 4200
    REPORT_DOES_NOT_EXIST = 5001
    FILE_DOES_NOT_EXIST = 5002
    ALREADY_RETRACTED = 5101
    ALREADY_FINISHED = 5102


_ERRORS: dict[int, type[NcmecError]] = {
    Code.SERVER_ERROR: Unavailable,
    Code.SAVE_FAILED: Unavailable,
    Code.UPLOAD_FAILED: Unavailable,
    Code.FILE_UPLOAD_FAILED: Unavailable,
    Code.UPDATE_FAILED: Unavailable,
    Code.RESOURCE_NOT_FOUND: NotUnderstood,
    Code.AUTHENTICATION_REQUIRED: NotAllowed,
    Code.NOT_AUTHORISED: NotAllowed,
    Code.MAY_NOT_SUBMIT: NotAllowed,
    Code.MAY_NOT_UPDATE: NotAllowed,
    Code.INVALID_REQUEST: NotUnderstood,
    Code.VALIDATION_FAILED: NotUnderstood,
    Code.MALFORMED_XML: NotUnderstood,
    Code.MALFORMED_FILE: NotUnderstood,
    Code.REPORT_DOES_NOT_EXIST: NotFound,
    Code.FILE_DOES_NOT_EXIST: NotFound,
    Code.ALREADY_RETRACTED: AlreadyRetracted,
    Code.ALREADY_FINISHED: AlreadyFinished,
}


def error_for(code: int) -> type[NcmecError]:
    """Return the error that a code other than 0 means.

    A code that nobody documented is an `Unavailable` when its thousands say "server", and otherwise a plain `NcmecError`,
    of which nothing is known but that it is no success.

    >>> error_for(5102).__name__
    'AlreadyFinished'
    """
    return _ERRORS.get(code, Unavailable if 1000 <= code < 2000 else NcmecError)

"""What every storage of ours refuses before anything is written, so that what one of them takes all of them take.

The limits are those of the narrowest database: an index of MariaDB takes 255 characters, PostgreSQL takes no NUL.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cybertip.errors import AdapterError
from cybertip.ports.storage import Claim, Entry, Head, Letter

__all__ = ["DIGITS", "LENGTH", "LENGTH_OF_ID", "append_of", "moment", "name", "time"]

#: Characters in a key, a token and every other name.
LENGTH = 255

#: Characters in a letter's id, which is made of a key, a version and a topic.
LENGTH_OF_ID = 600

#: Hexadecimal digits of a digest.
DIGITS = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def time(at: datetime) -> int:
    """Return a time as microseconds since 1970 in UTC, as it is kept.

    >>> time(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    if at.utcoffset() is None:
        raise AdapterError("a time without a zone is no point in time: nothing was done")
    try:
        return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND
    except OverflowError as error:
        raise AdapterError("a time lies beyond the calendar: nothing was done") from error


def moment(kept: int) -> datetime:
    """Return the time that was kept as microseconds.

    >>> moment(1000005).isoformat()
    '1970-01-01T00:00:01.000005+00:00'
    """
    return _EPOCH + kept * _MICROSECOND


def name(text: str, what: str, limit: int = LENGTH) -> str:
    """Return a name that can be kept; `what` says in the error which one could not."""
    if len(text) > limit:
        raise AdapterError(f"{what} is longer than {limit} characters: nothing was done")
    return _text(text, what)


def append_of(
    entries: Sequence[Entry], head: Head, *, expected: int, claim: Claim | None, letters: Sequence[Letter]
) -> None:
    """Refuse an append that contradicts itself, or that some database could not keep."""
    _names(((head.key, "a key"), (head.status, "a status"), (head.tenant, "a tenant"), (head.lane, "a lane")))
    _names((tag, "a tag") for tag in head.tags)
    name(head.digest, "a digest", DIGITS)
    if any(entry.key != head.key for entry in entries):
        raise AdapterError("an entry and the head have different keys: nothing was done")
    if [entry.version for entry in entries] != list(range(expected + 1, expected + 1 + len(entries))):
        raise AdapterError("the entries do not follow upon the expected version: nothing was done")
    if head.version != expected + len(entries) or head.version < 1:
        raise AdapterError("the head is not that of the journal's last entry: nothing was done")
    for entry in entries:
        name(entry.kind, "a kind")
        name(entry.previous, "a digest", DIGITS)
        name(entry.digest, "a digest", DIGITS)
        _text(entry.data, "an entry's data")
    for letter in letters:
        name(letter.id, "a letter's id", LENGTH_OF_ID)
        _names(((letter.key, "a letter's key"), (letter.topic, "a topic")))
        _text(letter.data, "a letter's data")
    if len({letter.id for letter in letters}) != len(letters):
        raise AdapterError("two letters have one id: nothing was done")
    if claim is not None:
        _names(((claim.key, "a claim's key"), (claim.token, "a token")))


def _names(texts: Iterable[tuple[str, str]]) -> None:
    for text, what in texts:
        name(text, what)


def _text(text: str, what: str) -> str:
    if "\0" in text:
        raise AdapterError(f"{what} holds a NUL character, which not every database keeps: nothing was done")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Not chained: that error quotes the text.
        raise AdapterError(f"{what} holds half a character (a surrogate): nothing was done") from None
    return text

"""What a list remembers of its source, between one sync and the next and while one is under way."""

import json
from datetime import UTC, datetime
from typing import Self

import attrs

__all__ = ["Checkpoint"]

_VERSION = 1


@attrs.frozen(kw_only=True)
class Checkpoint:
    """How far a list has come, from where, and who is at it.

    >>> kept = Checkpoint(url="https://example.com/hashsharing", until=datetime(2026, 1, 1, tzinfo=UTC), run="a1")
    >>> Checkpoint.read(kept.written()) == kept
    True
    """

    #: The address that the entries are from.
    url: str
    #: All that changed until then is on the list; None before anything is.
    until: datetime | None
    #: The sync that was the last to begin. Another may not write any more: what it read is older.
    run: str

    def written(self) -> str:
        """Return it as text."""
        until = None if self.until is None else self.until.astimezone(UTC).isoformat()
        return json.dumps({"version": _VERSION, "url": self.url, "until": until, "run": self.run})

    @classmethod
    def read(cls, text: str) -> Self:
        """Return it from text; raise `ValueError` if it was not written by `written`."""
        try:
            given = json.loads(text)
            if given["version"] != _VERSION:
                raise ValueError("another version")
            until = None if given["until"] is None else datetime.fromisoformat(given["until"])
            if until is not None and until.tzinfo is None:
                raise ValueError("a time without its zone")
            return cls(url=str(given["url"]), until=until, run=str(given["run"]))
        except (KeyError, TypeError, ValueError):
            raise ValueError("what the list remembers was not written by a sync of this version") from None

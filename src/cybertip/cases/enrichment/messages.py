"""Where messages came from, where the platform says so only when it is asked."""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy

from cybertip.cases.references import ItemRef
from cybertip.cases.transcripts import Message

__all__ = ["with_addresses"]


def with_addresses(messages: Iterable[Message], addresses: Mapping[ItemRef, str]) -> Iterator[Message]:
    """Pass messages on, with the address of those that had none and are named by id and type; nothing is gathered.

    An address that a message came with stays: it was recorded with its port. Those of the answer were checked when it was
    read.
    """
    for message in messages:
        ref = message.ref if message.ip is None else None
        found = None if ref is None else addresses.get(ref)
        yield message if found is None else _at(message, found)


def _at(message: Message, ip: str) -> Message:
    """Return a message with an address. Its other fields were checked, and to do it again would take ten times as long."""
    placed = copy(message)
    object.__setattr__(placed, "ip", ip)
    return placed

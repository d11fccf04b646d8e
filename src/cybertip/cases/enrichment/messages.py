"""Where messages came from, where the platform says so only when it is asked."""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from cybertip.cases.references import ItemRef
from cybertip.cases.transcripts import Message

__all__ = ["with_addresses"]


def with_addresses(messages: Iterable[Message], addresses: Mapping[ItemRef, str]) -> Iterator[Message]:
    """Pass messages on, with the address of those that had none and are named by id and type; nothing is gathered.

    An address that a message came with stays: it was recorded with its port.
    """
    for message in messages:
        found = addresses.get(message.ref) if message.ip is None and message.ref is not None else None
        yield message if found is None else attrs.evolve(message, ip=found)

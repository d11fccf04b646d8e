"""Messages of invented people."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cybertip.cases.references import MessageId, ThreadId, UserRef
from cybertip.cases.transcripts import Message


def message(**given: Any) -> Message:
    """Return a message, with a few things as they are given."""
    values = {
        "id": MessageId("m1"),
        "thread": ThreadId("t1"),
        "sent_at": datetime(2025, 1, 31, 13, tzinfo=UTC),
        "sender": UserRef(id="u1", type_id="user"),
        **given,
    }
    return Message(**values)


@pytest.fixture(scope="session")
def make() -> Callable[..., Message]:
    """Return a function that makes messages."""
    return message

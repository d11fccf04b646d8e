"""Transcripts go into evidence whole, of just the messages that were decided on, or not at all."""

import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from cybertip.adapters.evidence import LocalEvidence, MemoryEvidence
from cybertip.adapters.evidence.transcripts import keep_transcripts
from cybertip.cases.decisions import ThreadDecision
from cybertip.cases.references import MessageId, ThreadId, UserRef
from cybertip.cases.transcripts import Message, read_lines, write_lines, write_table
from cybertip.errors import InvalidReport

SENT = datetime(2026, 1, 1, tzinfo=UTC)
SENDER = UserRef(id="u1", type_id="user")


def message(number: int, text: str = "hello", **given: Any) -> Message:
    """Return a message of the conversation."""
    known: dict[str, Any] = {"id": MessageId(f"m{number}"), "thread": ThreadId("Thread 7"), "sender": SENDER}
    return Message(**known | {"sent_at": SENT + timedelta(minutes=number), "text": text} | given)


def chosen(*numbers: int) -> ThreadDecision:
    """Return the decision to report some messages."""
    return ThreadDecision(thread=ThreadId("Thread 7"), messages=tuple(MessageId(f"m{number}") for number in numbers))


def test_both_are_kept_as_they_are_described(tmp_path: Path) -> None:
    """The lines and the table have the size and the digests that are said of them, and say the same messages."""
    evidence = LocalEvidence(tmp_path)
    messages = [message(number, "=1+1\x00 \U0001f600") for number in (1, 3, 2)]
    lines, table = keep_transcripts(chosen(1, 2, 3), messages, into=evidence)
    for attachment, wanted in ((lines, write_lines(messages)), (table, write_table(messages))):
        with evidence.open(attachment.evidence) as file:
            data = file.read()
        assert data == b"".join(wanted)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (attachment.size, attachment.sha256)
        assert hashlib.md5(data, usedforsecurity=False).hexdigest() == attachment.md5
        assert (attachment.messages, attachment.newest_at) == (3, SENT + timedelta(minutes=3))
        assert attachment.thread == "Thread 7"
    assert (lines.media_type, table.media_type) == ("application/jsonl", "text/csv")
    assert lines.name == table.name.removesuffix(".csv") + ".jsonl"
    with evidence.open(lines.evidence) as file:
        assert list(read_lines(file)) == messages


def test_nothing_but_what_was_decided_on_is_kept() -> None:
    """Messages that nobody chose, and those of another conversation with the same name, stay with the platform."""
    evidence = MemoryEvidence()
    stranger = message(1, thread=ThreadId("Thread 8"))
    lines, table = keep_transcripts(chosen(1), [stranger, message(2), message(1)], into=evidence)
    assert list(read_lines(io.BytesIO(evidence.kept[lines.evidence]))) == [message(1)]
    assert lines.messages == table.messages == 1


@pytest.mark.parametrize(
    ("messages", "rule", "says"),
    [
        ([message(1)], "absent", "names 3 messages, of which 2 are absent"),
        ([], "absent", "names 3 messages, of which 3 are absent"),
        ([message(1), message(1), message(2), message(3)], "doubled", "comes twice"),
        ([message(1, "\ud83d"), message(2), message(3)], "unicode", "surrogate"),
    ],
)
def test_what_is_not_whole_is_not_kept(messages: list[Message], rule: str, says: str) -> None:
    """A message that is absent, comes twice or cannot be written is named by its place, and nothing is kept."""
    evidence = MemoryEvidence()
    with pytest.raises(InvalidReport, match=says) as refused:
        keep_transcripts(chosen(1, 2, 3), messages, into=evidence, path="decision.threads[4]")
    assert refused.value.violations[0].rule == rule
    assert evidence.kept == {}


def test_a_long_conversation_takes_no_more_memory_than_a_short_one() -> None:
    """Messages are written while they come, side by side: of 3,000, memory never holds more than a few."""

    class Nowhere:
        def keep(self, source: BinaryIO) -> str:
            while source.read(1 << 16):
                pass
            return "nowhere"

    def messages(count: int) -> Iterator[Message]:
        # JSON escapes what the table leaves as it is: one of the two grows faster than the other.
        return (message(number, f"{number}" + "\xe4" * 2_000) for number in range(count))

    decision = chosen(*range(3_000))
    tracemalloc.start()
    try:
        lines, _ = keep_transcripts(decision, messages(3_000), into=Nowhere())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lines.size > 30_000_000
    assert peak < 4_000_000

"""Transcripts of conversations, written straight into evidence."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import tee
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.decisions import ThreadDecision
from cybertip.cases.references import EvidenceId
from cybertip.cases.transcripts import Message, Written, file_name, write_lines, write_table
from cybertip.errors import InvalidReport, Violation
from cybertip.ports.evidence import Keeps

__all__ = ["keep_transcripts"]

#: More than this waits on the disk, in a file without a name.
_IN_MEMORY = 1024 * 1024


def keep_transcripts(
    decision: ThreadDecision, messages: Iterable[Message], *, into: Keeps, path: str = "decision.threads[0]"
) -> tuple[Attachment, Attachment]:
    """Keep the messages that a decision chose, as canonical JSON Lines and as a table for people.

    Messages are taken one by one, in their order, and those of other threads, or that were not chosen, are passed over:
    memory holds none but the last few, however long the conversation is. It blocks, and is called from a thread by async
    callers.

    Args:
        decision: which messages of which conversation.
        messages: those of the conversation, or more; see `with_addresses` for what the platform's answer knows of them.
        into: where evidence is kept.
        path: what an error calls the decision.

    Raises `InvalidReport` where messages that were decided on are absent or come twice, and at one that no encoding can
    hold; nothing is kept then.
    """
    chosen = _Chosen(decision, messages, path)
    with SpooledTemporaryFile(_IN_MEMORY) as lines, SpooledTemporaryFile(_IN_MEMORY) as table:
        one, other = tee(chosen)
        written = (_Spooled(write_lines(one), lines), _Spooled(write_table(other), table))
        _write(written)
        chosen.demand_all()
        kinds = (("application/jsonl", ".jsonl"), ("text/csv", ".csv"))
        first, second = (
            Attachment(
                kind=AttachmentKind.TRANSCRIPT,
                evidence=spooled.keep(into),
                name=file_name(decision.thread, suffix),
                media_type=media_type,
                size=spooled.written.size,
                sha256=spooled.written.sha256,
                md5=spooled.md5.hexdigest(),
                thread=decision.thread,
                messages=spooled.written.messages,
                newest_at=chosen.newest_at,
            )
            for spooled, (media_type, suffix) in zip(written, kinds, strict=True)
        )
        return first, second


class _Chosen:
    """The messages that were decided on, in the order in which they come."""

    def __init__(self, decision: ThreadDecision, messages: Iterable[Message], path: str) -> None:
        self._thread = decision.thread
        self._wanted = set(decision.messages)
        self._absent = set(decision.messages)
        self._messages = messages
        self._path = path
        self.newest_at: datetime | None = None

    def __iter__(self) -> Iterator[Message]:
        thread, wanted, absent = self._thread, self._wanted, self._absent
        for message in self._messages:
            if message.thread != thread or message.id not in wanted:
                continue
            if message.id not in absent:
                raise self._refused("doubled", "has a message that comes twice: which of the two is to be reported?")
            absent.remove(message.id)
            if self.newest_at is None or message.sent_at > self.newest_at:
                self.newest_at = message.sent_at
            yield message

    def demand_all(self) -> None:
        """Raise `InvalidReport` where a message that was decided on did not come."""
        if self._absent:
            message = f"names {len(self._wanted)} messages, of which {len(self._absent)} are absent"
            raise self._refused("absent", message)

    def _refused(self, rule: str, message: str) -> InvalidReport:
        return InvalidReport((Violation(path=self._path, rule=rule, message=message),))


class _Spooled:
    """A transcript on its way into a file, block by block."""

    def __init__(self, written: Written, file: IO[bytes]) -> None:
        self.written = written
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._blocks = iter(written)
        self._file = file

    def advance(self) -> bool:
        """Write a block; tell whether there was one."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self.md5.update(block)
        self._file.write(block)
        return True

    def keep(self, into: Keeps) -> EvidenceId:
        """Bring the file into evidence."""
        self._file.seek(0)
        return EvidenceId(into.keep(cast(BinaryIO, self._file)))


def _write(transcripts: Iterable[_Spooled]) -> None:
    """Write several transcripts of the same messages side by side, so that no message waits long for the other."""
    going = list(transcripts)
    while going:
        behind = min(going, key=lambda one: one.written.messages)
        if not behind.advance():
            going.remove(behind)

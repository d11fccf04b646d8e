"""What is wrong with a submission, a case or a signal: its journal, the head beside it, and the mark in a checkpoint."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from cybertip.audit.derivation import Impossible, Unread, derive
from cybertip.filing.chain import Entry, Tampering, verify
from cybertip.filing.checkpoint import Mark, Seal
from cybertip.filing.decision import Status
from cybertip.ports.storage import Head

__all__ = ["Unread", "judge"]

#: By how much a clock may have been wrong when a submission was filed.
_CLOCKS_DIFFER_BY = timedelta(days=1)


def judge(
    head: Head, entries: Sequence[Entry], *, present: Head | None, seal: Seal | None, mark: Mark | None
) -> Iterator[Tampering]:
    """Yield where a journal and its head are not what was written; raise `Unread` at the end where a newer program wrote.

    Args:
        head: what was read before the entries, which may have become more since.
        entries: the journal.
        present: the head, read again after the entries where these go beyond it.
        seal: of the checkpoint, if there is one.
        mark: what the checkpoint has of it; None where it does not have it.
    """
    found = list(verify(head.key, entries))
    if not found:
        # Of a chain that is broken the rest says nothing.
        found += _reaches(entries, Mark(key=head.key, version=head.version, digest=head.digest), "its head")
        found += _goes_no_further(entries, head.key, present)
        if mark is not None:
            found += _reaches(entries, mark, "the checkpoint")
        elif seal is not None:
            found += _appeared_late(entries, seal)
    if found:
        yield from found
    else:
        yield from _follows(head, entries[: head.version])


def _reaches(entries: Sequence[Entry], mark: Mark, whose: str) -> Iterator[Tampering]:
    """Say whether a journal still has the entry that was once its last."""
    # A head that was altered may have any version.
    if len(entries) < max(mark.version, 1):
        what = f"is missing: {whose} knows {mark.version} entries"
        yield Tampering(key=mark.key, version=len(entries) + 1, what=what)
    elif mark.version < 1 or entries[mark.version - 1].digest != mark.digest:
        what = f"is not the one that {whose} knows: the journal was forked, or {whose} was altered"
        yield Tampering(key=mark.key, version=max(mark.version, 1), what=what)


def _goes_no_further(entries: Sequence[Entry], key: str, present: Head | None) -> Iterator[Tampering]:
    if present is None:
        yield Tampering(key=key, version=1, what="is there and its head is missing: nobody would find the submission")
    elif len(entries) > present.version:
        what = f"comes after the last one that its head knows, which is {present.version}: the head was set back"
        yield Tampering(key=key, version=present.version + 1, what=what)


def _appeared_late(entries: Sequence[Entry], seal: Seal) -> Iterator[Tampering]:
    if entries and entries[0].recorded_at + _CLOCKS_DIFFER_BY < seal.taken_at:
        what = "is dated before the checkpoint, which does not have the submission: it was put in later"
        yield Tampering(key=entries[0].key, version=1, what=what)


def _follows(head: Head, entries: Sequence[Entry]) -> Iterator[Tampering]:
    """Say whether the head is what follows from its entries."""
    try:
        derived = derive(head.key, entries)
    except Impossible as error:
        what = "cannot have happened after the ones before it: the journal was written anew, or by a faulty program"
        yield Tampering(key=head.key, version=error.version, what=what)
        return
    differing = [name for name, value in derived.head.items() if getattr(head, name) != value]
    if head.status == Status.HELD:
        # It stands in heads only, and does not follow from what was recorded.
        differing.remove("status")
    if differing:
        what = f"gives another {' and another '.join(differing)} than its head has: the head was altered"
        yield Tampering(key=head.key, version=head.version, what=what)
    if head.due_at is None and derived.is_open:
        what = "leaves something to do, and its head says that nothing is: nobody would go on with it"
        yield Tampering(key=head.key, version=head.version, what=what)

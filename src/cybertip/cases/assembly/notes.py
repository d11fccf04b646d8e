"""What a report says in words, for which NCMEC has no field."""

from collections.abc import Iterator

from cybertip.cases.assembly.known import Known
from cybertip.cases.assembly.media import told
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.references import ItemRef
from cybertip.cases.signals import KnownMatch
from cybertip.xml.lexical import write_time

__all__ = ["about_match", "about_transcript", "about_views", "absent_files", "additional_info", "missing"]


def about_match(match: KnownMatch) -> str:
    """Say what a file matched. Nobody has looked at a file by a match."""
    distance = "" if match.distance is None else f", at a distance of {match.distance}"
    return (
        f"Matched by hash with known material: the list {match.bank}, by {match.algorithm}{distance}. "
        "A program found the match; whether a person viewed the file is said apart from it."
    )


def about_views() -> str:
    """Say that a file's EXIF data was viewed where NCMEC's field cannot say so."""
    return "A person viewed the file's EXIF data and a part of the file, not all of it."


def about_transcript(transcript: Attachment) -> str:
    """Say what a transcript is of, and that nobody wrote it by hand."""
    assert transcript.newest_at is not None
    return (
        f"Transcript of {transcript.messages} messages of the conversation {transcript.thread}, the last of them sent "
        f"at {write_time(transcript.newest_at)}. A program wrote it from the platform's records."
    )


def additional_info(known: Known) -> str | None:
    """Return what the reviewer, the platform and the case itself have to say; None where that is nothing."""
    return None if known.batched else "\n\n".join(_told(known)) or None


def _told(known: Known) -> Iterator[str]:
    if known.decision.additional_info is not None:
        yield known.decision.additional_info
    platform = told(known.enrichment.additional_info)
    if platform is not None:
        yield f"The platform adds:\n{platform}"
    gone = dict(missing(known))
    if gone:
        lines = "\n".join(f"- {ref.type_id} {ref.id}: {why}" for ref, why in gone.items())
        yield f"Media that belongs to this report, is missing and is not attached ({len(gone)} in all):\n{lines}"
    absent = absent_files(known)
    if absent:
        yield f"Files that the platform meant to add, could not be had and are not attached: {absent} in all."


def missing(known: Known) -> Iterator[tuple[ItemRef, str]]:
    """Yield what media is missing, and why."""
    yield from known.case.missing.items()
    included = {one.media for one in known.decision.included}
    for ref in known.enrichment.missing:
        if ref in included:
            yield ref, "the platform says that it is gone"


def absent_files(known: Known) -> int:
    """Return how many of the files that the platform added are not there."""
    kept = sum(one.kind is AttachmentKind.SUPPLEMENTAL for one in known.attachments)
    return max(0, len(known.enrichment.additional_files) - kept)

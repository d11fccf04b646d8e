"""What goes with a report beside its media is recorded exactly, or is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.references import EvidenceId, ThreadId
from cybertip.cases.signals import converter
from cybertip.errors import InvalidReport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILE: dict[str, Any] = {
    "kind": AttachmentKind.SUPPLEMENTAL,
    "evidence": EvidenceId("canary-e1"),
    "name": "canary.pdf",
    "media_type": "application/pdf",
    "size": 9,
    "sha256": "ab" * 32,
    "md5": "cd" * 16,
    "additional_infos": ("canary of the platform",),
}
THREAD: dict[str, Any] = {"thread": ThreadId("canary-t1"), "messages": 2, "newest_at": NOW}
TRANSCRIPT = FILE | THREAD | {"kind": AttachmentKind.TRANSCRIPT}


@pytest.mark.parametrize("given", [FILE, TRANSCRIPT], ids=["supplemental", "transcript"])
def test_it_is_recorded_and_read_back(given: dict[str, Any]) -> None:
    """What is recorded in a journal is read back as it was."""
    made = Attachment(**given)
    recorded = json.dumps(converter().unstructure(made))
    assert converter().structure(json.loads(recorded), Attachment) == made


def test_it_is_shown_to_nobody() -> None:
    """Where the bytes are, a file's name, a conversation and what is said of them are in no repr."""
    assert "canary" not in repr(Attachment(**TRANSCRIPT))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("kind", "transcript"),
        ("evidence", ""),
        ("name", ""),
        ("media_type", None),
        ("size", 0),
        ("size", True),
        ("sha256", "AB" * 32),
        ("md5", "ab" * 15),
        ("messages", 0),
        ("newest_at", NOW.replace(tzinfo=None)),
        ("additional_infos", "text"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(field: str, wrong: object) -> None:
    """A file of no bytes, a digest of no form, a time of no zone: each is refused by the name of its field."""
    with pytest.raises(InvalidReport) as refused:
        Attachment(**(TRANSCRIPT | {field: wrong}))
    assert [one.path for one in refused.value.violations] == [f"Attachment.{field}"]


def test_a_transcript_says_what_it_is_of() -> None:
    """A transcript names its conversation, how many messages it has, and when the last was sent; no other file does."""
    for given, rule in ((TRANSCRIPT | dict.fromkeys(THREAD), "required"), (FILE | THREAD, "not-with")):
        with pytest.raises(InvalidReport) as refused:
            Attachment(**given)
        found = [(one.path, one.rule) for one in refused.value.violations]
        assert found == [(f"Attachment.{field}", rule) for field in THREAD]

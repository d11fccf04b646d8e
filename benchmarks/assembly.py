"""How long it takes to make a filing of a large case, and in how much memory.

    python benchmarks/assembly.py [--media 500] [--messages 20000] [--runs 5] [--json]

The case has matches and views; the answer has hashes, texts and three IP events for each file. Messages come with their
addresses, or, which takes longer, the answer has an address for each of them.
What is measured goes from the answer as bytes to the filing: reading and reconciling, both transcripts into evidence in a
folder, digested, and assembly with every documented rule. The messages come one by one and are made outside the clock.
Every run is in a process of its own, whose memory, all in all, is its peak.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stage import Row, row

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def main() -> None:
    """Measure, and print one line for each row of the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=int, default=500)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    parser.add_argument("--once", action="store_true", help="measure once, in this process, and print the two numbers")
    parser.add_argument("--answered", action="store_true", help="with --once: addresses of messages are in the answer")
    given = parser.parse_args()
    if given.once:
        print(json.dumps(_once(given.media, given.messages, answered=given.answered)))
        return
    rows = measure(given.media, given.messages, given.runs)
    print(
        json.dumps(rows) if given.json else "\n".join(f"{one['what']}: {one['ratio']} ({one['note']})" for one in rows)
    )


def measure(media: int, messages: int, runs: int) -> list[Row]:
    """Return the rows of the table. A goal is an upper bound here."""
    words = [sys.executable, __file__, "--once", "--media", str(media), "--messages", str(messages)]
    rows = []
    for more, where in (((), "that come with their addresses"), (("--answered",), "whose addresses are in the answer")):
        found = [
            json.loads(subprocess.run([*words, *more], check=True, capture_output=True).stdout) for _ in range(runs)
        ]
        seconds, peaks = zip(*found, strict=True)
        what = f"{media} files and {messages:,} messages {where}"
        rows += [
            row(f"a filing of {what}, in seconds", statistics.median(seconds), 2, "below 2 is the goal"),
            row("and the memory of its process, in MiB", max(peaks), 200, "below 200 is the goal"),
        ]
    return rows


def _once(media: int, messages: int, *, answered: bool) -> tuple[float, float]:
    """Return the seconds that it took, and the process's peak of memory in MiB."""
    from cybertip.adapters.evidence import LocalEvidence, keep_transcripts
    from cybertip.cases.assembly import assemble
    from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest, Enriched, reconcile, with_addresses

    case, decision, profile = _case(media, messages)
    asked = AdditionalInfoRequest(users=(case.user,), media=tuple(one.media for one in decision.included))
    data = _answer(asked, messages if answered else 0)
    spent = 0.0

    def outside() -> Iterator[Any]:
        """Stop the clock while the host makes a message."""
        nonlocal spent
        for number in range(messages):
            begin = time.perf_counter()
            message = _message(number, located=not answered)
            spent += time.perf_counter() - begin
            yield message

    with tempfile.TemporaryDirectory() as folder:
        evidence = LocalEvidence(folder)
        begin = time.perf_counter()
        enrichment = reconcile(asked, AdditionalInfo.from_json(data))
        assert isinstance(enrichment, Enriched)
        kept = keep_transcripts(
            decision.threads[0], with_addresses(outside(), enrichment.message_addresses), into=evidence
        )
        made = assemble(case, decision, enrichment, profile, now=NOW, attachments=kept)
        took = time.perf_counter() - begin - spent
    assert len(made.filing.files) == media + 2
    assert sum(one.messages or 0 for one in kept) == 2 * messages
    return took, _peak()


def _peak() -> float:
    """Return the most memory that this process ever had, in MiB; what getrusage knows begins with its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


# -- the case -------------------------------------------------------------------------------------------------------------


def _case(media: int, messages: int) -> tuple[Any, Any, Any]:
    """Return a case, what was decided about it, and who reports."""
    from cybertip.cases import events
    from cybertip.cases.case import fold
    from cybertip.cases.decisions import Decision, MediaDecision, ThreadDecision, View
    from cybertip.cases.profile import Profile
    from cybertip.cases.references import EvidenceId, ItemRef, MessageId, ReviewerId, SignalId, ThreadId, UserRef
    from cybertip.cases.signals import HashMatched, KnownMatch, Media
    from cybertip.model import FileClassification, IncidentType

    refs = [ItemRef(id=f"media-{number}", type_id="image") for number in range(media)]
    files = tuple(
        Media(ref=ref, media_type="image/png", uploaded_at=NOW - timedelta(hours=1 + number % 24))
        for number, ref in enumerate(refs)
    )
    matches = tuple(KnownMatch(media=ref, bank="invented list", algorithm="PDQ", distance=4) for ref in refs)
    user = UserRef(id="user-1", type_id="user")
    signal = HashMatched(
        id=SignalId("s1"), source="hashes", at=NOW, basis="", media=files, creator=user, matches=matches
    )
    kept = [
        events.MediaKept(
            media=ref, evidence=EvidenceId(f"e{number}"), sha256=f"{number:064x}", md5=f"{number:032x}", size=9
        )
        for number, ref in enumerate(refs)
    ]
    opened = events.Opened(organisation="o1", user=user, environment=events.Environment.TEST)
    history: list[tuple[Any, datetime]] = [(event, NOW) for event in (opened, events.Joined(signal=signal), *kept)]
    decided = tuple(
        MediaDecision(
            media=ref,
            include=True,
            classification=FileClassification.B2,
            views=(View(sha256=f"{number:064x}", reviewer=ReviewerId("ann"), at=NOW, wholly=True, exif=False),),
        )
        for number, ref in enumerate(refs)
    )
    chosen = tuple(MessageId(f"message-{number}") for number in range(messages))
    decision = Decision(
        incident_type=IncidentType.CHILD_PORNOGRAPHY,
        media=decided,
        threads=(ThreadDecision(thread=ThreadId("thread-1"), messages=chosen),),
    )
    profile = Profile(company_name="Example", reporter_email="safety@company.example")
    return fold("case/0123456789abcdef/0001", history), decision, profile


def _message(number: int, *, located: bool = True) -> Any:
    """Return a message of the conversation."""
    from cybertip.cases.references import MessageId, ThreadId, UserRef
    from cybertip.cases.transcripts import Message

    return Message(
        id=MessageId(f"message-{number}"),
        type_id="message",
        thread=ThreadId("thread-1"),
        sent_at=NOW - timedelta(seconds=100_000 - number),
        sender=UserRef(id=f"user-{number % 2}", type_id="user"),
        recipients=(UserRef(id=f"user-{(number + 1) % 2}", type_id="user"),),
        ip="198.51.100.7" if located else None,
        text=f"synthetic message {number}, as long as most of them are, with an \u00e9 and a \U0001f642",
    )


def _answer(asked: Any, messages: int) -> bytes:
    """Return the answer of the platform's endpoint."""

    def event(number: int) -> dict[str, Any]:
        at = NOW - timedelta(hours=1 + number % 24, minutes=number % 7)
        name = ("Upload", "Login", "Other")[number % 3]
        address = {"ipAddress": f"192.0.2.{number % 250 + 1}", "port": 50_000 + number % 5}
        return address | {"eventName": name, "dateTime": at.isoformat()}

    media = [
        one.as_json()
        | {
            "publiclyAvailable": False,
            "fileName": f"image {number}.png",
            "additionalInfo": ["a text about the file"],
            "ipCaptureEvent": [event(3 * number + one) for one in range(3)],
            "fileDetails": {"hash": "ab" * 32, "hashType": "PDQ"},
        }
        for number, one in enumerate(asked.media)
    ]
    addresses = [
        {"id": f"message-{number}", "typeId": "message", "ipAddress": f"198.51.100.{number % 250 + 1}"}
        for number in range(messages)
    ]
    users = [one.as_json() | {"screenName": "invented"} for one in asked.users]
    return json.dumps({"users": users, "media": media, "messages": addresses}).encode()


if __name__ == "__main__":
    main()

"""Old journals stay readable for ever: each form that an event was ever recorded in is kept here, and read in every run.

`golden/<kind>-<version>.json` holds one event as it was recorded once, and `GOLDEN` below what it means. Neither is ever
changed: journals like it exist. To change the form of an event

1. give it the next version in `cybertip.filing.events` and keep reading the versions before it, into the same class;
2. write what is recorded now into `golden/<kind>-<new version>.json` and add its meaning to `GOLDEN`;
3. leave the old file and its meaning alone; where the class has a new field, its default is what the old form says.

`golden/journal.json` is a whole journal with its digests: the way in which they are reckoned does not change either.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cybertip.filing import Entry, FileEntry, Filing, Journal, Status, events as e, verify
from cybertip.filing.events import Event, decode, encode
from cybertip.filing.manifest import canonical
from cybertip.model import (
    Edition,
    Email,
    FileAnnotations,
    FileDescription,
    FileId,
    IncidentSummary,
    IncidentType,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
    ReportId,
)

FOLDER = Path(__file__).parent / "golden"

OBSERVATION = e.Observation(
    status=200,
    request_id="request-1",
    date=datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC),
    raw=b"<reportResponse><responseCode>0</responseCode></reportResponse>",
)
FILE_ID = FileId("0123456789abcdef0123456789abcdef")
FILING = Filing(
    report=Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=datetime(2025, 6, 1, 12, 30, tzinfo=UTC)
        ),
        reporter=Reporter(reporting_person=Person(emails=(Email(value="safety@example.com"),))),
        persons_or_users_reported=(PersonOrUserReported(esp_identifier="user-1"),),
    ),
    files=(
        FileEntry(
            evidence="evidence/1",
            name="1.png",
            media_type="image/png",
            size=21,
            sha256="02fe75a17d05d6db0b5dde6cabc8cbb3e7d1ed48a1bb2e0c3a4d5f60718293a4",
            md5="0f343b0931126a20f133d67c2b018a3b",
            description=FileDescription(file_viewed_by_esp=True, file_annotations=FileAnnotations(viral=True)),
        ),
    ),
    edition=Edition.V2025_11,
)

#: What each golden file means.
GOLDEN: dict[str, Event] = {
    "filed-1": e.Filed(environment="test", filing=FILING, priority=5, tenant="north", tags=("urgent", "chat")),
    "intended-1": e.Intended(call=e.Call.UPLOAD, file=0, worker="worker-1"),
    "opened-1": e.Opened(report_id=ReportId(4564654), observation=OBSERVATION),
    "uploaded-1": e.Uploaded(file=0, file_id=FILE_ID, observation=OBSERVATION),
    "described-1": e.Described(file=0, observation=OBSERVATION),
    "finished-1": e.Finished(
        report_id=ReportId(4564654),
        file_ids=(FILE_ID,),
        adopted=False,
        preserve_until=datetime(2027, 1, 2, 12, tzinfo=UTC),
        observation=OBSERVATION,
    ),
    "retracted-1": e.Retracted(observation=OBSERVATION),
    "lost-1": e.Lost(call=e.Call.FINISH, reason="its body is not a reply", observation=OBSERVATION),
    "unsent-1": e.Unsent(call=e.Call.SUBMIT, reason="no connection"),
    "refused-1": e.Refused(
        call=e.Call.DESCRIBE, verdict=e.Verdict.FILE_GONE, code=5002, retry_after_for=30.0, observation=OBSERVATION
    ),
    "mismatched-1": e.Mismatched(file=0, observation=OBSERVATION),
    "damaged-1": e.Damaged(file=0, reason="cannot be read (FileNotFoundError)"),
    "unreadable-1": e.Unreadable(file=0, reason="cannot be read (TimeoutError)"),
    "escalated-1": e.Escalated(reason="10 failures in a row"),
    "overridden-1": e.Overridden(actor="reviewer", reason="the address was mended"),
    "withdrawn-1": e.Withdrawn(actor="reviewer", reason="filed by mistake"),
    "suspended-1": e.Suspended(reason="a checkpoint knows 9 entries, and the journal had 4"),
    "observed-1": e.Observed(call=e.Call.FINISH, observation=OBSERVATION),
}


def form(event: Event) -> str:
    """Return the name of the golden file with the form that an event is recorded in today."""
    return encode(event)[0].replace("/", "-")


def load(name: str) -> Any:
    """Read a golden file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", GOLDEN)
def test_what_was_recorded_once_means_the_same_today(name: str) -> None:
    """An event that any version of this program recorded is read as what it meant then."""
    recorded = load(name)
    assert decode(recorded["kind"], canonical(recorded["data"])) == GOLDEN[name]


@pytest.mark.parametrize("name", [name for name, event in GOLDEN.items() if form(event) == name])
def test_what_is_recorded_today_is_the_form_of_today(name: str) -> None:
    """An event is recorded in the form that stands here, to the letter; whoever changes a form gives it a new version."""
    recorded = load(name)
    assert encode(GOLDEN[name]) == (recorded["kind"], canonical(recorded["data"]))


def test_no_kind_and_no_version_is_without_a_golden_file() -> None:
    """Each form that can be recorded is kept, and each file that is kept is read."""
    kept = {path.stem for path in FOLDER.glob("*.json")} - {"journal"}
    assert kept == GOLDEN.keys()
    assert {form(event) for event in GOLDEN.values()} <= kept
    assert {type(event) for event in GOLDEN.values()} == set(Event.__args__)
    assert all(re.fullmatch(r"[a-z]+-[1-9][0-9]*", name) for name in kept)


def entries() -> tuple[Entry, ...]:
    """Return the golden journal."""
    return tuple(
        Entry(**one | {"recorded_at": datetime.fromisoformat(one["recorded_at"]), "data": canonical(one["data"])})
        for one in load("journal")
    )


def test_an_old_journal_is_sound_and_says_what_it_said() -> None:
    """A journal of years ago still verifies, and still says that its report is filed, under which number, and until when
    it is to be kept."""
    journal = Journal.of("case-1", entries())
    assert verify("case-1", entries(), version=journal.version, digest=journal.digest) == ()
    assert (journal.status, journal.submission.report_id) == (Status.FINISHED, 4564654)
    assert journal.submission.receipt is not None
    assert journal.submission.receipt.preserve_until == datetime(2027, 1, 2, 12, tzinfo=UTC)
    assert [attempt.stage for attempt in journal.submission.attempts] == ["gone", "finished"]


def test_the_digests_are_reckoned_as_ever() -> None:
    """The same events at the same times give the same chain of digests, whichever version of this program reckons them."""
    journal = Journal(key="case-1")
    for entry in entries():
        journal = journal.then(decode(entry.kind, entry.data), entry.recorded_at)
    assert journal.pending == entries()

"""A journal in words, and what follows from it: a person on call reads them at three in the morning."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cybertip import (
    Email,
    FileDescription,
    FileId,
    IncidentSummary,
    IncidentType,
    Person,
    Report,
    Reporter,
    ReportId,
)
from cybertip.cli.outlook import outlook
from cybertip.cli.timeline import moments
from cybertip.filing import Entry, FileEntry, Filing, Journal, Policy, events as e
from cybertip.filing.events import Call, Event, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = e.Observation(status=200, request_id="request-1", date=NOW, raw=b"canary")
DIGEST = "0" * 32


def filing() -> Filing:
    """Return a filing with two files, of which the second has details."""
    report = Report(
        incident_summary=IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=NOW),
        reporter=Reporter(reporting_person=Person(first_name="canary", emails=(Email(value="canary@example.com"),))),
    )
    about: dict[str, Any] = {"evidence": "canary", "name": "canary.png", "sha256": DIGEST * 2, "md5": DIGEST}
    described = FileDescription(original_file_name="canary.png")
    files = (FileEntry(size=1_000_000, **about), FileEntry(size=500, description=described, **about))
    return Filing(report=report, files=files)


FILED = e.Filed(environment="test", filing=filing())
OPENED = (
    e.Intended(call=Call.SUBMIT, worker="worker-1"),
    e.Opened(report_id=ReportId(4564654), observation=SEEN),
)
UPLOADED = (
    e.Intended(call=Call.UPLOAD, file=0),
    e.Uploaded(file=0, file_id=FileId(DIGEST), observation=SEEN),
)

#: One of each kind, and what must be said of it. Those of a call follow upon their intent.
SAID: list[tuple[Event, str]] = [
    (FILED, "filed for test, with 2 files (1.0 MB)"),
    (e.Opened(report_id=ReportId(4564654), observation=SEEN), "attempt 1: NCMEC opened report 4564654"),
    (e.Uploaded(file=1, file_id=FileId(DIGEST), observation=SEEN), "file 2 of 2 uploaded"),
    (e.Described(file=1, observation=SEEN), "file 2 of 2 described"),
    (
        e.Finished(report_id=ReportId(1), file_ids=(FileId(DIGEST),), preserve_until=NOW, observation=SEEN),
        "finished: report 1 is filed, with 1 file",
    ),
    (
        e.Finished(report_id=ReportId(1), adopted=True, preserve_until=NOW, observation=SEEN),
        "the list of its files was lost",
    ),
    (e.Retracted(observation=SEEN), "the open report is retracted"),
    (e.Lost(call=Call.SUBMIT, reason="the line broke"), "no answer that can be relied on (the line broke)"),
    (e.Lost(call=Call.SUBMIT, reason="x"), "deletes itself"),
    (e.Lost(call=Call.UPLOAD, reason="x"), "upload of file 2 of 2: no answer"),
    (e.Lost(call=Call.DESCRIBE, reason="x"), "which it takes once"),
    (e.Lost(call=Call.FINISH, reason="x"), "finishing it again tells, and until then no other is opened"),
    (e.Lost(call=Call.RETRACT, reason="x"), "retracting it again tells"),
    (e.Unsent(call=Call.UPLOAD, reason="no connection"), "upload of file 2 of 2: nothing was sent (no connection)"),
    (
        e.Refused(call=Call.DESCRIBE, verdict=Verdict.OURS, code=4100, observation=SEEN),
        "describe of file 2 of 2: NCMEC answered code 4100, they will never take what we sent",
    ),
    (
        e.Refused(call=Call.FINISH, verdict=Verdict.LATER, code=None, observation=e.Observation(status=503)),
        "finish: NCMEC answered HTTP 503, they could not now",
    ),
    (e.Mismatched(file=1, observation=SEEN), "file 2 of 2: NCMEC received other bytes"),
    (e.Damaged(file=1, reason="cannot be read (OSError)"), "the evidence of file 2 of 2 cannot be read (OSError)"),
    (e.Unreadable(file=1, reason="cannot be read (OSError)"), "cannot be read (OSError); it is tried again"),
    (e.Escalated(reason="10 failures in a row"), "a person was called: 10 failures in a row"),
    (e.Overridden(actor="robin", reason="canary"), "robin decided that it goes on"),
    (e.Withdrawn(actor="robin", reason="canary"), "robin decided that it must not be filed"),
    (e.Suspended(reason="it may be an old backup"), "before a person looked: it may be an old backup"),
    (e.Observed(call=Call.FINISH, observation=SEEN), "a late answer to finish"),
]


def entries(*events: Event) -> list[Entry]:
    """Return the entries of some events, a second apart, whether or not they can follow each other."""
    found = []
    for version, event in enumerate(events, start=1):
        kind, data = e.encode(event)
        at = NOW + timedelta(seconds=version)
        found.append(
            Entry(
                key="k", version=version, recorded_at=at, kind=kind, data=data, previous=DIGEST * 2, digest=DIGEST * 2
            )
        )
    return found


@pytest.mark.parametrize(
    ("event", "said"), SAID, ids=lambda one: type(one).__name__ if not isinstance(one, str) else ""
)
def test_every_event_is_told(event: Event, said: str) -> None:
    """In words, with NCMEC's Request-ID where there was an answer, and without anything sensitive."""
    events = (FILED, e.Intended(call=Call.SUBMIT), e.Intended(call=Call.UPLOAD, file=1), event)
    moment = moments("k", entries(*events))[-1]
    assert said in moment.text
    assert "canary" not in repr(moment)
    assert moment.request_id == ("request-1" if getattr(event, "observation", None) is SEEN else None)
    assert moment.version == 4


def test_every_kind_of_event_is_among_them() -> None:
    """A new kind of event gets words before it gets into a journal."""
    assert {type(event) for event, _ in SAID} | {e.Intended} == set(Event.__args__)


def test_a_reason_is_shown_to_who_asks() -> None:
    """What a person gave as a reason may quote what nobody else should read."""
    told = entries(FILED, e.Overridden(actor="robin", reason="canary"))
    assert "canary" not in moments("k", told)[1].text
    assert moments("k", told, reasons=True)[1].text == "robin decided that it goes on: canary"


def test_a_newer_programs_entry_is_named() -> None:
    """The history before and after it is told all the same."""
    told = entries(FILED, FILED, e.Escalated(reason="x"))
    strange = Entry(
        key="k", version=2, recorded_at=NOW, kind="teleported/9", data="{}", previous=DIGEST * 2, digest=DIGEST * 2
    )
    assert [one.text for one in moments("k", [told[0], strange, told[2]])] == [
        "filed for test, with 2 files (1.0 MB)",
        "a newer program wrote an entry 'teleported/9', which this one cannot read",
        "a person was called: x",
    ]


def test_attempts_are_counted() -> None:
    """The second report that was opened is that of the second attempt."""
    lost = e.Lost(call=Call.SUBMIT, reason="x")
    told = moments("k", entries(FILED, e.Intended(call=Call.SUBMIT), lost, *OPENED))
    assert [one.text.split(":")[0] for one in told[1:]] == ["attempt 1", "attempt 2"]


@pytest.mark.parametrize(
    ("verdict", "opened"), [(Verdict.LATER, False), (Verdict.OURS, False), (Verdict.UNKNOWN, None)], ids=str
)
def test_an_attempt_without_a_report_is_told(verdict: Verdict, opened: bool | None) -> None:
    """The second attempt does not come from nowhere; where it is not known whether a report was opened, nothing is said."""
    refused = e.Refused(call=Call.SUBMIT, verdict=verdict, code=1000, observation=SEEN)
    told = moments("k", entries(FILED, e.Intended(call=Call.SUBMIT), refused, *OPENED))
    assert told[1].text.startswith("attempt 1: submit: NCMEC answered code 1000")
    assert told[1].text.endswith("; NCMEC did not open a report") is (opened is False)
    assert told[2].text.startswith("attempt 2: NCMEC opened report")


# -- what follows ---------------------------------------------------------------------------------------------------------


def after(*events: Event) -> Journal:
    """Return the journal of some events that can follow each other, a second apart."""
    journal = Journal(key="it's")
    for number, event in enumerate(events):
        journal = journal.then(event, NOW + timedelta(seconds=number))
    return journal


LATER = NOW + timedelta(minutes=1)
REFUSED = (
    e.Intended(call=Call.SUBMIT),
    e.Refused(call=Call.SUBMIT, verdict=Verdict.OURS, code=4100, observation=SEEN),
    e.Escalated(reason="NCMEC refused it"),
)
NO_CREDENTIALS = (
    e.Intended(call=Call.SUBMIT),
    e.Refused(call=Call.SUBMIT, verdict=Verdict.CREDENTIALS, code=3000, observation=SEEN),
)
FINISHED = e.Finished(report_id=ReportId(1), preserve_until=NOW, observation=SEEN)


@pytest.mark.parametrize(
    ("events", "following"),
    [
        ((), "a worker opens a report"),
        (OPENED, "a worker uploads file 1 of 2"),
        ((*OPENED, *UPLOADED), "a worker uploads file 2 of 2"),
        ((*OPENED, e.Withdrawn(actor="robin", reason="x")), "a worker retracts the open report"),
        (OPENED[:1], "worker-1 opens a report now; if it died, another takes over after the lease"),
        ((*OPENED, UPLOADED[0]), "a worker uploads file 1 of 2 now; if it died, another takes over after the lease"),
    ],
)
def test_the_next_step_is_told(events: tuple[Event, ...], following: str) -> None:
    """What a worker does next is what the library would decide."""
    state = after(FILED, *events).submission
    assert outlook(state, (FILED, *events), due_at=NOW, now=LATER, policy=Policy()).next == following


def test_a_pause_has_an_end() -> None:
    """While it rests, it is told when it goes on, and how."""
    lost = (e.Intended(call=Call.SUBMIT), e.Lost(call=Call.SUBMIT, reason="x"))
    state = after(FILED, *lost).submission
    expected = outlook(state, (FILED, *lost), due_at=LATER, now=NOW, policy=Policy())
    assert (expected.next, expected.at) == ("a worker opens a report", LATER)


def advice(*events: Event) -> str:
    """Return what a person is told to do after some events."""
    return outlook(after(FILED, *events).submission, (FILED, *events), due_at=NOW, now=LATER, policy=Policy()).person


@pytest.mark.parametrize(
    ("events", "person"),
    [
        ((), ""),
        (REFUSED, """cybertip retry 'it'"'"'s' --reason"""),
        (REFUSED, "code 4100"),
        (NO_CREDENTIALS, "credentials that NCMEC accepts"),
        ((e.Escalated(reason="10 failures in a row"),), "Find out why it fails"),
        ((e.Suspended(reason="an old backup"),), "because an old backup"),
        ((*OPENED, e.Withdrawn(actor="robin", reason="x")), "workers retract the open report"),
        ((e.Withdrawn(actor="robin", reason="x"),), ""),
    ],
)
def test_who_has_to_do_what_is_told(events: tuple[Event, ...], person: str) -> None:
    """A person reads what to do, with the commands for it, and nothing where nothing is to be done."""
    said = advice(*events)
    assert (person in said) if person else said == ""


DECIDED = e.Overridden(actor="robin", reason="x")
SUSPENDED = e.Suspended(reason="was it restored from a backup?")


@pytest.mark.parametrize(
    "events", [(SUSPENDED,), (*REFUSED[:1], SUSPENDED, *REFUSED[1:]), (*REFUSED, DECIDED, SUSPENDED)]
)
def test_what_may_be_filed_already_is_looked_up_first(events: tuple[Event, ...]) -> None:
    """A retry of what was filed files it twice: the question goes before both answers, whatever else went wrong."""
    said = advice(*events)
    order = (
        "? " if events[-1] is SUSPENDED else ". ",
        "whether it was filed",
        "`finished`",
        "retract 'it",
        "retry 'it",
        "files it twice",
    )
    places = [said.find(one) for one in order]
    assert -1 not in places
    assert places == sorted(places)
    assert "?." not in said
    assert "Mend that" not in said


def test_what_ncmec_will_never_take_is_not_retried() -> None:
    """A filing is frozen: the mended one is another filing, under a new key; a retry is for a fault of NCMEC's alone."""
    said = advice(*REFUSED)
    order = (
        "A filing is frozen",
        "under a new key",
        "retract 'it",
        "Only if NCMEC was wrong",
        "retry 'it",
        "--answers",
    )
    places = [said.find(one) for one in order]
    assert -1 not in places
    assert places == sorted(places)
    assert "Mend that" not in said


def test_what_was_decided_once_is_not_asked_again() -> None:
    """After a person found that it was not filed, evidence that is damaged is only that; its file is counted from one."""
    said = advice(SUSPENDED, DECIDED, e.Damaged(file=0, reason="cannot be read"))
    assert "because the evidence of file 1 cannot be read. Mend that and say" in said
    assert "twice" not in said


def test_what_is_settled_asks_for_nothing() -> None:
    """A finished report has no deadline, no next step and nobody who has to act."""
    finishing = (*OPENED, *UPLOADED, e.Intended(call=Call.UPLOAD, file=1))
    second = (
        e.Uploaded(file=1, file_id=FileId("1" * 32), observation=SEEN),
        e.Intended(call=Call.DESCRIBE, file=1),
        e.Described(file=1, observation=SEEN),
        e.Intended(call=Call.FINISH),
    )
    state = after(FILED, *finishing, *second, FINISHED).submission
    expected = outlook(state, (), due_at=None, now=LATER, policy=Policy())
    assert (expected.next, expected.at, expected.person, expected.deadline) == ("", None, "", None)


def test_the_deadline_is_reckoned_by_ncmecs_clock() -> None:
    """NCMEC's clock is ten minutes ahead here: by ours, the report is deleted ten minutes earlier than a day from now."""
    ahead = timedelta(minutes=10)
    opened = e.Opened(report_id=ReportId(1), observation=e.Observation(status=200, date=NOW + ahead))
    state = after(FILED, e.Intended(call=Call.SUBMIT), opened).submission
    expected = outlook(state, (), due_at=NOW, now=LATER, policy=Policy())
    assert expected.deadline == NOW + timedelta(seconds=2) + timedelta(hours=24)
    assert expected.margin_for == Policy().margin_for

"""Asking and deciding: where a submission stands, NCMEC's receipt as it came, and what a person decides about it."""

from collections.abc import Callable
from typing import Any

import pytest

from cybertip.errors import InDoubt, NeverSent
from cybertip.filing import Status
from cybertip.protocol import Answer

REVIEWER = {"actor": "reviewer", "reason": "looked at"}


def all_gets_through(world: Any) -> None:
    world.wire.before = lambda request: None


# -- states to be in, from filed to settled -----------------------------------------------------------------------------


def waiting(world: Any, courier: Any) -> None:
    """Nothing was tried."""


def opened(world: Any, courier: Any) -> None:
    """A report is open, and its file does not get through."""

    def no_uploads(request: Any) -> None:
        if str(request.endpoint) == "/upload":
            raise NeverSent(endpoint="/upload", reason="no connection")

    world.wire.before = no_uploads
    courier.deliver("case-1")
    all_gets_through(world)


def finish_in_doubt(world: Any, courier: Any) -> None:
    """A finish was answered by a gateway, and NCMEC has not acted."""

    def gateway(request: Any) -> Answer | None:
        return Answer(status=502) if str(request.endpoint) == "/finish" else None

    world.wire.before = gateway
    courier.deliver("case-1")
    all_gets_through(world)


def finish_lost(world: Any, courier: Any) -> None:
    """NCMEC filed the report, and its answer was lost."""

    def lose(request: Any) -> None:
        if str(request.endpoint) == "/finish":
            raise InDoubt(endpoint="/finish", reason="no answer")

    world.wire.after = lose
    courier.deliver("case-1")
    world.wire.after = lambda request: None


def refused(world: Any, courier: Any) -> None:
    """NCMEC does not understand the report: a person was called."""
    body = b"<reportResponse><responseCode>4100</responseCode></reportResponse>"
    world.wire.before = lambda request: Answer(status=200, body=body)
    courier.deliver("case-1")
    all_gets_through(world)


def damaged(world: Any, courier: Any) -> None:
    """The evidence is not what was filed: a person was called."""
    kept = dict(world.evidence.kept)
    world.evidence.kept["user-1/0"] = b"other bytes"
    courier.deliver("case-1")
    world.evidence.kept = kept


def finished(world: Any, courier: Any) -> None:
    """NCMEC has it."""
    courier.deliver("case-1")


def retracted(world: Any, courier: Any) -> None:
    """A person decided before."""
    courier.retract("case-1", actor="somebody", reason="an earlier decision")


#: For each state, how it stands, and where it ends when it is retracted in it.
STATES: dict[Callable[[Any, Any], None], tuple[Status, Status]] = {
    waiting: (Status.WAITING, Status.RETRACTED),
    opened: (Status.DELIVERING, Status.RETRACTED),
    # Once a finish was sent, only NCMEC can say what became of it.
    finish_in_doubt: (Status.DELIVERING, Status.FINISHED),
    finish_lost: (Status.DELIVERING, Status.FINISHED),
    refused: (Status.NEEDS_HUMAN, Status.RETRACTED),
    damaged: (Status.NEEDS_HUMAN, Status.RETRACTED),
    finished: (Status.FINISHED, Status.FINISHED),
    retracted: (Status.RETRACTED, Status.RETRACTED),
}
in_every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)


def bring_home(world: Any, courier: Any) -> None:
    """Let time pass and deliver, until nothing is due any more."""
    for _ in range(10):
        world.pass_time(7200)
        courier.run_due()


@in_every_state
def test_retract(world: Any, state: Callable[[Any, Any], None]) -> None:
    """A report that must not be filed is taken back wherever it stands; what is finished, or may be, stays what it is, and
    the status says so. Who decided, and why, is recorded; it is decided once."""
    stands, ends = STATES[state]
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    state(world, courier)
    assert courier.status("case-1").status is stands
    version = courier.status("case-1").version
    handle = courier.retract("case-1", actor="reviewer", reason="filed by mistake")
    if stands in (Status.FINISHED, Status.RETRACTED):
        assert (handle.status, handle.version) == (stands, version)
    else:
        assert handle.version == version + 1
        [entry] = [entry for entry in world.storage.read("case-1") if entry.kind == "withdrawn/1"]
        assert '"actor":"reviewer"' in entry.data
        assert "filed by mistake" in entry.data
    bring_home(world, courier)
    assert courier.status("case-1").status is ends
    assert world.states().count("finished") == (ends is Status.FINISHED)
    assert world.storage.head("case-1").due_at is None


@in_every_state
def test_override(world: Any, state: Callable[[Any, Any], None]) -> None:
    """A person who looked lets a delivery go on with fresh budgets, wherever it stands; what is settled stays so."""
    stands, _ = STATES[state]
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    state(world, courier)
    handle = courier.override("case-1", **REVIEWER)
    if stands in (Status.FINISHED, Status.RETRACTED):
        assert handle.status is stands
    else:
        assert handle.status in (Status.WAITING, Status.DELIVERING)
        assert world.journal("case-1").submission.budget_used == 0
    bring_home(world, courier)
    expected = Status.RETRACTED if stands is Status.RETRACTED else Status.FINISHED
    assert courier.status("case-1").status is expected
    assert world.states().count("finished") == (expected is Status.FINISHED)


def test_a_decision_wakes_what_waits_for_it(world: Any) -> None:
    """What waits for a person is due as soon as the person has decided."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    refused(world, courier)
    assert courier.run_due() == 0
    courier.override("case-1", **REVIEWER)
    assert courier.run_due() == 1
    assert world.states() == ["finished"]


def test_retracting_in_the_middle_of_a_delivery(world: Any) -> None:
    """A decision that comes while a worker is delivering is acted on before anything irreversible follows: the worker
    itself takes the report back."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")

    def decide(request: Any) -> None:
        if str(request.endpoint) == "/upload":
            courier.retract("case-1", actor="reviewer", reason="filed by mistake")

    world.wire.after = decide
    assert courier.deliver("case-1").status is Status.RETRACTED
    assert world.wire.endpoints == ["/submit", "/upload", "/retract"]
    assert world.states() == ["retracted"]


# -- asking -------------------------------------------------------------------------------------------------------------


def test_the_receipt_is_ncmecs_own(world: Any) -> None:
    """The receipt holds NCMEC's answer byte for byte, its Request-ID, its time, its names for the files, and until when the
    contents are to be kept; before there is one, there is none."""
    courier = world.courier()
    courier.file(world.filing(True, False), key="case-1")
    assert courier.receipt("case-1") is None
    answers: list[Any] = []
    exchange = world.wire._wire.exchange

    def noting(request: Any, content: Any = None) -> Any:
        answers.append(exchange(request, content))
        return answers[-1]

    world.wire._wire.exchange = noting
    courier.deliver("case-1")
    receipt, [report] = courier.receipt("case-1"), world.ncmec.reports()
    assert receipt.observation.raw == answers[-1].body
    assert b"reportDoneResponse" in receipt.observation.raw
    assert receipt.observation.request_id == dict(answers[-1].headers)["Request-ID"]
    assert receipt.observation.date == world.clock.now()
    assert receipt.report_id == report["reportId"]
    assert list(receipt.file_ids) == [file["fileId"] for file in report["files"]]
    assert not receipt.adopted
    assert (receipt.preserve_until - world.clock.now()).days >= 365


def test_a_receipt_that_was_lost_is_adopted(world: Any) -> None:
    """A report whose receipt was lost is known to be filed, under its number, and as one whose receipt is not NCMEC's."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    finish_lost(world, courier)
    assert courier.receipt("case-1") is None
    bring_home(world, courier)
    receipt, [report] = courier.receipt("case-1"), world.ncmec.reports()
    assert (receipt.report_id, receipt.adopted, receipt.file_ids) == (report["reportId"], True, ())
    assert b"5102" in receipt.observation.raw


def test_asking_changes_nothing(world: Any) -> None:
    """Questions about a submission send nothing and record nothing."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    opened(world, courier)
    calls, entries, head = len(world.wire.calls), world.storage.read("case-1"), world.storage.head("case-1")
    for _ in range(3):
        assert courier.status("case-1").report_id == courier.submission("case-1").report_id
        assert courier.journal("case-1").version == len(entries)
        assert courier.receipt("case-1") is None
    assert (len(world.wire.calls), world.storage.read("case-1"), world.storage.head("case-1")) == (calls, entries, head)


def test_nothing_sensitive_is_in_what_is_shown(world: Any) -> None:
    """What a program prints of couriers, handles and submissions holds nothing of a report, its files or its receipt."""
    courier = world.courier()
    courier.file(world.filing(True, user="canary"), key="case-1")
    handle = courier.deliver("case-1")
    shown = [courier, handle, courier.journal("case-1"), courier.submission("case-1"), courier.receipt("case-1")]
    text = " ".join(repr(one) for one in shown)
    assert "canary" not in text
    assert "responseCode" not in text

"""NCMEC, or something in its place, answers what it should not: in each case what is known of the world decides."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from cybertip import protocol
from cybertip.filing import Status
from cybertip.filing.events import Escalated, Lost, Refused
from cybertip.filing.submission import Submission
from cybertip.protocol import Answer
from cybertip.testing.faults import Faults, answered, corrupt, lost_answer, slow

CALLS = {"submit": "/submit", "upload": "/upload", "describe": "/fileinfo", "finish": "/finish"}
every_call = pytest.mark.parametrize("call", CALLS)

#: What becomes of the reports at NCMEC when the outcome of a call that it took is in doubt.
AFTER_DOUBT = {
    "submit": ["open", "finished"],
    "upload": ["retracted", "finished"],
    "describe": ["retracted", "finished"],
    "finish": ["finished"],
}


def doubts(world: Any) -> list[str]:
    return [event.call for event in world.events() if isinstance(event, Lost)]


def kept(world: Any) -> bytes:
    """Return what the journal keeps of the one answer that could not be read."""
    (found,) = [event.observation for event in world.events() if isinstance(event, Lost)]
    assert found is not None
    return found.raw


def refusals(world: Any) -> list[int | None]:
    return [event.code for event in world.events() if isinstance(event, Refused)]


def reasons(world: Any) -> list[str]:
    return [event.reason for event in world.events() if isinstance(event, Escalated)]


# -- answers that cannot be read ------------------------------------------------------------------------------------------

NONSENSE = {
    "html": b"<!DOCTYPE html><html><body>Bad gateway</body></html>",
    "nothing": b"",
    "no xml": b"OK",
    "doctype": b'<!DOCTYPE r [<!ENTITY a "b">]><reportResponse><responseCode>0</responseCode></reportResponse>',
    "another document": b"<reportDone><responseCode>0</responseCode></reportDone>",
    "cut short": b"<reportResponse><responseCode>0</resp",
}


@every_call
@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_f10_an_answer_that_is_none(world: Any, call: str, body: bytes) -> None:
    """HTTP 200 with HTML, nothing, no XML, a DOCTYPE: nobody knows what NCMEC did, and the rule for that call decides."""
    world.file(True)
    world.settle(world.courier(Faults(corrupt(CALLS[call], lambda _: Answer(status=200, body=body)))))
    world.is_filed()
    assert doubts(world) == [call]
    assert world.states() == AFTER_DOUBT[call]
    assert kept(world) == body


def test_f10_no_more_is_recorded_of_an_answer_than_tells_enough(world: Any) -> None:
    """However long a page comes in an answer's place, the journal keeps a quarter of a mebibyte of it."""
    world.file()
    page = Answer(status=200, body=b"<html>" + b"x" * 1_000_000, fault="it is larger than 1048576 bytes")
    world.settle(world.courier(Faults(corrupt("/finish", lambda _: page))))
    world.is_filed()
    assert len(kept(world)) == 256 * 1024


# -- answers that say success, and cannot be right ------------------------------------------------------------------------


def without(tag: str) -> Callable[[Answer], Answer]:
    """Take an element out of an answer."""
    return lambda answer: edited(answer, rb"<%s>[^<]*</%s>" % (tag.encode(), tag.encode()), b"")


def naming(tag: str, value: str) -> Callable[[Answer], Answer]:
    """Name something else in an answer."""
    return lambda answer: edited(answer, rb"(<%s>)[^<]*" % tag.encode(), rb"\g<1>%s" % value.encode())


def edited(answer: Answer, pattern: bytes, new: bytes) -> Answer:
    body, changes = re.subn(pattern, new, answer.body)
    assert changes
    return Answer(status=answer.status, headers=answer.headers, body=body)


@pytest.mark.parametrize(
    ("call", "edit"),
    [
        ("submit", without("reportId")),
        ("upload", without("reportId")),
        ("upload", without("fileId")),
        ("upload", without("hash")),
        ("upload", naming("reportId", "1")),
        ("describe", naming("reportId", "1")),
        ("finish", naming("reportId", "1")),
    ],
    ids=[
        *("submit without an id", "upload without report", "upload without file", "upload without hash"),
        *("upload to another", "details of another", "finish of another"),
    ],
)
def test_f11_success_with_an_id_that_is_missing_or_anothers(world: Any, call: str, edit: Any) -> None:
    """Code 0 without the id that belongs there, or with another report's, is no success: the attempt is put aside, and a new
    one made; a finish is asked again what became of it."""
    world.file(True)
    world.settle(world.courier(Faults(corrupt(CALLS[call], edit))))
    world.is_filed()
    assert doubts(world) == [call]
    assert world.states() == AFTER_DOUBT[call]


@pytest.mark.parametrize("listed", ["", "<fileId>0123456789abcdef0123456789abcdef</fileId>"], ids=["none", "another"])
def test_f11_a_receipt_that_lists_other_files(world: Any, listed: str) -> None:
    """A finish cannot be undone: when NCMEC's receipt does not list the files that were sent, a person is called."""
    world.file(False)
    other = corrupt("/finish", lambda answer: edited(answer, rb"<fileId>[^<]*</fileId>", listed.encode()))
    world.settle(world.courier(Faults(other)))
    world.is_filed()
    assert world.alarms == ["case-1"]


@every_call
@pytest.mark.parametrize("status", [200, 400, 500])
def test_f12_the_code_decides_and_not_the_status(world: Any, kit: Any, call: str, status: int) -> None:
    """A code that says "later" is tried later, in the same report, whatever HTTP status it came with."""
    world.file(True)
    world.settle(world.courier(Faults(answered(CALLS[call], kit.reply(1000, status=status)))))
    world.is_filed()
    assert refusals(world) == [1000]
    assert world.states() == ["finished"]


@every_call
def test_f12_success_under_an_http_error_is_in_doubt(world: Any, call: str) -> None:
    """HTTP 500 with code 0 contradicts itself: it is never taken for success, and nothing is doubled."""
    world.file(True)
    error = corrupt(CALLS[call], lambda answer: Answer(status=500, headers=answer.headers, body=answer.body))
    world.settle(world.courier(Faults(error)))
    world.is_filed()
    assert doubts(world) == [call]
    assert world.states() == AFTER_DOUBT[call]


@every_call
@pytest.mark.parametrize("acted", [False, True], ids=["nothing done", "done all the same"])
def test_f12_a_code_that_nobody_knows(world: Any, kit: Any, call: str, acted: bool) -> None:
    """It is tried later, and nothing is doubled, whether NCMEC acted before it said so or not."""
    world.file(True)
    unknown = kit.reply(7777)
    strike = corrupt(CALLS[call], lambda _: unknown) if acted else answered(CALLS[call], unknown)
    world.settle(world.courier(Faults(strike)))
    world.is_filed()
    assert refusals(world)[0] == 7777


@every_call
def test_f12_a_code_that_nobody_knows_for_ever(world: Any, kit: Any, call: str) -> None:
    """When it does not end, a person is called, and it is still tried, slowly."""
    world.file(True)
    faults = Faults(answered(CALLS[call], kit.reply(7777), times=None))
    courier = world.courier(faults)
    begun = world.time.now()
    while world.time.now() < begun + timedelta(days=3):
        courier.run_due()
        world.time.advance(timedelta(minutes=5))
    assert world.status() is not Status.FINISHED
    assert world.alarms
    tries = faults.calls.count(CALLS[call])
    assert 20 < tries < 250
    world.settle()
    world.is_filed()


# -- other bytes ----------------------------------------------------------------------------------------------------------


def other_bytes(file: Any) -> BytesIO:
    """As many bytes, and one of them is another."""
    data = bytearray(file.read())
    data[0] ^= 1
    return BytesIO(bytes(data))


def test_f13_ncmecs_md5_is_not_ours(world: Any) -> None:
    """NCMEC holds other bytes than the manifest says: that report is retracted, and a new attempt is made."""
    world.file(True)
    # Evidence is opened to be inspected, and again to be sent.
    world.settle(world.courier(Faults(corrupt("open", other_bytes, at=1))))
    world.is_filed()
    assert world.states() == ["retracted", "finished"]
    assert world.alarms == []


def test_f13_ncmecs_md5_is_not_ours_twice(world: Any) -> None:
    """The second time a person is called, and nothing more is sent until that person decides."""
    world.file(True)
    world.settle(world.courier(Faults(corrupt("open", other_bytes, at=1), corrupt("open", other_bytes, at=3))))
    assert world.status() is Status.NEEDS_HUMAN
    assert world.alarms == ["case-1"]
    assert reasons(world) == ["NCMEC received other bytes than the manifest says, twice"]
    assert world.states() == ["retracted", "retracted"]
    world.check()
    world.time.advance(timedelta(days=9))
    sent = len(world.sent)
    world.settle()
    assert len(world.sent) == sent
    world.courier().override("case-1", actor="reviewer", reason="the disk was replaced")
    world.settle()
    world.is_filed()


# -- refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "code"),
    [
        *(("submit", code) for code in (4000, 4100, 4110)),
        *(("upload", code) for code in (4000, 4200)),
        *(("describe", code) for code in (4100, 4110)),
        ("finish", 4100),
    ],
)
def test_f23_what_we_sent_is_refused(world: Any, kit: Any, call: str, code: int) -> None:
    """It is not repeated; the report is retracted; a person is called and told what was refused, with which code."""
    world.file(True)
    faults = Faults(answered(CALLS[call], kit.reply(code, status=400), times=None))
    world.settle(world.courier(faults))
    assert world.status() is Status.NEEDS_HUMAN
    assert world.alarms == ["case-1"]
    assert reasons(world) == [f"NCMEC refused what /{call} sent, with code {code}"]
    assert faults.calls.count(CALLS[call]) == 1
    assert world.states() == ([] if call == "submit" else ["retracted"])
    world.check()
    world.courier().override("case-1", actor="reviewer", reason="NCMEC mended it")
    world.settle()
    world.is_filed()


def test_f23_a_retract_that_is_refused(world: Any, kit: Any) -> None:
    """A report that must not be finished is not let go: a person is called, and it is still tried to take it back."""
    world.file(True)
    faults = Faults(lost_answer("/upload"), answered("/retract", kit.reply(4000), times=40))
    world.settle(world.courier(faults))
    world.is_filed()
    assert world.alarms
    assert world.states()[-1] == "finished"


@every_call
@pytest.mark.parametrize("code", [1000, 1100, 1110, 1111, 1300])
def test_f24_ncmec_cannot_now(world: Any, kit: Any, call: str, code: int) -> None:
    """A server error is tried again in the same report."""
    world.file(True)
    world.settle(world.courier(Faults(answered(CALLS[call], kit.reply(code), times=2))))
    world.is_filed()
    assert refusals(world) == [code, code]
    assert world.states() == ["finished"]
    assert world.alarms == []


@pytest.mark.parametrize("call", ["upload", "describe"])
def test_f24_ncmec_cannot_for_long(world: Any, kit: Any, call: str) -> None:
    """What does not get better in one report is tried in a new one."""
    world.file(True)
    world.settle(world.courier(Faults(answered(CALLS[call], kit.reply(1111), times=6))))
    world.is_filed()
    assert world.states() == ["retracted", "finished"]


@pytest.mark.parametrize("times", [1, 3])
def test_f25_the_file_does_not_exist(world: Any, kit: Any, times: int) -> None:
    """5002 for a file that was uploaded a moment ago may be haste: it is tried again."""
    world.file(True)
    world.settle(world.courier(Faults(answered("/fileinfo", kit.reply(5002), times=times))))
    world.is_filed()
    assert world.states() == ["finished"]


def test_f25_the_file_does_not_exist_for_long(world: Any, kit: Any) -> None:
    """When 5002 stays, the report is retracted, and a new attempt made."""
    world.file(True)
    world.settle(world.courier(Faults(answered("/fileinfo", kit.reply(5002), times=4))))
    world.is_filed()
    assert world.states() == ["retracted", "finished"]


# -- somebody was first ---------------------------------------------------------------------------------------------------


def somebody(world: Any, kit: Any, *, upload: bool, describe: bool) -> Callable[[], None]:
    """Complete and finish the open report behind our back, as an operator with a script would."""

    def act() -> None:
        state: Submission = world.state()
        report_id = state.attempt.report_id  # type: ignore[union-attr] # there is one
        assert report_id is not None
        wire = kit.SandboxWire(world.ncmec)
        (entry,) = state.filing.files
        file_id = state.attempt.files[0].file_id  # type: ignore[union-attr] # as above
        if upload:
            data = world.evidence.kept[entry.evidence]
            answer = wire.exchange(protocol.upload(report_id, name=entry.name, size=entry.size), [data])
            file_id = re.search(rb"<fileId>([^<]*)", answer.body)[1].decode()  # type: ignore[index] # it is there
        if describe:
            wire.exchange(protocol.describe(entry.description.named(report_id=report_id, file_id=file_id)))  # type: ignore[union-attr, arg-type] # as above
        assert wire.exchange(protocol.finish(report_id)).status == 200

    return act


@pytest.mark.parametrize(
    ("described", "call", "upload", "describe"),
    [
        (False, "upload", True, False),
        (True, "upload", True, True),
        (True, "describe", False, True),
        (False, "finish", False, False),
    ],
)
def test_f26_somebody_else_finished_it(
    world: Any, kit: Any, described: bool, call: str, upload: bool, describe: bool
) -> None:
    """5102 to whatever was asked means that it is filed: it is adopted, a person is called, and no new attempt is made."""
    world.file(described)
    act = somebody(world, kit, upload=upload, describe=describe)
    world.settle(world.courier(Faults(slow(CALLS[call], act))))
    world.is_filed()
    assert world.state().receipt.adopted
    assert world.alarms == ["case-1"]
    assert world.states() == ["finished"]


def test_f26_a_report_that_was_to_be_retracted_is_finished(world: Any, kit: Any) -> None:
    """5102 to a retract means that it is filed all the same: it is adopted, and a person is called."""
    world.file(False)
    act = somebody(world, kit, upload=False, describe=False)
    world.settle(world.courier(Faults(lost_answer("/upload"), slow("/retract", act))))
    world.is_filed()
    assert world.state().receipt.adopted
    assert world.alarms == ["case-1"]
    assert world.states() == ["finished"]


def test_f26_a_report_that_a_person_withdrew_is_finished(world: Any, kit: Any) -> None:
    """A withdrawal that comes too late changes nothing: what is finished stays finished, and says so."""
    world.file(False)
    act = somebody(world, kit, upload=True, describe=False)
    world.courier(Faults(answered("/upload", Answer(status=429)))).deliver("case-1")
    world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")
    world.settle(world.courier(Faults(slow("/retract", act))))
    world.is_filed()
    assert world.alarms == ["case-1"]

"""The control routes: what was received, the clock, and the faults to come."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cybertip.sandbox import Answer, Fault, ShiftedClock, VirtualClock
from cybertip.sandbox.answers import Delivery


def control(caller: Any, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Call a control route, without credentials."""
    answer = caller.ncmec.handle(method, f"/_sandbox/{path}", body=json.dumps(body).encode())
    assert answer.header("content-type") == "application/json"
    return answer.status, json.loads(answer.body)


def test_the_listing_tells_all_that_was_received(caller: Any) -> None:
    """A test in any language can compare what it filed with what arrived."""
    assert control(caller, "GET", "reports") == (200, [])
    report_id = caller.opened()
    caller.ncmec.clock.advance(timedelta(minutes=1))
    file_id = caller.uploaded(report_id, b"abc")
    caller.describe(report_id, file_id)
    other = caller.opened()
    caller.ncmec.clock.advance(timedelta(minutes=1))
    caller.finish(report_id)
    status, (first, second) = control(caller, "GET", "reports")
    assert status == 200
    assert first == {
        "reportId": report_id,
        "state": "finished",
        "openedAt": "2026-01-01T12:00:00+00:00",
        "changedAt": "2026-01-01T12:01:00+00:00",
        "finishedAt": "2026-01-01T12:02:00+00:00",
        "report": caller.report_xml().decode(),
        "files": [
            {
                "fileId": file_id,
                "filename": "a.bin",
                "mediaType": "image/png",
                "size": 3,
                "md5": "900150983cd24fb0d6963f7d28e17f72",
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "details": caller.details_xml(report_id, file_id).decode(),
            }
        ],
    }
    assert (second["reportId"], second["state"], second["finishedAt"], second["files"]) == (other, "open", None, [])
    assert caller.ncmec.reports() == [first, second]


def test_the_clock_is_moved_forwards(caller: Any) -> None:
    """A day passes by request, by so many seconds or to a time; the reports age with it."""
    caller.opened()
    assert control(caller, "GET", "clock") == (200, {"now": "2026-01-01T12:00:00+00:00"})
    assert control(caller, "POST", "clock", {"advance": 90.5}) == (200, {"now": "2026-01-01T12:01:30.500000+00:00"})
    to = {"now": "2026-01-02T13:00:00+01:00"}
    assert control(caller, "POST", "clock", to) == (200, {"now": "2026-01-02T12:00:00+00:00"})
    assert control(caller, "GET", "reports")[1][0]["state"] == "deleted"


@pytest.mark.parametrize(
    "body",
    [
        {"advance": -1},
        {"advance": True},
        {"advance": "1"},
        {"advance": 1e300},
        {"advance": float("inf")},
        {"advance": float("nan")},
        {"now": "2025-12-31T00:00:00Z"},
        {"now": "2027-01-01T00:00:00"},
        {"now": "tomorrow"},
        {"now": 1},
        {"advance": 1, "now": "2027-01-01T00:00:00Z"},
        {},
        [],
        None,
    ],
)
def test_the_clock_takes_nothing_else(caller: Any, body: Any) -> None:
    """A clock that cannot be moved so stays where it is, and says why."""
    status, reply = control(caller, "POST", "clock", body)
    assert (status, list(reply)) == (400, ["error"])
    assert caller.ncmec.clock.now() == VirtualClock().now()


def test_a_body_that_is_no_json_is_refused(caller: Any) -> None:
    """Neither garbage nor depth nor size brings the double down."""
    for body in (b"", b"{", b"\xff", b"[" * 200_000):
        assert caller.ncmec.handle("POST", "/_sandbox/clock", body=body).status == 400
    assert caller.ncmec.handle("POST", "/_sandbox/clock", body=b" " * 2_000_000).status == 413


@pytest.mark.parametrize(("method", "path"), [("GET", "nothing"), ("POST", "reports"), ("PUT", "clock"), ("GET", "")])
def test_there_are_no_other_controls(caller: Any, method: str, path: str) -> None:
    """A misspelt control is an error."""
    assert control(caller, method, path)[0] == 404


def test_clocks_run_in_utc_and_never_backwards() -> None:
    """A clock that runs keeps running after it was moved; none goes back, and none is without an offset."""
    base = [datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))]
    clock = ShiftedClock(lambda: base[0])
    clock.advance(timedelta(hours=2))
    base[0] += timedelta(hours=3)
    assert clock.now() == datetime(2026, 1, 1, 4, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta()
    for one in (clock, VirtualClock()):
        with pytest.raises(ValueError, match="backwards"):
            one.advance(timedelta(microseconds=-1))
    with pytest.raises(ValueError, match="offset"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the fault


# -- faults ---------------------------------------------------------------------------------------------------------------


def test_a_fault_after_the_act_spoils_the_answer_alone(caller: Any) -> None:
    """The worst case of filing: the report is finished, and nobody was told."""
    report_id = caller.opened()
    caller.ncmec.faults.append(Fault(endpoint="/finish", when="after", answer="drop"))
    assert caller.finish(report_id).answer.delivery is Delivery.NOTHING
    assert caller.ncmec.reports()[0]["state"] == "finished"
    assert caller.finish(report_id).code == 5102


def test_a_fault_before_the_act_keeps_it_from_happening(caller: Any) -> None:
    """The same silence, and nothing was done: the client cannot tell the two apart."""
    report_id = caller.opened()
    caller.ncmec.faults.append(Fault(endpoint="/finish", when="before", answer="drop"))
    assert caller.finish(report_id).answer.delivery is Delivery.NOTHING
    assert caller.ncmec.reports()[0]["state"] == "open"
    assert caller.finish(report_id).code == 0


def test_faults_come_in_their_order_to_their_endpoint_and_so_many_times(caller: Any) -> None:
    """A test can script what goes wrong, call by call."""
    caller.ncmec.faults += [
        Fault(endpoint="/submit", when="before", answer=1000, times=2),
        Fault(endpoint="*", when="before", answer=1100),
    ]
    assert [caller.submit().code for _ in range(4)] == [1000, 1000, 1100, 0]
    caller.ncmec.faults.append(Fault(endpoint="/upload", when="before", answer=1111))
    assert caller.finish(caller.opened()).code == 0
    assert len(caller.ncmec.reports()) == 2


def test_a_fault_may_edit_the_answer(caller: Any) -> None:
    """A wrong hash or a missing id is the true answer with a change."""
    report_id = caller.opened()

    def wrong_hash(answer: Answer) -> Answer:
        return Answer(answer.status, answer.headers, answer.body.replace(b"900150983cd24fb0", b"0" * 16))

    caller.ncmec.faults.append(Fault(endpoint="/upload", when="after", answer=wrong_hash))
    assert caller.upload(report_id, b"abc").values["hash"] == "0" * 16 + "d6963f7d28e17f72"
    caller.ncmec.faults.append(Fault(endpoint="/upload", when="after", answer=0))
    assert "fileId" not in caller.upload(report_id, b"abc").values


def test_wrong_credentials_use_up_no_fault(caller: Any) -> None:
    """A fault waits for an exchange that would have been acted on."""
    caller.ncmec.faults.append(Fault(endpoint="/status", when="after", answer=1000))
    assert caller.ncmec.handle("GET", "/ispws/status").status == 401
    assert caller.call("GET", "/nowhere").code == 1210
    assert caller.call("GET", "/status").code == 1000


def test_faults_can_be_ordered_in_any_language(caller: Any) -> None:
    """Over HTTP a fault is an object: of a code, a word, or an answer such as a gateway's."""
    assert (
        control(caller, "POST", "faults", {"endpoint": "/status", "when": "after", "answer": 1000, "times": 2})[0]
        == 200
    )
    assert [caller.call("GET", "/status").code for _ in range(3)] == [1000, 1000, 0]
    page = {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>"}
    assert control(caller, "POST", "faults", {"endpoint": "/status", "when": "before", "answer": page}) == (
        200,
        {"faults": 1},
    )
    answer = caller.ncmec.handle("GET", "/ispws/status", caller.basic())
    assert answer == Answer(502, (("Content-Type", "text/html"),), b"<html>")
    control(caller, "POST", "faults", {"endpoint": "*", "when": "before", "answer": "hang"})
    assert control(caller, "DELETE", "faults") == (200, {"faults": 0})
    assert caller.call("GET", "/status").code == 0


@pytest.mark.parametrize(
    "fault",
    [
        {},
        [],
        {"endpoint": "/finish", "when": "after"},
        {"endpoint": "/finish", "when": "later", "answer": 1000},
        {"endpoint": "/finish", "when": "after", "answer": "explode"},
        {"endpoint": "/finish", "when": "after", "answer": True},
        {"endpoint": "/finish", "when": "after", "answer": None},
        {"endpoint": "/finish", "when": "after", "answer": {}},
        {"endpoint": "/finish", "when": "after", "answer": {"status": 99}},
        {"endpoint": "/finish", "when": "after", "answer": {"status": 200, "headers": {"a b": "c"}}},
        {"endpoint": "/finish", "when": "after", "answer": {"status": 200, "headers": {"a": "c\r\nd: e"}}},
        {"endpoint": "/finish", "when": "after", "answer": {"status": 200, "headers": {"Content-Length": "x"}}},
        {"endpoint": "/finish", "when": "after", "answer": {"status": 200, "body": 1}},
        {"endpoint": "/finish", "when": "after", "answer": 1000, "times": 0},
        {"endpoint": "/finish", "when": "after", "answer": 1000, "times": "1"},
        {"endpoint": "finish", "when": "after", "answer": 1000},
        {"endpoint": "/finish", "when": "after", "answer": 1000, "surprise": 1},
    ],
)
def test_a_fault_that_is_none_is_refused(caller: Any, fault: Any) -> None:
    """A misspelt fault would make a test pass that should not."""
    assert control(caller, "POST", "faults", fault)[0] == 400
    assert caller.ncmec.faults == []

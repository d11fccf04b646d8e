"""Every endpoint in every state of a report, and when a report deletes itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

STATES = ("open", "finished", "retracted", "deleted", "unknown")
#: NCMEC's table of codes; where a report that deleted itself is concerned, its likelier guess.
CODES = {
    "upload": {"open": 0, "finished": 5102, "retracted": 5101, "deleted": 5001, "unknown": 5001},
    "describe": {"open": 0, "finished": 5102, "retracted": 5101, "deleted": 5001, "unknown": 5001},
    "finish": {"open": 0, "finished": 5102, "retracted": 5101, "deleted": 5001, "unknown": 5001},
    "retract": {"open": 0, "finished": 5102, "retracted": 5101, "deleted": 5001, "unknown": 5001},
}


def brought_to(caller: Any, state: str) -> tuple[int, str]:
    """Return a report in a state, with a file."""
    if state == "unknown":
        return 999_999_999, "0" * 32
    report_id = caller.opened()
    file_id = caller.uploaded(report_id)
    if state == "finished":
        assert caller.finish(report_id).code == 0
    elif state == "retracted":
        assert caller.retract(report_id).code == 0
    elif state == "deleted":
        caller.ncmec.clock.advance(timedelta(hours=24))
    return report_id, file_id


def acted(caller: Any, endpoint: str, report_id: int, file_id: str) -> Any:
    """Call an endpoint about a report."""
    match endpoint:
        case "upload":
            return caller.upload(report_id)
        case "describe":
            return caller.describe(report_id, file_id)
        case "finish":
            return caller.finish(report_id)
        case _:
            return caller.retract(report_id)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("endpoint", CODES)
def test_each_endpoint_answers_for_the_state_of_the_report(caller: Any, endpoint: str, state: str) -> None:
    """Whoever comes too late learns from the code what became of the report, and changes nothing."""
    report_id, file_id = brought_to(caller, state)
    before = caller.ncmec.reports()
    reply = acted(caller, endpoint, report_id, file_id)
    assert reply.outcome == (200, CODES[endpoint][state])
    assert (caller.ncmec.reports() == before) == (state != "open")


@pytest.mark.parametrize("endpoint", CODES)
@pytest.mark.parametrize("code", [5001, 5101])
def test_what_a_deleted_report_answers_can_be_chosen(calling: Callable[..., Any], endpoint: str, code: int) -> None:
    """Nobody knows what NCMEC answers after it deleted a report, so both answers can be had."""
    caller = calling(after_deletion=code)
    report_id, file_id = brought_to(caller, "deleted")
    assert acted(caller, endpoint, report_id, file_id).code == code
    assert caller.upload(999_999_999).code == 5001


def test_an_untouched_report_lives_for_a_day(caller: Any) -> None:
    """A report is open for 24 h to the second, and not one longer."""
    report_id = caller.opened()
    caller.ncmec.clock.advance(timedelta(hours=23, minutes=59, seconds=59))
    assert [one["state"] for one in caller.ncmec.reports()] == ["open"]
    caller.ncmec.clock.advance(timedelta(seconds=1))
    assert [one["state"] for one in caller.ncmec.reports()] == ["deleted"]
    assert caller.finish(report_id).code == 5001


@pytest.mark.parametrize("change", ["upload", "describe"])
def test_a_change_prolongs_a_report_to_an_hour_later(caller: Any, change: str) -> None:
    """Work that goes on after a day is not thrown away: the later of the two times counts."""
    report_id, file_id = brought_to(caller, "open")
    caller.ncmec.clock.advance(timedelta(hours=23, minutes=30))
    assert acted(caller, change, report_id, file_id).code == 0
    caller.ncmec.clock.advance(timedelta(minutes=59, seconds=59))
    assert [one["state"] for one in caller.ncmec.reports()] == ["open"]
    caller.ncmec.clock.advance(timedelta(seconds=1))
    assert caller.finish(report_id).code == 5001


def test_an_early_change_takes_nothing_from_the_day(caller: Any) -> None:
    """An hour after the last upload is nothing where a day after opening is later."""
    report_id, _ = brought_to(caller, "open")
    caller.ncmec.clock.advance(timedelta(hours=23))
    assert caller.finish(report_id).code == 0


def test_refused_calls_prolong_nothing(caller: Any) -> None:
    """A call that failed is no work on the report."""
    report_id = caller.opened()
    caller.ncmec.clock.advance(timedelta(hours=23, minutes=30))
    assert caller.describe(report_id, "0" * 32).code == 5002
    caller.ncmec.clock.advance(timedelta(minutes=30))
    assert caller.finish(report_id).code == 5001


def test_finished_and_retracted_reports_do_not_delete_themselves(caller: Any) -> None:
    """A receipt stays a receipt, however much time passes."""
    brought_to(caller, "finished")
    brought_to(caller, "retracted")
    caller.ncmec.clock.advance(timedelta(days=365))
    assert [one["state"] for one in caller.ncmec.reports()] == ["finished", "retracted"]


def test_the_same_bytes_twice_are_two_files_with_one_hash(caller: Any) -> None:
    """There is no deduplication: a repeated upload puts the file into the report twice."""
    report_id = caller.opened()
    first, second = caller.upload(report_id).values, caller.upload(report_id).values
    assert first["hash"] == second["hash"]
    assert first["fileId"] != second["fileId"]
    receipt = caller.finish(report_id)
    assert receipt.answer.body.count(b"<fileId>") == 2


def test_details_are_for_a_file_of_that_report(caller: Any) -> None:
    """A file that never was, or that is another report's, is answered with 5002."""
    report_id, other = caller.opened(), caller.opened()
    file_id = caller.uploaded(other)
    assert caller.describe(report_id, file_id).code == 5002
    assert caller.describe(report_id, "0" * 32).code == 5002


def test_second_details_are_refused(caller: Any) -> None:
    """Details come once per file, and the first ones stay."""
    report_id, file_id = brought_to(caller, "open")
    assert caller.describe(report_id, file_id, "<publiclyAvailable>true</publiclyAvailable>").code == 0
    assert caller.describe(report_id, file_id).outcome == (400, 4000)
    assert "publiclyAvailable" in caller.ncmec.reports()[0]["files"][0]["details"]


def test_second_details_replace_the_first_where_that_is_chosen(calling: Callable[..., Any]) -> None:
    """Nobody knows whether NCMEC takes details twice, so that can be had as well."""
    caller = calling(second_file_details="replaces")
    report_id, file_id = brought_to(caller, "open")
    assert caller.describe(report_id, file_id, "<publiclyAvailable>true</publiclyAvailable>").code == 0
    assert caller.describe(report_id, file_id).code == 0
    assert "publiclyAvailable" not in caller.ncmec.reports()[0]["files"][0]["details"]


def test_identifiers_look_like_ncmecs_and_replay(calling: Callable[..., Any]) -> None:
    """Nine digits and 32 hexadecimal ones, none twice, and the same in the next run of a simulation."""
    runs = []
    for seed in (0, 0, 1):
        caller = calling(seed=seed)
        made = []
        for _ in range(50):
            report_id = caller.opened()
            made.append((str(report_id), caller.uploaded(report_id)))
        runs.append(made)
    assert runs[0] == runs[1] != runs[2]
    assert len({one[0] for one in runs[0]}) == len({one[1] for one in runs[0]}) == 50
    assert all(len(number) == 9 and number[0] != "0" for number, _ in runs[0])
    assert all(len(name) == 32 and int(name, 16) >= 0 for _, name in runs[0])

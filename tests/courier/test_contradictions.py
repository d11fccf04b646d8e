"""A journal that contradicts its head, as after a row was lost: nobody can go on with it, and nobody else has to wait."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.courier import Courier
from cybertip.filing import Status


def test_a_lasting_conflict_is_held_and_the_lane_goes_on(
    kit: Any, world: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is put aside with an alarm and a line in the log, and comes up again slowly; the others are delivered."""
    caplog.set_level(logging.ERROR, "cybertip")
    url = f"sqlite:///{tmp_path / 'reports.db'}"
    with SqlStorage(url) as storage:
        storage.upgrade()
        courier = Courier(
            kit.SANDBOX, storage=storage, evidence=world.evidence, clock=world.clock, transport=world.wire
        )
        courier.file(world.filing(user="user-0"), key="broken")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE cybertip_heads SET version = 2 WHERE key = 'broken'"))
        engine.dispose()
        for number in range(3):
            courier.file(world.filing(user=f"user-{number + 1}"), key=f"case-{number}")
        assert courier.run_due() == 4
        assert [courier.status(f"case-{number}").status for number in range(3)] == [Status.FINISHED] * 3
        head = storage.head("broken")
        assert head is not None
        assert (head.status, head.due_at) == (Status.HELD, world.clock.now() + timedelta(hours=1))
        now = world.clock.now()
        alarms = storage.take_letters(now=now, until=now, limit=9, topics=["alarm"])
        assert [letter.key for letter in alarms] == ["broken"]
        assert courier.run_due() == 0
    assert "'broken' is held" in caplog.text


def test_whoever_decides_meanwhile_is_heard_at_once(world: Any) -> None:
    """A decision that outruns a record is no fault: the delivery looks again, and does what was decided."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    world.wire.after = lambda request: (
        courier.retract("case-1", actor="reviewer", reason="filed by mistake")
        if str(request.endpoint) == "/submit"
        else None
    )
    assert courier.deliver("case-1").status is Status.RETRACTED
    assert world.states() == ["retracted"]


def test_a_person_is_called_in_the_log(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads the log learns that a submission needs somebody, and why, in our own words."""
    courier = world.courier()
    filing = world.filing(True)
    courier.file(filing, key="case-1")
    world.evidence.kept.clear()
    courier.deliver("case-1")
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "submission 'case-1': a person has to look: the evidence of file" in record.getMessage()

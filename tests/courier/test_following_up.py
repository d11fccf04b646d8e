"""Follow-up work: handed out until it is done, and never a danger to what is filed."""

import logging
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from cybertip.filing import Status
from cybertip.ports.storage import Letter


def test_what_follows_a_receipt_is_done_once(world: Any) -> None:
    """A letter that was taken is settled; there is nothing left to hand out."""
    courier = world.courier()
    courier.file(world.filing(), key="case-1")
    courier.run_due()
    taken: list[Letter] = []
    assert courier.follow_up(world.colour.handler(taken.append), topics={"receipt"}) == 1
    assert [(letter.key, letter.topic, letter.tries) for letter in taken] == [("case-1", "receipt", 1)]
    world.pass_time(3600)
    assert courier.follow_up(world.colour.handler(taken.append)) == 0


def test_letters_of_others_are_left_to_them(world: Any) -> None:
    """A desk posts letters into the same storage; a handler of submissions' letters would not know what to do with them."""
    courier = world.courier()
    courier.file(world.filing(), key="case-1")
    courier.run_due()
    head, now = world.storage.head("case-1"), world.clock.now()
    other = Letter(id="case-1/9/other", key="case-1", topic="other", data="{}", due_at=now)
    world.storage.append((), head, expected=head.version, letters=(other,))
    taken: list[Letter] = []
    assert courier.follow_up(world.colour.handler(taken.append)) == 1
    assert [letter.topic for letter in taken] == ["receipt"]
    assert world.storage.next_letter(now=now, topics={"other"}) == now


def test_what_fails_comes_again_for_as_long_as_it_takes(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It comes later each time, the log calls a person in the end and quotes nothing, and the report stays filed."""
    courier = world.courier()
    courier.file(world.filing(), key="case-1")
    courier.run_due()
    tries: list[Any] = []

    def fail(letter: Letter) -> None:
        tries.append((world.clock.now(), letter.tries))
        raise RuntimeError("canary-7f3a")

    start = world.clock.now()
    while world.clock.now() < start + timedelta(hours=3):
        courier.follow_up(world.colour.handler(fail))
        world.pass_time(1)
    assert [count for _, count in tries] == list(range(1, len(tries) + 1))
    assert len(tries) > 12
    pauses = [later - sooner for (sooner, _), (later, _) in pairwise(tries)]
    assert pauses[0] < timedelta(seconds=5)
    assert timedelta(minutes=7) < pauses[-1] <= timedelta(minutes=16)
    assert courier.status("case-1").status is Status.FINISHED
    levels = [record.levelno for record in caplog.records if "letter" in record.getMessage()]
    assert levels[:9] == [logging.WARNING] * 9
    assert set(levels[9:]) == {logging.ERROR}
    assert "canary-7f3a" not in caplog.text

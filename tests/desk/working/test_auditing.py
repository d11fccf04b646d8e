"""Cases and signals are in the same storage as submissions, and an audit looks at them as what they are."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.audit import Auditor, Tally
from cybertip.desk.placing import receive
from cybertip.filing.chain import following


def at_work(kit: Any) -> Any:
    """Return a storage with cases at every stage of their lives, and their signals and submissions."""
    world = kit.World()
    first = world.decided(kit.kept(1), **kit.conversation())
    world.pass_time(seconds=30)
    world.platform.answer = lambda request: 1 / 0
    later = world.receive(kit.signal(kit.kept(2), number=2))
    world.work()
    world.decide(later, kit.decision(2))
    world.work()
    world.receive(kit.signal(kit.at_url(3), number=3, creator=kit.OTHER))
    world.run(receive(world.office, kit.signal(number=4, creator=None)))
    assert world.case(first).stage == "reported"
    return world


def tamperings(storage: MemoryStorage) -> list[str]:
    return [f"{one.key} {one.what}" for one in Auditor(storage).verify()]


def test_what_a_desk_wrote_is_whole(kit: Any) -> None:
    """Nobody is accused, and nothing is taken for a newer program's, while cases and signals go on."""
    tallies: list[Tally] = []
    world = at_work(kit)
    assert list(Auditor(world.storage).verify(progress=tallies.append)) == []
    assert (tallies[-1].submissions, tallies[-1].unread) == (8, 0)


def test_cases_are_whole_after_each_step(kit: Any) -> None:
    """Whatever a worker had done when it stopped, the head is what follows from the journal."""
    for effects in range(0, 60, 6):
        world = kit.World()
        key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
        world.luck = kit.Luck(effects)
        with suppress(kit.Died):
            for _ in range(4):
                world.everybody()
                if world.case(key).stage == "open":
                    world.decide(key, kit.decision(1, 2))
                world.clock.advance(timedelta(seconds=5))
        assert tamperings(world.storage) == []


@pytest.mark.parametrize(
    ("status", "changed", "said"),
    [
        ("reported", {"report_id": 1}, "gives another report_id than its head has"),
        ("reported", {"status": "retracted"}, "gives another status than its head has"),
        ("decided", {"priority": 9}, "gives another priority than its head has"),
        ("decided", {"due_at": None}, "leaves something to do, and its head says that nothing is"),
        ("placed", {"status": "unresolved"}, "gives another status than its head has"),
        ("placed", {"tenant": "o2"}, "gives another tenant than its head has"),
        ("unresolved", {"due_at": None}, "leaves something to do, and its head says that nothing is"),
    ],
)
def test_a_head_that_was_altered_is_found(kit: Any, status: str, changed: dict[str, Any], said: str) -> None:
    """What a case or a signal is found by follows from its journal."""
    world = at_work(kit)
    head = next(one for one in world.storage.heads() if one.status == status)
    world.storage._standings[head.key].head = attrs.evolve(head, **changed)
    [found] = tamperings(world.storage)
    assert found.startswith(f"{head.key} {said}")


def test_an_entry_that_cannot_have_happened_is_found(kit: Any) -> None:
    """A chain that holds together is no proof that this program wrote it."""
    world = at_work(kit)
    head = next(one for one in world.storage.heads() if one.status == "reported")
    entry = following(head.key, head.version, head.digest, kind="case.retracted/1", data="{}", at=world.clock.now())
    world.storage.append(
        (entry,), attrs.evolve(head, version=entry.version, digest=entry.digest), expected=head.version
    )
    [found] = tamperings(world.storage)
    assert "cannot have happened after the ones before it" in found


def test_a_newer_programs_case_is_counted_and_accuses_nobody(kit: Any) -> None:
    """Its chain is looked at; what follows from it is not known here."""
    world = at_work(kit)
    head = next(one for one in world.storage.heads() if one.status == "reported")
    entry = following(head.key, head.version, head.digest, kind="case.newer/1", data="{}", at=world.clock.now())
    world.storage.append(
        (entry,), attrs.evolve(head, version=entry.version, digest=entry.digest), expected=head.version
    )
    tallies: list[Tally] = []
    assert list(Auditor(world.storage).verify(progress=tallies.append)) == []
    assert tallies[-1].unread == 1

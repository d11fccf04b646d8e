"""A worker may die after anything it did: whoever comes next goes on, and nothing is lost, doubled or half done."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from cybertip.cases.enrichment import AdditionalFile, AdditionalInfo, AdditionalInfoRequest, nothing_known
from cybertip.errors import Conflict

#: More rounds than it takes when one worker dies.
_ROUNDS = 80


def with_file(request: AdditionalInfoRequest) -> AdditionalInfo:
    """Answer that nothing is known, and add a file."""
    answer = nothing_known(request)
    added = AdditionalFile(url="https://media.example/f", file_name="evidence.pdf")
    return AdditionalInfo(users=answer.users, media=answer.media, additional_files=(added,))


def live(kit: Any, effects: int) -> tuple[Any, str, bool]:
    """Take a case from its signal to its preservation, with a worker that dies after some effects; tell whether it did."""
    world = kit.World()
    world.platform.files["https://media.example/f"] = b"synthetic document"
    world.platform.answer = with_file
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
    worker, died = kit.Luck(effects), False
    for _ in range(_ROUNDS):
        world.luck = worker
        try:
            world.everybody()
        except kit.Died:
            died = True
            # What it had claimed is anybody's again.
            world.clock.advance(kit.LEASE)
        world.luck = kit.Luck()
        case = world.case(key)
        if case.stage == "open" and len(case.kept) == 2:
            world.decide(key, kit.decision(1, 2, **kit.conversation()))
        if case.preserved and not world.letters():
            break
        world.clock.advance(timedelta(seconds=2))
    return world, key, died


def test_a_worker_may_die_after_anything_it_did(kit: Any) -> None:
    """After each single effect, from the first file to the last letter: one filing, one report, everybody told."""
    effects, died = 0, True
    while died:
        world, key, died = live(kit, effects)
        case, counted = world.case(key), Counter(world.kinds(key))
        assert world.states() == ["finished"], effects
        assert (case.stage, case.preserved, world.letters()) == ("reported", True, []), effects
        once = ("enriched", "filed", "reported", "preserved")
        assert [counted[kind] for kind in once] == [1] * len(once), effects
        assert counted["mediakept"] == 2, effects
        assert counted["delayed"] == counted["overdue"] == counted["blocked"] == 0, effects
        # Whoever hears a thing twice can tell it by its id, and hears the same.
        assert {str(event.kind) for _, event in world.platform.told} == {"case.filed", "case.preserved"}, effects
        for heard in (world.platform.told, world.platform.preserved):
            assert len(set(heard)) == len(dict(heard)), effects
        files = world.submission(key).submission.filing.files
        assert len(files) == 5, effects
        assert len({file.name for file in files}) == 5, effects
        effects += 1
    # It died in all of it: keeping, asking, filing, looking, telling.
    assert effects > 50


def overtaken(kit: Any, effects: int) -> tuple[Any, str, bool]:
    """Let a worker stand still after some effects until others have done everything, and then go on."""
    world = kit.World()
    key = world.decided(kit.kept(1))

    def others() -> None:
        world.luck = kit.Luck()
        world.clock.advance(kit.LEASE)
        world.pass_time(seconds=600)

    world.luck = slow = kit.Luck(effects, others)
    with suppress(Conflict):
        world.work()
    world.luck = kit.Luck()
    world.pass_time(seconds=600)
    return world, key, slow.left is None


def test_a_worker_that_was_overtaken_changes_nothing(kit: Any) -> None:
    """Whoever lost the claim on a case learns of it, and neither files it again nor records anything in it."""
    effects, stood_still = 0, True
    while stood_still:
        world, key, stood_still = overtaken(kit, effects)
        counted = Counter(world.kinds(key))
        assert world.states() == ["finished"], effects
        assert [counted[kind] for kind in ("enriched", "filed", "reported", "preserved")] == [1, 1, 1, 1], effects
        assert world.letters() == [], effects
        effects += 1
    assert effects > 10

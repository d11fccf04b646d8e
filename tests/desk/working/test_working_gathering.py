"""The bytes of a case's files are kept before they are gone; what cannot be had is tried again, and shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cybertip.cases.enrichment import nothing_known
from cybertip.cases.references import EvidenceId
from cybertip.cases.signals import Media
from cybertip.desk.reviewing import claim, keep, miss
from cybertip.errors import Conflict
from cybertip.webhooks.failures import WebhookDeclined, WebhookUnanswered

GONE = WebhookDeclined(endpoint="media", reason="answered HTTP 404", status=404)
SLOW = WebhookUnanswered(endpoint="media", reason="no whole answer came in time")


def test_what_the_host_kept_is_digested_and_what_has_an_address_is_fetched(any_world: Any, kit: Any) -> None:
    """In each colour: at once, with the digests of just those bytes; then there is nothing left to do."""
    world = any_world
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
    world.work()
    found = world.case(key).kept
    for number, data in ((1, b"synthetic 1"), (2, b"synthetic picture")):
        one = found[kit.image(number)]
        assert world.evidence.kept[one.evidence] == data
        assert (one.size, one.sha256, one.md5) == kit.digests(data)
    assert world.storage.head(key).due_at is None


def test_a_file_without_evidence_and_address_waits_for_the_host(world: Any, kit: Any) -> None:
    """Nobody can fetch what has no address: nothing is due, and nothing is called missing."""
    key = world.receive(kit.signal(Media(ref=kit.image())))
    world.work()
    assert (world.kinds(key), world.storage.head(key).due_at) == (["opened", "joined"], None)


def test_a_file_that_cannot_be_fetched_is_shown_and_never_missing_by_itself(world: Any, kit: Any) -> None:
    """The reason is recorded once, without the address; a 404 is what the server says today."""
    world.platform.fails["fetch"] = GONE
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
    world.pass_time(hours=3)
    case = world.case(key)
    assert case.delay == "1 of 2 files are not kept yet: media: answered HTTP 404"
    assert (case.missing, world.kinds(key).count("delayed")) == ({}, 1)
    assert "delayed" in world.storage.head(key).tags
    assert "token" not in "".join(entry.data for entry in world.storage.read(key) if "delayed" in entry.kind)


def test_fetching_is_tried_soon_at_first_and_less_often_later(world: Any, kit: Any) -> None:
    """An address that expires is used while it lasts; one that is dead costs little: ten days, some forty requests."""
    world.platform.fails["fetch"] = SLOW
    world.receive(kit.signal(kit.at_url()))
    world.pass_time(seconds=60, step=timedelta(seconds=1))
    assert 5 <= len(world.platform.fetched) <= 8
    world.pass_time(hours=240, step=timedelta(minutes=30))
    assert 40 <= len(world.platform.fetched) <= 70
    assert world.clock.now() < world.storage.heads()[0].due_at <= world.clock.now() + timedelta(hours=6)


def test_bytes_that_come_end_the_waiting(world: Any, kit: Any) -> None:
    """Once the server answers, or the host has kept the file itself, the case waits for nothing more."""
    world.platform.fails["fetch"] = SLOW
    key = world.receive(kit.signal(kit.at_url(1), kit.at_url(2, "https://media.example/2")))
    world.work()
    assert world.case(key).delay is not None
    world.run(keep(world.office, key, kit.image(2), evidence=EvidenceId("e2")))
    assert world.case(key).delay is None
    world.platform.fails.clear()
    world.pass_time(seconds=60)
    assert set(world.case(key).kept) == {kit.image(1), kit.image(2)}
    assert world.case(key).delay is None
    assert "delayed" not in world.storage.head(key).tags


def test_a_person_says_that_a_file_is_missing(world: Any, kit: Any) -> None:
    """From then on nobody tries to fetch it, and the case does not wait for it."""
    world.platform.fails["fetch"] = GONE
    key = world.receive(kit.signal(kit.at_url()))
    world.work()
    world.run(miss(world.office, key, kit.image(), reason="its address had expired"))
    tried = len(world.platform.fetched)
    world.pass_time(hours=3)
    assert len(world.platform.fetched) == tried
    assert (world.case(key).delay, world.storage.head(key).due_at) == (None, None)


@pytest.mark.parametrize("evidence", ["gone", "empty"])
def test_evidence_that_cannot_be_used_is_fetched_instead(world: Any, kit: Any, evidence: str) -> None:
    """A reference that leads nowhere, or to nothing, is no reason to do without an address that there is."""
    world.evidence.kept["empty"] = b""
    key = world.receive(kit.signal(Media(ref=kit.image(), evidence=EvidenceId(evidence), url=kit.SECRET)))
    world.work()
    assert world.case(key).kept[kit.image()].size == len(b"synthetic picture")


def test_evidence_that_cannot_be_used_and_has_no_address_is_shown(world: Any, kit: Any) -> None:
    """What is wrong is said in our own words, and tried again."""
    world.evidence.kept["empty"] = b""
    key = world.receive(
        kit.signal(
            Media(ref=kit.image(), evidence=EvidenceId("gone")), Media(ref=kit.image(2), evidence=EvidenceId("empty"))
        )
    )
    world.work()
    assert world.case(key).delay == (
        "1 of 2 files are not kept yet: the evidence cannot be read (FileNotFoundError); "
        "1 of 2 files are not kept yet: the evidence is empty"
    )


def test_a_later_signal_says_where_a_file_is_now(world: Any, kit: Any) -> None:
    """An address that had expired is given anew by another signal about the same file."""
    key = world.receive(kit.signal(kit.at_url(1, "https://media.example/expired")))
    world.platform.fails["fetch"] = GONE
    world.work()
    world.platform.fails.clear()
    world.receive(kit.signal(kit.at_url(1), number=2))
    world.work()
    assert kit.image() in world.case(key).kept
    assert "https://media.example/expired" not in world.platform.fetched[1:]


def during_a_fetch(world: Any, happens: Callable[[], object]) -> None:
    """Let something happen while a file arrives, once."""
    fetch = world.platform.fetch

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        world.platform.fetch = fetch
        happens()
        return fetch(*args, **kwargs)

    world.platform.fetch = interrupted


def test_what_happens_meanwhile_costs_no_file(world: Any, kit: Any) -> None:
    """A signal that joins, or a reviewer who claims, while a file is fetched: it is kept, and so is what they brought."""
    key = world.receive(kit.signal(kit.at_url()))

    def meanwhile() -> None:
        world.receive(kit.signal(kit.kept(2), number=2))
        world.run(claim(world.office, key, reviewer=kit.BOB, lasting=timedelta(minutes=15)))

    during_a_fetch(world, meanwhile)
    world.work()
    case = world.case(key)
    assert set(case.kept) == {kit.image(1), kit.image(2)}
    assert (len(world.platform.fetched), case.claim.reviewer) == (1, kit.BOB)


def test_a_long_fetch_keeps_its_claim(any_world: Any, kit: Any) -> None:
    """In each colour: while bytes come in, and while they are digested, nobody else takes the case for left behind."""
    world = any_world
    world.platform.takes = kit.LEASE * 0.7
    world.platform.files[kit.SECRET] = b"x" * (3 * 1024 * 1024)
    key = world.receive(kit.signal(kit.at_url()))
    tried: list[Any] = []

    def somebody_else() -> None:
        now = world.clock.now()
        tried.append(world.storage.claim(key, token=f"other {len(tried)}", now=now, until=now + kit.LEASE))

    world.platform.meanwhile = somebody_else
    world.work()
    assert world.clock.now() - kit.NOW > 2 * kit.LEASE
    assert set(tried) == {None}
    assert world.case(key).kept[kit.image()].size == 3 * 1024 * 1024


def test_a_fetch_ends_when_its_claim_is_lost(any_world: Any, kit: Any) -> None:
    """In each colour: a worker that stood still for longer than its claim stops where it is, and records nothing."""
    world = any_world
    key = world.receive(kit.signal(kit.at_url()))

    def others() -> None:
        world.clock.advance(kit.LEASE)
        now = world.clock.now()
        assert world.storage.claim(key, token="other", now=now, until=now + kit.LEASE)

    during_a_fetch(world, others)
    known = set(world.evidence.kept)
    with pytest.raises(Conflict):
        world.work()
    assert world.kinds(key) == ["opened", "joined"]
    assert set(world.evidence.kept) == known


def test_a_decision_made_meanwhile_is_gone_on_with(world: Any, kit: Any) -> None:
    """A reviewer who decides while other files are fetched is not forgotten: the case is filed in the same go."""
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
    during_a_fetch(world, lambda: world.decide(key, kit.decision(1, left_out=(2,))))
    world.work()
    assert world.case(key).stage == "filed"
    assert kit.image(2) in world.case(key).kept


def test_files_that_nobody_decided_to_report_do_not_hold_a_report_up(world: Any, kit: Any) -> None:
    """What is left out and cannot be fetched is tried along the way; the report does not wait for it."""
    world.platform.fails["fetch"] = SLOW
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
    world.work()
    world.decide(key, kit.decision(1, left_out=(2,)))
    world.pass_time(seconds=30, step=timedelta(seconds=1))
    assert (world.case(key).stage, world.storage.head(key).due_at) == ("reported", None)


def test_a_report_does_not_wait_for_servers_that_take_their_time(world: Any, kit: Any) -> None:
    """Of many files that cannot be fetched, the next is tried after the filing that was decided on meanwhile."""
    world.platform.fails["fetch"] = SLOW
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2), kit.at_url(3, "https://media.example/3")))
    world.work()
    world.clock.advance(timedelta(minutes=1))
    asked_after = []

    def asked(request: Any) -> Any:
        asked_after.append(len(world.platform.fetched))
        return nothing_known(request)

    world.platform.answer = asked
    during_a_fetch(world, lambda: world.decide(key, kit.decision(1, left_out=(2, 3))))
    world.work()
    # Both at first, and of the second round the one that was under way.
    assert asked_after == [3]
    assert world.case(key).stage == "filed"


def test_what_a_report_waits_for_is_said_before_what_it_does_not_wait_for(world: Any, kit: Any) -> None:
    """An endpoint that fails and a file that is left out and cannot be fetched: the reason is the endpoint's, and stays."""
    world.platform.fails |= {"fetch": SLOW, "ask": SLOW}
    key = world.receive(kit.signal(kit.kept(1), kit.at_url(2)))
    world.work()
    world.decide(key, kit.decision(1, left_out=(2,)))
    before = world.kinds(key).count("delayed")
    world.pass_time(seconds=600)
    assert world.kinds(key).count("delayed") == before + 1
    assert world.case(key).delay == str(SLOW)

"""Nothing is filed before the platform has answered for everything it was asked about; what it says goes into the report."""

import json
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.cases.enrichment import (
    AdditionalFile,
    AdditionalInfo,
    AdditionalInfoRequest,
    MediaInfo,
    UserInfo,
    nothing_known,
)
from cybertip.cases.references import ItemRef, UserRef
from cybertip.desk.reviewing import retry, take_back
from cybertip.errors import Violation
from cybertip.model import BatchedReportReason, Email, FileAnnotations, Person, Victim
from cybertip.webhooks.failures import WebhookDeclined, WebhookUnreadable

DOWN = WebhookDeclined(endpoint="additional info", reason="answered HTTP 503", status=503)


def users_of(request: AdditionalInfoRequest) -> tuple[UserInfo, ...]:
    return tuple(UserInfo(id=one.id, type_id=one.type_id) for one in request.users)


def media_of(request: AdditionalInfoRequest, *missing: ItemRef) -> tuple[MediaInfo, ...]:
    return tuple(MediaInfo(id=one.id, type_id=one.type_id, missing=one in missing) for one in request.media)


def nothing_was_filed(world: Any, key: str) -> bool:
    return world.submission(key) is None and world.states() == []


# -- an endpoint that fails -----------------------------------------------------------------------------------------------


def test_an_endpoint_that_fails_for_hours_files_nothing_and_loses_nothing(any_world: Any, kit: Any) -> None:
    """In each colour: the case stays visible with the reason, a person is called once, and when it is back it is filed."""
    world = any_world
    world.platform.fails["ask"] = DOWN
    key = world.decided(kit.kept(1))
    world.pass_time(seconds=600)
    assert world.platform.told == []
    world.pass_time(hours=12, step=timedelta(minutes=10))
    case, head = world.case(key), world.storage.head(key)
    assert nothing_was_filed(world, key)
    assert (case.stage, head.status) == ("decided", "decided")
    assert case.delay.startswith("additional info: answered HTTP 503")
    assert "delayed" in head.tags
    # Once when it began, and once when a person was called.
    assert world.kinds(key).count("delayed") == 2
    assert [str(event.kind) for _, event in world.platform.told] == ["case.needs_human"]
    # The same question each time, often enough and no more often than that.
    assert len(set(world.platform.asked)) == 1
    assert 40 < len(world.platform.asked) < 100
    world.platform.fails.clear()
    world.pass_time(seconds=1200)
    assert (world.case(key).stage, world.case(key).delay, world.states()) == ("reported", None, ["finished"])


def test_the_reason_is_recorded_when_it_changes_and_one_call_is_enough(world: Any, kit: Any) -> None:
    """A journal does not grow with each try, and a person is not called for each new reason."""
    world.platform.fails["ask"] = DOWN
    key = world.decided(kit.kept(1))
    world.pass_time(hours=2)
    wrong = Violation(path="answer.users[0].screenName", rule="type", message="must be text")
    world.platform.fails["ask"] = WebhookUnreadable(
        endpoint="additional info", reason="answered with something else", violations=(wrong,)
    )
    world.pass_time(hours=2)
    assert world.kinds(key).count("delayed") == 3
    assert "answer.users[0].screenName: must be text" in world.case(key).delay
    assert len(world.platform.told) == 1


@pytest.mark.parametrize(("asked", "waits"), [(1200.0, timedelta(minutes=20)), (1e9, timedelta(hours=6))])
def test_an_endpoint_that_asks_for_patience_gets_it(world: Any, kit: Any, asked: float, waits: timedelta) -> None:
    """A Retry-After is honoured, up to what the policy allows."""
    world.platform.fails["ask"] = WebhookDeclined(
        endpoint="additional info", reason="answered HTTP 429", status=429, retry_after_for=asked
    )
    key = world.decided(kit.kept(1))
    world.work()
    assert world.storage.head(key).due_at - world.clock.now() == waits


def test_a_function_of_the_hosts_that_raises_is_a_delay(world: Any, kit: Any) -> None:
    """Its text may hold anything, and is nowhere; the case waits as it does for an endpoint."""

    def broken(request: AdditionalInfoRequest) -> AdditionalInfo:
        raise RuntimeError("do-not-tell")

    world.parts["source"] = broken
    key = world.decided(kit.kept(1))
    world.work()
    assert world.case(key).delay == "the function that knows more failed (RuntimeError)"
    assert nothing_was_filed(world, key)


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ({"data": {"made": object()}}, ""),
        ({"emails": (Email(value=""),)}, ": answer.users[0].email[0].email: is empty [identifier]"),
    ],
    ids=["no JSON", "no answer"],
)
def test_an_answer_that_cannot_be_recorded_is_a_delay(world: Any, kit: Any, said: dict[str, Any], more: str) -> None:
    """A function of the host's may make what no endpoint could: it would be another filing, or none, the next time."""
    world.platform.answer = lambda request: AdditionalInfo(
        users=tuple(attrs.evolve(one, **said) for one in users_of(request)), media=media_of(request)
    )
    key = world.decided(kit.kept(1))
    world.work()
    assert world.case(key).delay == f"the platform's answer cannot be recorded{more}"
    assert nothing_was_filed(world, key)


# -- an answer that is not enough -----------------------------------------------------------------------------------------


def test_an_answer_that_lacks_entries_names_them_and_is_asked_for_again(world: Any, kit: Any) -> None:
    """Nothing incomplete is filed; once all entries are there, it goes on."""
    world.platform.answer = lambda request: AdditionalInfo(users=users_of(request), media=media_of(request)[:1])
    key = world.decided(kit.kept(1), kit.kept(2))
    world.pass_time(seconds=120)
    assert "request.media[1]: has no entry in the answer" in world.case(key).delay
    assert nothing_was_filed(world, key)
    world.platform.answer = nothing_known
    world.pass_time(seconds=120)
    assert world.states() == ["finished"]


def test_an_answer_about_somebody_else_is_not_used(world: Any, kit: Any) -> None:
    """Entries for other users mean that the endpoint answers another question: nothing of it is filed."""
    world.platform.answer = lambda request: AdditionalInfo(
        users=(*users_of(request), UserInfo(id="u9", type_id="user")), media=media_of(request)
    )
    key = world.decided(kit.kept(1))
    world.work()
    assert "answer.users[1]: is about a user whom nobody asked about" in world.case(key).delay
    assert "u9" not in world.case(key).delay
    assert nothing_was_filed(world, key)


def test_what_is_missing_at_the_platform_is_noted_and_the_rest_is_filed(world: Any, kit: Any) -> None:
    """Of two files one is gone: the other is reported, the report says what is missing, and only the rest is preserved."""
    world.platform.answer = lambda request: AdditionalInfo(
        users=users_of(request), media=media_of(request, kit.image(2))
    )
    key = world.decided(kit.kept(1), kit.kept(2))
    world.pass_time(seconds=30)
    filing = world.submission(key).submission.filing
    assert len(filing.files) == 1
    assert "image m2: the platform says that it is gone" in filing.report.additional_info
    [(_, notice)] = world.platform.preserved
    assert notice.reported_media == (kit.image(1),)


def test_where_all_is_missing_nothing_is_filed_until_a_person_says_so(world: Any, kit: Any) -> None:
    """It is blocked, the host hears of it, the platform is asked no more; a person can have it tried again."""
    world.platform.answer = lambda request: AdditionalInfo(
        users=users_of(request), media=media_of(request, kit.image(1))
    )
    key = world.decided(kit.kept(1))
    world.pass_time(hours=5)
    assert nothing_was_filed(world, key)
    assert (world.case(key).stage, world.storage.head(key).due_at) == ("blocked", None)
    assert world.case(key).reasons == ("all 1 pieces of media are missing: there is nothing left to file",)
    assert [str(event.kind) for _, event in world.platform.told] == ["case.needs_human"]
    assert len(world.platform.asked) == 1
    world.platform.answer = nothing_known
    world.run(retry(world.office, key, reviewer=kit.ANN, reason="it was found"))
    world.pass_time(seconds=30)
    assert world.states() == ["finished"]
    assert len(dict(world.platform.asked)) == 2, "another decision is another question"


# -- what is asked, and what becomes of the answer ------------------------------------------------------------------------


def test_the_platform_is_asked_about_everybody_whom_the_report_names(world: Any, kit: Any) -> None:
    """The user, victims and recipients who are users of the platform, and the files that are reported: nobody else."""
    victim = Victim(victim_person=Person(first_name="Invented"), esp_identifier=kit.OTHER.id)
    stranger = Victim(victim_person=Person(first_name="Invented"), esp_identifier="nobody that a signal names")
    key = world.receive(kit.signal(kit.kept(1), kit.kept(2), victims=(kit.OTHER, UserRef(id="u3", type_id="user"))))
    world.work()
    world.decide(key, kit.decision(1, left_out=(2,), victims=(victim, stranger)))
    world.work()
    [(id, request)] = world.platform.asked
    assert request == AdditionalInfoRequest(users=(kit.USER, kit.OTHER), media=(kit.image(1),))
    assert id.replace("-", "").replace("_", "").isalnum()


def test_a_report_about_many_users_asks_about_them_and_takes_no_more_files(world: Any, kit: Any) -> None:
    """A batched report has one file at the most: what the platform adds has no place in it."""
    added = (AdditionalFile(url="https://media.example/f"),)
    world.platform.answer = lambda request: attrs.evolve(nothing_known(request), additional_files=added)
    key = world.receive(kit.signal(kit.kept(1)))
    world.work()
    decided = kit.decision(
        1,
        batched=BatchedReportReason.VIRAL_POTENTIAL_MEME,
        batched_users=(kit.OTHER,),
        additional_info=None,
    )
    decided = attrs.evolve(decided, media=(attrs.evolve(decided.media[0], annotations=FileAnnotations(viral=True)),))
    world.decide(key, decided)
    world.pass_time(seconds=30)
    assert world.case(key).stage == "reported", world.case(key).reasons
    assert world.platform.asked[0][1].users == (kit.USER, kit.OTHER)
    assert world.platform.fetched == []


def test_a_report_of_words_alone_is_filed_with_its_transcripts(any_world: Any, kit: Any) -> None:
    """In each colour: no media at all, one conversation, in lines and as a table."""
    world = any_world
    key = world.receive(kit.signal(threads=(kit.THREAD,)))
    world.work()
    world.decide(key, kit.decision(additional_info=None, **kit.conversation()))
    world.pass_time(seconds=30)
    assert world.states() == ["finished"]
    files = world.submission(key).submission.filing.files
    assert [file.name for file in files] == ["t1.jsonl", "t1.csv"]
    assert b"text 2" in world.evidence.kept[files[0].evidence]
    assert world.platform.preserved[0][1].reported_media == ()


@pytest.mark.parametrize(
    ("conversations", "why"),
    [
        (None, "the desk has nothing that returns messages: give it `conversations`"),
        (lambda thread, ids: (), "decision.threads[0]: names 2 messages, of which 2 are absent [absent]"),
        (lambda thread, ids: 1 / 0, "the function that returns messages failed (ZeroDivisionError)"),
    ],
    ids=["no function", "other messages", "a function that fails"],
)
def test_a_conversation_that_cannot_be_had_is_a_delay(world: Any, kit: Any, conversations: Any, why: str) -> None:
    """A report about a conversation is never filed without it, or with half of it."""
    world.parts["conversations"] = conversations
    key = world.decided(kit.kept(1), **kit.conversation())
    world.work()
    assert world.case(key).delay == why
    assert nothing_was_filed(world, key)


def test_files_that_the_platform_adds_are_kept_under_names_of_their_own(world: Any, kit: Any) -> None:
    """Two that are called the same, one of them by a path, have safe and different names; their words go along."""
    names = ("../evidence.PDF", "../evidence.PDF", None)
    files = tuple(
        AdditionalFile(url=f"https://media.example/{index}", file_name=name, additional_infos=("Supporting",))
        for index, name in enumerate(names)
    )
    world.platform.files |= {file.url: f"synthetic {file.url}".encode() for file in files}
    world.platform.answer = lambda request: attrs.evolve(nothing_known(request), additional_files=files)
    key = world.decided(kit.kept(1))
    world.work()
    kept = world.case(key).enriched.attachments
    assert [one.additional_infos for one in kept] == [("Supporting",)] * 3
    assert len({one.name for one in kept}) == 3
    assert all("/" not in one.name for one in kept)
    assert [one.name.rpartition(".")[2] for one in kept[:2]] == ["pdf", "pdf"]
    for one in kept:
        assert (one.size, one.sha256, one.md5) == kit.digests(world.evidence.kept[one.evidence])


def test_a_file_that_the_platform_adds_and_does_not_give_is_waited_for(world: Any, kit: Any) -> None:
    """It is named by its place in the answer, never by its address."""
    added = (AdditionalFile(url="https://media.example/f?token=do-not-tell"),)
    world.platform.answer = lambda request: attrs.evolve(nothing_known(request), additional_files=added)
    world.platform.fails["fetch"] = DOWN
    key = world.decided(kit.kept(1))
    world.work()
    assert world.case(key).delay.startswith("answer.additionalFiles[0]: additional info: answered HTTP 503")
    assert "token" not in world.case(key).delay
    assert nothing_was_filed(world, key)


def test_earlier_reports_of_the_user_are_named(world: Any, kit: Any) -> None:
    """A follow-up case says what was reported before; another user's reports are none of its business."""
    first = world.decided(kit.kept(1))
    world.pass_time(seconds=30)
    other = world.receive(kit.signal(kit.kept(3), number=3, creator=kit.OTHER))
    world.work()
    world.decide(other, kit.decision(3))
    world.pass_time(seconds=30)
    second = world.receive(kit.signal(kit.kept(2), number=2))
    world.work()
    world.decide(second, kit.decision(2))
    world.pass_time(seconds=30)
    assert second != first
    assert world.case(second).predecessor == first
    assert world.case(second).enriched.prior_reports == (world.case(first).report_id,)
    [user] = world.submission(second).submission.filing.report.persons_or_users_reported
    assert user.prior_ct_reports == (world.case(first).report_id,)


def test_the_answer_is_recorded_as_it_came_without_addresses_of_ours(world: Any, kit: Any) -> None:
    """What the filing is made of is in the journal: the answer, and the organisation but for its endpoints."""
    key = world.decided(kit.kept(1))
    world.work()
    recorded = world.case(key).enriched
    request = world.platform.asked[0][1]
    assert json.loads(recorded.answer) == nothing_known(request).as_json()
    assert (recorded.profile.preservation_url, recorded.profile.company_name) == (None, "Example")


def test_a_decision_that_was_taken_back_meanwhile_is_not_filed(world: Any, kit: Any) -> None:
    """The answer to a question that nobody asks any more is of no use: the case is to be decided again."""
    key = world.decided(kit.kept(1))

    def late(request: AdditionalInfoRequest) -> AdditionalInfo:
        world.run(take_back(world.office, key, reviewer=kit.ANN, reason="a second thought"))
        return nothing_known(request)

    world.platform.answer = late
    world.work()
    assert (world.case(key).stage, world.storage.head(key).due_at) == ("returned", None)
    assert "enriched" not in world.kinds(key)
    assert nothing_was_filed(world, key)


@pytest.mark.parametrize("status", [401, 404, 302])
def test_what_repetition_cannot_mend_calls_a_person_at_once(world: Any, kit: Any, status: int) -> None:
    """A report waits for it: nobody should wait an hour to hear of a key that was withdrawn. It is tried all the same."""
    world.platform.fails["ask"] = WebhookDeclined(endpoint="additional info", reason="no", status=status)
    key = world.decided(kit.kept(1))
    world.pass_time(seconds=60)
    assert [str(event.kind) for _, event in world.platform.told] == ["case.needs_human"]
    world.platform.fails.clear()
    world.pass_time(seconds=300)
    assert world.case(key).stage == "reported"

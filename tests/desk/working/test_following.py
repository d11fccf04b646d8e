"""What platform and host are told after a report comes through in the end, and never touches the report."""

import pickle
from datetime import timedelta
from typing import Any

import pytest

from cybertip.desk.following import follow, resend
from cybertip.ports.storage import Letter
from cybertip.webhooks.failures import WebhookDeclined, WebhookError, WebhookNotSent, WebhookUnanswered

DOWN = WebhookDeclined(endpoint="preservation", reason="answered HTTP 503", status=503)
FORBIDDEN = WebhookDeclined(endpoint="preservation", reason="answered HTTP 403", status=403)
HOURS_6 = timedelta(hours=6)


def reported(world: Any, kit: Any, **fails: WebhookError) -> str:
    """Return the key of a case whose report is finished, and whose letters nobody has taken yet."""
    key: str = world.decided(kit.kept(1))
    world.platform.fails |= fails
    world.work()
    world.courier.run_due()
    world.clock.advance(timedelta(seconds=2))
    world.work()
    assert world.case(key).stage == "reported"
    return key


def test_an_endpoint_that_fails_for_hours_changes_nothing_about_the_report(any_world: Any, kit: Any) -> None:
    """In each colour: the report stays finished, the case shows what is overdue, and when it is back it is told."""
    world = any_world
    key = reported(world, kit, preserve=DOWN)
    before = world.storage.read(f"{key}/report"), world.ncmec.reports(), world.case(key).report_id
    world.pass_time(hours=30, step=timedelta(minutes=20))
    case = world.case(key)
    assert (world.storage.read(f"{key}/report"), world.ncmec.reports(), case.report_id) == before
    assert (case.stage, case.preserved) == ("reported", False)
    assert case.overdue["preservation"].startswith("preservation: answered HTTP 503")
    assert world.kinds(key).count("overdue") == 1
    assert "overdue" in world.storage.head(key).tags
    assert len(world.letters()) == 1
    world.platform.fails.clear()
    world.pass_time(hours=6, step=timedelta(minutes=20))
    case = world.case(key)
    assert (case.preserved, case.overdue, world.letters()) == (True, {}, [])
    assert "overdue" not in world.storage.head(key).tags
    assert [str(event.kind) for _, event in world.platform.told] == ["case.filed", "case.preserved"]


def test_pauses_grow_to_six_hours_and_then_it_is_overdue(world: Any, kit: Any) -> None:
    """Ten tries take an hour and a half; after that it comes up four times a day, for ever."""
    key = reported(world, kit, preserve=DOWN)
    pauses = []
    for _ in range(14):
        world.follow()
        [letter] = world.letters()
        pauses.append(letter.due_at - world.clock.now())
        world.clock.advance(pauses[-1])
    assert pauses[:9] == [timedelta(seconds=5 * 2**number) for number in range(9)]
    assert pauses[9:] == [HOURS_6] * 5
    assert world.kinds(key).count("overdue") == 1


@pytest.mark.parametrize(
    "failure",
    [
        FORBIDDEN,
        WebhookDeclined(endpoint="preservation", reason="answered HTTP 302, a redirect", status=302),
        WebhookNotSent(endpoint="preservation", reason="its signer gave no signature", for_good=True),
    ],
    ids=["403", "302", "unsigned"],
)
def test_what_repetition_cannot_mend_is_overdue_at_once(world: Any, kit: Any, failure: WebhookError) -> None:
    """A person has to see to it; meanwhile it is not dropped, and not hammered at."""
    key = reported(world, kit, preserve=failure)
    world.follow()
    assert list(world.case(key).overdue) == ["preservation"]
    [letter] = world.letters()
    assert letter.due_at - world.clock.now() == HOURS_6


@pytest.mark.parametrize(
    "failure",
    [
        *(WebhookDeclined(endpoint="preservation", reason="no", status=status) for status in (408, 425, 429, 500, 503)),
        WebhookNotSent(endpoint="preservation", reason="no connection could be made"),
        WebhookUnanswered(endpoint="preservation", reason="no whole answer came in time"),
    ],
    ids=lambda failure: f"{type(failure).__name__} {getattr(failure, 'status', '')}",
)
def test_what_passes_by_itself_is_tried_again_soon(world: Any, kit: Any, failure: WebhookError) -> None:
    """One failure is no reason to call anybody."""
    key = reported(world, kit, preserve=failure)
    world.follow()
    assert world.case(key).overdue == {}
    [letter] = world.letters()
    assert letter.due_at - world.clock.now() == timedelta(seconds=5)


@pytest.mark.parametrize(("asked", "waits"), [(0.5, 5.0), (600.0, 600.0), (1e12, 6 * 3600.0)])
def test_an_answer_that_asks_for_patience_gets_it_within_bounds(
    world: Any, kit: Any, asked: float, waits: float
) -> None:
    """A Retry-After is the least that is waited, up to six hours."""
    reported(
        world,
        kit,
        preserve=WebhookDeclined(endpoint="preservation", reason="no", status=429, retry_after_for=asked),
    )
    world.follow()
    [letter] = world.letters()
    assert (letter.due_at - world.clock.now()).total_seconds() == waits


def test_a_person_has_it_sent_now(world: Any, kit: Any) -> None:
    """What is overdue is tried at once, and only that; a report that is finished stays as it is."""
    key = reported(world, kit, preserve=FORBIDDEN, notify=DOWN)
    world.follow()
    world.platform.fails.clear()
    waiting = {letter.id: letter.due_at for letter in world.letters()}
    world.run(resend(world.office, key))
    now = world.clock.now()
    assert {letter.id for letter in world.letters() if letter.due_at <= now} == {
        id for id in waiting if id.endswith("/preservation")
    }
    world.follow()
    assert (world.case(key).preserved, world.case(key).overdue) == (True, {})
    assert world.storage.head(key).due_at is None, "there is nothing to do for a worker"
    # There is nothing left to resend, and asking for it does nothing.
    world.run(resend(world.office, key))


def test_the_same_letter_says_the_same_however_late(world: Any, kit: Any) -> None:
    """A receiver tells a repetition by its id, and finds the same in it: the time of the event, not of the sending."""
    key = world.decided(kit.kept(1))
    heard = []
    notify = world.platform.notify

    def lost(event: Any, *, id: str) -> None:
        heard.append((id, event))
        raise WebhookUnanswered(endpoint="case event", reason="no whole answer came in time")

    world.platform.notify = lost
    world.pass_time(hours=2)
    world.platform.notify = notify
    world.pass_time(hours=8)
    filed = [one for one in (*heard, *world.platform.told) if str(one[1].kind) == "case.filed"]
    assert len(filed) > 5
    assert len(set(filed)) == 1
    [(id, event), *_] = filed
    assert (event.case, event.report_id) == (key, world.case(key).report_id)
    assert id.replace("-", "").isalnum()


def test_what_is_recorded_as_told_is_not_told_again(world: Any, kit: Any) -> None:
    """A worker that died before it had settled the letter leaves a letter, and no second request."""
    key = reported(world, kit)
    [letter] = [one for one in world.letters() if one.id.endswith("/preservation")]
    world.follow()
    world.storage._letters[letter.id] = letter
    world.follow()
    assert len(world.platform.preserved) == 1
    assert (world.kinds(key).count("preserved"), letter.id in world.storage._letters) == (1, False)


def test_two_who_tell_the_same_record_it_once(world: Any, kit: Any) -> None:
    """An endpoint that takes longer than a letter is hidden hears it twice, by one id; the case has it once."""
    key = reported(world, kit)
    [letter] = [one for one in world.letters() if one.id.endswith("/preservation")]
    preserve = world.platform.preserve

    def slow(notice: Any, *, id: str) -> None:
        world.platform.preserve = preserve
        world.run(follow(world.office, letter))
        preserve(notice, id=id)

    world.platform.preserve = slow
    world.run(follow(world.office, letter))
    assert len(world.platform.preserved) == 2
    assert len(set(world.platform.preserved)) == 1
    assert world.kinds(key).count("preserved") == 1


def test_a_letter_says_nothing_but_the_case_and_the_kind(world: Any, kit: Any) -> None:
    """Whoever reads the outbox learns nothing: no user, no file, no number."""
    reported(world, kit)
    for letter in world.letters():
        assert set(letter.data.replace('"', "").strip("{}").split(",")) == {
            f"case:{letter.key}",
            f"kind:{letter.id.rpartition('/')[2]}",
        }


def test_a_letter_of_a_case_that_cannot_be_read_is_kept(world: Any, kit: Any) -> None:
    """It may be a newer program's: it comes up again slowly, and is nobody's to drop."""
    letter = Letter(
        id="case/unknown/000001/3/case.filed", key="k", topic=world.office.event_topic, data="{}", due_at=kit.NOW
    )
    world.storage._letters[letter.id] = letter
    world.run(follow(world.office, letter))
    [left] = world.letters()
    assert left.due_at == kit.NOW + HOURS_6


def test_a_desk_without_webhooks_shows_what_it_cannot_tell(world: Any, kit: Any) -> None:
    """The organisation has endpoints, and the desk nothing to call them with: a person has to see it."""
    key = reported(world, kit)
    world.parts["webhooks"] = None
    world.follow()
    assert world.case(key).overdue == dict.fromkeys(("preservation", "case.filed"), "the desk has no webhooks")


def test_an_error_that_no_repetition_mends_survives_pickling() -> None:
    """Workers in other processes hand it on as it is."""
    error = WebhookNotSent(endpoint="preservation", reason="no such endpoint is set", for_good=True)
    assert pickle.loads(pickle.dumps(error)).for_good
    assert not WebhookNotSent(endpoint="preservation", reason="no connection could be made").for_good

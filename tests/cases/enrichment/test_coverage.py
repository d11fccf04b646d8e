"""An answer is filed with only if it covers what was asked; what it lacks is said exactly."""

from hypothesis import given, strategies as st

from cybertip.cases.enrichment import (
    AdditionalInfo,
    AdditionalInfoRequest,
    AllMissing,
    Enriched,
    MediaInfo,
    MessageInfo,
    Uncovered,
    UserInfo,
    nothing_known,
    reconcile,
)
from cybertip.cases.references import ItemRef, UserRef

USER = UserRef(id="u1", type_id="user")
IMAGE, VIDEO = ItemRef(id="m1", type_id="image"), ItemRef(id="m2", type_id="video")


def about(*users: UserRef) -> tuple[UserInfo, ...]:
    """Return an entry for each user."""
    return tuple(UserInfo(id=one.id, type_id=one.type_id) for one in users)


def media(*items: ItemRef, missing: bool = False) -> tuple[MediaInfo, ...]:
    """Return an entry for each item."""
    return tuple(MediaInfo(id=one.id, type_id=one.type_id, missing=missing) for one in items)


def test_an_answer_with_everything_is_filed_with() -> None:
    """Each entry is found by what it is about, in the order of the request."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, VIDEO))
    found = reconcile(request, AdditionalInfo(users=about(USER), media=media(VIDEO, IMAGE)))
    assert isinstance(found, Enriched)
    assert list(found.media) == [IMAGE, VIDEO]
    assert found.users[USER].ref == USER
    assert (found.missing, found.findings) == ((), ())


def test_some_missing_is_noted_and_the_rest_is_filed() -> None:
    """What is gone is not among the media, and the reviewer is told which entry said so."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, VIDEO))
    answer = AdditionalInfo(users=about(USER), media=(*media(IMAGE, missing=True), *media(VIDEO)))
    found = reconcile(request, answer)
    assert isinstance(found, Enriched)
    assert (list(found.media), found.missing) == ([VIDEO], (IMAGE,))
    assert [(one.rule, one.path) for one in found.findings] == [("missing", "media[0]")]


def test_all_missing_is_for_good() -> None:
    """Where all the media that was asked about is gone there is no report."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, VIDEO, IMAGE))
    found = reconcile(request, AdditionalInfo(users=about(USER), media=media(IMAGE, VIDEO, missing=True)))
    assert found == AllMissing(media=(IMAGE, VIDEO))
    assert "nothing left to file" in str(found)


def test_an_empty_answer_to_an_empty_request_is_not_all_missing() -> None:
    """A text-only case asks about no media, and nothing is missing."""
    found = reconcile(AdditionalInfoRequest(users=(USER,)), AdditionalInfo(users=about(USER)))
    assert isinstance(found, Enriched)
    # Nor do entries about other media make it so.
    found = reconcile(
        AdditionalInfoRequest(users=(USER,)), AdditionalInfo(users=about(USER), media=media(IMAGE, missing=True))
    )
    assert isinstance(found, Enriched)
    assert [one.rule for one in found.findings] == ["unasked"]


def test_an_absent_entry_keeps_everything_from_being_filed() -> None:
    """An entry is absent unless id and typeId are those that were asked for; each absent one is named by its place."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, VIDEO))
    other_type = ItemRef(id="m2", type_id="image")
    found = reconcile(request, AdditionalInfo(users=(), media=media(IMAGE, other_type)))
    assert isinstance(found, Uncovered)
    assert (found.absent_users, found.absent_media) == ((USER,), (VIDEO,))
    assert [str(one) for one in found.violations] == [
        "request.users[0]: has no entry in the answer [absent]",
        "request.media[1]: has no entry in the answer [absent]",
    ]


def test_absent_media_is_not_missing_media() -> None:
    """An answer that forgets one of two, the other being gone, has to be asked for again."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, VIDEO))
    found = reconcile(request, AdditionalInfo(users=about(USER), media=media(IMAGE, missing=True)))
    assert isinstance(found, Uncovered)


def test_an_entry_about_somebody_else_keeps_everything_from_being_filed() -> None:
    """A user nobody asked about could be anybody: the entry is named, and nobody's data goes into a report by mistake."""
    stranger = UserRef(id="canary", type_id="user")
    found = reconcile(AdditionalInfoRequest(users=(USER,)), AdditionalInfo(users=about(USER, stranger)))
    assert isinstance(found, Uncovered)
    assert [(one.path, one.rule) for one in found.violations] == [("answer.users[1]", "stranger")]
    assert "canary" not in str(found)


def test_entries_that_contradict_each_other_are_named() -> None:
    """Two entries about one thing are one, unless they differ: then nobody knows which is right."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE,))
    twice = AdditionalInfo(users=about(USER, USER), media=media(IMAGE, IMAGE))
    assert isinstance(reconcile(request, twice), Enriched)
    differing = AdditionalInfo(users=about(USER), media=(*media(IMAGE), *media(IMAGE, missing=True)))
    found = reconcile(request, differing)
    assert isinstance(found, Uncovered)
    assert [(one.path, one.rule) for one in found.violations] == [("answer.media[1]", "contradiction")]


def test_addresses_of_messages_are_found_by_message() -> None:
    """Of two addresses of one message the first counts, and the reviewer is told."""
    one, other = (MessageInfo(id="1", type_id="message", ip_address=ip) for ip in ("192.0.2.1", "192.0.2.2"))
    found = reconcile(AdditionalInfoRequest(), AdditionalInfo(users=(), messages=(one, one, other)))
    assert isinstance(found, Enriched)
    assert found.message_addresses == {ItemRef(id="1", type_id="message"): "192.0.2.1"}
    assert [(one.rule, one.path) for one in found.findings] == [("contradiction", "messages[2]")]


refs = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y"])), max_size=6)
Refs = list[tuple[str, str]]


@given(refs, refs, refs, refs, st.booleans())
def test_what_is_absent_is_said_exactly(
    users: Refs, items: Refs, known_users: Refs, known_items: Refs, missing: bool
) -> None:
    """Whatever is asked and answered: it is enough if and only if nothing is absent and nobody is a stranger."""
    request = AdditionalInfoRequest(
        users=tuple(UserRef(id=id, type_id=type_id) for id, type_id in users),
        media=tuple(ItemRef(id=id, type_id=type_id) for id, type_id in items),
    )
    answer = AdditionalInfo(
        users=tuple(UserInfo(id=id, type_id=type_id) for id, type_id in known_users),
        media=tuple(MediaInfo(id=id, type_id=type_id, missing=missing) for id, type_id in known_items),
    )
    found = reconcile(request, answer)
    absent_users, absent_items = set(users) - set(known_users), set(items) - set(known_items)
    strangers = set(known_users) - set(users)
    match found:
        case Uncovered():
            assert absent_users or absent_items or strangers
            assert {(one.id, one.type_id) for one in found.absent_users} == absent_users
            assert {(one.id, one.type_id) for one in found.absent_media} == absent_items
        case AllMissing():
            assert missing
            assert items
        case Enriched():
            assert not absent_users | absent_items | strangers
            assert set(found.media) == (set() if missing else set(request.media))
            assert not missing or not items


def test_no_endpoint_is_always_enough() -> None:
    """The answer of a platform without an endpoint covers every request."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, VIDEO))
    assert isinstance(reconcile(request, nothing_known(request)), Enriched)

"""The answer to the additional-info call is read as the contract says, and what is wrong with it is named by its path."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.cases.enrichment import (
    AdditionalFile,
    AdditionalInfo,
    AdditionalInfoRequest,
    MediaHash,
    MediaInfo,
    MessageInfo,
    UserInfo,
    nothing_known,
)
from cybertip.cases.references import ItemRef, UserRef
from cybertip.errors import InvalidReport
from cybertip.filing.manifest import canonical
from cybertip.model import Email, EmailType, IpCaptureEvent, IpCaptureType

EVENT = {
    "ipAddress": "192.0.2.1",
    "eventName": "Upload",
    "dateTime": "2025-01-01T00:00:00Z",
    "possibleProxy": False,
    "port": 443,
}
#: The contract's own example, with an item in every list.
ANSWER: dict[str, Any] = {
    "users": [
        {
            "id": "u1",
            "typeId": "user",
            "screenName": "invented",
            "email": [
                {
                    "email": "user@example.com",
                    "type": "Home",
                    "verified": True,
                    "verificationDate": "2025-01-01T00:00:00Z",
                }
            ],
            "ipCaptureEvent": [EVENT],
            "data": {"any": ["thing"]},
        }
    ],
    "media": [
        {
            "id": "m1",
            "typeId": "image",
            "missing": False,
            "publiclyAvailable": True,
            "fileName": "image.jpg",
            "additionalInfo": ["text"],
            "ipCaptureEvent": [{"ipAddress": "2001:db8::1"}],
            "fileDetails": {"hash": "ab" * 32, "hashType": "PDQ"},
        }
    ],
    "additionalFiles": [
        {"fileUrl": "https://platform.example/file.pdf", "fileName": "evidence.pdf", "additionalInfo": ["Supporting"]}
    ],
    "messages": [{"id": "msg1", "typeId": "message", "ipAddress": "192.0.2.1"}],
    "additionalInfo": "text",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the answer with another value at a path such as `users.0.email`; None takes the key away."""
    answer = copy.deepcopy(ANSWER)
    place: Any = answer
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return answer


def test_every_documented_field_is_read() -> None:
    """Nothing that the contract documents is passed over."""
    answer = AdditionalInfo.from_json(json.dumps(ANSWER))
    (user,), (media,), (file,), (message,) = answer.users, answer.media, answer.additional_files, answer.messages
    at = datetime(2025, 1, 1, tzinfo=UTC)
    event = IpCaptureEvent(
        ip_address="192.0.2.1", event_name=IpCaptureType.UPLOAD, date_time=at, possible_proxy=False, port=443
    )
    assert user.ref == UserRef(id="u1", type_id="user")
    assert user.screen_name == "invented"
    assert user.emails == (Email(value="user@example.com", type=EmailType.HOME, verified=True, verification_date=at),)
    assert user.ip_capture_events == (event,)
    assert user.data == {"any": ["thing"]}
    assert media.ref == ItemRef(id="m1", type_id="image")
    assert (media.missing, media.publicly_available, media.file_name) == (False, True, "image.jpg")
    assert media.additional_infos == ("text",)
    assert media.ip_capture_events == (IpCaptureEvent(ip_address="2001:db8::1"),)
    assert media.hash is not None
    assert (media.hash.value, media.hash.type) == ("ab" * 32, "PDQ")
    assert (file.url, file.file_name) == ("https://platform.example/file.pdf", "evidence.pdf")
    assert file.additional_infos == ("Supporting",)
    assert (message.ref, message.ip_address) == (ItemRef(id="msg1", type_id="message"), "192.0.2.1")
    assert answer.additional_info == "text"


def test_what_is_left_out_says_nothing() -> None:
    """Everything but the identifiers may be left out, and then nothing is claimed: not even that media is not public."""
    answer = AdditionalInfo.from_json(
        {"users": [{"id": "u1", "typeId": "user"}], "media": [{"id": "m1", "typeId": "image"}]}
    )
    assert answer == AdditionalInfo(
        users=(UserInfo(id="u1", type_id="user"),), media=(MediaInfo(id="m1", type_id="image"),)
    )
    assert answer.media[0].publicly_available is None
    assert answer.users[0].screen_name is None


def _with_unknown_keys(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {"new": {"deep": 1}, "zz": None} | {key: _with_unknown_keys(value) for key, value in plain.items()}
    return [_with_unknown_keys(one) for one in plain] if isinstance(plain, list) else plain


def test_unknown_keys_are_passed_over_everywhere() -> None:
    """An endpoint may say more than we know, at every level."""
    more = _with_unknown_keys(ANSWER)
    more["users"][0]["data"] = ANSWER["users"][0]["data"]
    assert AdditionalInfo.from_json(more) == AdditionalInfo.from_json(ANSWER)


@pytest.mark.parametrize(
    ("path", "value", "named", "rule"),
    [
        ("users", None, "answer.users", "required"),
        ("users", {}, "answer.users", "type"),
        ("users.0", "canary", "answer.users[0]", "type"),
        ("users.0.id", None, "answer.users[0].id", "required"),
        ("users.0.id", 17, "answer.users[0].id", "type"),
        ("users.0.id", "", "answer.users[0].id", "identifier"),
        ("users.0.typeId", None, "answer.users[0].typeId", "required"),
        ("users.0.screenName", ["canary"], "answer.users[0].screenName", "type"),
        ("users.0.email", "canary@example.com", "answer.users[0].email", "type"),
        ("users.0.email.0", "canary@example.com", "answer.users[0].email[0]", "type"),
        ("users.0.email.0.email", None, "answer.users[0].email[0].email", "required"),
        ("users.0.email.0.type", "canary", "answer.users[0].email[0].type", "type"),
        ("users.0.email.0.verified", "true", "answer.users[0].email[0].verified", "type"),
        ("users.0.email.0.verificationDate", "2025-01-01", "answer.users[0].email[0].verificationDate", "type"),
        ("users.0.ipCaptureEvent.0.ipAddress", None, "answer.users[0].ipCaptureEvent[0].ipAddress", "required"),
        ("users.0.ipCaptureEvent.0.ipAddress", "canary", "answer.users[0].ipCaptureEvent[0].ipAddress", "ip"),
        ("users.0.ipCaptureEvent.0.ipAddress", "192.0.2.0/24", "answer.users[0].ipCaptureEvent[0].ipAddress", "ip"),
        ("users.0.ipCaptureEvent.0.eventName", "canary", "answer.users[0].ipCaptureEvent[0].eventName", "type"),
        ("users.0.ipCaptureEvent.0.dateTime", "2025-01-01T00:00:00", "answer.users[0].ipCaptureEvent[0].dateTime", "type"),
        ("users.0.ipCaptureEvent.0.dateTime", 1735689600, "answer.users[0].ipCaptureEvent[0].dateTime", "type"),
        ("users.0.ipCaptureEvent.0.possibleProxy", 1, "answer.users[0].ipCaptureEvent[0].possibleProxy", "type"),
        ("users.0.ipCaptureEvent.0.port", "443", "answer.users[0].ipCaptureEvent[0].port", "type"),
        ("users.0.ipCaptureEvent.0.port", 0, "answer.users[0].ipCaptureEvent[0].port", "range"),
        ("users.0.data", "canary", "answer.users[0].data", "type"),
        ("media.0.missing", "canary", "answer.media[0].missing", "type"),
        ("media.0.publiclyAvailable", "canary", "answer.media[0].publiclyAvailable", "type"),
        ("media.0.fileName", 1, "answer.media[0].fileName", "type"),
        ("media.0.additionalInfo", "canary", "answer.media[0].additionalInfo", "type"),
        ("media.0.additionalInfo.0", 1, "answer.media[0].additionalInfo[0]", "type"),
        ("media.0.fileDetails", "canary", "answer.media[0].fileDetails", "type"),
        ("media.0.fileDetails.hash", None, "answer.media[0].fileDetails.hash", "required"),
        ("media.0.fileDetails.hashType", "", "answer.media[0].fileDetails.hashType", "identifier"),
        ("additionalFiles.0.fileUrl", None, "answer.additionalFiles[0].fileUrl", "required"),
        ("messages.0.ipAddress", "canary", "answer.messages[0].ipAddress", "ip"),
        ("additionalInfo", ["canary"], "answer.additionalInfo", "type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(path: str, value: Any, named: str, rule: str) -> None:
    """A wrong type, a time without an offset or an address that is none is named as the JSON has it, without its value."""
    with pytest.raises(InvalidReport) as refused:
        AdditionalInfo.from_json(changed(path, value))
    assert [(one.path, one.rule) for one in refused.value.violations] == [(named, rule)]
    assert "canary" not in str(refused.value)


def test_null_is_no_value() -> None:
    """What is not known is left out: `null` is a type that the contract does not have."""
    answer = copy.deepcopy(ANSWER)
    answer["users"][0]["screenName"] = None
    with pytest.raises(InvalidReport, match=r"users\[0\]\.screenName: must be text"):
        AdditionalInfo.from_json(answer)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Whoever builds an endpoint mends it in one go."""
    answer = changed("users.0.screenName", 1)
    answer["media"][0]["missing"] = 0
    answer["messages"][0]["ipAddress"] = "none"
    with pytest.raises(InvalidReport) as refused:
        AdditionalInfo.from_json(answer)
    assert [one.path for one in refused.value.violations] == [
        "answer.users[0].screenName",
        "answer.media[0].missing",
        "answer.messages[0].ipAddress",
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", "json"),
        ("", "json"),
        ("[]", "type"),
        ('"text"', "type"),
        ('{"users": [], "users": []}', "json"),
        ('{"users": [], "additionalInfo": NaN}', "json"),
        ("[" * 100_000, "json"),
    ],
)
def test_what_is_no_object_of_json_is_refused(text: str, rule: str) -> None:
    """A sign-in page, nothing at all, or a list is told apart from an answer."""
    with pytest.raises(InvalidReport) as refused:
        AdditionalInfo.from_json(text)
    assert refused.value.violations[0].rule == rule


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2025-01-01T00:00:00.123Z", 123000),
        ("2025-01-01T00:00:00.123456789Z", 123456),
        ("2025-01-01T01:00:00+01:00", 0),
    ],
)
def test_times_of_other_programs_are_read(text: str, microsecond: int) -> None:
    """Milliseconds of JavaScript and nanoseconds of Go are times, in whatever zone."""
    answer = AdditionalInfo.from_json(changed("users.0.ipCaptureEvent.0.dateTime", text))
    assert answer.users[0].ip_capture_events[0].date_time == datetime(2025, 1, 1, microsecond=microsecond, tzinfo=UTC)


def read(value: object) -> tuple[AdditionalInfo | None, list[str]]:
    """Read an answer, or say which paths were refused."""
    try:
        return AdditionalInfo.from_json(json.dumps(value)), []
    except InvalidReport as refused:
        return None, [one.path for one in refused.violations]


def _zone(offset: timedelta) -> timezone:
    return timezone(offset - offset % timedelta(minutes=1))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({*ANSWER, *ANSWER["users"][0], *ANSWER["media"][0], *EVENT})), inner)
    ),
    max_leaves=20,
)


@given(plain)
def test_whatever_is_answered_is_read_or_refused(value: Any) -> None:
    """No answer, however strange, ends in anything but values or a named refusal."""
    answer, named = read(value)
    assert (answer is None) == bool(named)
    assert all(path.startswith("answer") for path in named)


@given(
    st.sampled_from(
        ["users.0.id", "users.0.email.0.email", "media.0.fileName", "messages.0.ipAddress", "additionalInfo"]
    ),
    plain,
)
def test_a_strange_value_is_read_or_named(path: str, value: Any) -> None:
    """One strange value in a sound answer is taken as it is, or named by its own path."""
    if value is None:
        return
    answer, named = read(changed(path, value))
    assert (answer is None) == bool(named)
    assert set(named) <= {"answer." + path.replace(".0.", "[0].")}


def test_an_answer_is_written_as_the_contract_spells_it() -> None:
    """What was read is written again, key by key; only times may be spelled otherwise."""
    found = json.dumps(AdditionalInfo.from_json(ANSWER).as_json(), sort_keys=True)
    assert found.replace("+00:00", "Z") == json.dumps(ANSWER, sort_keys=True)


sound = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
texts = st.lists(sound, max_size=2).map(tuple)
at = st.datetimes(timezones=st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(_zone))
events = st.lists(
    st.builds(
        IpCaptureEvent,
        ip_address=st.ip_addresses().map(str),
        event_name=st.none() | st.sampled_from(IpCaptureType),
        date_time=st.none() | at,
        possible_proxy=st.none() | st.booleans(),
        port=st.none() | st.integers(1, 65535),
    ),
    max_size=2,
).map(tuple)
emails = st.lists(
    st.builds(
        Email,
        value=sound,
        type=st.none() | st.sampled_from(EmailType),
        verified=st.none() | st.booleans(),
        verification_date=st.none() | at,
    ),
    max_size=2,
).map(tuple)
answers = st.builds(
    AdditionalInfo,
    users=st.lists(
        st.builds(
            UserInfo,
            id=sound,
            type_id=sound,
            screen_name=st.none() | sound,
            emails=emails,
            ip_capture_events=events,
            data=st.dictionaries(sound, plain, max_size=2),
        ),
        max_size=2,
    ),
    media=st.lists(
        st.builds(
            MediaInfo,
            id=sound,
            type_id=sound,
            missing=st.booleans(),
            publicly_available=st.none() | st.booleans(),
            file_name=st.none() | sound,
            additional_infos=texts,
            ip_capture_events=events,
            hash=st.none() | st.builds(MediaHash, value=sound, type=sound),
        ),
        max_size=2,
    ),
    additional_files=st.lists(
        st.builds(AdditionalFile, url=sound, file_name=st.none() | sound, additional_infos=texts), max_size=2
    ),
    messages=st.lists(
        st.builds(MessageInfo, id=sound, type_id=sound, ip_address=st.ip_addresses().map(str)), max_size=2
    ),
    additional_info=st.none() | sound,
)


@given(answers)
def test_what_is_written_is_read_as_the_same(answer: AdditionalInfo) -> None:
    """An answer that was recorded, whether it came over HTTP or from a function, is the same answer later."""
    assert AdditionalInfo.from_json(canonical(answer.as_json())) == answer


def test_an_answer_shows_nothing() -> None:
    """An answer in a log tells how much there is, and nothing of whom it is about."""
    shown = repr(AdditionalInfo.from_json(ANSWER))
    for secret in (
        "u1",
        "m1",
        "invented",
        "user@example.com",
        "192.0.2.1",
        "image.jpg",
        "abab",
        "platform.example",
        "text",
    ):
        assert f"'{secret}" not in shown
    assert "192.0.2" not in shown


def test_a_function_of_the_host_may_answer() -> None:
    """The values can be made in Python, and are as strict there."""
    with pytest.raises(InvalidReport, match=r"UserInfo\.ip_capture_events\[1\]\.ip_address: must be an IP address"):
        UserInfo(
            id="u1",
            type_id="user",
            ip_capture_events=(IpCaptureEvent(ip_address="192.0.2.1"), IpCaptureEvent(ip_address="here")),
        )
    with pytest.raises(InvalidReport, match=r"AdditionalInfo\.users: must be a tuple of UserInfo"):
        AdditionalInfo(users=({"id": "u1"},))


def test_a_platform_without_an_endpoint_claims_nothing() -> None:
    """Without an endpoint each entry is there and empty; an identifier is never passed off as a screen name."""
    request = AdditionalInfoRequest(
        users=(UserRef(id="u1", type_id="user"),), media=(ItemRef(id="m1", type_id="image"),)
    )
    answer = nothing_known(request)
    assert [one.ref for one in answer.users] == list(request.users)
    assert [one.ref for one in answer.media] == list(request.media)
    assert answer.users[0].screen_name is None
    assert not answer.media[0].missing


def test_the_request_is_spelled_as_the_contract_has_it() -> None:
    """What is asked is exactly the two lists of the contract."""
    request = AdditionalInfoRequest(
        users=(UserRef(id="u1", type_id="user"),), media=(ItemRef(id="m1", type_id="image"),)
    )
    spelled: Mapping[str, Any] = request.as_json()
    assert spelled == {"users": [{"id": "u1", "typeId": "user"}], "media": [{"id": "m1", "typeId": "image"}]}
    assert AdditionalInfoRequest.from_json(spelled) == request

"""Addresses and hashes go where an investigator looks for them, and none is lost on the way."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from cybertip.cases.enrichment import MediaHash, place_events, place_hash, unique_events, with_addresses
from cybertip.cases.references import ItemRef, MessageId, ThreadId, UserRef
from cybertip.cases.transcripts import Message
from cybertip.model import IpCaptureEvent, IpCaptureType, MetadataType

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def event(
    address: str = "192.0.2.1", name: IpCaptureType | None = None, minutes: int | None = None, port: int | None = None
) -> IpCaptureEvent:
    """Return an event some minutes after noon."""
    at = None if minutes is None else NOON + timedelta(minutes=minutes)
    return IpCaptureEvent(ip_address=address, event_name=name, date_time=at, port=port)


def test_the_same_event_counts_once() -> None:
    """Address, time and name decide, however the address or the time's zone is spelled."""
    elsewhere = IpCaptureEvent(ip_address="192.0.2.1", date_time=NOON.astimezone(timezone(timedelta(hours=2))))
    assert unique_events([event(minutes=0), elsewhere, event(minutes=0)]) == (event(minutes=0),)
    assert len(unique_events([event("::ffff:192.0.2.1"), event()])) == 1
    assert len(unique_events([event("2001:db8::1"), event("2001:DB8:0:0::1")])) == 1


@pytest.mark.parametrize(
    "other", [event("192.0.2.2", minutes=0), event(minutes=1), event(), event(name=IpCaptureType.LOGIN, minutes=0)]
)
def test_another_address_time_or_name_is_another_event(other: IpCaptureEvent) -> None:
    """What differs in one of the three stays."""
    assert unique_events([event(minutes=0), other]) == (event(minutes=0), other)


def test_no_port_is_lost() -> None:
    """A port that only one of two names is kept; two different ports are two events, for each may be somebody else."""
    assert unique_events([event(), event(port=50000)]) == (event(port=50000),)
    assert unique_events([event(port=50000), event(port=50001)]) == (event(port=50000), event(port=50001))


def test_a_proxy_is_no_other_address() -> None:
    """Whether an address is a proxy's is kept from the one that says so; two that contradict each other both stay."""
    silent, proxy, plain = (IpCaptureEvent(ip_address="192.0.2.1", possible_proxy=said) for said in (None, True, False))
    assert unique_events([silent, proxy]) == (proxy,)
    assert unique_events([proxy, plain]) == (proxy, plain)


def test_one_event_is_the_files() -> None:
    """A single event, an address alone included, goes into the file's details without any finding."""
    placed = place_events([event(), event()], uploaded_at=NOON, path="media[0]")
    assert (placed.file_event, placed.user_events, placed.finding) == (event(), (), None)
    assert place_events([], uploaded_at=NOON, path="media[0]").file_event is None


def test_the_upload_nearest_to_the_upload_is_the_files() -> None:
    """Of several events the file takes the upload nearest in time; the others go to the user, and the reviewer is told."""
    near, far = event(name=IpCaptureType.UPLOAD, minutes=-2), event(name=IpCaptureType.UPLOAD, minutes=3)
    login, alone = event(name=IpCaptureType.LOGIN, minutes=0), event("192.0.2.9")
    for events in permutations([near, far, login, alone]):
        placed = place_events(events, uploaded_at=NOON, path="media[3]")
        assert placed.file_event == near
        assert set(placed.user_events) == {far, login, alone}
        assert placed.finding is not None
        assert (placed.finding.path, placed.finding.rule) == ("media[3]", "several-ip-events")
        assert "192.0.2" not in str(placed.finding)


@pytest.mark.parametrize(
    ("events", "chosen"),
    [
        # An upload with a time is nearer than one without.
        ([event("192.0.2.1", IpCaptureType.UPLOAD), event("192.0.2.2", IpCaptureType.UPLOAD, 900)], 1),
        # Of two that are as near, the first.
        ([event("192.0.2.1", IpCaptureType.UPLOAD, 5), event("192.0.2.2", IpCaptureType.UPLOAD, -5)], 0),
        # An upload, however far, before anything else.
        ([event("192.0.2.1", IpCaptureType.LOGIN, 0), event("192.0.2.2", IpCaptureType.UPLOAD, 9000)], 1),
        # No upload: the nearest of all.
        ([event("192.0.2.1", IpCaptureType.LOGIN, 60), event("192.0.2.2", IpCaptureType.OTHER, 1)], 1),
    ],
)
def test_which_event_is_the_files(events: Sequence[IpCaptureEvent], chosen: int) -> None:
    """The choice follows one rule, and the same answer is always placed the same."""
    assert place_events(events, uploaded_at=NOON, path="media[0]").file_event == events[chosen]


def test_without_a_time_of_upload_the_first_upload_is_the_files() -> None:
    """Where nobody knows when it was uploaded, the finding does not claim that anything is near."""
    events = [
        event(minutes=1),
        event(name=IpCaptureType.UPLOAD, minutes=5),
        event(name=IpCaptureType.UPLOAD, minutes=1),
    ]
    placed = place_events(events, uploaded_at=None, path="media[0]")
    assert placed.file_event == events[1]
    assert "nearest" not in str(placed.finding)


events = st.lists(
    st.builds(
        IpCaptureEvent,
        ip_address=st.sampled_from(["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:DB8::1"]),
        event_name=st.none() | st.sampled_from(IpCaptureType),
        date_time=st.none() | st.sampled_from([NOON, NOON + timedelta(minutes=1)]),
        possible_proxy=st.none() | st.booleans(),
        port=st.none() | st.sampled_from([1, 2]),
    ),
    max_size=8,
)


@given(events)
def test_what_was_made_unique_is_unique_and_says_as_much(given_events: list[IpCaptureEvent]) -> None:
    """Doing it again changes nothing, and every address with its time, name and port is still there."""
    unique = unique_events(given_events)
    assert unique_events(unique) == unique

    def said(found: Sequence[IpCaptureEvent]) -> set[object]:
        mapped = {"::ffff:192.0.2.1": "192.0.2.1", "2001:DB8::1": "2001:db8::1"}
        return {
            (mapped.get(one.ip_address, one.ip_address), one.date_time, one.event_name, port)
            for one in found
            for port in {one.port, None}
        }

    assert said(unique) == said(given_events)
    assert len(unique) <= len(given_events)


@given(events, st.none() | st.just(NOON))
def test_no_event_is_lost_between_the_file_and_the_user(
    given_events: list[IpCaptureEvent], uploaded_at: datetime | None
) -> None:
    """The file's event and the user's events are together all there were, each once."""
    placed = place_events(given_events, uploaded_at=uploaded_at, path="media[0]")
    together = [*placed.user_events, *([placed.file_event] if placed.file_event else [])]
    assert sorted(map(repr, together)) == sorted(map(repr, unique_events(given_events)))
    assert (placed.finding is not None) == (len(together) > 1)
    if len(together) > 1 and any(one.event_name is IpCaptureType.UPLOAD for one in together):
        assert placed.file_event is not None
        assert placed.file_event.event_name is IpCaptureType.UPLOAD


@pytest.mark.parametrize(
    ("type_", "value", "name"),
    [
        ("MD5", "ab" * 16, "MD5"),
        ("sha-1", "AB" * 20, "SHA1"),
        ("sha_256", "ab" * 32, "SHA256"),
        ("SHA 512", " " + "ab" * 64 + "\n", "SHA512"),
    ],
)
def test_a_digest_vouches_for_the_original_bytes(type_: str, value: str, name: str) -> None:
    """A cryptographic digest becomes an original file hash, under one name however it was spelled."""
    placed = place_hash(MediaHash(value=value, type=type_), path="media[0]")
    assert placed.digest is not None
    assert (placed.digest.hash_type, placed.digest.value) == (name, value.strip())
    assert (placed.details, placed.finding) == (None, None)


@pytest.mark.parametrize("type_", ["PDQ", "pdq", "PhotoDNA", "TMK+PDQF", "vMD5-frames"])
def test_a_hash_that_only_looks_alike_is_no_digest(type_: str) -> None:
    """PDQ and its kin go into the details of the type HASH, under the platform's own name."""
    placed = place_hash(MediaHash(value="ab" * 32, type=type_), path="media[0]")
    assert placed.details is not None
    assert placed.details.type is MetadataType.HASH
    assert [(one.name, one.value) for one in placed.details.name_value_pairs] == [(type_, "ab" * 32)]
    assert (placed.digest, placed.finding) == (None, None)


@pytest.mark.parametrize(("type_", "value"), [("MD5", "ab" * 32), ("SHA256", "not hexadecimal".ljust(64))])
def test_what_only_calls_itself_a_digest_is_none(type_: str, value: str) -> None:
    """A digest of the wrong form vouches for nothing: it is kept as another kind, and the reviewer is told."""
    placed = place_hash(MediaHash(value=value, type=type_), path="media[2]")
    assert placed.digest is None
    assert placed.details is not None
    assert placed.finding is not None
    assert placed.finding.path == "media[2].fileDetails"


@pytest.fixture
def make() -> Callable[..., Message]:
    """Return a function that makes messages."""

    def message(number: int, **given: object) -> Message:
        values: dict[str, object] = {"type_id": "message", **given}
        return Message(
            id=MessageId(str(number)),
            thread=ThreadId("t"),
            sent_at=NOON,
            sender=UserRef(id="u", type_id="user"),
            **values,  # type: ignore[arg-type] # whatever the test gives
        )

    return message


def test_messages_get_the_addresses_that_they_lack(make: Callable[..., Message]) -> None:
    """An address is found by id and type; one that a message came with stays, and nothing is gathered."""
    messages = [make(1), make(2, ip="192.0.2.2", port=50000), make(3, type_id=None), make(4, type_id="other")]
    addresses = {ItemRef(id=str(number), type_id="message"): "192.0.2.99" for number in range(9)}
    filled = with_addresses(iter(messages), addresses)
    assert next(filled).ip == "192.0.2.99"
    assert [(one.ip, one.port) for one in filled] == [("192.0.2.2", 50000), (None, None), (None, None)]

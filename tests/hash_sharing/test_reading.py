"""What hash sharing answers is understood as its shape is known, and what is not known of it stops nothing."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.errors import Misunderstanding, NcmecError, NotAllowed, Refused, Unavailable
from cybertip.hash_sharing import (
    HashSharingNotAllowed,
    Page,
    Request,
    SharedEntry,
    Window,
    affirm,
    categories,
    dispute,
    entries,
    members,
    reasons,
    status,
    understand,
)
from cybertip.hashing.values import MD5, PDQ, PHOTODNA, SHA1, HashType, MediaHash
from cybertip.protocol import Answer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = entries(Window(after=NOON, until=NOON.replace(hour=13)))
NAMESPACE = 'xmlns="https://hashsharing.ncmec.org/hashsharing/v2"'

PAGE = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<queryResult {NAMESPACE}>
  <images count="2" maxTimestamp="2017-10-24T15:10:00Z">
    <image>
      <member id="42">Example Member</member>
      <timestamp>2017-10-24T15:00:00Z</timestamp>
      <id>image1</id>
      <classification>A1</classification>
      <fingerprints>
        <md5>{"A1" * 16}</md5>
        <sha1>{"a1" * 20}</sha1>
        <pdna>a1,b2,c3</pdna>
        <pdq>{"A1" * 32}</pdq>
        <netclean>Ab=</netclean>
        <videntifier rel="self" href="/v2/entries/1/fingerprints/VIDENTIFIER"/>
      </fingerprints>
      <feedback lastUpdateTimestamp="2017-10-24T15:00:00Z">
        <affirmativeFeedback type="Md5"><members><member id="43"/></members></affirmativeFeedback>
        <negativeFeedback type="Sha1">
          <reasons><reason guid="g-1" name="Made up" type="Sha1"/><members><member id="44"/></members></reasons>
        </negativeFeedback>
      </feedback>
    </image>
    <deletedImage>
      <member id="43">Example Member2</member><id>image4</id><timestamp>2017-10-24T15:10:00Z</timestamp>
    </deletedImage>
  </images>
  <videos count="0"/>
  <paging><next>/v2/entries?from=2017-10-20T00%3A00%3A00.000Z&amp;to=2017-10-30T00%3A00%3A00.000Z&amp;start=2001&amp;size=1000&amp;max=3000</next></paging>
</queryResult>"""


def answer(body: str | bytes, status: int = 200, **headers: str) -> Answer:
    return Answer(status=status, headers=tuple(headers.items()), body=body.encode() if isinstance(body, str) else body)


def page(content: str) -> Page:
    return understand(ASKED, answer(f"<queryResult {NAMESPACE}>{content}</queryResult>"))


def image(content: str, name: str = "image") -> str:
    return f"<images count='1'><{name}>{content}</{name}></images>"


KEY = '<member id="42">M</member><id>e</id>'


def test_a_page_is_read() -> None:
    """Entries with all their hashes, in lower case however they were sent; tombstones without; the way to the next page."""
    found = understand(ASKED, answer(PAGE))
    assert found.entries == (
        SharedEntry(
            member="42",
            entry="image1",
            at=datetime(2017, 10, 24, 15, tzinfo=UTC),
            kind="image",
            classification="A1",
            hashes=(
                MediaHash(type=MD5, value="a1" * 16),
                MediaHash(type=SHA1, value="a1" * 20),
                MediaHash(type=PHOTODNA, value="a1,b2,c3"),
                MediaHash(type=PDQ, value="a1" * 32),
                MediaHash(type=HashType("netclean"), value="Ab="),
            ),
            disputed=True,
        ),
        SharedEntry(
            member="43",
            entry="image4",
            at=datetime(2017, 10, 24, 15, 10, tzinfo=UTC),
            kind="image",
            deleted=True,
        ),
    )
    assert found.next is not None
    assert found.next.endswith("&start=2001&size=1000&max=3000")
    assert (found.left, found.unread, found.unknown) == (1000, 0, 0)


def test_what_is_unknown_is_counted_and_changes_nothing() -> None:
    """New elements, anywhere, cost no entry; what could be anything is neither an entry nor a tombstone."""
    found = page(
        "<audios count='1'><audio>" + KEY + "</audio></audios>"
        "<images><!-- c --><image>" + KEY + "<mood/><categorizations/></image>"
        "<blockedImage>" + KEY + "</blockedImage></images><videos><image>" + KEY + "</image></videos>"
    )
    assert [(one.entry, one.deleted) for one in found.entries] == [("e", False)]
    assert (found.unread, found.unknown) == (0, 5)


@pytest.mark.parametrize(
    "content",
    [
        "<member>M</member><id>e</id>",
        '<member id="42">M</member><id> </id>',
        "",
        KEY + "<fingerprints><md5>zz</md5></fingerprints>",
        KEY + "<fingerprints><md5/></fingerprints>",
        KEY + f"<fingerprints><pdq>{'a' * 63}</pdq></fingerprints>",
    ],
)
def test_what_cannot_be_read_is_counted_and_left_out(content: str) -> None:
    """An entry without an id and a hash of the wrong length are passed over, and somebody can learn of it."""
    found = page(image(content) + "<videos><video>" + KEY + "</video></videos>")
    assert found.unread == 1
    assert found.entries[-1].kind == "video"
    assert all(one.hashes == () for one in found.entries)


def test_what_stands_twice_is_counted() -> None:
    """A second set of hashes is nothing that is known: it is not left out without a word."""
    sets = "".join(f"<fingerprints><md5>{digit * 32}</md5></fingerprints>" for digit in "ab")
    found = page(image(KEY + sets))
    assert found.entries[0].hashes == (MediaHash(type=MD5, value="a" * 32),)
    assert found.unknown == 1


def test_a_hash_of_the_wrong_length_costs_no_other() -> None:
    """The other hashes of its entry are kept."""
    found = page(image(f"{KEY}<fingerprints><md5>1</md5><sha1>{'0' * 40}</sha1></fingerprints>"))
    assert found.entries[0].hashes == (MediaHash(type=SHA1, value="0" * 40),)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2017-10-24T15:00:00Z", NOON.replace(2017, 10, 24, 15)),
        ("2017-10-24T15:00:00.123Z", NOON.replace(2017, 10, 24, 15, microsecond=123000)),
        ("2017-10-24T15:00:00.123456789Z", NOON.replace(2017, 10, 24, 15, microsecond=123456)),
        ("2017-10-24T15:00:00", NOON.replace(2017, 10, 24, 15)),
        ("2017-10-24T15:00:00+14:00", NOON.replace(2017, 10, 24, 1)),
        ("2017-13-24T15:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_read_in_utc(text: str, read: datetime | None) -> None:
    """Fractions and other zones are understood; a time that cannot be read costs no entry."""
    (found,) = page(image(f"{KEY}<timestamp>{text}</timestamp>")).entries
    assert found.at == read


def test_an_empty_answer_has_no_entries() -> None:
    """Where nothing changed there is nothing, and no next page."""
    assert page('<images count="0"/>') == page("") == page("<paging/>") == Page(entries=())


def test_who_we_are_is_read() -> None:
    """The status names our member; the user and the address that NCMEC sees are in no repr."""
    body = (
        f"<status {NAMESPACE}><ipAddress>192.0.2.7</ipAddress><username>canary</username>"
        '<member id="1">Sir Testington</member></status>'
    )
    found = understand(status(), answer(body, Date="Sun, 01 Mar 2026 12:00:00 GMT"))
    assert (found.member.id, found.member.name) == ("1", "Sir Testington")
    assert (found.username, found.ip_address, found.date) == ("canary", "192.0.2.7", NOON)
    assert "canary" not in repr(found)
    assert "192.0.2" not in repr(found)
    assert understand(status(), answer(body)).date is None


def test_members_words_and_reasons_are_read() -> None:
    """The other lists that there are, each with what it has."""
    found = understand(members(), answer(f'<anything {NAMESPACE}><member id="1">A</member><member id="2"/></anything>'))
    assert [(one.id, one.name) for one in found.members] == [("1", "A"), ("2", "")]
    words = understand(
        categories(),
        answer(
            f'<availableCategorizations {NAMESPACE}><group name="G" allowMultiple="true">'
            '<categorization guid="c" name="N"/><categorization name="none"/><new/></group><new/></availableCategorizations>'
        ),
    )
    (group,) = words.groups
    assert (group.name, group.allows_multiple) == ("G", True)
    assert [(one.guid, one.name) for one in group.categories] == [("c", "N")]
    known = understand(
        reasons(MD5),
        answer(
            f"<availableFeedbackReasons {NAMESPACE}>"
            '<reason guid="0-A" name="Not it" type="Md5"/></availableFeedbackReasons>'
        ),
    )
    assert known.reasons[0].type == MD5
    assert known.guid_of("not IT") == known.guid_of("0-a") == "0-A"
    assert known.guid_of("another") is None


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (answer("", 401), HashSharingNotAllowed),
        (answer("<html>no", 403), NotAllowed),
        (answer("", 429), Unavailable),
        (answer(PAGE, 503), Unavailable),
        (answer("", 400), Refused),
        (answer("", 404), Refused),
        (answer("", 302, Location="https://example.com"), Misunderstanding),
        (answer("<html><body>Welcome</body></html>"), Misunderstanding),
        (answer(""), Misunderstanding),
        (answer("<queryResult>"), Misunderstanding),
        (answer(f"<status {NAMESPACE}/>"), Misunderstanding),
        (answer('<!DOCTYPE q [<!ENTITY e "x">]><queryResult>&e;</queryResult>'), Misunderstanding),
        (Answer(status=200, body=PAGE.encode(), fault="it is too large"), Misunderstanding),
    ],
)
def test_what_is_no_page_is_an_error(given: Answer, error: type[Exception]) -> None:
    """Nothing that is not the page that was asked for passes for one without entries; no error quotes what came."""
    with pytest.raises(error) as raised:
        understand(ASKED, given)
    assert type(raised.value) is error or error is NotAllowed
    assert "a1a1" not in f"{raised.value} {raised.value!r} {vars(raised.value)}".lower()
    if isinstance(raised.value, NotAllowed):
        assert "filing goes on" in str(raised.value)


def test_who_says_later_is_waited_for() -> None:
    """Retry-After comes along."""
    with pytest.raises(NcmecError) as raised:
        understand(ASKED, answer("", 503, **{"Retry-After": "90"}))
    assert raised.value.retry_after_for == 90


CUT = st.integers(0, len(PAGE)).map(lambda end: PAGE[:end].encode() + b"<&" + PAGE[end:].encode())


@given(body=st.binary(max_size=200) | CUT)
def test_whatever_comes_is_a_page_or_a_misunderstanding(body: bytes) -> None:
    """No bytes lead to any other exception."""
    with suppress(Misunderstanding):
        assert isinstance(understand(ASKED, answer(body)), Page)


@pytest.fixture(params=["Pacific/Kiritimati", "America/New_York"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_zone")
def test_windows_are_in_utc_wherever_the_machine_is() -> None:
    """The zone of the machine, and that of the times which were given, change nothing of what is asked."""
    assert time.timezone != 0
    local = Window(after=NOON.astimezone(), until=NOON.replace(hour=13).astimezone())
    assert (
        entries(local).path == ASKED.path == ("/v2/entries?from=2026-03-01T12%3A00%3A00Z&to=2026-03-01T13%3A00%3A00Z")
    )
    (found,) = page(image(f"{KEY}<timestamp>2017-10-24T15:00:00</timestamp>")).entries
    assert found.at == datetime(2017, 10, 24, 15, tzinfo=UTC)


def test_a_window_needs_its_zone_and_its_order() -> None:
    """A time that could be anywhere, and a window that runs backwards, are refused."""
    with pytest.raises(ValueError, match="zone"):
        Window(after=datetime(2026, 3, 1), until=NOON)  # noqa: DTZ001 # the mistake that is refused
    with pytest.raises(ValueError, match="ends after"):
        Window(after=NOON, until=NOON)


def test_feedback_is_written() -> None:
    """A hash of an entry is affirmed, or disputed for reasons; ids cannot lead to another address or element."""
    yes: Request[Any] = affirm(member="42", entry="a/b?c", kind=PHOTODNA)
    assert (yes.method, yes.path) == ("PUT", "/v2/entries/42/a%2Fb%3Fc/PDNA/feedback")
    assert yes.body.endswith(f"<feedbackSubmission {NAMESPACE}><affirmative/></feedbackSubmission>".encode())
    no: Request[Any] = dispute(member="42", entry="e", kind=HashType("tmk-pdqf"), reasons=["0-A", "<x>"])
    assert no.path == "/v2/entries/42/e/TMK_PDQF/feedback"
    assert b"<negative><reasonIds><guid>0-A</guid><guid>&lt;x&gt;</guid></reasonIds></negative>" in no.body
    assert "a%2Fb" not in repr(yes)
    with pytest.raises(ValueError, match="reason"):
        dispute(member="42", entry="e", kind=MD5, reasons=[])
    for member, entry, kind in (("", "e", MD5), ("42", "..", MD5), ("42", "e", HashType("../x"))):
        with pytest.raises(ValueError):
            affirm(member=member, entry=entry, kind=kind)
    assert understand(yes, answer("anything", 204)) is not None
    with pytest.raises(Refused):
        understand(yes, answer("", 409))

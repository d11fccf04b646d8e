"""Transcripts stream, name what they refuse, and have names that are safe."""

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, strategies as st

from cybertip.adapters.evidence import LocalEvidence, MemoryEvidence
from cybertip.cases.references import EvidenceId, UserRef
from cybertip.cases.transcripts import (
    Message,
    Written,
    file_name,
    read_lines,
    write_coop_table,
    write_lines,
    write_table,
)
from cybertip.errors import InvalidReport

Make = Callable[..., Message]
WRITERS = [write_lines, write_table, write_coop_table]
SOUND = {"id": "m", "thread": "t", "sentAt": "2025-01-01T00:00:00Z", "sender": {"id": "u", "typeId": "user"}}


@pytest.mark.parametrize("write", WRITERS)
def test_half_a_character_is_refused_at_its_place(write: Callable[..., Written], make: Make) -> None:
    """A lone surrogate cannot be written in any encoding: the error says which message and where, and does not repeat it."""
    half = "canary \ud83d"
    with pytest.raises(InvalidReport) as refused:
        b"".join(write([make(), make(), make(text=half)]))
    (violation,) = refused.value.violations
    assert violation.path == "messages[2].text"
    assert "character 8" in violation.message
    assert "canary" not in str(refused.value)


def test_half_a_character_is_refused_when_read() -> None:
    """JSON can spell a lone surrogate; the line that does so is named."""
    line = (
        b'{"id":"m","thread":"t","sentAt":"2025-01-01T00:00:00Z","sender":{"id":"u","typeId":"user"},"text":"\\ud83d"}'
    )
    with pytest.raises(InvalidReport) as refused:
        list(read_lines([b"\n", line]))
    (violation,) = refused.value.violations
    assert (violation.path, violation.rule, violation.line) == ("messages[0].text", "unicode", 2)


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"id": 7}, "id", "type"),
        ({"sentAt": "2025-01-01T00:00:00"}, "sentAt", "type"),
        ({"sentAt": None}, "sentAt", "type"),
        ({"sender": {"id": "canary"}}, "sender.typeId", "required"),
        ({"sender": "canary"}, "sender", "type"),
        ({"recipients": [{"id": "a", "typeId": "t"}, {"id": "", "typeId": "t"}]}, "recipients[1].id", "identifier"),
        ({"ip": "canary"}, "ip", "ip"),
        ({"port": 0}, "port", "range"),
        ({"port": "443"}, "port", "type"),
        ({"edited": "no"}, "edited", "type"),
        ({"editedAt": "2025-01-01T00:00:00Z"}, "editedAt", "not-without"),
        ({"attachments": "canary"}, "attachments", "type"),
        ({"canary": 1}, "", "unknown-key"),
    ],
)
def test_what_is_no_message_is_named_by_its_path(change: dict[str, Any], path: str, rule: str) -> None:
    """A line that is wrong is named with its key and its number, never with what it says."""
    import json

    sound = json.dumps(SOUND).encode()
    wrong = json.dumps(SOUND | change).encode()
    with pytest.raises(InvalidReport) as refused:
        list(read_lines([sound, wrong]))
    (violation,) = refused.value.violations
    assert violation.path == "messages[1]" + (f".{path}" if path else "")
    assert (violation.rule, violation.line) == (rule, 2)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("line", [b"{", b"[]", b'"m"', b"\xff\xfe{", b'{"id":"m","id":"n"}'])
def test_what_is_no_json_object_is_named_by_its_line(line: bytes) -> None:
    """Half a line, a list, bytes in no encoding and a doubled key are refused where they stand."""
    with pytest.raises(InvalidReport) as refused:
        list(read_lines([line]))
    assert refused.value.violations[0].line == 1
    assert refused.value.violations[0].path == "messages[0]"


def test_reading_stops_where_it_cannot_go_on(make: Make) -> None:
    """What came before a wrong line was read; nothing after it is."""
    reading = read_lines([*write_lines([make()]), b"{}", b"{}"])
    assert next(reading) == make()
    with pytest.raises(InvalidReport):
        next(reading)
    assert not list(reading)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"sender": "u1"},
        {"sent_at": datetime(2025, 1, 1)},  # noqa: DTZ001 - that is the point
        {"sent_at": datetime(1800, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam"))},
        {"sent_at": "2025-01-01T00:00:00Z"},
        {"recipients": (UserRef(id="a", type_id="t"), "b")},
        {"text": b"bytes"},
        {"attachments": "abc"},
        {"ip": "192.0.2.256"},
        {"ip": "fe80::1%eth0"},
        {"port": 65536},
        {"port": True},
        {"deleted": 1},
        {"deleted_at": datetime(2025, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_message_that_cannot_be_is_never_made(make: Make, wrong: dict[str, Any]) -> None:
    """Each value of a message is checked where it is made, and named without the value."""
    with pytest.raises(InvalidReport) as refused:
        make(**wrong)
    assert refused.value.violations[0].path == f"Message.{next(iter(wrong))}"


def test_a_message_shows_nothing(make: Make) -> None:
    """A message in a log tells its time and its marks, and nothing of whose it is or what it says."""
    shown = repr(
        make(
            id="canary",
            thread="canary",
            sender=UserRef(id="canary", type_id="user"),
            recipients=[UserRef(id="canary", type_id="user")],
            text="canary",
            attachments=[EvidenceId("canary")],
            ip="192.0.2.77",
            port=40404,
        )
    )
    assert "canary" not in shown
    assert "192.0.2.77" not in shown
    assert "40404" not in shown


def test_a_time_zone_becomes_the_offset_that_it_had(make: Make) -> None:
    """Of a time zone with a name only the offset is kept, the second time round of a clock that was put back included."""
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (make(sent_at=datetime(2025, 10, 26, 2, 30, tzinfo=berlin, fold=fold)) for fold in (0, 1))
    assert [one.sent_at.isoformat()[-6:] for one in (first, second)] == ["+02:00", "+01:00"]
    assert second.sent_at - first.sent_at == timedelta(hours=1)


@pytest.mark.parametrize("write", WRITERS)
def test_a_transcript_tells_what_was_written(write: Callable[..., Written], make: Make) -> None:
    """Its digest, size and number of messages are those of the bytes that came out."""
    written = write(make(id=str(number), text="x" * 1000) for number in range(300))
    blocks = list(written)
    whole = b"".join(blocks)
    assert len(blocks) > 2
    assert (written.messages, written.size) == (300, len(whole))
    assert written.sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("write", WRITERS)
def test_a_transcript_goes_into_evidence(write: Callable[..., Written], make: Make, tmp_path: Any) -> None:
    """It is kept as it is made, without being gathered first, and its reference is its digest."""
    conversation = [make(id=str(number), text="x" * 1000) for number in range(200)]
    for evidence in (LocalEvidence(tmp_path), MemoryEvidence()):
        written = write(conversation)
        reference = evidence.keep(written.as_file())
        with evidence.open(reference) as kept:
            assert kept.read() == b"".join(write(conversation))
        assert reference.replace("/", "") == written.sha256


def _peak(write: Callable[..., Written], make: Make, count: int) -> int:
    def conversation() -> Iterator[Message]:
        for number in range(count):
            yield make(id=str(number), text="some text " * 10)

    tracemalloc.start()
    try:
        for _ in write(conversation()):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("write", WRITERS)
def test_more_messages_take_no_more_memory(write: Callable[..., Written], make: Make) -> None:
    """Ten times the messages are written with the same memory: a thread of any length streams."""
    _peak(write, make, 200)  # what is made once
    few, many = _peak(write, make, 1_000), _peak(write, make, 10_000)
    assert many < few + 20_000


def test_reading_takes_no_more_memory_for_more_messages(make: Make) -> None:
    """Reading streams as writing does."""
    line = b"".join(write_lines([make(text="x" * 100)]))

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_lines(line for _ in range(count))) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)  # what is made once
    assert peak(2_000) < peak(200) + 20_000


def test_the_table_has_a_header_even_without_messages() -> None:
    """An empty conversation is a table with no rows, not an empty file."""
    assert b"".join(write_table([])).startswith(b'\xef\xbb\xbf"number","thread_id"')
    assert b"".join(write_coop_table([])) == b"content,src,target,thread,type,contentId,chat_type,ip"
    assert b"".join(write_lines([])) == b""


def test_a_row_of_the_table(make: Make) -> None:
    """The table's form stays as others have come to read it: the columns, the quoting and the ends of lines."""
    one = make(
        type_id="message",
        sent_at=datetime(2025, 1, 31, 13, tzinfo=timezone(timedelta(hours=-5))),
        recipients=[UserRef(id="-u2", type_id="user"), UserRef(id="u3", type_id="user")],
        text='say "\x00hello"',
        ip="192.0.2.1",
        port=50000,
        edited=True,
    )
    assert b"".join(write_table([one])).split(b"\r\n")[1:] == [
        b'"1","t1","m1","message","2025-01-31T13:00:00-05:00","u1","user","\'-u2\nu3","user\nuser","say ""\\x00hello""","",'
        b'"192.0.2.1","50000","yes","","no","","recipient_ids","text"',
        b"",
    ]


def test_the_eight_columns(make: Make) -> None:
    """Coop's form, byte by byte: absent cells empty and unquoted, no identifier for text, no line end after the last row."""
    to = [UserRef(id="u2", type_id="user"), UserRef(id="u3", type_id="user")]
    written = write_coop_table(
        [
            make(text='a "word"', recipients=to[:1], ip="192.0.2.1"),
            make(id="m2", attachments=[EvidenceId("ab/cd")], recipients=to),
            make(id="m3", text="=1+1"),
        ]
    )
    assert b"".join(written) == (
        b"content,src,target,thread,type,contentId,chat_type,ip\n"
        b'"a ""word""","u1","u2","t1","text",,"chat","192.0.2.1"\n'
        b',"u1","u2 u3","t1","unknown","m2","groupchat",\n'
        b'"\'=1+1","u1","t1","t1","text",,"chat",'
    )


def test_the_host_may_say_what_coop_calls_things(make: Make) -> None:
    """The kinds of content and chat are the platform's to name."""
    written = write_coop_table([make(text="x")], type_of=lambda _: "img", chat_type_of=lambda _: "groupchat")
    assert b"".join(written).endswith(b'\n"x","u1","t1","t1","img","m1","groupchat",')


@given(st.text())
@example("")
@example("-rf")
@example("../..")
def test_a_file_name_is_safe_everywhere(identifier: str) -> None:
    """Whatever a thread is called, its file's name leads nowhere, is no device and no option, and is of moderate length."""
    name = file_name(identifier, ".csv")
    assert name.removesuffix(".csv").replace("-", "").replace("_", "").isalnum()
    assert name.isascii()
    assert name[0].isalnum()
    assert len(name) < 100
    assert name.lower().removesuffix(".csv") not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


@pytest.mark.parametrize("device", ["con", "aux", "nul", "com1", "LPT9"])
def test_no_file_is_called_like_a_device(device: str) -> None:
    """What some systems take for a device has more to its name."""
    assert file_name(device, ".csv").lower() != f"{device.lower()}.csv"


@given(st.lists(st.text(alphabet="aA/.-_\u00e9") | st.text(), min_size=2, max_size=8, unique=True))
def test_different_threads_have_different_files(identifiers: list[str]) -> None:
    """No two threads share a file, also where capitals are not told apart."""
    names = {file_name(identifier, ".csv").lower() for identifier in identifiers}
    assert len(names) == len(identifiers)


def test_nobody_can_choose_the_name_of_anothers_file() -> None:
    """A thread that is called like another one's file has a file of its own."""
    taken = file_name("a/b", "")
    assert file_name(taken, "") != taken

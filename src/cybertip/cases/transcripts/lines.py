"""The canonical transcript: JSON Lines, one message a line, each spelled in the one way that there is.

Keys are sorted, nothing is white space, and what is not ASCII is escaped: so that no program on the way to an investigator
takes a character for the end of a line or spells it anew, and the same messages have the same digest everywhere.

| key | meaning |
|---|---|
| `id`, `typeId` | the message, as the platform calls it, and its kind (or null) |
| `thread` | the conversation |
| `sentAt` | ISO 8601 with an offset |
| `sender` | `{"id", "typeId"}` |
| `recipients` | a list of the same |
| `text` | what it says |
| `attachments` | references of kept evidence |
| `ip`, `port` | where it came from, or null |
| `edited`, `editedAt`, `deleted`, `deletedAt` | true or false, and since when (or null) |
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from json.encoder import encode_basestring_ascii as _text

from cybertip.cases.checking import UNICODE, half_a_pair
from cybertip.cases.reading import Reader
from cybertip.cases.references import UserRef
from cybertip.cases.transcripts.message import Message
from cybertip.cases.transcripts.written import Written
from cybertip.errors import InvalidReport, Violation
from cybertip.xml.as_json import parse_json
from cybertip.xml.lexical import write_time

__all__ = ["checked", "read_lines", "write_lines"]

_READER = Reader(Message, nulls=True)


def write_lines(messages: Iterable[Message]) -> Written:
    """Write messages as JSON Lines, in the order that they come in.

    Iterating raises `InvalidReport` at a message that no encoding can hold, and names its place.

    >>> from datetime import UTC, datetime
    >>> from cybertip.cases.references import MessageId, ThreadId, UserRef
    >>> message = Message(
    ...     id=MessageId("m1"), thread=ThreadId("t1"), sent_at=datetime(2025, 1, 1, tzinfo=UTC),
    ...     sender=UserRef(id="u1", type_id="user"), text="hello",
    ... )
    >>> written = write_lines([message])
    >>> list(read_lines(b"".join(written).splitlines())) == [message]
    True
    """
    return Written(b"", (_line(message) for message in checked(messages)))


def _line(message: Message) -> bytes:
    """Spell a message as `canonical` would; to have the keys in their places already halves what it costs."""
    one = message
    return (
        f'{{"attachments":[{",".join(map(_text, one.attachments))}]'
        f',"deleted":{_mark(one.deleted)},"deletedAt":{_time(one.deleted_at)}'
        f',"edited":{_mark(one.edited)},"editedAt":{_time(one.edited_at)}'
        f',"id":{_text(one.id)},"ip":{_text_or_null(one.ip)},"port":{"null" if one.port is None else int(one.port)}'
        f',"recipients":[{",".join(map(_user, one.recipients))}],"sender":{_user(one.sender)}'
        f',"sentAt":{_time(one.sent_at)},"text":{_text(one.text)},"thread":{_text(one.thread)}'
        f',"typeId":{_text_or_null(one.type_id)}}}\n'
    ).encode("ascii")


def _text_or_null(text: str | None) -> str:
    return "null" if text is None else _text(text)


def _time(at: datetime | None) -> str:
    return "null" if at is None else f'"{write_time(at)}"'


def _mark(yes: bool) -> str:
    return "true" if yes else "false"


def _user(user: UserRef) -> str:
    return f'{{"id":{_text(user.id)},"typeId":{_text(user.type_id)}}}'


def read_lines(lines: Iterable[bytes]) -> Iterator[Message]:
    """Read JSON Lines, such as a file opened in binary mode, message by message.

    Keys may be left out where they say nothing, and the spelling does not matter; unknown keys are refused, for what they
    say would be lost. Raises `InvalidReport` at the first line that is no message, and names its place.
    """
    index = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        path = f"messages[{index}]"
        try:
            message = _READER.read(parse_json(line), path=path)
            _check(message, path)
        except InvalidReport as error:
            raise InvalidReport(tuple(_placed(one, path, number) for one in error.violations)) from None
        yield message
        index += 1


def _placed(one: Violation, path: str, line: int) -> Violation:
    return Violation(path=one.path or path, rule=one.rule, message=one.message, line=line)


def checked(messages: Iterable[Message]) -> Iterator[Message]:
    """Pass messages on that can be written; raise `InvalidReport`, with its place, at one that cannot."""
    for index, message in enumerate(messages):
        _check(message, f"messages[{index}]")
        yield message


def _check(message: Message, path: str) -> None:
    if not message.attachments and half_a_pair(message.text) is None:
        return
    found = tuple(_halves(message, path))
    if found:
        raise InvalidReport(found)


def _halves(message: Message, path: str) -> Iterator[Violation]:
    # Identifiers were checked when they were made.
    at = half_a_pair(message.text)
    if at is not None:
        yield Violation(path=f"{path}.text", rule="unicode", message=f"{UNICODE} (character {at + 1})")
    for index, attachment in enumerate(message.attachments):
        if half_a_pair(attachment) is not None:
            yield Violation(path=f"{path}.attachments[{index}]", rule="unicode", message=UNICODE)

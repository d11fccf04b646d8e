"""The eight columns that Coop attaches to a report, for those who have built on them.

They have no times and no source ports, which makes them nearly useless to an investigator: send the canonical transcript or
the table for people wherever there is a choice.
"""

from collections.abc import Callable, Iterable

from cybertip.cases.transcripts.lines import checked
from cybertip.cases.transcripts.message import Message
from cybertip.cases.transcripts.table import harmless, visible
from cybertip.cases.transcripts.written import Written

__all__ = ["write_coop_table"]

_COLUMNS = ("content", "src", "target", "thread", "type", "contentId", "chat_type", "ip")


def write_coop_table(
    messages: Iterable[Message],
    *,
    type_of: Callable[[Message], str] | None = None,
    chat_type_of: Callable[[Message], str] | None = None,
    neutralise: bool = True,
) -> Written:
    """Write messages in Coop's eight columns: cells quoted, absent ones empty, lines ended by LF and the last one not.

    Args:
        messages: in the order that they are to be in.
        type_of: what kind of content it is: text, img, video, unknown. Else it is text unless there is none and something
            is attached, which is unknown.
        chat_type_of: chat or groupchat. Else it is a chat up to one recipient.
        neutralise: guard against formulas and control characters as the table for people does, though no column says so.
            Without it the cells are as they came, for a program that reads them.

    `target` is the recipients' identifiers with a space between them, or the thread's where nobody is named. `contentId` is
    left empty for text, as Coop leaves it.
    """
    kind, chat = type_of or _type_of, chat_type_of or _chat_type_of
    guard = (lambda text: harmless(visible(text))) if neutralise else str

    def line(message: Message) -> bytes:
        type_ = kind(message)
        target = " ".join(recipient.id for recipient in message.recipients) or message.thread
        content_id = None if type_ == "text" else message.id
        cells = (
            None if type_ != "text" and not message.text else message.text,
            *(message.sender.id, target, message.thread, type_, content_id, chat(message), message.ip),
        )
        return ("\n" + ",".join("" if cell is None else _quoted(guard(cell)) for cell in cells)).encode()

    return Written(",".join(_COLUMNS).encode(), map(line, checked(messages)))


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _type_of(message: Message) -> str:
    return "unknown" if message.attachments and not message.text else "text"


def _chat_type_of(message: Message) -> str:
    return "chat" if len(message.recipients) <= 1 else "groupchat"

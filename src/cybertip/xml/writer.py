"""Values to bytes. The function that writes a part is compiled from its declaration at first use.

A compiled function is one straight line of string building, which is what makes it several times as fast as building a
tree: it does not look for faults. Where it meets one, it stops, and a slow walk over the document finds every fault with
its path.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from cybertip.errors import InvalidReport, Violation
from cybertip.model.declaration import Choice, Field, Lexical, Part, Place, Simple, Vocabulary, is_part, part_of
from cybertip.model.edition import DEFAULT_EDITION, Edition
from cybertip.xml.layout import DOCUMENTS, Document, walk
from cybertip.xml.lexical import write_simple, write_time
from cybertip.xml.memo import memo

__all__ = ["SCHEMA_LOCATION", "unwritable", "write"]

#: As in NCMEC's own example.
SCHEMA_LOCATION = (
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:noNamespaceSchemaLocation="https://report.cybertip.org/ispws/xsd"'
)
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

# All that XML 1.0 cannot hold, in any form.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What text or an attribute's value cannot hold as it is; the forbidden characters are among it. Most texts hold none.
_NOT_PLAIN = re.compile("[\x00-\x08\x0b-\x1f&<>\ud800-\udfff\ufffe\uffff]").search
_NOT_PLAIN_VALUE = re.compile('[\x00-\x1f&<>"\ud800-\udfff\ufffe\uffff]').search


# Neither a declaration, nor a DOCTYPE, nor space around it, which a parser takes and which cannot stand inside a document.
_ELEMENT = re.compile(r"<[^?!].*>\Z", re.DOTALL)


class _Unwritable(Exception):
    """The compiled writer met something it cannot write; the slow walk knows what."""


def write(document: Document, *, edition: Edition | str = DEFAULT_EDITION) -> bytes:
    """Write a document as NCMEC reads it: UTF-8, in the order of the schema, nothing for what is absent.

    Raises `InvalidReport` for a character that XML cannot hold and for a field that the edition does not have.
    Clause: NCMEC, section 5 (documents).

    >>> from cybertip.model import DoneFiles, ReportDoneResponse, ReportId
    >>> receipt = ReportDoneResponse(response_code=0, report_id=ReportId(4564654), files=DoneFiles())
    >>> print(write(receipt).decode())
    <?xml version="1.0" encoding="UTF-8"?>
    <reportDoneResponse><responseCode>0</responseCode><reportId>4564654</reportId><files></files></reportDoneResponse>
    """
    kind = type(document)
    if kind not in DOCUMENTS.values():
        raise TypeError(f"write takes one of {', '.join(one.__name__ for one in DOCUMENTS.values())}")
    declared, edition = part_of(kind), Edition(edition)
    # NCMEC's example has the hint on what platforms send; its replies carry none.
    hint = "" if declared.reply else SCHEMA_LOCATION
    try:
        return (_DECLARATION + _compiled(kind, declared.name, edition, hint)(document)).encode()
    except (_Unwritable, UnicodeEncodeError):
        raise InvalidReport(tuple(unwritable(document, edition=edition))) from None


def unwritable(document: Any, *, edition: Edition = DEFAULT_EDITION) -> Iterator[Violation]:
    """Yield what keeps a document from being written, each with its path."""
    for part, declared, python, xml in walk(document):
        for field in declared.fields:
            value = getattr(part, field.python)
            if field.since > edition and not _is_absent(field, value):
                yield Violation(
                    path=python + field.path()[0],
                    xpath=xml + field.path()[1],
                    rule="edition",
                    message=f"is not in edition {edition}; write it as {field.since} or leave it out",
                )
            for index, text in enumerate(value) if field.many else [(None, value)]:
                if isinstance(text, str) and (found := _FORBIDDEN.search(text)):
                    below, inside = field.path(index)
                    yield Violation(
                        path=python + below,
                        xpath=xml + inside,
                        rule="xml-character",
                        message=f"holds U+{ord(found[0]):04X} at position {found.start()}, which XML cannot hold",
                    )
                elif field.place is Place.UNKNOWN and not _is_unknown(text, declared):
                    message = "is not one XML element of a name that no edition has"
                    yield Violation(path=python + field.path(index)[0], xpath=xml, rule="xml", message=message)


def _is_absent(field: Field, value: object) -> bool:
    return value is None or value == () or (field.flag and value is False)


def _escape(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise _Unwritable
    # A bare carriage return would be read as a line feed.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _escape_value(text: str) -> str:
    return _escape(text).replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")


def _refuse() -> str:
    raise _Unwritable


def _unknown(fragments: tuple[str, ...], declared: Part) -> str:
    if not all(_is_unknown(fragment, declared) for fragment in fragments):
        raise _Unwritable
    return "".join(fragments)


def _is_unknown(fragment: str, declared: Part) -> bool:
    """Tell whether text is one element and nothing else, which would not be read back as a field."""
    from lxml import etree

    from cybertip.xml.parsing import parser

    if _ELEMENT.match(fragment) is None:
        return False
    try:
        root = etree.fromstring(fragment, parser())
    except (etree.XMLSyntaxError, ValueError):
        return False
    return all(root.tag != field.xml for field in declared.fields)


# -- compiling ----------------------------------------------------------------------------------------------------------

_Writer = Callable[[Any], str]


@memo
def _compiled(kind: type[Any], name: str, edition: Edition, extra: str = "") -> _Writer:
    """Compile the function that writes one part as an element of a given name."""
    declared = part_of(kind)
    known: dict[str, Any] = {
        "escape": _escape,
        "escape_value": _escape_value,
        "plain": _NOT_PLAIN,
        "plain_value": _NOT_PLAIN_VALUE,
        "refuse": _refuse,
        "unknown": _unknown,
        "declared": declared,
        "time": write_time,
    }
    source = "\n    ".join(["def write(o):", *_lines(declared, name, edition, extra, known)])
    exec(compile(source, f"<writer of {kind.__name__}>", "exec"), known)  # noqa: S102 - the source is made here, of names that the declaration checked
    found: _Writer = known["write"]
    return found


def _lines(declared: Part, name: str, edition: Edition, extra: str, known: dict[str, Any]) -> Iterator[str]:
    fields = declared.known(edition)
    for field in declared.fields:
        if field not in fields:
            yield f"if o.{field.python}: refuse()" if field.flag else f"if o.{field.python} is not None: refuse()"
    attributes = [field for field in fields if field.place is Place.ATTRIBUTE]
    elements = [field for field in fields if field.place is Place.ELEMENT]
    opening = f"<{name}{extra}"
    if attributes:
        yield f"s = {opening!r}"
        for field in attributes:
            value = _value(field, known)
            yield from _guarded(field, f"""s += f' {field.xml}="{{{value}}}"'""")
        opening = ""
        start = "s +="
    else:
        start = "s ="
    if (text := declared.text) is not None:
        yield f"v = o.{text.python}"
        yield (
            f"return s + f'>{{{_value(text, known)}}}</{name}>'"
            if attributes
            else (f"return f'{opening}>{{{_value(text, known)}}}</{name}>'")
        )
        return
    yield f"{start} {opening + '>'!r}"
    for field in elements:
        if field.many:
            yield f"for v in o.{field.python}: s += {_element(field, edition, known)}"
        else:
            yield from _guarded(field, f"s += {_element(field, edition, known)}")
    if declared.reply:
        yield "if o.unknown_elements: s += unknown(o.unknown_elements, declared)"
    yield f"return s + '</{name}>'"


def _guarded(field: Field, line: str) -> Iterator[str]:
    if field.flag:
        yield f"if o.{field.python}: {line}"
        return
    yield f"v = o.{field.python}"
    yield line if field.required else f"if v is not None: {line}"


def _element(field: Field, edition: Edition, known: dict[str, Any]) -> str:
    """Return the expression for one element whose value is `v`."""
    if field.flag:
        return repr(f"<{field.xml}/>")
    if isinstance(field.type, Choice):
        # One of several parts: look up by class. The wrapping element is the field's.
        table = f"{field.python}_writers"
        known[table] = {kind: _compiled(kind, part_of(kind).name, edition) for kind in field.type.parts}
        return f"f'<{field.xml}>{{{table}[type(v)](v)}}</{field.xml}>'"
    if is_part(field.type):
        function = f"write_{field.python}"
        known[function] = _compiled(field.type, field.xml, edition)
        return f"{function}(v)"
    return f"f'<{field.xml}>{{{_value(field, known)}}}</{field.xml}>'"


def _value(field: Field, known: dict[str, Any]) -> str:
    """Return the expression for the text of a simple value `v`, inside a formatted string."""
    kind = field.type
    if isinstance(kind, Simple):
        match kind.lexical:
            case Lexical.STRING | Lexical.TOKEN if field.place is Place.ATTRIBUTE:
                return "v if plain_value(v) is None else escape_value(v)"
            case Lexical.STRING | Lexical.TOKEN:
                return 'v if v.isprintable() and "<" not in v and "&" not in v and ">" not in v else escape(v)'
            case Lexical.BOOLEAN:
                return '"true" if v else "false"'
            case Lexical.INT | Lexical.LONG:
                return "v"
            case Lexical.DATE:
                return "v.isoformat()"
            case Lexical.DATETIME:
                return "time(v)"
            case _:
                known["number"] = write_simple(kind)
                return "number(v)"
    assert isinstance(kind, type)
    assert issubclass(kind, Vocabulary)
    assert all(_NOT_PLAIN_VALUE(member) is None for member in kind)
    return "v._value_"

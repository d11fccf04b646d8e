"""NCMEC's replies, read with forgiveness: fields in any order, what is unknown kept, an empty description understood."""

from typing import TYPE_CHECKING, Any

from cybertip.errors import InvalidReport, Violation
from cybertip.model.declaration import Field, Lexical, Place, Simple, is_part, part_of
from cybertip.xml.layout import Document, at
from cybertip.xml.lexical import read_simple
from cybertip.xml.parsing import parser

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["read_reply"]


def read_reply(root: "etree._Element", kind: type[Document]) -> Document:
    """Read a reply; raise `InvalidReport` where a code or an id is absent, doubled or no number."""
    found: list[Violation] = []
    reply = _read_part(root, kind, found)
    if found:
        raise InvalidReport(tuple(found))
    document: Document = reply
    return document


def _read_part(element: "etree._Element", kind: type[Any], found: list[Violation]) -> Any:
    declared = part_of(kind)
    children: dict[str, list[etree._Element]] = {}
    for child in element:
        children.setdefault(str(child.tag), []).append(child)
    path = element.getroottree().getpath(element)
    values: dict[str, Any] = {}
    for field in declared.fields:
        if field.place is Place.UNKNOWN:
            continue
        given = [child for child in children.pop(field.xml, []) if not _says_nothing(child, field)]
        if len(given) > 1 and not field.many:
            found.append(at(f"{path}/{field.xml}", rule="twice", message="stands twice", line=given[1].sourceline))
        read = [_read_value(child, field, found) for child in given]
        if field.many:
            values[field.python] = tuple(read)
        elif read:
            values[field.python] = read[0]
        elif field.required:
            values[field.python] = _absent(field, path, element, found)
    unknown = tuple(_kept(child) for child in element if str(child.tag) in children)
    if declared.reply:
        values["unknown_elements"] = unknown
    return None if found else kind(**values)


def _says_nothing(child: "etree._Element", field: Field) -> bool:
    """Tell whether an element stands for an optional number and holds none, as a report's id may in a refusal."""
    is_number = isinstance(field.type, Simple) and field.type.lexical in (Lexical.INT, Lexical.LONG)
    return is_number and not field.required and not "".join(child.itertext()).strip()


def _kept(unknown: "etree._Element") -> str:
    """Return an unknown element as XML, without the namespace of schema hints if only its root needed that."""
    from lxml import etree

    alone = etree.fromstring(etree.tostring(unknown, with_tail=False), parser())
    etree.cleanup_namespaces(alone, keep_ns_prefixes=[prefix for prefix in alone.nsmap if prefix not in (None, "xsi")])
    return etree.tostring(alone, encoding="unicode")


def _read_value(child: "etree._Element", field: Field, found: list[Violation]) -> Any:
    if is_part(field.type):
        return _read_part(child, field.type, found)
    assert isinstance(field.type, Simple)
    try:
        return read_simple(field.type)("".join(child.itertext()))
    except ValueError as error:
        xpath = child.getroottree().getpath(child)
        found.append(at(xpath, rule="type", message=str(error), line=child.sourceline))
        return None


def _absent(field: Field, path: str, element: "etree._Element", found: list[Violation]) -> Any:
    """Supply what NCMEC is known to leave out of a sound reply; anything else is a fault."""
    if is_part(field.type):
        return field.type()
    if field.python == "response_description":
        return ""
    found.append(at(f"{path}/{field.xml}", rule="required", message="is missing", line=element.sourceline))
    return None

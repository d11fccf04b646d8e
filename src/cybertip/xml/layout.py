"""The documents' layout: which parts there are, and how a place is named in XML and in Python."""

import re
from collections.abc import Iterator
from typing import Any

from cybertip.errors import Violation
from cybertip.model import FileDetails, Report, ReportDoneResponse, ReportResponse
from cybertip.model.declaration import Choice, Field, Part, Place, is_part, part_of
from cybertip.xml.memo import memo

__all__ = ["DOCUMENTS", "Document", "at", "members", "parts", "place_of", "walk"]

Document = Report | FileDetails | ReportResponse | ReportDoneResponse

#: The four root elements and what each becomes.
DOCUMENTS: dict[str, type[Document]] = {
    part_of(kind).name: kind for kind in (Report, FileDetails, ReportResponse, ReportDoneResponse)
}


def members(field: Field) -> tuple[type[Any], ...]:
    """Return the parts that a field can hold; none where it holds text."""
    if isinstance(field.type, Choice):
        return field.type.parts
    return (field.type,) if is_part(field.type) else ()


def parts(*roots: type[Any]) -> Iterator[type[Any]]:
    """Yield every part below some roots once, the roots included; of all four documents by default."""
    seen: dict[type[Any], None] = {}
    waiting: list[type[Any]] = list(roots or DOCUMENTS.values())
    while waiting:
        kind = waiting.pop(0)
        if kind not in seen:
            seen[kind] = None
            yield kind
            waiting.extend(member for field in part_of(kind).fields for member in members(field))


def walk(document: Any, python: str = "", xml: str = "") -> Iterator[tuple[Any, Part, str, str]]:
    """Yield every part below a document with its declaration and its place in Python and in XML, parents first."""
    declared = part_of(type(document))
    python, xml = python or declared.name, xml or f"/{declared.name}"
    yield document, declared, python, xml
    for field in declared.fields:
        kinds = members(field)
        value = getattr(document, field.python)
        if not kinds or value is None:
            continue
        for index, member in enumerate(value) if field.many else [(None, value)]:
            below, inside = field.path(index)
            chosen = f"/{part_of(type(member)).name}" if isinstance(field.type, Choice) else ""
            yield from walk(member, python + below, xml + inside + chosen)


def place_of(xpath: str) -> tuple[str, Field | None]:
    """Translate an XPath of elements into Python's way there, as far as the declaration knows it.

    >>> place_of("/report/victim[2]/victimPerson/age")[0]
    'report.victims[1].victim_person.age'
    """
    first, *steps = [_step(step) for step in xpath.strip("/").split("/")]
    kinds: tuple[type[Any], ...] = (DOCUMENTS[first[0]],) if first[0] in DOCUMENTS else ()
    path, found, chosen = first[0], None, False
    for name, index in steps:
        if chosen:
            # The step inside a choice names the part that was chosen; Python has no such step.
            kinds, chosen = tuple(kind for kind in kinds if part_of(kind).name == name), False
            continue
        found = _fields(kinds[0]).get(name) if kinds else None
        if found is None:
            return f"{path}.{name}", None
        path += found.path(index - 1 if found.many else None)[0]
        kinds, chosen = members(found), isinstance(found.type, Choice)
    return path, found


@memo
def _fields(kind: type[Any]) -> dict[str, Field]:
    return {field.xml: field for field in part_of(kind).fields if field.place is Place.ELEMENT}


def _step(step: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*?)(?:\[([0-9]+)\])?", step)
    assert match is not None
    return match[1], int(match[2] or 1)


def at(xpath: str, *, rule: str, message: str, attribute: str = "", line: int | None = None) -> Violation:
    """Return a violation at an XPath of elements, or at an attribute there."""
    path, found = place_of(xpath)
    if attribute:
        kinds = members(found) if found is not None else ()
        names = (field.python for kind in kinds for field in part_of(kind).fields if field.xml == attribute)
        path, xpath = f"{path}.{next(names, attribute)}", f"{xpath}/@{attribute}"
    return Violation(path=path, xpath=xpath, rule=rule, message=message, line=line)

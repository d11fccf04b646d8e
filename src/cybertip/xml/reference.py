"""Every field as a row: what exists, what is required and by whom, which limits hold, since which edition.

The command prints these rows, and the page `docs/reference/fields.md` is made of them.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cybertip.model import FileDetails, Report
from cybertip.model.declaration import Choice, Field, Place, Simple, is_part, part_of
from cybertip.xml.layout import parts

__all__ = ["WRITTEN", "Row", "rows"]


class Row(NamedTuple):
    """One element, attribute or text of NCMEC's document."""

    owner: str
    #: From 1 in document order; None for attributes and text, which have no order.
    position: int | None
    kind: str
    name: str
    python: str
    type: str
    occurs: str
    required_by_xsd: bool
    #: What the documentation requires beyond the XSD; empty if nothing.
    required_by_documentation: str
    #: The clause of the law that lists such information. The law requires none of it: what a report contains is at the
    #: provider's discretion.
    law: str
    limits: str
    edition: str
    sensitive: bool
    values: tuple[str, ...]


def rows(document: type[Any] | None = None) -> Iterator[Row]:
    """Yield the fields of a document and of all parts that it can hold; of all four documents by default.

    >>> [row.name for row in rows(FileDetails) if row.owner == "hash"]
    ['text()', '@hashType']
    """
    for kind in parts(*([document] if document else [])):
        declared = part_of(kind)
        position = 0
        for field in declared.fields:
            if field.place is Place.UNKNOWN:
                continue
            position += field.place is Place.ELEMENT
            yield Row(
                owner=declared.name,
                position=position if field.place is Place.ELEMENT else None,
                kind=field.place.name.lower(),
                name=_name(field),
                python=f"{declared.python}.{field.python}",
                type=_type(field),
                occurs="0..1" if field.one_of else field.occurs,
                required_by_xsd=field.required,
                required_by_documentation="; ".join(limit.documented for limit in field.limits if limit.requires),
                law=field.law or "",
                limits="; ".join(limit.documented for limit in field.limits if not limit.requires),
                edition=field.since,
                sensitive=not field.public,
                values=_values(field),
            )


#: The documents that a platform writes, by the word that the command takes.
WRITTEN: dict[str, type[Any]] = {"report": Report, "files": FileDetails}


def _name(field: Field) -> str:
    match field.place:
        case Place.ATTRIBUTE:
            return f"@{field.xml}"
        case Place.TEXT:
            return "text()"
        case _:
            return field.xml


def _type(field: Field) -> str:
    kind = field.type
    if isinstance(kind, Choice):
        return "one of " + ", ".join(part_of(one).name for one in kind.parts)
    if isinstance(kind, Simple):
        return "empty, meaning true" if field.flag else kind.name
    if is_part(kind):
        return part_of(kind).name
    return str(getattr(kind, "__xsd__", kind))


def _values(field: Field) -> tuple[str, ...]:
    kind = field.type
    if isinstance(kind, Choice | Simple) or is_part(kind):
        return ()
    return tuple(str(member) for member in kind)

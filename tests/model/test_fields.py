"""The declaration is NCMEC's table of fields, row for row."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cybertip.model.declaration import Choice, Field, Form, Group, Place, Simple, is_part, part_of
from cybertip.model.edition import Edition
from cybertip.xml.layout import members, parts


class Row(NamedTuple):
    """One row of the table; `position` is empty for attributes, text, and elements of editions after the first."""

    owner: str
    position: str
    kind: str
    name: str
    xsd_type: str
    occurs: str
    group: str
    fixed: str
    documented_rules: frozenset[str]
    edition: str


def _declared() -> Iterator[Row]:
    inside: dict[type, str] = {}
    texts: dict[str, Row] = {}
    for kind in parts():
        declared = part_of(kind)
        owner = inside.get(kind, declared.name)
        position = 0
        for field in declared.fields:
            if field.place is Place.UNKNOWN:
                continue
            first = field.since is min(Edition) and field.place is Place.ELEMENT
            position += first
            group = "all" if declared.group is Group.ALL else "choice" if field.one_of else ""
            yield _row(owner, str(position) if first else "", field, group)
            for member in members(field):
                if part_of(member).form is Form.INLINE:
                    inside[member] = f"{owner}/{part_of(member).name}"
            if isinstance(field.type, Choice):
                yield from (
                    Row(
                        field.xml,
                        str(index),
                        "element",
                        name,
                        f"<{name}>",
                        "1..1",
                        "choice",
                        "",
                        frozenset(),
                        field.since,
                    )
                    for index, name in enumerate((part_of(member).name for member in field.type.parts), 1)
                )
            if isinstance(field.type, Simple) and field.type.complex:
                name, base = field.type.name, str(field.type.lexical)
                texts[name] = Row(name, "", "text", "text()", base, "1..1", "", "", frozenset(), min(Edition))
    yield from texts.values()


def _row(owner: str, position: str, field: Field, group: str) -> Row:
    kind = field.place.name.lower()
    name = {"element": field.xml, "attribute": f"@{field.xml}", "text": "text()"}[kind]
    rules = frozenset(limit.documented for limit in field.limits)
    fixed = "fixed=true" if field.flag else ""
    return Row(owner, position, kind, name, _type(field), field.occurs, group, fixed, rules, field.since)


def _type(field: Field) -> str:
    if isinstance(field.type, Choice):
        return f"<{field.xml}>"
    if isinstance(field.type, Simple):
        return field.type.name
    if is_part(field.type):
        name = part_of(field.type).name
        return {Form.ELEMENT: f"<{name}>", Form.INLINE: "(inline)", Form.TYPE: name}[part_of(field.type).form]
    name = field.type.__xsd__
    return str(name)


def _documented(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row._make([*texts, frozenset(filter(None, rules.split("; "))), edition])
            for *texts, rules, edition in list(csv.reader(file))[1:]
        ]


def test_every_documented_field_is_declared_as_it_is_documented(ncmec_fields: Path) -> None:
    """Place, type, cardinality, rules and edition of each field are NCMEC's, and nothing is missing or invented."""
    documented = _documented(ncmec_fields)
    declared = list(_declared())
    assert len(documented) > 200
    assert len(set(declared)) == len(declared)
    assert set(documented) - set(declared) == set()
    assert set(declared) - set(documented) == set()


def test_elements_of_every_edition_stand_in_the_documented_order(ncmec_fields: Path) -> None:
    """An element that a later edition added stands where the table has it, among the elements of the first edition."""
    documented, declared = _documented(ncmec_fields), list(_declared())
    for owner in {row.owner for row in documented}:
        expected, found = (
            [row.name for row in rows if row.owner == owner and row.kind == "element"]
            for rows in (documented, declared)
        )
        assert found == expected

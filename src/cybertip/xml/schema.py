"""The XSD, printed from the declaration, compiled, and compared with another.

`exported` prints it, `validate` checks bytes against it with libxml2, `differences` compares two schemas component by
component (it needs xmlschema, which is imported then). No text of NCMEC's own XSD is in it; its structure is the same.
"""

import html
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cybertip.errors import InvalidReport, Violation
from cybertip.model.declaration import (
    Choice,
    Field,
    Form,
    Group,
    Lexical,
    Part,
    Place,
    Simple,
    Vocabulary,
    is_part,
    part_of,
)
from cybertip.model.edition import DEFAULT_EDITION, Edition
from cybertip.xml.layout import at, members, parts
from cybertip.xml.lexical import WHITE
from cybertip.xml.memo import memo
from cybertip.xml.parsing import LIMIT, parse

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["NEWEST", "Difference", "differences", "exported", "validate"]

#: The edition that knows every field.
NEWEST = max(Edition)


def exported(edition: Edition | str = DEFAULT_EDITION) -> bytes:
    """Print the XSD of an edition.

    >>> exported("2025-11").splitlines()[1]
    b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">'
    """
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">',
            *_indented(_components(Edition(edition))),
            "</xs:schema>",
            "",
        ]
    ).encode()


def validate(data: bytes, *, edition: Edition | str = DEFAULT_EDITION, limit: int = LIMIT) -> tuple[Violation, ...]:
    """Check bytes against the XSD of an edition; an empty tuple is a valid document.

    >>> validate(b"<reportResponse><responseCode>0</responseCode></reportResponse>")[0].rule
    'xsd-content'
    """
    try:
        root = parse(data, limit=limit)
    except InvalidReport as error:
        return error.violations
    edition = Edition(edition)
    return () if is_valid(root, edition) else explain(root, edition)


@memo
def compiled(edition: Edition) -> "etree.XMLSchema":
    """Compile the XSD of an edition with libxml2, once."""
    return _compile(edition)


def _compile(edition: Edition) -> "etree.XMLSchema":
    from lxml import etree

    return etree.XMLSchema(etree.fromstring(exported(edition)))


def is_valid(root: "etree._Element", edition: Edition) -> bool:
    """Tell whether a tree is valid. Times and tags may be brought into the spelling that libxml2 takes."""
    schema = compiled(edition)
    if schema.validate(root):
        return True
    _collapse(root)
    if schema.validate(root):
        return True
    # A schema remembers the errors of its last document, and the values that were wrong; after this one there are none.
    schema.validate(parse(b"<internetDetails><chatImIncident/></internetDetails>"))
    return False


def _collapse(root: "etree._Element") -> None:
    """Do what XSD demands of a reader and libxml2 leaves out: it minds white space around times, dates, `INF` and tags, and
    it takes `1` in a tag for something else than `true`."""
    names = _left_out()
    for element in root.iter(*names.elements):
        if text := (element.text or "").strip(WHITE):
            element.text = "true" if text == "1" and element.tag in names.tags else text
    for name in names.attributes:
        for element in root.iterfind(f".//*[@{name}]"):
            element.set(name, element.attrib[name].strip(WHITE))


_NOT_COLLAPSED = (Lexical.DATE, Lexical.DATETIME, Lexical.DOUBLE)


class _LeftOut(NamedTuple):
    """The names of what libxml2 does not collapse."""

    elements: tuple[str, ...]
    attributes: tuple[str, ...]
    tags: frozenset[str]


@memo
def _left_out() -> _LeftOut:
    fields = [field for kind in parts() for field in part_of(kind).fields]
    simple = [field for field in fields if isinstance(field.type, Simple) and field.type.lexical in _NOT_COLLAPSED]
    tags = frozenset(field.xml for field in fields if field.flag)
    return _LeftOut(
        elements=tuple({*tags, *(field.xml for field in simple if field.place is Place.ELEMENT)}),
        attributes=tuple({field.xml for field in simple if field.place is Place.ATTRIBUTE}),
        tags=tags,
    )


def explain(root: "etree._Element", edition: Edition) -> tuple[Violation, ...]:
    """Say why a tree is not valid: every fault with its line and path, and never a value."""
    # A schema of its own, for its error log is shared by all who validate with it.
    schema = _compile(edition)
    schema.validate(root)
    return tuple(explained(schema.error_log))


def explained(log: Iterable[Any]) -> Iterator[Violation]:
    """Translate libxml2's log, whose messages quote values, into violations, which do not."""
    seen = set()
    for entry in log:
        xpath = entry.path or ""
        kind = entry.type_name.removeprefix("SCHEMAV_")
        # One bad value is logged twice: for its facet and for its type.
        rule, message = _explanation(kind, entry.message, xpath)
        if (xpath, rule) not in seen:
            seen.add((xpath, rule))
            yield at(xpath, rule=rule, message=message, line=entry.line)


def _explanation(kind: str, message: str, xpath: str) -> tuple[str, str]:
    names = re.sub(r"^Element '[^']*'(, attribute '[^']*')?: ", "", message)
    attribute = re.match(r"Element '[^']*', attribute '([^']*)'", message)
    match kind:
        case "ELEMENT_CONTENT" | "CVC_ELT_1":
            # "This element is not expected. Expected is one of ( a, b )." names elements and quotes nothing.
            return "xsd-content", names[:1].lower() + names[1:].rstrip(".")
        case "CVC_COMPLEX_TYPE_3_2_1" | "CVC_COMPLEX_TYPE_3_2_2" | "CVC_COMPLEX_TYPE_4":
            return "xsd-attribute", names[:1].lower() + names[1:].rstrip(".")
        case (
            "CVC_COMPLEX_TYPE_2_1"
            | "CVC_COMPLEX_TYPE_2_2"
            | "CVC_COMPLEX_TYPE_2_3"
            | "CVC_TYPE_3_1_2"
            | "CVC_TYPE_3_1_1"
        ):
            return "xsd-content", "holds text, elements or attributes that do not belong there"
        case _:
            what = f"attribute {attribute[1]}" if attribute else "text"
            return "xsd-value", f"has {what} that its type does not allow"


# -- printing -------------------------------------------------------------------------------------------------------------

_Line = tuple[int, str]


def _indented(lines: Iterable[_Line]) -> Iterator[str]:
    return ("    " * (depth + 1) + text for depth, text in lines)


def _components(edition: Edition) -> Iterator[_Line]:
    named: dict[str, list[_Line]] = {}
    for kind in parts():
        declared = part_of(kind)
        fields = declared.known(edition)
        if declared.form is Form.ELEMENT:
            yield 0, f'<xs:element name="{declared.name}">'
            yield from _deeper(_documentation(kind))
            yield from _deeper(_complex_type(declared, edition))
            yield 0, "</xs:element>"
        elif declared.form is Form.TYPE:
            named[declared.name] = list(_complex_type(declared, edition, f' name="{declared.name}"'))
        for field in fields:
            if isinstance(field.type, Choice):
                yield from _choice_element(field)
            elif not members(field) and (printed := list(_named_type(field.type))):
                named[_type_name(field.type)] = printed
    for name in sorted(named):
        yield from named[name]


def _deeper(lines: Iterable[_Line]) -> Iterator[_Line]:
    return ((depth + 1, text) for depth, text in lines)


def _documentation(kind: type[Any]) -> Iterator[_Line]:
    summary = (kind.__doc__ or "").strip().split("\n\n")[0]
    if summary:
        yield 0, f"<xs:annotation><xs:documentation>{html.escape(summary)}</xs:documentation></xs:annotation>"


def _complex_type(declared: Part, edition: Edition, name: str = "") -> Iterator[_Line]:
    fields = declared.known(edition)
    attributes = [line for field in fields if field.place is Place.ATTRIBUTE for line in _attribute(field)]
    yield 0, f"<xs:complexType{name}>"
    if (text := declared.text) is not None:
        yield 1, "<xs:simpleContent>"
        yield 2, f'<xs:extension base="{_type_name(text.type)}">'
        yield from ((depth + 3, line) for depth, line in attributes)
        yield 2, "</xs:extension>"
        yield 1, "</xs:simpleContent>"
    else:
        if elements := [field for field in fields if field.place is Place.ELEMENT]:
            group = "all" if declared.group is Group.ALL else "sequence"
            yield 1, f"<xs:{group}>"
            yield from ((depth + 2, line) for depth, line in _elements(elements, edition))
            yield 1, f"</xs:{group}>"
        yield from _deeper(attributes)
    yield 0, "</xs:complexType>"


def _elements(fields: list[Field], edition: Edition) -> Iterator[_Line]:
    open_choice: str | None = None
    for field in fields:
        if field.one_of != open_choice:
            if open_choice is not None:
                yield 0, "</xs:choice>"
            if field.one_of is not None:
                yield 0, "<xs:choice>"
            open_choice = field.one_of
        lines = _element(field, edition)
        yield from _deeper(lines) if open_choice is not None else lines
    if open_choice is not None:
        yield 0, "</xs:choice>"


def _element(field: Field, edition: Edition) -> Iterator[_Line]:
    occurs = ("" if field.required else ' minOccurs="0"') + (' maxOccurs="unbounded"' if field.many else "")
    kind = part_of(field.type) if is_part(field.type) else None
    if isinstance(field.type, Choice) or (kind and kind.form is Form.ELEMENT):
        yield 0, f'<xs:element ref="{field.xml}"{occurs}/>'
    elif kind and kind.form is Form.INLINE:
        yield 0, f'<xs:element name="{field.xml}"{occurs}>'
        yield from _deeper(_complex_type(kind, edition))
        yield 0, "</xs:element>"
    else:
        fixed = ' fixed="true"' if field.flag else ""
        yield 0, f'<xs:element name="{field.xml}"{occurs} type="{_type_name(field.type)}"{fixed}/>'


def _attribute(field: Field) -> Iterator[_Line]:
    use = ' use="required"' if field.required else ""
    yield 0, f'<xs:attribute name="{field.xml}" type="{_type_name(field.type)}"{use}/>'


def _choice_element(field: Field) -> Iterator[_Line]:
    assert isinstance(field.type, Choice)
    yield 0, f'<xs:element name="{field.xml}">'
    yield 1, "<xs:complexType>"
    yield 2, "<xs:choice>"
    yield from ((3, f'<xs:element ref="{part_of(kind).name}"/>') for kind in field.type.parts)
    yield 2, "</xs:choice>"
    yield 1, "</xs:complexType>"
    yield 0, "</xs:element>"


def _type_name(kind: Any) -> str:
    if isinstance(kind, Simple):
        return kind.name
    if is_part(kind):
        return part_of(kind).name
    name: str = kind.__xsd__
    return name


def _named_type(kind: Any) -> Iterator[_Line]:
    """Print a simple type, if it is not one of XSD's own."""
    if isinstance(kind, Simple):
        if kind.name == kind.lexical:
            return
        if kind.complex:
            yield 0, f'<xs:complexType name="{kind.name}">'
            yield 1, "<xs:simpleContent>"
            yield 2, f'<xs:extension base="{kind.lexical}"/>'
            yield 1, "</xs:simpleContent>"
            yield 0, "</xs:complexType>"
            return
        facets = [f'<xs:pattern value="{html.escape(kind.pattern)}"/>'] if kind.pattern else []
        yield from _restriction(kind.name, kind.lexical, facets)
    elif issubclass(kind, Vocabulary):
        words = [f'<xs:enumeration value="{html.escape(member)}"/>' for member in kind]
        yield from _restriction(kind.__xsd__, Lexical.STRING, words)


def _restriction(name: str, base: str, facets: list[str]) -> Iterator[_Line]:
    yield 0, f'<xs:simpleType name="{name}">'
    yield 1, f'<xs:restriction base="{base}"' + (">" if facets else "/>")
    if facets:
        yield from ((2, facet) for facet in facets)
        yield 1, "</xs:restriction>"
    yield 0, "</xs:simpleType>"


# -- comparing --------------------------------------------------------------------------------------------------------------

from cybertip.xml.comparison import Difference, differences  # noqa: E402 - a chapter of this module, kept in a file of its own

"""The compiler behind the reader: from a declaration to a function that reads one part, in one of two tempers.

A function that is not *sure* reads only what we would have written, and raises `Doubt` at anything else. One that is sure
reads a tree that libxml2 found valid, in every spelling that XSD allows, and raises `Unreadable` for a value that is valid
and yet nothing Python can hold. Both take their elements from one iterator in document order, which is the fastest way
through a tree, and fill in a mould: a class with the same slots that can be written to, turned into the immutable part
when it is full.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cybertip.model.declaration import Choice, Field, Group, Lexical, Place, Simple, is_part, part_of
from cybertip.xml.lexical import collapse, read_simple
from cybertip.xml.memo import memo

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["XSI", "Doubt", "Unreadable", "reader_of"]

#: `read(element, following, below, asked)`: the element, the next one of the document, and two counters: of elements that
#: became a part or a flag and so have no text of their own, and of attributes that were asked for.
Reader = Callable[
    ["etree._Element", Callable[[], "etree._Element"], Callable[[int], object], Callable[[], object]], Any
]

#: The namespace of hints at a schema.
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_HINTS = (f"{{{XSI}}}noNamespaceSchemaLocation", f"{{{XSI}}}schemaLocation")


class Doubt(Exception):
    """The tree holds something that is not plain."""


class Unreadable(Exception):
    """A valid tree holds a value that Python, or we, cannot take."""

    def __init__(self, element: "etree._Element", attribute: str, message: str) -> None:
        self.element, self.attribute, self.message = element, attribute, message


@memo
def reader_of(kind: type[Any], *, sure: bool) -> Reader:
    """Compile the function that reads a part."""
    known: dict[str, Any] = {
        # The decorated class refuses to be written to; its slots are the same.
        "mould": type(kind.__name__, kind.__bases__, {"__slots__": kind.__slots__, "__setattr__": object.__setattr__}),
        "kind": kind,
        "doubt": _doubt,
        "asked_xsi": _ask_of_hint,
    }
    body = [*_attributes(kind, known, sure), *_elements(kind, known, sure)]
    source = "\n    ".join(
        ["def read(e, following, below, asked):", "o = mould()", *body, "o.__class__ = kind", "return o"]
    )
    exec(compile(source, f"<reader of {kind.__name__}>", "exec"), known)  # noqa: S102 - the source is made here, of names that the declaration checked
    found: Reader = known["read"]
    return found


def _doubt(*_: object) -> Any:
    raise Doubt


def _ask_of_hint(name: str, asked: Callable[[], object]) -> None:
    """Pass over a hint at a schema, which any element may carry."""
    if name not in _HINTS:
        raise Doubt
    asked()


def _attributes(kind: type[Any], known: dict[str, Any], sure: bool) -> Iterator[str]:
    fields = [field for field in part_of(kind).fields if field.place is Place.ATTRIBUTE]
    for field in fields:
        if not field.required:
            yield f"o.{field.python} = None"
    if not fields and part_of(kind).name not in ("report", "fileDetails"):
        return
    yield "for n, v in e.items():"
    word = "if"
    for field in fields:
        yield f"    {word} n == {field.xml!r}:"
        yield f"        o.{field.python} = {_value(field, known, sure)}"
        yield "        asked()"
        word = "elif"
    yield f"    {'else: ' if fields else ''}asked_xsi(n, asked)" if not sure else "    pass"
    if not sure:
        yield from (f"if not hasattr(o, {field.python!r}): doubt()" for field in fields if field.required)


def _elements(kind: type[Any], known: dict[str, Any], sure: bool) -> Iterator[str]:
    declared = part_of(kind)
    fields = [field for field in declared.fields if field.place is Place.ELEMENT]
    if declared.text is not None:
        if not sure:
            yield "if len(e): doubt()"
        yield _text("e", sure)
        yield f"o.{declared.text.python} = {_value(declared.text, known, sure)}"
        return
    yield "n = len(e)"
    yield "below(n)"
    if declared.group is Group.ALL:
        yield from _flags(fields, sure)
        return
    if not sure and not any(field.many or field.one_of or is_part(field.type) for field in fields):
        yield from _all_present(fields, known)
    yield from _advance("")
    choices: set[str] = set()
    for field in fields:
        yield from _repeated(field, known, sure) if field.many else _single(field, known, sure)
        if field.one_of is not None and not sure:
            choices.add(field.one_of)
    if not sure:
        yield "if n: doubt()"
        for label in choices:
            alternatives = [field.python for field in fields if field.one_of == label]
            yield f"if sum(one is not None for one in ({', '.join(f'o.{name}' for name in alternatives)})) > 1: doubt()"


def _all_present(fields: list[Field], known: dict[str, Any]) -> Iterator[str]:
    """Read a part that has each of its fields, which is how most addresses and captures come, without counting them."""
    yield f"if n == {len(fields)}:"
    for field in fields:
        yield "    c = following()"
        yield f"    if c.tag != {field.xml!r}: doubt()"
        yield f"    {_text('c', sure=False)}"
        yield f"    o.{field.python} = {_value(field, known, sure=False)}"
    yield "    o.__class__ = kind"
    yield "    return o"


def _advance(indent: str) -> Iterator[str]:
    """Go to the next child, if there is one."""
    yield f"{indent}if n:"
    yield f"{indent}    c = following()"
    yield f"{indent}    t = c.tag"
    yield f"{indent}else: t = None"


def _single(field: Field, known: dict[str, Any], sure: bool) -> Iterator[str]:
    yield f"if t == {field.xml!r}:"
    yield from _take(field, known, sure, f"o.{field.python} = {{}}")
    yield f"else: {f'o.{field.python} = None' if not field.required else 'doubt()'}"


def _repeated(field: Field, known: dict[str, Any], sure: bool) -> Iterator[str]:
    yield f"if t == {field.xml!r}:"
    yield "    many = []"
    yield f"    while t == {field.xml!r}:"
    yield from (f"    {line}" for line in _take(field, known, sure, "many.append({})"))
    yield f"    o.{field.python} = tuple(many)"
    yield f"else: {f'o.{field.python} = ()' if not field.required else 'doubt()'}"


def _take(field: Field, known: dict[str, Any], sure: bool, into: str) -> Iterator[str]:
    """Read the current child into its place, and go on."""
    yield "    n -= 1"
    function = f"read_{field.python}"
    if isinstance(field.type, Choice):
        known[function] = _choose({part_of(one).name: reader_of(one, sure=sure) for one in field.type.parts})
        yield "    if len(c) != 1: doubt()"
        yield "    below(1)"
        yield f"    {into.format(f'{function}(following(), following, below, asked)')}"
    elif is_part(field.type):
        known[function] = reader_of(field.type, sure=sure)
        yield f"    {into.format(f'{function}(c, following, below, asked)')}"
    else:
        yield f"    {_text('c', sure)}"
        yield f"    {into.format(_value(field, known, sure))}"
    yield from _advance("    ")


def _text(element: str, sure: bool) -> str:
    """Fetch the text of an element into `v`; an empty one is not plain."""
    return f"v = {element}.text or {''!r}" if sure else f"v = {element}.text or doubt()"


def _flags(fields: list[Field], sure: bool) -> Iterator[str]:
    """Read tags, which come in any order."""
    yield from (f"o.{field.python} = False" for field in fields)
    yield "for _ in range(n):"
    yield "    c = following()"
    yield "    t = c.tag"
    word = "if"
    for field in fields:
        yield f"    {word} t == {field.xml!r}{'' if sure else f' and not o.{field.python}'}: o.{field.python} = True"
        word = "elif"
    yield "    else: doubt()"
    if not sure:
        # A tag with text of its own is for libxml2 to judge.
        yield "    if c.text is not None or len(c): doubt()"
        yield "    below(0)"


def _choose(readers: dict[str, Reader]) -> Reader:
    return lambda element, *more: readers[str(element.tag)](element, *more)


# -- values -------------------------------------------------------------------------------------------------------------


def _value(field: Field, known: dict[str, Any], sure: bool) -> str:
    """Return the expression for the value that text `v` stands for."""
    kind = field.type
    function = f"value_{field.python}"
    if not isinstance(kind, Simple):
        known[function] = {str(member): member for member in kind}
        return f"{function}[v]"
    if kind.lexical is Lexical.STRING and (sure or kind.pattern is None):
        return "v"
    if not sure:
        return _plain(kind, function, known)
    element = "c" if field.place is Place.ELEMENT else "e"
    attribute = field.xml if field.place is Place.ATTRIBUTE else ""
    known[function] = _any_spelling(kind, attribute)
    return f"{function}(v, {element})"


def _any_spelling(kind: Simple, attribute: str) -> Callable[[str, "etree._Element"], Any]:
    convert = read_simple(kind)

    def value(text: str, element: "etree._Element") -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise Unreadable(element, attribute, str(error)) from None

    return value


def _plain(kind: Simple, function: str, known: dict[str, Any]) -> str:
    """Return the expression that reads the common spelling of a type, and doubts every other one."""
    match kind.lexical:
        case Lexical.STRING:
            assert kind.pattern is not None
            known[function] = re.compile(kind.pattern).fullmatch
            return f"v if {function}(v) else doubt()"
        case Lexical.TOKEN:
            known["collapse"] = collapse
            return "v if v == collapse(v) else doubt()"
        case Lexical.BOOLEAN:
            known["booleans"] = {"true": True, "false": False}
            return "booleans[v]"
        case Lexical.INT | Lexical.LONG:
            # Fewer digits than the smaller type holds, so that no bound needs a look.
            return "int(v) if len(v) < 10 and v.isdecimal() and v.isascii() else doubt()"
        case Lexical.DATE:
            known["parse_date"] = date.fromisoformat
            return "parse_date(v) if len(v) == 10 and v[4::3] == '--' else doubt()"
        case Lexical.DATETIME:
            # `2025-01-31T13:00:00+00:00`, which is how we write a time: its separators stand three apart.
            known["parse_time"] = datetime.fromisoformat
            known["separators"] = ("--T::+:", "--T::-:")
            # Python takes 99 minutes in an offset for an hour and 39; XSD takes them for an error.
            return "parse_time(v) if len(v) == 25 and v[4::3] in separators and v[20:22] < '14' and v[23] < '6' else doubt()"
        case _:
            return "doubt()"

"""How a part of NCMEC's document is declared: once, as an annotated attrs class.

```python
@part("ipCaptureEvent")
class IpCaptureEvent:
    ip_address: Annotated[str, IP, NOT_BLANK]
    port: Annotated[Int | None, between(1, 65535)] = None
```

The decorator reads the annotations and makes a frozen, keyword-only, slotted attrs class that carries its `Part`: for each
field the XML name (camelCase of the Python name, unless `Name` says otherwise), place, type, cardinality, documented
limits, edition and sensitivity. Writer, reader, XSD, JSON, checks, strategies and the reference table all come from there.

**A field is sensitive unless it is declared `public`**: sensitive values stay out of every repr and error.
"""

import math
import re
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from enum import Enum, StrEnum, auto
from typing import Annotated, Any, ClassVar, NamedTuple, TypeGuard, TypeVar, dataclass_transform

import attrs

from cybertip.errors import InvalidReport, Violation
from cybertip.model.edition import Edition
from cybertip.model.limits import Limit

__all__ = [
    "ATTRIBUTE",
    "TEXT",
    "UNKNOWN",
    "Choice",
    "Content",
    "Field",
    "Flag",
    "Form",
    "Group",
    "Int",
    "Law",
    "Lexical",
    "Long",
    "Name",
    "OneOf",
    "Part",
    "Place",
    "Prose",
    "Simple",
    "Vocabulary",
    "evolve",
    "is_part",
    "part",
    "part_of",
    "public",
]

T = TypeVar("T")


class Place(Enum):
    """Where a field stands in its element."""

    ELEMENT = auto()
    ATTRIBUTE = auto()
    TEXT = auto()
    #: Elements of NCMEC's replies that no edition names; kept as they came.
    UNKNOWN = auto()


class Form(Enum):
    """How the XSD names a part: a global element, a named type, or a type written inside its only element."""

    ELEMENT = auto()
    TYPE = auto()
    INLINE = auto()


class Group(Enum):
    """How the XSD orders the elements of a part."""

    SEQUENCE = auto()
    ALL = auto()


class Lexical(StrEnum):
    """The built-in XSD types that NCMEC uses, and so the Python type of a value."""

    STRING = "xs:string"
    TOKEN = "xs:token"  # noqa: S105 - a type of XSD
    BOOLEAN = "xs:boolean"
    INT = "xs:int"
    LONG = "xs:long"
    DATETIME = "xs:dateTime"
    DATE = "xs:date"
    DOUBLE = "xs:double"


class Simple(NamedTuple):
    """A type whose value is text: a built-in one, or one that NCMEC's XSD names."""

    name: str
    lexical: Lexical
    pattern: str | None = None
    #: NCMEC declares some texts as complex types with simple content; the bytes look the same.
    complex: bool = False


class Choice(NamedTuple):
    """An element that holds exactly one of several parts."""

    parts: tuple[type[Any], ...]


class Vocabulary(StrEnum):
    """A closed list of NCMEC's words; `__xsd__` is the name of its simple type."""

    __xsd__: ClassVar[str]


class Name(NamedTuple):
    """The XML name, where it is not the camelCase of the Python one."""

    xml: str


class OneOf(NamedTuple):
    """Fields with the same label exclude each other (an `xs:choice`)."""

    label: str


class Law(StrEnum):
    """The clause of 18 U.S.C. 2258A(b) that lists such information. None of it is required: that is at the discretion of
    the provider."""

    IDENTITY = "18 U.S.C. 2258A(b)(1)"
    HISTORY = "18 U.S.C. 2258A(b)(2)"
    LOCATION = "18 U.S.C. 2258A(b)(3)"
    DEPICTION = "18 U.S.C. 2258A(b)(4)"
    COMMUNICATION = "18 U.S.C. 2258A(b)(5)"


class _Public:
    pass


#: Marks a field whose value says nothing about a person; all others are sensitive.
public = _Public()
ATTRIBUTE = Place.ATTRIBUTE
TEXT = Place.TEXT
UNKNOWN = Place.UNKNOWN

Int = Annotated[int, Simple("xs:int", Lexical.INT)]
Long = Annotated[int, Simple("xs:long", Lexical.LONG)]
Prose = Annotated[str, Simple("text", Lexical.STRING, complex=True)]
Content = Annotated[str, Simple("content", Lexical.STRING, complex=True)]


class _Fixed:
    pass


#: An empty element that means true; false is its absence.
Flag = Annotated[bool, _Fixed()]

_BUILT_IN: dict[object, Simple] = {
    str: Simple("xs:string", Lexical.STRING),
    bool: Simple("xs:boolean", Lexical.BOOLEAN),
    float: Simple("xs:double", Lexical.DOUBLE),
    datetime: Simple("xs:dateTime", Lexical.DATETIME),
    date: Simple("xs:date", Lexical.DATE),
}


class Field(NamedTuple):
    """One declared field: everything anybody needs to know about it."""

    python: str
    xml: str
    place: Place
    type: "Simple | Choice | type[Vocabulary] | type[Any]"
    many: bool
    required: bool
    flag: bool
    one_of: str | None
    limits: tuple[Limit, ...]
    law: Law | None
    since: Edition
    public: bool

    @property
    def occurs(self) -> str:
        """The cardinality as `least..most`, `*` for no bound."""
        return f"{int(self.required)}..{'*' if self.many else 1}"

    def path(self, index: int | None = None) -> tuple[str, str]:
        """Return how Python and how XML name the field, or its member `index` (from 0), below its part."""
        python, xml = self.python, self.xml
        match self.place:
            case Place.ATTRIBUTE:
                return f".{python}", f"/@{xml}"
            case Place.TEXT:
                return f".{python}", ""
            case _ if self.many and index is not None:
                return f".{python}[{index}]", f"/{xml}[{index + 1}]"
            case _:
                return f".{python}", f"/{xml}"


class Part(NamedTuple):
    """What is declared of one class."""

    name: str
    python: str
    form: Form
    group: Group
    #: NCMEC writes it and we read it: unknown elements are kept.
    reply: bool
    fields: tuple[Field, ...]

    @property
    def text(self) -> Field | None:
        """The field that is the element's own text, if there is one."""
        return next((field for field in self.fields if field.place is Place.TEXT), None)

    def known(self, edition: Edition) -> tuple[Field, ...]:
        """Return the fields that an edition has, in document order."""
        return tuple(field for field in self.fields if field.since <= edition)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def part(
    name: str,
    *,
    form: Form = Form.TYPE,
    group: Group = Group.SEQUENCE,
    reply: bool = False,
    lead: bool = False,
) -> Callable[[type[T]], type[T]]:
    """Declare a class as a part of NCMEC's document (see the module's text).

    With `lead`, the fields that the class adds to its parent stand before the inherited ones.
    """

    def declare(cls: type[T]) -> type[T]:
        fields: list[Field] = []

        def transform(_: type, given: "list[attrs.Attribute[Any]]") -> "list[attrs.Attribute[Any]]":
            if lead:
                given = sorted(given, key=lambda one: one.inherited)  # type: ignore[attr-defined] # attrs documents it
            fields.extend(map(_analyse, given))
            return [
                one.evolve(
                    repr=field.public or is_part(field.type) or isinstance(field.type, Choice),
                    converter=_converter(field),
                    eq_key=_same_number if _is_double(field) else None,
                )
                for one, field in zip(given, fields, strict=True)
            ]

        cls.__attrs_post_init__ = _refuse_what_the_xsd_refuses  # type: ignore[attr-defined] # attrs looks for it
        made = attrs.frozen(kw_only=True, weakref_slot=False, field_transformer=transform)(cls)
        made.__part__ = Part(name, cls.__name__, form, group, reply, tuple(fields))  # type: ignore[attr-defined] # read by part_of
        made.__checks__ = tuple(map(_check, fields))  # type: ignore[attr-defined] # read below
        return made

    return declare


def part_of(cls: type) -> Part:
    """Return what was declared of a class.

    >>> from cybertip.model import Email
    >>> [field.xml for field in part_of(Email).fields]
    ['value', 'type', 'verified', 'verificationDate']
    """
    found: Part = cls.__dict__["__part__"]
    return found


def is_part(value: object) -> TypeGuard[type[Any]]:
    """Tell whether a class was declared with `part`."""
    return isinstance(value, type) and "__part__" in value.__dict__


def evolve(document: T, /, **changes: Any) -> T:
    """Return a copy with some fields changed; the original, being immutable, stays.

    Raises `InvalidReport` where the copy would be refused by NCMEC's XSD.

    >>> from cybertip.model import Email
    >>> evolve(Email(value="a@example.com"), verified=True).verified
    True
    """
    copy: T = attrs.evolve(document, **changes)  # type: ignore[misc] # parts are attrs classes, made by `part`
    return copy


# -- reading an annotation ------------------------------------------------------------------------------------------


def _analyse(given: "attrs.Attribute[Any]") -> Field:
    markers: list[Any] = []
    core = _unwrap(given.type, markers)
    many = False
    if typing.get_origin(core) is tuple:
        many, core = True, _unwrap(typing.get_args(core)[0], markers)
    if isinstance(core, types.UnionType) or typing.get_origin(core) is typing.Union:
        # `X | None` is an optional X; any other union is a choice of parts.
        members = [member for member in typing.get_args(core) if member is not types.NoneType]
        core = _unwrap(members[0], markers) if len(members) == 1 else Choice(tuple(members))

    def marked(kind: type[T]) -> T | None:
        return next((marker for marker in markers if isinstance(marker, kind)), None)

    flag = marked(_Fixed) is not None
    place = marked(Place) or Place.ELEMENT
    name = marked(Name)
    return Field(
        python=given.name,
        xml=name.xml if name else _camel_case(given.name),
        place=place,
        type=marked(Simple) or _BUILT_IN.get(core, core),
        many=many,
        required=given.default is attrs.NOTHING and not flag,
        flag=flag,
        one_of=label.label if (label := marked(OneOf)) else None,
        limits=tuple(marker for marker in markers if isinstance(marker, Limit)),
        law=marked(Law),
        since=marked(Edition) or Edition.V2025_11,
        public=marked(_Public) is not None,
    )


def _unwrap(annotation: Any, markers: list[Any]) -> Any:
    while typing.get_origin(annotation) is Annotated:
        annotation, *more = typing.get_args(annotation)
        markers.extend(more)
    # Identifiers are NewTypes: distinct for the type checker, plain values at run time.
    return getattr(annotation, "__supertype__", annotation)


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


# -- values -----------------------------------------------------------------------------------------------------------


def _is_double(field: Field) -> bool:
    return isinstance(field.type, Simple) and field.type.lexical is Lexical.DOUBLE


def _same_number(value: float | None) -> float | str | None:
    """Compare "not a number", which NCMEC's XSD allows, equal to itself."""
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _converter(field: Field) -> Callable[[Any], Any] | None:
    """Make equal what the document cannot tell apart: any sequence is a tuple, any zone a fixed offset.

    And make plain what only looks plain: a text, number or time of a subclass may format itself as something else, and
    would then be written as that.
    """
    plain = _PLAIN.get(field.type.lexical) if isinstance(field.type, Simple) else None
    if not field.many:
        return plain
    one = plain or (lambda value: value)
    return lambda value: tuple(map(one, value)) if isinstance(value, list | tuple | types.GeneratorType) else value


def _plain_text(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) and type(value) is not str else value


def _plain_whole(value: Any) -> Any:
    is_other = isinstance(value, int) and type(value) is not int and not isinstance(value, bool)
    return int.__int__(value) if is_other else value


def _plain_double(value: Any) -> Any:
    return float.__float__(value) if isinstance(value, float) and type(value) is not float else value


def _plain_time(value: Any) -> Any:
    """Return an exact datetime with a fixed offset, for a document keeps the offset of a time zone alone."""
    if not isinstance(value, datetime) or (type(value) is datetime and isinstance(value.tzinfo, timezone)):
        return value
    offset = value.utcoffset()
    if offset is None:
        return value
    return datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond,
        tzinfo=timezone(offset),
    )  # fmt: skip


_PLAIN: dict[Lexical, Callable[[Any], Any]] = {
    Lexical.STRING: _plain_text,
    Lexical.TOKEN: _plain_text,
    Lexical.INT: _plain_whole,
    Lexical.LONG: _plain_whole,
    Lexical.DOUBLE: _plain_double,
    Lexical.DATETIME: _plain_time,
}


_Check = Callable[[Any], "str | None"]


def _check(field: Field) -> _Check:
    """Return a function that says what is wrong with one member's value, or None; it never quotes the value."""
    kind = field.type
    if isinstance(kind, Simple):
        return _check_of_simple(kind)
    if isinstance(kind, Choice):
        names = ", ".join(one.__name__ for one in kind.parts)
        return lambda value: None if isinstance(value, kind.parts) else f"must be one of {names}"
    if issubclass(kind, Vocabulary):
        words = [f"{kind.__name__}.{member.name}" for member in kind]
        shown = ", ".join(words) if len(words) <= 12 else f"a member of {kind.__name__}, such as {words[1]}"
        return lambda value: (
            None if isinstance(value, kind) else f"must be {'one of ' if len(words) <= 12 else ''}{shown}"
        )
    return lambda value: None if isinstance(value, kind) else f"must be of type {kind.__name__}"


def _check_of_simple(kind: Simple) -> _Check:
    match kind.lexical:
        case Lexical.STRING if kind.pattern is not None:
            whole = re.compile(kind.pattern).fullmatch
            return lambda value: (
                None if isinstance(value, str) and whole(value) else f"must be text that matches {kind.pattern}"
            )
        case Lexical.STRING:
            return lambda value: None if isinstance(value, str) else "must be text"
        case Lexical.TOKEN:
            return lambda value: (
                None if isinstance(value, str) and _is_collapsed(value) else "must be text without stray white space"
            )
        case Lexical.BOOLEAN:
            return lambda value: None if isinstance(value, bool) else "must be True or False"
        case Lexical.INT:
            return lambda value: None if _is_whole(value, 31) else "must be a whole number of 32 bits"
        case Lexical.LONG:
            return lambda value: None if _is_whole(value, 63) else "must be a whole number of 64 bits"
        case Lexical.DOUBLE:
            return lambda value: None if isinstance(value, float) else "must be a float"
        case Lexical.DATE:
            return lambda value: None if type(value) is date else "must be a date"
        case Lexical.DATETIME:
            return _check_time
        case never:
            typing.assert_never(never)


def _is_collapsed(value: str) -> bool:
    return not re.search(r"^ | $|  |[\t\n\r]", value)


def _is_whole(value: object, bits: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits


def _check_time(value: object) -> str | None:
    if not isinstance(value, datetime):
        return "must be a datetime"
    offset = value.utcoffset()
    if offset is None:
        return "must have an offset from UTC (a time zone)"
    if offset % timedelta(minutes=1) or abs(offset) > timedelta(hours=14):
        return "must have an offset of whole minutes, 14 hours at the most"
    return None


def _refuse_what_the_xsd_refuses(self: Any) -> None:
    """Check types, required repetition, choices and flags, and nothing that only the documentation demands."""
    found = tuple(_violations(self))
    if found:
        raise InvalidReport(found)


def _violations(self: Any) -> Iterator[Violation]:
    declared: Part = self.__part__
    chosen: dict[str, str] = {}

    def violation(field: Field, rule: str, message: str, index: int | None = None) -> Violation:
        python, xml = field.path(index)
        return Violation(path=declared.python + python, xpath=declared.name + xml, rule=rule, message=message)

    for field, check in zip(declared.fields, self.__checks__, strict=True):
        value = getattr(self, field.python)
        if field.many:
            if not isinstance(value, tuple):
                yield violation(field, "type", "must be a tuple")
                continue
            if field.required and not value:
                yield violation(field, "required", "must have at least one member")
            for index, member in enumerate(value):
                if (message := check(member)) is not None:
                    yield violation(field, "type", message, index)
        elif value is None and not field.required and not field.flag:
            continue
        elif (message := check(value)) is not None:
            yield violation(field, "type", message)
        if field.one_of is not None:
            if field.one_of in chosen:
                yield violation(field, "choice", f"cannot stand beside {chosen[field.one_of]}")
            chosen[field.one_of] = field.python

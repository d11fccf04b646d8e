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

import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, TypeGuard, TypeVar, dataclass_transform

import attrs

from cybertip.model.edition import Edition
from cybertip.model.field import (
    ATTRIBUTE,
    TEXT,
    UNKNOWN,
    Choice,
    Content,
    Field,
    Fixed,
    Flag,
    Form,
    Group,
    Int,
    Law,
    Lexical,
    Long,
    Name,
    OneOf,
    Part,
    Place,
    Prose,
    Public,
    Simple,
    Vocabulary,
    public,
)
from cybertip.model.limits import Limit
from cybertip.model.strictness import check_of, converter, is_double, refuse_what_the_xsd_refuses, same_number

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

_BUILT_IN: dict[object, Simple] = {
    str: Simple("xs:string", Lexical.STRING),
    bool: Simple("xs:boolean", Lexical.BOOLEAN),
    float: Simple("xs:double", Lexical.DOUBLE),
    datetime: Simple("xs:dateTime", Lexical.DATETIME),
    date: Simple("xs:date", Lexical.DATE),
}


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
                    converter=converter(field),
                    eq_key=same_number if is_double(field) else None,
                )
                for one, field in zip(given, fields, strict=True)
            ]

        cls.__attrs_post_init__ = refuse_what_the_xsd_refuses  # type: ignore[attr-defined] # attrs looks for it
        made = attrs.frozen(kw_only=True, weakref_slot=False, field_transformer=transform)(cls)
        made.__part__ = Part(name, cls.__name__, form, group, reply, tuple(fields))  # type: ignore[attr-defined] # read by part_of
        made.__checks__ = tuple(map(check_of, fields))  # type: ignore[attr-defined] # read by the constructor
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

    flag = marked(Fixed) is not None
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
        public=marked(Public) is not None,
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

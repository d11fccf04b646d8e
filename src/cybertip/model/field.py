"""What can be said of a field and of a part: the words that declarations are made of."""

from enum import Enum, StrEnum, auto
from typing import Annotated, Any, ClassVar, NamedTuple

from cybertip.model.edition import Edition
from cybertip.model.limits import Limit

__all__ = [
    "ATTRIBUTE",
    "TEXT",
    "UNKNOWN",
    "Choice",
    "Content",
    "Field",
    "Fixed",
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
    "Public",
    "Simple",
    "Vocabulary",
    "public",
]


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


class Public:
    """Says that a value tells nothing about a person."""


#: Marks a field whose value says nothing about a person; all others are sensitive.
public = Public()
ATTRIBUTE = Place.ATTRIBUTE
TEXT = Place.TEXT
UNKNOWN = Place.UNKNOWN

Int = Annotated[int, Simple("xs:int", Lexical.INT)]
Long = Annotated[int, Simple("xs:long", Lexical.LONG)]
Prose = Annotated[str, Simple("text", Lexical.STRING, complex=True)]
Content = Annotated[str, Simple("content", Lexical.STRING, complex=True)]


class Fixed:
    """Says that an element is empty and means true."""


#: An empty element that means true; false is its absence.
Flag = Annotated[bool, Fixed()]


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

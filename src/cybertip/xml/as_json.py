"""The JSON form of a document, through cattrs: NCMEC's names as keys, every value exact.

A repeated element is an array. An element with text and attributes is an object whose text is `value`. A tag is `true`. A
time or a date is ISO 8601. `internetDetails` holds objects with one key, the kind of incident. What JSON has no number for
(not a number, the infinities) is written in XSD's words.
"""

import difflib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from cybertip.errors import InvalidReport, Violation
from cybertip.model.declaration import Choice, Field, Lexical, Simple, is_part, part_of
from cybertip.xml.layout import DOCUMENTS, Document, parts
from cybertip.xml.lexical import read_date, read_double, read_time, write_double, write_simple
from cybertip.xml.memo import memo
from cybertip.xml.parsing import LIMIT

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["from_json", "parse_json", "to_json"]

T = TypeVar("T")


def to_json(document: Any, *, indent: int | None = None) -> str:
    """Return a document, or any part of one, as JSON; `from_json` gives back an equal value.

    >>> from cybertip.model import Email, EmailType
    >>> to_json(Email(value="a@example.com", type=EmailType.HOME))
    '{"value": "a@example.com", "type": "Home"}'
    """
    if not is_part(type(document)):
        raise TypeError("to_json takes a document or a part of one")
    plain = _converter().unstructure(document)
    text = json.dumps(plain, indent=indent, ensure_ascii=False, allow_nan=False)
    # Half a surrogate pair cannot be encoded; escaped, it survives as it was.
    return text if _is_encodable(text) else json.dumps(plain, indent=indent)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@overload
def from_json(data: str | bytes | Mapping[str, Any]) -> Document: ...
@overload
def from_json(data: str | bytes | Mapping[str, Any], kind: type[T]) -> T: ...
def from_json(data: str | bytes | Mapping[str, Any], kind: type[Any] | None = None) -> Any:
    """Read the JSON form: of one of the four documents, told apart by their keys, or of a part when its `kind` is given.

    `data` is JSON text, or the mapping that was parsed from it. Raises `InvalidReport` with every fault and its path:
    unknown, missing or doubled keys, wrong types, times without an offset.

    >>> from cybertip.model import Email
    >>> from_json('{"value": "a@example.com", "type": "Home"}', Email).type
    <EmailType.HOME: 'Home'>
    """
    if kind is not None and not is_part(kind):
        raise TypeError("from_json reads documents and their parts")
    value = data if isinstance(data, Mapping) else parse_json(data)
    if kind is None:
        kind = _kind_of(value)
    try:
        return _converter().structure(value, kind)
    except Exception as error:
        violations = tuple(_violations(error, kind, part_of(kind).name, f"/{part_of(kind).name}"))
        if not violations:
            raise
        raise InvalidReport(violations) from None


def _invalid(rule: str, message: str, line: int | None = None) -> InvalidReport:
    return InvalidReport((Violation(path="", rule=rule, message=message, line=line),))


def parse_json(data: str | bytes) -> Any:
    """Parse JSON, strictly: no key twice, no numbers that JSON does not have, bounded in size and depth."""
    if not isinstance(data, str | bytes):
        raise _invalid("json", "must be text, bytes or a mapping")
    if not data.strip():
        raise _invalid("json", "is empty")
    if len(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")) > LIMIT:
        raise _invalid("size", f"is larger than {LIMIT} bytes")
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except InvalidReport:
        raise
    except json.JSONDecodeError as error:
        raise _invalid("json", "is not JSON", error.lineno) from None
    except RecursionError:
        raise _invalid("json", "is nested too deeply") from None
    except ValueError:
        # Bytes in no encoding of JSON, a number too long to hold, or a name that JSON does not have.
        raise _invalid("json", "is not JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _invalid("json", "has an object in which a key stands twice")
    return found


def _refuse_constant(_: str) -> Any:
    raise ValueError


def _kind_of(value: Any) -> type[Document]:
    """Return the document that most of an object's keys belong to; one that shares few keys with any is none of them."""
    if isinstance(value, Mapping):
        kind, own = max(_keys_of_documents().items(), key=lambda one: len(one[1] & value.keys()))
        shared = len(own & value.keys())
        if shared > 1 or (shared == 1 and len(value) == 1):
            return kind
    raise _invalid("root", f"must be an object with the keys of one of {', '.join(DOCUMENTS)}")


@memo
def _keys_of_documents() -> dict[type[Document], frozenset[str]]:
    return {kind: frozenset(field.xml for field in part_of(kind).fields) for kind in DOCUMENTS.values()}


# -- converting ---------------------------------------------------------------------------------------------------------

_Hook = Callable[[Any, Any], Any]


@memo
def _converter() -> "Converter":
    """Return the converter, which makes the functions for a part at first use."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter(detailed_validation=True)

    def structure_factory(kind: type[Any]) -> Any:
        overrides = {
            field.python: override(rename=field.xml, struct_hook=_structure(field, converter))
            for field in part_of(kind).fields
        }
        make: Any = make_dict_structure_fn
        structure = make(kind, converter, _cattrs_forbid_extra_keys=True, **overrides)
        return lambda value, _: structure(_object(value), kind)

    def unstructure_factory(kind: type[Any]) -> Any:
        overrides = {
            field.python: override(rename=field.xml, omit_if_default=True, unstruct_hook=_unstructure(field, converter))
            for field in part_of(kind).fields
        }
        make: Any = make_dict_unstructure_fn
        unstructure = make(kind, converter, **overrides)
        names = [field.xml for field in part_of(kind).fields]

        def in_order(value: Any) -> dict[str, Any]:
            # cattrs writes what is required first; people look for things where the document has them.
            found = unstructure(value)
            return {name: found[name] for name in names if name in found}

        return in_order

    converter.register_structure_hook_factory(is_part, structure_factory)
    converter.register_unstructure_hook_factory(is_part, unstructure_factory)
    return converter


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("must be an object")
    return value


def _structure(field: Field, converter: "Converter") -> _Hook:
    """Return the function that reads a field's value."""
    one = _structure_one(field, converter)
    if not field.many:
        return one

    def many(values: Any, kind: Any) -> Any:
        from cattrs.errors import IterableValidationError, IterableValidationNote

        if not isinstance(values, list):
            raise ValueError("must be an array")
        found, faults = [], []
        for index, value in enumerate(values):
            try:
                found.append(one(value, kind))
            except Exception as fault:
                fault.add_note(IterableValidationNote("", index, field.type))
                faults.append(fault)
        if faults:
            raise IterableValidationError("", faults, tuple)
        return tuple(found)

    return many


def _structure_one(field: Field, converter: "Converter") -> _Hook:
    kind = field.type
    if isinstance(kind, Choice):
        kinds = {part_of(one).name: one for one in kind.parts}

        def choose(value: Any, _: Any) -> Any:
            if len(_object(value)) != 1 or not value.keys() <= kinds.keys():
                raise ValueError(f"must have one key, one of {', '.join(kinds)}")
            ((name, inner),) = value.items()
            return converter.structure(inner, kinds[name])

        return choose
    if not isinstance(kind, Simple):
        if is_part(kind):
            return lambda value, _: converter.structure(value, kind)
        words = {str(member): member for member in kind}

        def word(value: Any, _: Any) -> Any:
            if not isinstance(value, str) or value not in words:
                raise ValueError(
                    f"must be one of {', '.join(words)}"
                    if len(words) <= 12
                    else f"must be a word of {kind.__xsd__}, such as {list(words)[1]}"
                )
            return words[value]

        return word
    if field.flag:
        return _flag
    read = _READERS.get(kind.lexical)
    # Every other type is JSON's own, and the constructor checks it.
    return (lambda value, _: read(value)) if read is not None else (lambda value, _: value)


def _flag(value: Any, _: Any) -> bool:
    if value is not True:
        raise ValueError("must be true; a tag that does not apply is left out")
    return True


def _text(read: Callable[[str], T]) -> Callable[[Any], T]:
    def read_text(value: Any) -> T:
        if not isinstance(value, str):
            raise ValueError("must be text")
        return read(value)

    return read_text


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("must be a number that a double can hold") from None
    return _text(read_double)(value)


_READERS: dict[Lexical, Callable[[Any], Any]] = {
    Lexical.DATETIME: _text(read_time),
    Lexical.DATE: _text(read_date),
    Lexical.DOUBLE: _number,
}


def _unstructure(field: Field, converter: "Converter") -> Callable[[Any], Any]:
    one = _unstructure_one(field, converter)
    return (lambda values: [one(value) for value in values]) if field.many else one


def _unstructure_one(field: Field, converter: "Converter") -> Callable[[Any], Any]:
    kind = field.type
    if isinstance(kind, Choice):
        return lambda value: {part_of(type(value)).name: converter.unstructure(value)}
    if not isinstance(kind, Simple):
        return converter.unstructure if is_part(kind) else str
    match kind.lexical:
        case Lexical.DATETIME | Lexical.DATE:
            write = write_simple(kind)
            return lambda value: None if value is None else write(value)
        case Lexical.DOUBLE:
            return lambda value: value if value is None or math.isfinite(value) else write_double(value)
        case _:
            return lambda value: value


# -- explaining ---------------------------------------------------------------------------------------------------------


def _violations(error: BaseException, kind: Any, python: str, xml: str) -> Iterator[Violation]:
    """Translate cattrs' groups of errors, whose messages quote values, into violations, which do not."""
    from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

    match error:
        case InvalidReport():
            # The constructor's own, with paths that start at the part.
            for one in error.violations:
                inner = one.path.removeprefix(kind.__name__) if kind else one.path
                below = one.xpath.removeprefix(part_of(kind).name) if kind else one.xpath
                yield Violation(path=python + inner, xpath=xml + below, rule=one.rule, message=one.message)
        case ForbiddenExtraKeysError():
            for key in sorted(error.extra_fields, key=str):
                yield Violation(
                    path=python,
                    xpath=xml,
                    rule="unknown-key",
                    message=f"has a key that does not belong there: {_shown(key)}",
                )
        case ClassValidationError():
            for inner_error in error.exceptions:
                yield from _violations(inner_error, error.cl, *_place(inner_error, error.cl, python, xml))
        case IterableValidationError():
            for inner_error in error.exceptions:
                index = _note(inner_error).index
                yield from _violations(inner_error, None, f"{python}[{index}]", f"{xml}[{index + 1}]")
        case KeyError():
            yield Violation(path=python, xpath=xml, rule="required", message="is missing")
        case ValueError():
            yield Violation(path=python, xpath=xml, rule="type", message=str(error))


def _place(error: BaseException, kind: Any, python: str, xml: str) -> tuple[str, str]:
    note = _note(error)
    field = next((one for one in part_of(kind).fields if note and one.python == note.name), None)
    if field is None:
        return python, xml
    below, inside = field.path()
    return python + below, xml + inside


def _note(error: BaseException) -> Any:
    """Return where cattrs was when an error came up: its innermost note."""
    return next(
        (note for note in getattr(error, "__notes__", ()) if hasattr(note, "name") or hasattr(note, "index")), None
    )


def _shown(key: object) -> str:
    """Name a key that could be a slip in one of NCMEC's; any other may be anything, such as a person's name."""
    near = difflib.get_close_matches(key, _names(), 1, 0.75) if isinstance(key, str) and len(key) < 50 else ()
    if not near:
        return "(not shown)"
    return near[0] if near[0] == key else f"{key} (did you mean {near[0]}?)"


@memo
def _names() -> tuple[str, ...]:
    return tuple({field.xml for kind in parts() for field in part_of(kind).fields})

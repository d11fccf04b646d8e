"""Read what others wrote, as JSON or TOML, into values of our own: every fault is named by its path, none by its value.

cattrs does the reading. Nothing is coerced: a number is no text, and `null` stands for an absent value only where that was
asked for. What the constructors refuse is named by the same paths.
"""

import difflib
import re
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union, get_args, get_origin

import attrs

from cybertip.errors import InvalidReport, Violation
from cybertip.model.declaration import Vocabulary
from cybertip.xml.lexical import read_time

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Reader", "camel"]

T = TypeVar("T")

#: What is finer than a microsecond: logs have it, and Python cannot hold it.
_FINER = re.compile(r"(\.[0-9]{6})[0-9]+")


def camel(name: str) -> str:
    """Spell a name as JSON does.

    >>> camel("sent_at")
    'sentAt'
    """
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


class Reader(Generic[T]):
    """Read mappings as values of an attrs class.

    Args:
        kind: the class. Its fields are texts, whole numbers, marks, times, words of NCMEC's, mappings, other attrs classes,
            and tuples of all these. A field's metadata may hold its name as `key`.
        spelled: how a field's name is spelled where nothing else is said.
        unknown_keys: whether keys that do not belong there are passed over.
        nulls: whether `null` means that an optional value is absent.
        through: classes that are read as another one, and made of what was read.
    """

    def __init__(
        self,
        kind: type[T],
        *,
        spelled: Callable[[str], str] = camel,
        unknown_keys: bool = False,
        nulls: bool = False,
        through: Mapping[type, tuple[type, Callable[[Any], Any]]] | None = None,
    ) -> None:
        self._kind = kind
        self._spelled = spelled
        self._unknown_keys = unknown_keys
        self._nulls = nulls
        self._through = dict(through or {})
        self._made: Converter | None = None

    def read(self, plain: object, *, path: str) -> T:
        """Return the value, or raise `InvalidReport` with every fault; `path` names what is read."""
        if self._made is None:
            self._made = self._converter()
        try:
            return self._made.structure(plain, self._kind)
        except Exception as error:
            violations = tuple(self._violations(error, path))
            if not violations:
                raise
            raise InvalidReport(violations) from None

    # -- how each type is read ------------------------------------------------------------------------------------------

    def _converter(self) -> "Converter":
        from cattrs import Converter

        converter = Converter(detailed_validation=True)
        for kind, read in _PLAIN.items():
            converter.register_structure_hook(kind, read)
        converter.register_structure_hook_func(_made_of(Mapping), _mapping)
        converter.register_structure_hook_factory(_made_of(tuple), lambda kind: _many(converter, get_args(kind)[0]))
        converter.register_structure_hook_factory(attrs.has, lambda kind: self._whole(converter, kind))
        for kind, (other, make) in self._through.items():
            converter.register_structure_hook(kind, _by_way_of(converter, other, make))
        return converter

    def _whole(self, converter: "Converter", kind: type[Any]) -> Callable[[Any, Any], Any]:
        from cattrs.gen import make_dict_structure_fn, override

        overrides = {
            name: override(rename=key, struct_hook=self._one(converter, field.type))
            for name, key, field in self._keys(kind)
        }
        make: Any = make_dict_structure_fn
        structure = make(kind, converter, _cattrs_forbid_extra_keys=not self._unknown_keys, **overrides)
        return lambda value, _: structure(_object(value), kind)

    def _one(self, converter: "Converter", kind: Any) -> Callable[[Any, Any], Any]:
        inner, optional = _without_none(kind)
        if isinstance(inner, type) and issubclass(inner, Vocabulary):
            # Not by the converter, which would take a word for the text that it also is.
            return _word(inner)
        if optional and self._nulls:
            return lambda value, _: None if value is None else converter.structure(value, inner)
        return lambda value, _: converter.structure(value, inner)

    def _keys(self, kind: type[Any]) -> Iterator[tuple[str, str, "attrs.Attribute[Any]"]]:
        for field in attrs.fields(attrs.resolve_types(kind)):
            yield field.name, field.metadata.get("key") or self._spelled(field.name), field

    # -- what is wrong --------------------------------------------------------------------------------------------------

    def _violations(self, error: BaseException, path: str, kind: Any = None) -> Iterator[Violation]:
        """Translate cattrs' groups of errors, whose messages quote values, into violations, which do not."""
        from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

        match error:
            case InvalidReport():
                for one in error.violations:
                    # A constructor names its class and its field; whoever reads, the key.
                    field = one.path.partition(".")[2]
                    inner = path if kind is None else f"{path}.{self._key(kind, field)}"
                    yield Violation(path=inner, rule=one.rule, message=one.message)
            case ForbiddenExtraKeysError():
                known = [key for _, key, _ in self._keys(error.cl)]
                for key in sorted(map(str, error.extra_fields)):
                    yield Violation(path=path, rule="unknown-key", message=_unknown(key, known))
            case ClassValidationError():
                for inner_error in error.exceptions:
                    name = getattr(_note(inner_error), "name", None)
                    below = path if name is None else f"{path}.{self._key(error.cl, name)}"
                    yield from self._violations(inner_error, below, error.cl if name is None else None)
            case IterableValidationError():
                for inner_error in error.exceptions:
                    yield from self._violations(inner_error, f"{path}[{_note(inner_error).index}]")
            case KeyError():
                yield Violation(path=path, rule="required", message="is missing")
            case ValueError():
                yield Violation(path=path, rule="type", message=str(error))

    def _key(self, kind: type[Any], field: str) -> str:
        return next((key for name, key, _ in self._keys(kind) if name == field), field)


def _unknown(key: str, known: list[str]) -> str:
    """Name a key that could be a slip for a known one; any other may be anything, such as a person's name."""
    near = difflib.get_close_matches(key, known, 1, 0.75) if len(key) < 50 else ()
    said = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"has a key that does not belong there: {said}"


def _note(error: BaseException) -> Any:
    """Return where cattrs was when an error came up: its innermost note."""
    notes = getattr(error, "__notes__", ())
    return next((note for note in notes if hasattr(note, "name") or hasattr(note, "index")), None)


def _without_none(kind: Any) -> tuple[Any, bool]:
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    (inner,) = (one for one in get_args(kind) if one is not type(None))
    return inner, True


def _made_of(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _word(kind: type[Vocabulary]) -> Callable[[Any, Any], Vocabulary]:
    words = {str(member): member for member in kind}

    def word(value: Any, _: Any) -> Vocabulary:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return words[value]

    return word


def _many(converter: "Converter", kind: Any) -> Callable[[Any, Any], tuple[Any, ...]]:
    from cattrs.errors import IterableValidationError, IterableValidationNote

    def many(values: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(values, list | tuple):
            raise ValueError("must be an array")
        found, faults = [], []
        for index, value in enumerate(values):
            try:
                found.append(converter.structure(value, kind))
            except Exception as fault:
                fault.add_note(IterableValidationNote("", index, kind))
                faults.append(fault)
        if faults:
            raise IterableValidationError("", faults, tuple)
        return tuple(found)

    return many


def _by_way_of(converter: "Converter", other: type, make: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: make(converter.structure(value, other))


def _object(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("must be an object")
    return value


def _mapping(value: Any, _: Any) -> Any:
    return _object(value)


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _whole_number(value: Any, _: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


def _mark(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _time(value: Any, _: Any) -> datetime:
    return read_time(_FINER.sub(r"\1", _text(value, _)))


_PLAIN: dict[type, Callable[[Any, Any], Any]] = {str: _text, int: _whole_number, bool: _mark, datetime: _time}

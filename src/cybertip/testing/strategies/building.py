"""The generic strategy: any part, built from its declaration."""

from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from hypothesis import strategies as st

from cybertip.model import Report
from cybertip.model.declaration import Choice, Field, Place, is_part, part_of
from cybertip.model.edition import DEFAULT_EDITION, Edition
from cybertip.testing.strategies.repairs import mend
from cybertip.testing.strategies.values import BEFORE, Wish, value

__all__ = ["Strategies", "built", "strategies_of"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_ABSENT = object()


class Strategies(Protocol[T_co]):
    """What every function of `cybertip.testing.strategies` that makes parts can be called with."""

    def __call__(
        self, *, edition: Edition | str = ..., acceptable: bool = ..., before: datetime = ...
    ) -> st.SearchStrategy[T_co]:
        """Return the strategy."""
        ...


def built(
    kind: type[T], *, edition: Edition | str = DEFAULT_EDITION, acceptable: bool = False, before: datetime = BEFORE
) -> st.SearchStrategy[T]:
    """Generate any part of NCMEC's documents, valid under the XSD of an edition by construction.

    Args:
        kind: the class of the part, such as `Report` or `Email`.
        edition: fields of later editions are left out.
        acceptable: keep the documented rules as well, so that `cybertip.check` finds nothing at any time from `before`
            on. Otherwise any legal value is generated, however little sense it makes.
        before: when documents are acceptable, their times lie before it; an aware time.

    Nothing is generated and then thrown away. Shrinks towards absent fields, first words and empty text.
    """
    if before.utcoffset() is None:
        raise ValueError("before must have an offset from UTC (a time zone)")
    return cast("st.SearchStrategy[T]", _PARTS[kind, Wish(Edition(edition), acceptable, before)])


def strategies_of(kind: type[T], name: str, what: str) -> Strategies[T]:
    """Return `built` for one kind, as a function with a name and a documentation of its own."""

    def strategies(
        *, edition: Edition | str = DEFAULT_EDITION, acceptable: bool = False, before: datetime = BEFORE
    ) -> st.SearchStrategy[T]:
        return built(kind, edition=edition, acceptable=acceptable, before=before)

    strategies.__name__ = strategies.__qualname__ = name
    strategies.__module__ = "cybertip.testing.strategies"
    strategies.__doc__ = f"Generate {what} (`{kind.__name__}`). The arguments are those of `built`."
    return strategies


class _Parts(dict[tuple[type[Any], Wish], st.SearchStrategy[Any]]):
    """The strategy for each kind and wish, made once: Hypothesis is faster with what it has seen."""

    def __missing__(self, key: tuple[type[Any], Wish]) -> st.SearchStrategy[Any]:
        made = self[key] = _of_part(*key)
        return made


_PARTS = _Parts()


def _of_part(kind: type[Any], wish: Wish) -> st.SearchStrategy[Any]:
    known = [field for field in part_of(kind).known(wish.edition) if field.place is not Place.UNKNOWN]
    fields = [(field, _of_field(field, wish)) for field in known]
    if kind is Report and wish.acceptable:
        # A batched report may have next to nothing else, so most reports are none.
        fields[0] = known[0], _perhaps(_of_member(known[0], wish), 10)

    # The strategies are no arguments, for Hypothesis would show them with all that they are made of.
    def part(draw: st.DrawFn) -> Any:
        values: dict[str, Any] = {}
        chosen: set[str] = set()
        for field, strategy in fields:
            drawn = draw(strategy)
            if drawn is _ABSENT or field.one_of in chosen:
                continue
            values[field.python] = drawn
            if field.one_of is not None:
                chosen.add(field.one_of)
        if wish.acceptable:
            mend(kind, values, draw)
        return kind(**values)

    part.__name__ = part.__qualname__ = kind.__name__
    return st.composite(part)()


def _of_field(field: Field, wish: Wish) -> st.SearchStrategy[Any]:
    one = _of_member(field, wish)
    if not field.many:
        return one if field.required else _perhaps(one)
    # Two members at the most, so that what a person reads stays small; each can be left out by itself, which makes the
    # other one the only one.
    members = st.tuples(_perhaps(one), one) if field.required else st.tuples(_perhaps(one, 3), _perhaps(one, 3))
    return members.map(lambda drawn: tuple(member for member in drawn if member is not _ABSENT))


def _perhaps(strategy: st.SearchStrategy[Any], times: int = 2) -> st.SearchStrategy[Any]:
    """Draw a value once in so many times. Both draws are one to Hypothesis, which makes it quick to leave the value out."""

    @st.composite
    def perhaps(draw: st.DrawFn) -> Any:
        return draw(strategy) if draw(st.integers(0, times - 1)) == times - 1 else _ABSENT

    return perhaps()


def _of_member(field: Field, wish: Wish) -> st.SearchStrategy[Any]:
    if isinstance(field.type, Choice):
        return st.one_of([_PARTS[kind, wish] for kind in field.type.parts])
    if is_part(field.type):
        return _PARTS[field.type, wish]
    return value(field, wish)

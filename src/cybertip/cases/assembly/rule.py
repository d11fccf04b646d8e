"""What a rule is: how one field of NCMEC's gets its value, for the program that runs it and the page that tells of it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from cybertip.model import evolve

__all__ = ["Rule", "Section"]

K = TypeVar("K")


@attrs.frozen
class Rule(Generic[K]):
    """Say where the value of one field comes from, and take it from there."""

    #: The field, as Python calls it.
    field: str
    #: Where its value comes from.
    source: str
    #: What becomes of it on the way, for the reference.
    text: str
    #: Take the value from what is known.
    value: Callable[[K], Any] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Section(Generic[K]):
    """The rules of one section of NCMEC's documents; there is one at the most for each of its fields."""

    #: The section, as the model calls it.
    kind: type[Any]
    #: Where it is in what is checked, `[]` standing for any place: `report.victims[]`.
    path: str
    #: What it is about, for the reference.
    about: str
    rules: tuple[Rule[K], ...]
    #: Whether it completes what a reviewer wrote, where no rule is about a field. Else that field is left out.
    completes: bool = False

    def build(self, known: K, *, base: Any = None) -> Any:
        """Return the section with every value that its rules find; `base` is what the reviewer wrote."""
        values = {rule.field: rule.value(known) for rule in self.rules}
        return self.kind(**values) if base is None else evolve(base, **values)

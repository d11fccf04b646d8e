"""Elements that say nothing. NCMEC refuses most of them: what is not known is left out (NCMEC: section 5)."""

from collections.abc import Iterator
from typing import Any

from cybertip.model.declaration import Choice, Field, Place, is_part, part_of

__all__ = ["empty", "says_nothing"]


def empty(field: Field, value: Any) -> Iterator[int | None]:
    """Yield where a field has an element that says nothing: the index of a member, or None for the field itself.

    Elements that the XSD requires are not asked about, nor is the kind of an incident, which says something by being there.
    """
    if field.place in (Place.ATTRIBUTE, Place.UNKNOWN) or isinstance(field.type, Choice):
        return
    if field.many:
        yield from (index for index, member in enumerate(value) if says_nothing(member))
    elif (not field.required or field.place is Place.TEXT) and value is not None and says_nothing(value):
        yield None


def says_nothing(value: Any) -> bool:
    """Tell whether a text is empty, or a part has no field with anything in it."""
    if is_part(type(value)):
        return all(
            getattr(value, field.python) in (None, (), False) and not _is_answer(field, value)
            for field in part_of(type(value)).fields
        )
    return isinstance(value, str) and not value


def _is_answer(field: Field, part: Any) -> bool:
    """Tell whether a field is a plain no, which is an answer; a tag that is absent is none."""
    return not field.flag and getattr(part, field.python) is False

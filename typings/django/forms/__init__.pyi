from collections.abc import Callable, Iterable
from typing import Any

from django.http import QueryDict

class Form:
    cleaned_data: dict[str, Any]
    errors: dict[str, list[str]]
    def __init__(self, data: QueryDict) -> None: ...
    def is_valid(self) -> bool: ...

class Field: ...

class TypedChoiceField(Field):
    def __init__(self, *, choices: Iterable[tuple[str, str]], coerce: Callable[[Any], Any]) -> None: ...

class DateTimeField(Field): ...

class CharField(Field):
    def __init__(self, *, required: bool = True, empty_value: str | None = "") -> None: ...

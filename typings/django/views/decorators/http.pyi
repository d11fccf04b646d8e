from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V", bound=Callable[..., object])

def require_GET(view: V) -> V: ...
def require_POST(view: V) -> V: ...

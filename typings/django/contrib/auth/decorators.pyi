from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V", bound=Callable[..., object])

def login_required(function: V) -> V: ...
def permission_required(perm: str) -> Callable[[V], V]: ...

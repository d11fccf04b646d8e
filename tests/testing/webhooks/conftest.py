"""Keys, made once, and a platform that somebody else has built."""

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cybertip.testing.webhooks import SampleKeys, Scheme, make_keys


@pytest.fixture(scope="session")
def keys_of() -> Callable[[Scheme], SampleKeys]:
    """Return a function that returns the keys of a scheme, the same each time."""
    made: dict[Scheme, SampleKeys] = {}
    return lambda scheme: made.setdefault(scheme, made.get(scheme) or make_keys(scheme))


@pytest.fixture(scope="session")
def somebody() -> Any:
    """Return what `platform.py` defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("platform.py"))))

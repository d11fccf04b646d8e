"""What all tests share: how long Hypothesis looks for counterexamples, and NCMEC's own files where there are any.

NCMEC's files are reference data that is not part of the project. Tests that compare with them take their paths from the
environment, and are skipped by name where it has none.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from cybertip.model.declaration import Choice, Field, Place, is_part, part_of

# Machines that run tests are slow now and then: no deadline, no complaint about a slow example. Explaining a fault of a
# whole report takes longer than finding and shrinking it.
_PATIENT = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=set(Phase) - {Phase.explain},
)
settings.register_profile("ci", _PATIENT)
settings.register_profile("quick", _PATIENT, max_examples=15)
settings.load_profile("ci")

#: Of our own log, and of the logs of the HTTP client below, which show what goes over the wire.
_LOGS = ("cybertip", "httpcore.connection", "httpcore.http11", "httpx")


@pytest.fixture(autouse=True)
def _left_as_it_was() -> Iterator[None]:
    """Find the test that silences the log: later ones in its process would fail, or worse, prove nothing."""
    yield
    assert not logging.root.manager.disable, "this test leaves logging disabled"
    silenced = [name for name in _LOGS if (log := logging.getLogger(name)).disabled or not log.propagate]
    assert silenced == [], "this test leaves logs silenced"


def _from_environment(variable: str, what: str) -> Path:
    given = os.environ.get(variable)
    if not given:
        pytest.skip(f"{variable} is not set: it is the path of {what}")
    return Path(given)


@pytest.fixture(scope="session")
def ncmec_fields() -> Path:
    """The table of every element and attribute of NCMEC's documents."""
    return _from_environment("CYBERTIP_NCMEC_FIELDS", "the table of fields (CSV)")


@pytest.fixture(scope="session")
def ncmec_xsd() -> bytes:
    """NCMEC's own XSD of November 2025."""
    return _from_environment("CYBERTIP_NCMEC_XSD", "NCMEC's XSD of 2025-11").read_bytes()


def _filled(kind: type[Any], value_of: Callable[[Field], Any]) -> Any:
    values: dict[str, Any] = {}
    chosen: set[str | None] = set()
    for field in part_of(kind).fields:
        one: Any = field.type
        if field.place is Place.UNKNOWN or field.one_of in chosen - {None}:
            continue
        chosen.add(field.one_of)
        if isinstance(one, Choice):
            values[field.python] = tuple(_filled(member, value_of) for member in one.parts)
            continue
        value = _filled(one, value_of) if is_part(one) else value_of(field)
        values[field.python] = (value,) if field.many else value
    return kind(**values)


@pytest.fixture(scope="session")
def filled() -> Callable[[type[Any], Callable[[Field], Any]], Any]:
    """Return a function that makes a part with every field, as far as they can stand together; it asks for each value."""
    return _filled

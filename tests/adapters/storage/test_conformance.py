"""The suite tests every promise of the port, and storage in memory keeps them in both colours."""

import inspect
import re

import pytest

from cybertip.adapters.bridge import LiftedStorage, lift
from cybertip.adapters.storage.memory import AsyncMemoryStorage, MemoryStorage
from cybertip.ports.policing import policed
from cybertip.ports.storage import Storage
from cybertip.testing.conformance import AsyncStorageSuite, StorageSuite


class TestMemoryStorage(StorageSuite):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()


class TestPolicedStorage(StorageSuite):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return policed(MemoryStorage())


class TestAsyncMemoryStorage(AsyncStorageSuite):
    @pytest.fixture
    def async_storage(self) -> AsyncMemoryStorage:
        return AsyncMemoryStorage()


class TestLiftedStorage(AsyncStorageSuite):
    @pytest.fixture
    def async_storage(self) -> LiftedStorage:
        return lift(MemoryStorage())


def _sentences() -> set[tuple[str, str]]:
    """Return the port's methods with their guarantees."""
    found = set()
    for name, method in vars(Storage).items():
        docstring = inspect.getdoc(method) if inspect.isfunction(method) else None
        for bullet in re.findall(r"^- (.*(?:\n  .*)*)", docstring or "", re.MULTILINE):
            if not name.startswith("_"):
                found.add((name, " ".join(bullet.split())))
    return found


def test_each_guarantee_has_a_test() -> None:
    """The suite tests each sentence of the port, by its own words, and nothing that the port does not say."""
    sentences = _sentences()
    assert len(sentences) > 30
    tests: dict[tuple[str, str], str] = {}
    for name, test in inspect.getmembers(StorageSuite, inspect.isfunction):
        if name.startswith("test_"):
            sentence = " ".join((inspect.getdoc(test) or "").split())
            (method,) = {
                method for method, said in sentences if said == sentence and name.startswith(f"test_{method}_")
            }
            assert (method, sentence) not in tests, f"{name} tests what {tests.get((method, sentence))} does"
            tests[method, sentence] = name
    assert sentences == set(tests)

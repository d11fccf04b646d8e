"""The suite in both colours. The async one drives the same tests through an event loop in a thread of its own."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, ClassVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from cybertip.ports.storage import AsyncStorage, Storage
from cybertip.testing.conformance.storage.claims import Claims
from cybertip.testing.conformance.storage.journals import Journals
from cybertip.testing.conformance.storage.letters import Letters

__all__ = ["AsyncStorageSuite", "StorageSuite"]


class StorageSuite(Journals, Claims, Letters):
    """Test a `Storage`: one test for each sentence of the port's docstrings.

    Override the fixture `storage`; it returns a storage with nothing in it. Override `another` as well if two programs can
    use one database: it returns a second storage on what `storage` keeps.
    """

    @pytest.fixture
    def storage(self) -> Any:
        """An empty storage."""
        pytest.fail("override the fixture `storage` of the suite")

    @pytest.fixture
    def another(self, storage: Storage) -> Any:
        """A second way to what `storage` keeps: here, the same one, used from other threads."""
        return storage


class AsyncStorageSuite(StorageSuite):
    """Test an `AsyncStorage`, on asyncio and trio.

    Override the fixture `async_storage`. It returns an empty storage, or an asynchronous context manager that yields one; it
    is entered and left within the event loop. `another_async_storage` is the like of `another`.
    """

    #: The event loops to test with.
    backends: ClassVar[tuple[str, ...]] = ("asyncio", "trio") if importlib.util.find_spec("trio") else ("asyncio",)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test once on each event loop."""
        if "backend" in metafunc.fixturenames:
            metafunc.parametrize("backend", self.backends)

    @pytest.fixture
    def portal(self, backend: str) -> Iterator[BlockingPortal]:
        """An event loop in a thread."""
        with start_blocking_portal(backend) as portal:
            yield portal

    @pytest.fixture
    def async_storage(self) -> Any:
        """An empty storage, or what yields one."""
        pytest.fail("override the fixture `async_storage` of the suite")

    @pytest.fixture
    def another_async_storage(self) -> Any:
        """A second way to what `async_storage` keeps; None for the same one."""
        return None

    @pytest.fixture
    def storage(self, portal: BlockingPortal, async_storage: Any) -> Iterator[Any]:
        """The storage, driven from outside of its event loop."""
        with _driven(portal, async_storage) as storage:
            yield storage

    @pytest.fixture
    def another(self, portal: BlockingPortal, storage: Any, another_async_storage: Any) -> Iterator[Any]:
        """The second one, driven likewise."""
        with ExitStack() as stack:
            second = another_async_storage
            yield storage if second is None else stack.enter_context(_driven(portal, second))


class _Driven:
    """Pass for a sync storage. Calls from several threads are tasks that run at once."""

    def __init__(self, portal: BlockingPortal, storage: AsyncStorage) -> None:
        self._portal = portal
        self._storage = storage

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._storage, name)
        return lambda *args, **kwargs: self._portal.call(partial(method, *args, **kwargs))


@contextmanager
def _driven(portal: BlockingPortal, storage: Any) -> Iterator[_Driven]:
    if hasattr(storage, "__aenter__"):
        with portal.wrap_async_context_manager(storage) as entered:
            yield _Driven(portal, entered)
    else:
        yield _Driven(portal, storage)

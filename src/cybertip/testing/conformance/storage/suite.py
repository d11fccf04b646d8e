"""The suite in both colours. The async one drives the same tests through an event loop in a thread of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from cybertip.ports.storage import Storage
from cybertip.testing.conformance.running import OnEventLoops, driven
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


class AsyncStorageSuite(OnEventLoops, StorageSuite):
    """Test an `AsyncStorage`, on asyncio and trio.

    Override the fixture `async_storage`. It returns an empty storage, or an asynchronous context manager that yields one; it
    is entered and left within the event loop. `another_async_storage` is the like of `another`.
    """

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
        with driven(portal, async_storage) as storage:
            yield storage

    @pytest.fixture
    def another(self, portal: BlockingPortal, storage: Any, another_async_storage: Any) -> Iterator[Any]:
        """The second one, driven likewise."""
        with ExitStack() as stack:
            second = another_async_storage
            yield storage if second is None else stack.enter_context(driven(portal, second))

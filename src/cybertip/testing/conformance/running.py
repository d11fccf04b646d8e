"""How suites run their tests: many works at once, and an async adapter driven from outside of its event loop."""

import importlib.util
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, TypeVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

__all__ = ["OnEventLoops", "at_once", "driven"]

T = TypeVar("T")


def at_once(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Do works in threads that start together; return what each returned or raised."""
    outcomes: list[T | Exception] = [RuntimeError("it never began")] * len(works)
    start = threading.Barrier(len(works))

    def do(position: int, work: Callable[[], T]) -> None:
        start.wait()
        try:
            outcomes[position] = work()
        except Exception as error:
            outcomes[position] = error

    threads = [threading.Thread(target=do, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class OnEventLoops:
    """Run each test once on each event loop, which turns in a thread of its own."""

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


class _Driven:
    """Pass for a sync adapter. Calls from several threads are tasks that run at once."""

    def __init__(self, portal: BlockingPortal, adapter: Any) -> None:
        self._portal = portal
        self._adapter = adapter

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._adapter, name)
        return lambda *args, **kwargs: self._portal.call(partial(method, *args, **kwargs))

    def begun(self, name: str, **kwargs: Any) -> "Future[Any]":
        """Begin a call, and return what can be waited for or cancelled."""
        return self._portal.start_task_soon(partial(getattr(self._adapter, name), **kwargs))


@contextmanager
def driven(portal: BlockingPortal, adapter: Any) -> Iterator[Any]:
    """Drive an async adapter, or one that an async context manager yields, as a sync one."""
    if hasattr(adapter, "__aenter__"):
        with portal.wrap_async_context_manager(adapter) as entered:
            yield _Driven(portal, entered)
    else:
        yield _Driven(portal, adapter)

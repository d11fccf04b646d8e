"""Many items at a time, in threads: hashing files waits for disks and, in C, lets other threads run."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Progress", "each"]

A = TypeVar("A")
T = TypeVar("T")

#: Told how many items are done, after each of them.
Progress = Callable[[int], None]


def each(
    work: Callable[[A], T], items: Iterable[A], *, threads: int | None = None, progress: Progress | None = None
) -> Generator[T, None, None]:
    """Do some work for each item and yield what it returns, in the order of the items.

    No more than twice as many items as there are threads are taken ahead, so that an endless iterable is as good as a list.
    An exception ends it, and no further work is begun.

    Args:
        work: may be called from several threads at once.
        items: are taken one after the other, in the caller's thread.
        threads: as many as there are cores, where nothing is said. With 1, the work is done in the caller's thread.
        progress: told, in the caller's thread, how many items are done.

    >>> list(each(str.upper, ["a", "b", "c"], threads=2))
    ['A', 'B', 'C']
    """
    workers = threads or os.cpu_count() or 1
    results = map(work, items) if workers == 1 else _in_threads(work, items, workers)
    for done, result in enumerate(results, start=1):
        if progress is not None:
            progress(done)
        yield result


def _in_threads(work: Callable[[A], T], items: Iterable[A], workers: int) -> Iterator[T]:
    begun: deque[Future[T]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="cybertip-hashing") as pool:
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) >= 2 * workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()

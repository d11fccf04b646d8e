"""How far a command has come, for a person; nothing for a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cybertip.cli import show

__all__ = ["counting"]


@contextmanager
def counting(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a person how many of something are done: the block calls what it is given with their number.

    More than `total` can come of it, and None says that nobody knows how many there are.
    """
    if quiet or not show.console.is_terminal:
        yield lambda done: None
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=show.console, transient=True) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda done: bars.update(bar, completed=done, total=None if total is None else max(total, done))

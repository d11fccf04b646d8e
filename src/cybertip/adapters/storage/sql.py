"""Journals and heads in SQLite, PostgreSQL or MariaDB: in a database of their own, or in the host's, in its transactions.

```python
with SqlStorage("sqlite:///reports.db") as storage:
    storage.upgrade()
    ...

# A decision of the platform and its submission are committed together, or neither is:
with engine.begin() as connection:
    decide(connection)
    file(SqlStorage(engine).within(connection))
```
"""

from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cybertip.adapters.storage.engines import (
    async_engine_of,
    async_passing_engine_of,
    engine_of,
    isolation_for,
    passing_engine_of,
)
from cybertip.adapters.storage.methods import AsyncMethods, AsyncRecording, Methods, Recording
from cybertip.adapters.storage.running import AsyncTransactions, Transactions
from cybertip.adapters.storage.within import AsyncWithin, Within

__all__ = ["AsyncSqlStorage", "SqlStorage"]


class SqlStorage(Methods):
    """Keep journals and heads in a database (see `cybertip.ports.storage.Storage` for what is guaranteed).

    Args:
        database: a URL, as `sqlite:///path.db`, `postgresql://host/name` or `mariadb://host/name`, for which a driver is
            chosen and an engine made here; or the host's own engine, which stays open. Of MariaDB, 10.6 is the oldest.

    Keys, tokens and all other names have 255 characters at the most. Calls may be made from several threads. `upgrade` makes
    the tables; everything else raises `AdapterError` until it has.
    """

    def __init__(self, database: str | URL | Engine) -> None:
        self._ours = not isinstance(database, Engine)
        self._engine = database if isinstance(database, Engine) else engine_of(database)
        options = {} if self._ours else isolation_for(self._engine)
        self._passing = None if isinstance(database, Engine) else passing_engine_of(database)
        self._transactions = Transactions(self._engine, options=options, passing=self._passing)
        super().__init__(self._transactions)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self._engine.dialect.name}>"

    def upgrade(self) -> None:
        """Make the tables, or bring them up to date. It may be called at every start, and by several processes at once."""
        self._transactions.upgrade()

    def within(self, connection: Connection) -> Recording:
        """Return this storage inside a transaction of the host's: what it does is committed or undone with it.

        Submissions are recorded there and decided about, not delivered: nothing can be claimed. Nothing is repeated and
        nothing is committed. After a `Conflict` the transaction can go on; an append in it keeps its row locked until it
        ends. Of SQLite it is the one writer from the first call on.
        """
        return Recording(Within(connection))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless the engine is the host's."""
        if self._ours:
            self._engine.dispose()
        if self._passing is not None:
            self._passing.dispose()


class AsyncSqlStorage(AsyncMethods):
    """Keep journals and heads in a database, as `SqlStorage` does, on asyncio.

    Elsewhere, and so on trio, a `SqlStorage` lifted by `cybertip.adapters.bridge.lift` does the same.
    """

    def __init__(self, database: str | URL | AsyncEngine) -> None:
        self._ours = not isinstance(database, AsyncEngine)
        self._engine = database if isinstance(database, AsyncEngine) else async_engine_of(database)
        options = {} if self._ours else isolation_for(self._engine)
        self._passing = None if isinstance(database, AsyncEngine) else async_passing_engine_of(database)
        self._transactions = AsyncTransactions(self._engine, options=options, passing=self._passing)
        super().__init__(self._transactions)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self._engine.dialect.name}>"

    async def upgrade(self) -> None:
        """Make the tables, or bring them up to date. It may be called at every start, and by several processes at once."""
        await self._transactions.upgrade()

    def within(self, connection: AsyncConnection) -> AsyncRecording:
        """Return this storage inside a transaction of the host's: what it does is committed or undone with it.

        Submissions are recorded there and decided about, not delivered: nothing can be claimed. Nothing is repeated and
        nothing is committed. After a `Conflict` the transaction can go on; an append in it keeps its row locked until it
        ends. Of SQLite it is the one writer from the first call on.
        """
        return AsyncRecording(AsyncWithin(connection))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless the engine is the host's."""
        if self._ours:
            await self._engine.dispose()
        if self._passing is not None:
            await self._passing.dispose()

"""The tables of durable filing, as SQLAlchemy's Core knows them. The migrations make the same, which a test compares.

Names compare by code point, byte for byte: no locale decides which key comes first, or that two keys are the same.
Times are microseconds since 1970 in UTC.
"""

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.types import TypeEngine

from cybertip.adapters.storage.checks import DIGITS, LENGTH, LENGTH_OF_ID

__all__ = ["COLLATION", "entries", "heads", "letters", "long_text", "metadata", "name_of", "tags"]

#: MariaDB's binary collation for all of Unicode in which a blank at the end counts, too.
COLLATION = "utf8mb4_nopad_bin"

metadata = MetaData()


def name_of(length: int = LENGTH) -> TypeEngine[str]:
    """Return the type of a name: short text that compares by code point."""
    return (
        String(length)
        .with_variant(String(length, collation="C"), "postgresql")
        .with_variant(VARCHAR(length, charset="utf8mb4", collation=COLLATION), "mysql", "mariadb")
    )


def long_text() -> TypeEngine[str]:
    """Return the type of text of many megabytes."""
    return Text().with_variant(LONGTEXT(charset="utf8mb4", collation=COLLATION), "mysql", "mariadb")


def _table(name: str, *parts: Column[str] | Column[int] | Index) -> Table:
    # InnoDB, whatever a server's default is: no other engine has transactions.
    return Table(name, metadata, *parts, mysql_engine="InnoDB", mariadb_engine="InnoDB")


entries = _table(
    "cybertip_entries",
    Column("key", name_of(), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("kind", name_of(), nullable=False),
    Column("data", long_text(), nullable=False),
    Column("previous", name_of(DIGITS), nullable=False),
    Column("digest", name_of(DIGITS), nullable=False),
)

heads = _table(
    "cybertip_heads",
    Column("key", name_of(), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("digest", name_of(DIGITS), nullable=False),
    Column("status", name_of(), nullable=False),
    Column("due_at", BigInteger),
    Column("priority", BigInteger, nullable=False),
    Column("tenant", name_of(), nullable=False),
    Column("lane", name_of(), nullable=False),
    Column("report_id", BigInteger),
    # JSON, in the order that was given; what is searched for is in the table of tags.
    Column("tags", long_text(), nullable=False),
    Column("claim_token", name_of()),
    Column("claim_until", BigInteger),
    # When it can next be claimed as due: the later of due_at and claim_until; NULL where there is nothing to do.
    Column("ready_at", BigInteger),
    # When a claim for due work last took it, from which follows whose turn it is.
    Column("served_at", BigInteger),
)

# A claim reads this index alone to find work, and of it no lane but its own. Where the database can, it leaves out what has
# nothing to do, so that neither the index nor the planner's estimate of it grows with what is settled.
Index(
    "cybertip_heads_ready",
    heads.c.lane,
    heads.c.ready_at,
    sqlite_where=heads.c.ready_at.is_not(None),
    postgresql_where=heads.c.ready_at.is_not(None),
)
Index("cybertip_heads_served", heads.c.tenant, heads.c.served_at)
Index("cybertip_heads_by_status", heads.c.status, heads.c.key)
Index("cybertip_heads_by_tenant", heads.c.tenant, heads.c.key)
Index("cybertip_heads_by_lane", heads.c.lane, heads.c.key)

tags = _table(
    "cybertip_tags",
    Column("tag", name_of(), primary_key=True),
    Column("key", name_of(), primary_key=True),
)
Index("cybertip_tags_by_key", tags.c.key)

letters = _table(
    "cybertip_letters",
    Column("id", name_of(LENGTH_OF_ID), primary_key=True),
    Column("key", name_of(), nullable=False),
    Column("topic", name_of(), nullable=False),
    Column("data", long_text(), nullable=False),
    # When it can next be taken, which taking it puts off.
    Column("due_at", BigInteger, nullable=False),
    Column("tries", BigInteger, nullable=False),
)
Index("cybertip_letters_due", letters.c.due_at, letters.c.id)

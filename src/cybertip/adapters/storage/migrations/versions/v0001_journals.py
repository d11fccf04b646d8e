"""Journals, heads, tags and letters."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, column

# The types are shared with the tables of today, for what makes a name compare by code point must never change.
from cybertip.adapters.storage.tables import long_text, name_of

revision = "0001"
down_revision = None


def upgrade(op: Operations) -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "cybertip_entries",
        Column("key", name_of(), primary_key=True),
        Column("version", BigInteger, primary_key=True, autoincrement=False),
        Column("recorded_at", BigInteger, nullable=False),
        Column("kind", name_of(), nullable=False),
        Column("data", long_text(), nullable=False),
        Column("previous", name_of(64), nullable=False),
        Column("digest", name_of(64), nullable=False),
        # No other engine of MariaDB has transactions. And none can undo the making of a table, so that an upgrade that was
        # cut off finds some of them made.
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
        if_not_exists=True,
    )
    op.create_table(
        "cybertip_heads",
        Column("key", name_of(), primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("digest", name_of(64), nullable=False),
        Column("status", name_of(), nullable=False),
        Column("due_at", BigInteger),
        Column("priority", BigInteger, nullable=False),
        Column("tenant", name_of(), nullable=False),
        Column("lane", name_of(), nullable=False),
        Column("report_id", BigInteger),
        Column("tags", long_text(), nullable=False),
        Column("claim_token", name_of()),
        Column("claim_until", BigInteger),
        Column("ready_at", BigInteger),
        Column("served_at", BigInteger),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
        if_not_exists=True,
    )
    op.create_table(
        "cybertip_tags",
        Column("tag", name_of(), primary_key=True),
        Column("key", name_of(), primary_key=True),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
        if_not_exists=True,
    )
    op.create_table(
        "cybertip_letters",
        Column("id", name_of(600), primary_key=True),
        Column("key", name_of(), nullable=False),
        Column("topic", name_of(), nullable=False),
        Column("data", long_text(), nullable=False),
        Column("due_at", BigInteger, nullable=False),
        Column("tries", BigInteger, nullable=False),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
        if_not_exists=True,
    )
    work = column("ready_at").is_not(None)
    op.create_index(
        "cybertip_heads_ready",
        "cybertip_heads",
        ["lane", "ready_at"],
        sqlite_where=work,
        postgresql_where=work,
        if_not_exists=True,
    )
    op.create_index("cybertip_heads_served", "cybertip_heads", ["tenant", "served_at"], if_not_exists=True)
    op.create_index("cybertip_heads_by_status", "cybertip_heads", ["status", "key"], if_not_exists=True)
    op.create_index("cybertip_heads_by_tenant", "cybertip_heads", ["tenant", "key"], if_not_exists=True)
    op.create_index("cybertip_heads_by_lane", "cybertip_heads", ["lane", "key"], if_not_exists=True)
    op.create_index("cybertip_tags_by_key", "cybertip_tags", ["key"], if_not_exists=True)
    op.create_index("cybertip_letters_due", "cybertip_letters", ["due_at", "id"], if_not_exists=True)

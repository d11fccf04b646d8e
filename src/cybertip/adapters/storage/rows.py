"""What the port's values are in rows of the tables, and back."""

import json
from typing import Any

from sqlalchemy import Row

from cybertip.adapters.storage.checks import moment, time
from cybertip.ports.storage import Entry, Head, Letter

__all__ = ["entry_of", "head_of", "letter_of", "values_of_entry", "values_of_head", "values_of_letter"]


def values_of_entry(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "version": entry.version,
        "recorded_at": time(entry.recorded_at),
        "kind": entry.kind,
        "data": entry.data,
        "previous": entry.previous,
        "digest": entry.digest,
    }


def entry_of(row: Row[Any]) -> Entry:
    return Entry(
        key=row.key,
        version=row.version,
        recorded_at=moment(row.recorded_at),
        kind=row.kind,
        data=row.data,
        previous=row.previous,
        digest=row.digest,
    )


def values_of_head(head: Head) -> dict[str, Any]:
    """Return the columns of a head but those of its claim."""
    return {
        "key": head.key,
        "version": head.version,
        "digest": head.digest,
        "status": head.status,
        "due_at": None if head.due_at is None else time(head.due_at),
        "priority": head.priority,
        "tenant": head.tenant,
        "lane": head.lane,
        "report_id": head.report_id,
        "tags": json.dumps(head.tags),
    }


def head_of(row: Row[Any]) -> Head:
    return Head(
        key=row.key,
        version=row.version,
        digest=row.digest,
        status=row.status,
        due_at=None if row.due_at is None else moment(row.due_at),
        priority=row.priority,
        tenant=row.tenant,
        lane=row.lane,
        report_id=row.report_id,
        tags=tuple(json.loads(row.tags)),
    )


def values_of_letter(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "key": letter.key,
        "topic": letter.topic,
        "data": letter.data,
        "due_at": time(letter.due_at),
        "tries": letter.tries,
    }


def letter_of(row: Row[Any]) -> Letter:
    """Return a letter as it is taken: this time counts among its tries."""
    return Letter(
        id=row.id,
        key=row.key,
        topic=row.topic,
        data=row.data,
        due_at=moment(row.due_at),
        tries=row.tries + 1,
    )

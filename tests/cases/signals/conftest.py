"""What the tests of signals share: a strategy for each kind of signal."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st

from cybertip.cases import signals as s
from cybertip.cases.references import ItemRef, UserRef

#: Names are any text that Unicode has.
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - Hypothesis wants the bounds without the offset
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
users = st.builds(UserRef, id=names, type_id=names)
items = st.builds(ItemRef, id=names, type_id=names)
media = st.builds(
    s.Media,
    ref=items,
    evidence=st.none() | names,
    url=st.none() | names,
    file_name=st.none() | names,
    media_type=st.none() | names,
    uploaded_at=st.none() | moments,
)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "id": names,
    "source": names,
    "at": moments,
    "basis": st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    "item": st.none() | items,
    "media": st.lists(media, max_size=2, unique_by=lambda one: one.ref),
    "creator": st.none() | users,
    "threads": st.lists(names, max_size=2),
    "victims": st.lists(users, max_size=1),
    "recipients": st.lists(users, max_size=1),
}


@st.composite
def hash_matches(draw: st.DrawFn) -> s.HashMatched:
    """Draw a match of one of the signal's own files."""
    files = draw(st.lists(media, min_size=1, max_size=2, unique_by=lambda one: one.ref))
    matched = draw(st.sampled_from(files)).ref
    match = s.KnownMatch(
        media=matched, bank=draw(names), algorithm="PDQ", distance=draw(st.none() | st.integers(0, 31))
    )
    fields = {name: draw(strategy) for name, strategy in COMMON.items()}
    return s.HashMatched(**fields | {"media": files}, matches=(match,))


SIGNALS: dict[type[Any], st.SearchStrategy[Any]] = {
    s.HashMatched: hash_matches(),
    s.ClassifierScored: st.builds(s.ClassifierScored, **COMMON, classifier=names, label=names, score=st.floats(0, 1)),
    s.UserReported: st.builds(s.UserReported, **COMMON, csam=st.booleans(), reporter=st.none() | users),
    s.Escalated: st.builds(s.Escalated, **COMMON, moderator=names),
    s.ContentRemoved: st.builds(s.ContentRemoved, **COMMON, removed_at=moments, moderator=st.none() | names),
    s.Noticed: st.builds(s.Noticed, **COMMON, name=names),
}


@pytest.fixture(scope="session")
def kit() -> Any:
    """Give the tests all of this."""
    return SimpleNamespace(SIGNALS=SIGNALS, NOW=datetime(2026, 1, 1, tzinfo=UTC))

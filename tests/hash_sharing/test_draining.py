"""Whatever the order of pages, and wherever it is interrupted, the list ends up as it is at its source."""

from collections.abc import Generator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from cybertip.filing.effects import Effect
from cybertip.hash_sharing import Ask, Keep, Pace, Page, SharedEntry, Window, drain
from cybertip.hash_sharing.draining import BEGINNING

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: How long the made-up lists have been there.
SPAN = 400


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def entry(name: str, second: int, *, member: str = "42", deleted: bool = False, word: str | None = None) -> SharedEntry:
    return SharedEntry(member=member, entry=name, at=at(second), kind="image", deleted=deleted, classification=word)


@attrs.define
class Service:
    """A list that answers windows with pages in an order of its own."""

    states: list[SharedEntry]
    page_size: int = 3
    order: list[int] = attrs.field(factory=list)
    #: Which ends of a window belong to it.
    ends: str = "(]"
    #: What its pages say is left: the truth, nothing, or nonsense.
    left: Any = "true"
    windows: list[Window] = attrs.field(factory=list)
    _current: list[SharedEntry] = attrs.field(factory=list)

    def page(self, path: str) -> Page:
        if path.startswith("/v2/entries?start="):
            start = int(path.rpartition("=")[2])
        else:
            start, self._current = 0, self._found(path)
        shown = self._current[start : start + self.page_size]
        rest = len(self._current) - start - len(shown)
        left = {"true": rest, "unknown": None, "nonsense": 10**9}[self.left]
        next = f"/v2/entries?start={start + self.page_size}" if rest > 0 else None
        return Page(entries=tuple(shown), next=next, left=left)

    def _found(self, path: str) -> list[SharedEntry]:
        after, until = (datetime.fromisoformat(part.rpartition("=")[2].replace("%3A", ":")) for part in path.split("&"))
        self.windows.append(Window(after=after, until=until))
        found = [
            one
            for one in self.states
            if one.at is not None
            and (after < one.at or (self.ends[0] == "[" and after == one.at))
            and (one.at < until or (self.ends[1] == "]" and until == one.at))
        ]
        places = {number: place for place, number in enumerate(self.order)}
        return [one for _, one in sorted(enumerate(found), key=lambda pair: (places.get(pair[0], 999), pair[0]))]


@attrs.define
class Store:
    """What a store does with each step, and a process that dies after some of them."""

    entries: dict[tuple[str, str], SharedEntry] = attrs.field(factory=dict)
    checkpoint: datetime | None = None

    def keep(self, step: Keep) -> None:
        for one in step.entries:
            if one.deleted:
                self.entries.pop((one.member, one.entry), None)
            else:
                self.entries[one.member, one.entry] = one
        self.checkpoint = step.until or self.checkpoint

    def run(self, service: Service, until: datetime, *, steps: int = 10**6, pace: Pace | None = None) -> bool:
        """Sync until the list is complete, or dead after some steps."""
        flow: Generator[Effect[Any], Any, None] = drain(self.checkpoint, until, pace=pace)
        answer: Any = None
        for _ in range(steps):
            try:
                step = flow.send(answer)
            except StopIteration:
                return True
            answer = None
            if isinstance(step, Ask):
                answer = service.page(step.request.path)
            else:
                assert isinstance(step, Keep)
                self.keep(step)
        return False


def truth(states: Iterable[SharedEntry]) -> dict[tuple[str, str], SharedEntry]:
    """What is on the list, found without the code under test: each entry's last state, and no tombstones."""
    last: dict[tuple[str, str], SharedEntry] = {}
    for one in sorted(states, key=lambda one: (one.at, one.deleted)):
        last[one.member, one.entry] = one
    return {key: one for key, one in last.items() if not one.deleted}


#: Seconds, some of them crowded.
SECONDS = st.one_of(st.integers(1, SPAN), st.sampled_from([100, 101, 200]))
STATES = st.lists(
    st.builds(
        entry,
        st.sampled_from("abcdef"),
        SECONDS,
        member=st.sampled_from(["42", "43"]),
        deleted=st.booleans(),
    ),
    max_size=30,
    # In one second an entry has one state, or was deleted.
    unique_by=lambda one: (one.member, one.entry, one.at, one.deleted),
)
SERVICES = st.builds(
    Service,
    STATES,
    page_size=st.integers(1, 8),
    order=st.permutations(range(30)),
    ends=st.sampled_from(["(]", "[]", "[)", "()"]),
    left=st.sampled_from(["true", "unknown", "nonsense"]),
)


@given(service=SERVICES, deaths=st.lists(st.integers(0, 12), max_size=6), most=st.sampled_from([1, 4, 50]))
@settings(max_examples=150)
def test_any_order_and_any_deaths_lead_to_the_same_list(service: Service, deaths: list[int], most: int) -> None:
    """Every entry is there once, in its last state, and every tombstone is honoured: in any order of pages, dense seconds
    and all, whichever ends a window has, and wherever the process dies."""
    store, pace = Store(checkpoint=NOON), Pace(most=most)
    for steps in deaths:
        store.run(service, at(SPAN + 1), steps=steps, pace=pace)
    assert store.run(service, at(SPAN + 1), pace=pace)
    assert store.entries == truth(service.states)
    assert store.checkpoint == at(SPAN + 1)


@given(service=SERVICES, ends=st.lists(st.integers(1, SPAN), max_size=5))
def test_what_is_done_at_times_is_as_what_is_done_at_once(service: Service, ends: list[int]) -> None:
    """A list that is read often, while it grows, is the one that is read once at the end."""
    store, states = Store(checkpoint=NOON), service.states
    for end in sorted({*ends, SPAN + 1}):
        service.states = [one for one in states if one.at is not None and one.at <= at(end)]
        assert store.run(service, at(end), pace=Pace(most=4))
    # The last second may not have belonged to its window: the next one has it.
    service.states = states
    store.run(service, at(SPAN + 3))
    assert store.entries == truth(states)


def test_only_a_window_that_was_read_to_its_end_counts() -> None:
    """The checkpoint stays where it is on every page but the last: times on pages mean nothing."""
    service = Service([entry(str(number), 400 - number) for number in range(7)])
    store = Store(checkpoint=NOON)
    seen = []
    flow = drain(NOON, at(500))
    step: Any = next(flow)
    while True:
        if isinstance(step, Keep):
            seen.append(step.until)
            store.keep(step)
        try:
            step = flow.send(service.page(step.request.path) if isinstance(step, Ask) else None)
        except StopIteration:
            break
    assert seen == [None, None, at(500)]


def test_windows_shrink_to_a_second_and_grow_again() -> None:
    """A second with more than should be asked for at once is read whole; what is around it is not asked for with it."""
    dense = [entry(f"dense{number}", 200) for number in range(60)]
    service = Service([entry("before", 3), *dense, entry("after", 350)], page_size=10)
    store = Store(checkpoint=NOON)
    assert store.run(service, at(SPAN), pace=Pace(most=12))
    assert store.entries == truth(service.states)
    spans = [(window.until - window.after).total_seconds() for window in service.windows]
    assert min(spans) <= 2
    assert spans[0] > 100
    assert spans[-1] > min(spans)
    assert len(service.windows) < 60, "growing again saves requests"


def test_a_quiet_list_is_read_in_one_window() -> None:
    """Where little changed there is one request, from the checkpoint, a second's overlap before it, to the end."""
    service = Service([entry("a", 5)])
    assert Store(checkpoint=at(3)).run(service, at(300))
    assert service.windows == [Window(after=at(2), until=at(300))]


def test_a_new_list_is_read_from_the_beginning_of_time() -> None:
    """Without a checkpoint nothing is left out for being old."""
    service = Service([entry("a", 5)])
    store = Store()
    assert store.run(service, at(300))
    assert service.windows == [Window(after=BEGINNING, until=at(300))]
    assert store.checkpoint == at(300)


@pytest.mark.parametrize("left", ["true", "nonsense"])
def test_half_a_century_with_a_great_many_entries_is_cut_into_windows(left: str) -> None:
    """A list that is read for the first time begins with a window of decades, which has far too much in it."""
    crowd = [entry(f"{number}", -number * 10**6) for number in range(150)]
    service = Service(crowd, page_size=30, left=left)
    store = Store()
    assert store.run(service, at(1), pace=Pace(most=60))
    assert store.entries == truth(crowd)
    assert len(service.windows) < 200
    assert Store().run(Service(crowd, page_size=50, left=left), at(1))


@pytest.mark.parametrize("until", [NOON - timedelta(days=1), NOON, NOON + timedelta(milliseconds=999)])
def test_a_clock_that_went_back_asks_for_nothing(until: datetime) -> None:
    """A checkpoint that is not before the end is left alone: no window runs backwards."""
    assert list(drain(NOON, until)) == []


def test_fractions_of_a_second_are_read_again_and_not_left_out() -> None:
    """Windows are of whole seconds: the rest of the last one stays for the next time."""
    service = Service([])
    Store(checkpoint=at(3) + timedelta(milliseconds=900)).run(service, at(10) + timedelta(milliseconds=900))
    assert service.windows == [Window(after=at(2), until=at(10))]


def test_pages_that_lead_in_a_circle_end() -> None:
    """A service that names a page as next which was read already is not followed for ever."""
    flow = drain(NOON, at(10))
    next(flow)
    page = Page(entries=(), next="/v2/entries?start=1")
    assert isinstance(flow.send(page), Keep)
    flow.send(None)
    flow.send(page)
    with pytest.raises(ValueError, match="circle"):
        flow.send(None)


@pytest.mark.parametrize(
    "next_page",
    ["https://example.com/v2/entries?a=1", "//example.com/v2/entries?a=1", "/v2/status", "/v2/entries/../x?a=1", "@h"],
)
def test_a_next_page_leads_nowhere_else(next_page: str) -> None:
    """Credentials go along with each request: an address outside of the list's entries is refused, and not shown."""
    flow = drain(NOON, at(10))
    next(flow)
    flow.send(Page(entries=(), next=next_page))
    with pytest.raises(ValueError, match="not one of the same list") as refused:
        flow.send(None)
    assert "example.com" not in str(refused.value)


def test_of_a_second_with_a_state_and_a_tombstone_the_tombstone_counts() -> None:
    """A tombstone is honoured in whichever order the two come."""
    for states in ([entry("a", 5), entry("a", 5, deleted=True)], [entry("a", 5, deleted=True), entry("a", 5)]):
        store = Store(checkpoint=NOON)
        assert store.run(Service(states, page_size=1), at(10))
        assert store.entries == {}

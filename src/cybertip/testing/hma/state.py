"""What HMA keeps: banks of content, the indexes that were built of them, and the exchanges that fill banks."""

import random
import re
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ENABLED", "SIGNALS", "Bank", "Content", "Exchange", "Index", "Store"]

#: `disable_until_ts` of content that is looked up; 0 is content that is disabled for good.
ENABLED: Final = 1

#: The kinds of hashes there are out of the box, and what each is made of.
SIGNALS: Final = {"pdq": "photo", "video_md5": "video"}

#: Up to how many bits PDQ hashes may differ; HMA has no way to say another number.
LIMIT: Final = 31

_SOUND = {"pdq": re.compile(r"[0-9a-f]{64}"), "video_md5": re.compile(r"[0-9a-f]{32}")}


@dataclass(kw_only=True)
class Content:
    """One piece of content in a bank."""

    id: int
    bank: str
    signals: dict[str, str] = field(repr=False)
    #: When it was put there.
    at: int
    disable_until_ts: int = ENABLED
    note: str | None = None
    metadata: dict[str, Any] | None = None
    #: Which exchanges brought it, under which keys.
    collab: dict[str, list[str]] | None = None

    def is_enabled(self, now: int) -> bool:
        """Tell whether it is looked up."""
        return self.disable_until_ts == ENABLED or (self.disable_until_ts != 0 and self.disable_until_ts <= now)


@dataclass(kw_only=True)
class Bank:
    """A list of content, and how often it is looked in: never at 0, always at 1."""

    name: str
    ratio: float = 1.0

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "matching_enabled_ratio": self.ratio}


@dataclass(kw_only=True)
class Index:
    """A search index as it was last built: what was added since is not in it."""

    entries: list[tuple[str, int]] = field(default_factory=list, repr=False)
    built_to: int = -1
    last_id: int = -1

    @property
    def checkpoint(self) -> tuple[int, int, int]:
        return (self.built_to, self.last_id, len(self.entries))


@dataclass(kw_only=True)
class Exchange:
    """Where a bank's content is fetched from, and how far that has come."""

    name: str
    api: str = "sample"
    enabled: bool = True
    api_json: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] = field(
        default_factory=lambda: {
            "checkpoint_ts": None,
            "running_fetch_start_ts": None,
            "last_fetch_complete_ts": None,
            "last_fetch_succeeded": None,
            "up_to_date": False,
            "fetched_items": 0,
        }
    )


class Store:
    """All of it, and how it is searched."""

    def __init__(self) -> None:
        self.banks: dict[str, Bank] = {}
        self.content: dict[int, Content] = {}
        #: As they were last built, and as the process that looks up has loaded them.
        self.indexes: dict[str, Index] = {}
        self.loaded: dict[str, Index] = {}
        self.exchanges: dict[str, Exchange] = {}
        #: How often each kind of hash is looked up: a kind that is disabled has 0.
        self.signals: dict[str, float] = dict.fromkeys(SIGNALS, 1.0)
        self.contents: dict[str, bool] = {"photo": True, "video": True}
        #: Whether the library of indexes loses an index of one hash when it saves it, as it has since 2023.
        self.loses_one = True
        self._last = 0

    def add(self, bank: str, signals: dict[str, str], *, at: int, **about: Any) -> Content:
        """Put content into a bank; it is found once the index has been built."""
        self._last += 1
        found = self.content[self._last] = Content(id=self._last, bank=bank, signals=signals, at=at, **about)
        return found

    def target(self, signal: str) -> Index:
        """Return the index that would be built now."""
        kept = [one for one in self.content.values() if signal in one.signals]
        newest = max(kept, key=lambda one: (one.at, one.id), default=None)
        return Index(
            entries=[(one.signals[signal], one.id) for one in kept],
            built_to=newest.at if newest else -1,
            last_id=newest.id if newest else -1,
        )

    def build(self) -> None:
        """Build the index of every kind of hash that is enabled, of what is in the banks now."""
        for signal, ratio in self.signals.items():
            target = self.target(signal)
            if ratio and (target.entries or signal in self.indexes):
                self.indexes[signal] = target

    def load(self) -> None:
        """Have the process look in the indexes as they were last built."""
        self.loaded.update(self.indexes)

    def find(self, signal: str, value: str) -> list[tuple[int, str]]:
        """Return the content near a hash, each with its distance in words."""
        entries = self.loaded[signal].entries if signal in self.loaded else []
        if signal != "pdq":
            return [(id, "-") for known, id in entries if known == value]
        if self.loses_one and len({known for known, _ in entries}) == 1 and len(entries) <= 2:
            return []
        wanted = int(value, 16)
        distances = ((id, (int(known, 16) ^ wanted).bit_count()) for known, id in entries)
        return [(id, str(bits)) for id, bits in distances if bits <= LIMIT]

    def enabled(
        self, found: list[tuple[int, str]], *, now: int, seed: str | None, bypass: bool = False
    ) -> list[tuple[int, str]]:
        """Leave out content that is disabled or gone, and banks that the toss of a coin leaves out."""
        coin = 0.0 if bypass else random.Random(seed).random()  # noqa: S311 - no secret hangs on it
        return [
            (id, distance)
            for id, distance in found
            if id in self.content
            and self.content[id].is_enabled(now)
            and self.banks[self.content[id].bank].ratio >= coin
        ]

    def remove_bank(self, name: str) -> None:
        """Forget a bank with its content."""
        self.banks.pop(name, None)
        self.content = {id: one for id, one in self.content.items() if one.bank != name}


def sound(signal: str, value: str) -> str:
    """Return a hash as HMA takes it; raise `ValueError` with HMA's words where it does not."""
    if signal == "pdq":
        if not _SOUND[signal].fullmatch(value):
            raise ValueError("invalid PDQ hash")
        return value
    if not _SOUND[signal].fullmatch(plain := value.strip().lower()):
        raise ValueError(f"{value!r} is not a valid MD5 hash")
    return plain

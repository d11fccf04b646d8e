"""Where HMA is, what it is asked for, and how long and how much."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, Final, Literal

import attrs

from cybertip.ports.matching import MD5, PDQ, HashType
from cybertip.webhooks.addresses import Address

__all__ = ["PICTURES", "VIDEOS", "Bounds", "HmaSettings", "Role", "Signal"]

Role = Literal["hasher", "matcher", "curator"]

#: HMA finds what differs in no more bits than these, and cannot be told another number.
_FARTHEST: Final = 31


@attrs.frozen(kw_only=True)
class Signal:
    """A kind of hash that HMA looks up.

    >>> Signal(type=PDQ, name="pdq", content="photo", limit=40)
    Traceback (most recent call last):
    ValueError: HMA finds hashes that differ in up to 31 bits: a limit is from 0 to 31
    """

    #: What it is called here.
    type: HashType
    #: What HMA calls it.
    name: str
    #: What HMA calls the media that have it.
    content: Literal["photo", "video"]
    #: Up to how many bits hashes may differ to be of the same thing; None for kinds that are the same or not.
    limit: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.limit is not None and not 0 <= self.limit <= _FARTHEST:
            raise ValueError(
                f"HMA finds hashes that differ in up to {_FARTHEST} bits: a limit is from 0 to {_FARTHEST}"
            )


#: What HMA can look up as it comes: pictures by PDQ, and videos by their MD5. Of pictures it knows no MD5.
PICTURES: Final = Signal(type=PDQ, name="pdq", content="photo", limit=_FARTHEST)
VIDEOS: Final = Signal(type=MD5, name="video_md5", content="video")


@attrs.frozen(kw_only=True)
class Bounds:
    """How long to wait, and how much to take."""

    connect_for: timedelta = timedelta(seconds=5)
    #: Between two pieces of an answer. Lookups take milliseconds, and hashing a large file seconds.
    silence_for: timedelta = timedelta(seconds=15)
    #: For one answer as a whole.
    answer_for: timedelta = timedelta(seconds=30)
    #: For all items that are asked about together: what was not looked up by then is not checked.
    batch_for: timedelta = timedelta(minutes=2)
    answer_bytes: int = 4 * 1024 * 1024
    #: Of a file that is sent. HMA holds it in memory as a whole.
    file_bytes: int = 64 * 1024 * 1024


def _signals(given: Iterable[Signal]) -> tuple[Signal, ...]:
    return tuple(given)


def _banks(given: Collection[str] | None) -> frozenset[str] | None:
    if isinstance(given, str):
        raise TypeError("banks must be a collection of names, not one text")
    return None if given is None else frozenset(given)


def _own(given: Collection[str]) -> frozenset[str]:
    return _banks(given) or frozenset()


@attrs.frozen(kw_only=True)
class HmaSettings:
    """Say where HMA's roles are, and what to ask them.

    Args:
        matcher, hasher, curator: the address of each role, below which there are `/m`, `/h` and `/c`; one address may stand
            for all (see `at`). A hasher is needed to send bytes. Without a curator nobody can see how often each bank is
            looked in, which banks there are, and whether their exchanges fetch: `no_match` is not said then, unless
            `whole_ratios` vouches for the first.
        plain_http: allow addresses without encryption that are not on this machine. Whoever can listen learns what is
            looked up, and `health()` says so.
        signals: the kinds of hashes by which each item is looked up, all of them. Pictures and videos have no kind in
            common: use a matcher for each.
        banks: look in these alone.
        own_banks: banks of your own, whose entries `feedback` may switch off: for everybody who asks this HMA.
        send_bytes: have HMA hash what an item does not bring, instead of doing it here. It hashes no picture mirrored or
            turned, so that one that is not found is not checked (`missing_hash`): to hear `no_match` of pictures, have
            items bring the hashes of all variants. It takes palettes and inks for brightness, and leaves photographs as
            they lie in the file: what it finds by such hashes is said, and the file is `unsupported_type`.
        whole_ratios: vouch that every bank's ratio is 0 or 1, where no curator can be asked.
        oldest: how old a list may be, for not finding something in it to mean anything.
        state_for: how long it is believed how HMA stands, once it stands well.
        at_once: how many items are looked up at a time.
        most_items: how many items may be asked about at once.
        bounds: how long and how much.
        name: what the matcher is called in results.

    >>> HmaSettings.at("http://hma.example:5100")
    Traceback (most recent call last):
    ValueError: HMA's address must be https, unless it is on this machine (localhost, 127.0.0.1 or ::1)
    """

    matcher: str
    hasher: str | None = None
    curator: str | None = None
    plain_http: bool = False
    signals: tuple[Signal, ...] = attrs.field(default=(PICTURES,), converter=_signals)
    banks: frozenset[str] | None = attrs.field(default=None, converter=_banks)
    own_banks: frozenset[str] = attrs.field(default=frozenset(), converter=_own)
    send_bytes: bool = False
    whole_ratios: bool = False
    oldest: timedelta = timedelta(days=2)
    state_for: timedelta = timedelta(seconds=10)
    at_once: int = 8
    most_items: int = 100
    bounds: Bounds = Bounds()
    name: str = "hma"

    def __attrs_post_init__(self) -> None:
        for role in ("matcher", "hasher", "curator"):
            if (url := getattr(self, role)) is not None:
                object.__setattr__(self, role, _base(url, plain=self.plain_http))
        if not self.signals or len({one.type for one in self.signals}) < len(self.signals):
            raise ValueError("there must be signals, and one of each type: else nothing would ever be checked")
        if self.send_bytes and self.hasher is None:
            raise ValueError("bytes are sent to a hasher: give its address")
        if self.banks is not None and (not self.banks or any("," in name for name in self.banks)):
            raise ValueError("banks must be names of banks, and at least one")
        if self.banks is not None and self.curator is None:
            raise ValueError("only a curator knows whether these banks are there: give its address")
        if self.own_banks and self.curator is None:
            raise ValueError("only a curator can change banks: give its address")
        if self.at_once < 1 or self.most_items < 1:
            raise ValueError("at_once and most_items are at least 1")

    @classmethod
    def at(cls, url: str, **more: Any) -> "HmaSettings":
        """Return the settings for an HMA that has all its roles at one address."""
        return cls(matcher=url, hasher=url, curator=url, **more)

    @property
    def in_clear(self) -> bool:
        """Whether some address is neither encrypted nor on this machine."""
        return any(_refusal(url) is not None for url in (self.matcher, self.hasher, self.curator) if url is not None)

    def address(self, role: Role) -> str:
        """Return where a role is."""
        found: str | None = getattr(self, role)
        assert found is not None, "a plan asks only roles that are there"
        return found


def _base(url: str, *, plain: bool) -> str:
    """Check an address and return it without a slash at its end."""
    refusal = _refusal(url)
    if refusal is not None and plain and url.startswith("http://"):
        refusal = _refusal(f"https://{url.removeprefix('http://')}")
    if refusal is not None:
        raise ValueError(f"HMA's address {refusal}")
    if "?" in url:
        raise ValueError("HMA's address must be a URL without a query")
    return url.rstrip("/")


def _refusal(url: str) -> str | None:
    try:
        Address.of(url)
    except ValueError as error:
        return str(error)
    return None

"""How HMA stands, as far as one matcher knows, and what it has seen of each index so far."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import attrs

from cybertip.ports.matching import ConsultedList, HashType, Readiness, Unchecked

__all__ = ["Seen", "Standing"]

#: A process that has not looked for a newer index for so long calls itself stale: what it looks in may be older by this.
_LOADED_FOR: Final = timedelta(seconds=65)

#: An index whose newest entry is older was built and loaded: each happens about once a minute.
_SETTLED_FOR: Final = timedelta(minutes=3)


@attrs.frozen(kw_only=True)
class Standing:
    """What is known before anything is looked up."""

    readiness: Readiness
    #: Whether the matcher answers at all; if not, nothing need be asked of it.
    reachable: bool
    lists: tuple[ConsultedList, ...] = ()
    #: What is not looked in, whatever the item.
    unchecked: tuple[Unchecked, ...] = ()
    sizes: Mapping[HashType, int] = attrs.field(factory=dict)
    warnings: tuple[str, ...] = ()
    asked_at: datetime

    def holds(self, now: datetime, lasts_for: timedelta) -> bool:
        """Tell whether it can be believed without asking again: only what is well is, and not for long."""
        return not self.unchecked and timedelta(0) <= now - self.asked_at < lasts_for


@attrs.define(kw_only=True)
class Seen:
    """What one matcher has seen of an index so far."""

    #: Since when it has been there.
    since: datetime
    #: It is known to be loaded, and not only built: a process that has just begun looks in an empty one until then.
    loaded: bool = False
    #: When it was last known to have everything that was in the banks. Between a change of a bank and the next building of
    #: its index, this is how old the index is at the most.
    in_step_at: datetime | None = None

    def is_loaded(self, now: datetime, built_to: datetime | None) -> bool:
        """Tell whether an index that is there must have been loaded by now."""
        old = built_to is not None and built_to <= now - _SETTLED_FOR
        self.loaded = self.loaded or old or now - self.since >= _LOADED_FOR
        return self.loaded

    def in_step(self, now: datetime) -> datetime:
        """Note that it has everything that is in the banks, and return since when what was loaded of it has."""
        self.in_step_at = now - _LOADED_FOR
        return self.in_step_at

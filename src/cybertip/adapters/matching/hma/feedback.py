"""What a person found, told to HMA: it can keep an entry from being looked up, and nothing else."""

from urllib.parse import quote

from cybertip.adapters.matching.hma.answers import Unanswered, changed_of
from cybertip.adapters.matching.hma.effects import Ask, Plan
from cybertip.adapters.matching.hma.settings import HmaSettings
from cybertip.errors import AdapterError
from cybertip.ports.matching import HashMatch, Verdict

__all__ = ["recorded"]

#: Until when an entry is disabled: HMA's words for never, and for good.
_UNTIL = {Verdict.CONFIRMED: 1, Verdict.FALSE_POSITIVE: 0}


def recorded(match: HashMatch, verdict: Verdict, settings: HmaSettings) -> Plan[None]:
    """Switch an entry off that was found falsely, or on again."""
    if match.matcher != settings.name:
        raise ValueError("the match is another matcher's: tell that one what was found")
    if match.list not in settings.own_banks or settings.curator is None or not match.entry.isdecimal():
        # One picture that looks like another is no reason to take an entry of a shared list from everybody.
        raise AdapterError(
            f"nothing was recorded: {match.list!r} is not among the banks of your own that may be changed"
        )
    path = f"/c/bank/{quote(match.list, safe='', errors='replace')}/content/{match.entry}"
    reply = yield from Ask(role="curator", path=path, method="PUT", given={"disable_until_ts": _UNTIL[verdict]})
    try:
        changed_of(reply, until=_UNTIL[verdict])
    except Unanswered as error:
        raise AdapterError(f"it is not known whether HMA recorded it: {error}") from None

"""The bytes of a case's files, kept before they are gone: given by the host already, or fetched by their addresses.

A file that cannot be fetched is tried again, soon at first and then less and less often. It never turns into a missing one
by itself, whatever its server says: that is for people to say.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from cybertip.cases.case import Case
from cybertip.cases.events import Delayed, MediaKept
from cybertip.cases.references import ItemRef
from cybertip.cases.signals import Media
from cybertip.cases.stages import BEFORE_FILING, Stage
from cybertip.desk.effects import Failed, Fetch, Now, Weigh, Weighed
from cybertip.desk.office import Office
from cybertip.desk.pauses import pause
from cybertip.desk.standing import NOTHING, Happens, Standing, Step, look_again, record
from cybertip.filing.effects import Flow

__all__ = ["GATHERING", "gather"]

#: While a case stands here, its files are tried again and again. Nothing that is reported can lack by then.
GATHERING = frozenset({*BEFORE_FILING, Stage.DECIDED, Stage.BLOCKED})


def gather(office: Office, standing: Standing, failed: dict[ItemRef, str]) -> Flow[tuple[Standing, datetime | None]]:
    """Keep what can be had, and return when the rest is to be tried again; stop where somebody else recorded something.

    Args:
        office: whose case it is.
        standing: the case.
        failed: what was tried already and could not be had, and why; what fails is added to it.
    """
    surprises = standing.surprises
    for ref, sources in _awaited(standing.case).items():
        if ref in failed:
            continue
        kept = yield from _keep(ref, sources)
        if isinstance(kept, Failed):
            failed[ref] = kept.reason
            standing = yield from look_again(office, standing)
        else:
            standing = yield from record(office, standing, _keeping(kept))
        if standing.surprises != surprises:
            # It may have been decided, and a report does not wait for files whose server takes its time.
            return standing, None
    left = {ref: why for ref, why in failed.items() if ref in _awaited(standing.case)}
    if not left:
        return standing, None
    standing = yield from record(office, standing, _saying(_why(left, len(standing.case.media))))
    now = yield from Now()
    return standing, min(now + pause(now - standing.case.named_at[ref]) for ref in left)


def _awaited(case: Case) -> dict[ItemRef, Sequence[Media]]:
    """Return the files that are neither kept nor missing and that somebody said how to get at, the last word first."""
    found: dict[ItemRef, list[Media]] = {}
    for signal in reversed(tuple(case.signals.values())):
        for one in signal.media:
            is_open = one.ref not in case.kept and one.ref not in case.missing
            if is_open and (one.evidence is not None or one.url is not None):
                found.setdefault(one.ref, []).append(one)
    return {ref: found[ref] for ref in case.media if ref in found}


def _keep(ref: ItemRef, sources: Sequence[Media]) -> Flow[MediaKept | Failed]:
    """Get at the bytes of a file in whatever way there is; the first failure is the one that is told."""
    failures = []
    for attempt in _attempts(sources):
        weighed = yield from attempt
        if not isinstance(weighed, Failed):
            return MediaKept(
                media=ref, evidence=weighed.evidence, sha256=weighed.sha256, md5=weighed.md5, size=weighed.size
            )
        failures.append(weighed)
    return failures[0]


def _attempts(sources: Sequence[Media]) -> Iterator[Flow[Weighed | Failed]]:
    for evidence in dict.fromkeys(one.evidence for one in sources if one.evidence is not None):
        yield _weigh(Weigh(evidence))
    for url in dict.fromkeys(one.url for one in sources if one.url is not None):
        yield _fetch(url)


def _weigh(weigh: Weigh) -> Flow[Weighed | Failed]:
    weighed = yield from weigh
    if isinstance(weighed, Weighed) and weighed.size == 0:
        return Failed("the evidence is empty")
    return weighed


def _fetch(url: str) -> Flow[Weighed | Failed]:
    fetched = yield from Fetch(url=url)
    if isinstance(fetched, Failed):
        return fetched
    if isinstance(fetched, Exception):
        return Failed(f"{fetched.endpoint}: {fetched.reason}")
    return (yield from _weigh(Weigh(fetched.evidence)))


def _keeping(kept: MediaKept) -> Step:
    return lambda case, now: NOTHING if kept.media in case.kept else Happens((kept,))


def _saying(why: str) -> Step:
    """Say why a case waits. Once it was decided it may wait for something else, and for no file that is reported."""
    return lambda case, now: (
        Happens((Delayed(reason=why),)) if case.stage in BEFORE_FILING and case.delay != why else NOTHING
    )


def _why(failed: dict[ItemRef, str], total: int) -> str:
    counted = Counter(failed.values())
    return "; ".join(f"{counted[reason]} of {total} files are not kept yet: {reason}" for reason in sorted(counted))

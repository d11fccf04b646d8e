"""`match`: whether lists of known material on this machine know files, and what could not be looked up."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cybertip.adapters.matching.combined import CombinedHashMatcher
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.store import HashStore
from cybertip.cli import show
from cybertip.cli.counting import counting
from cybertip.cli.documents import JsonOption
from cybertip.cli.hashing import NEEDS_PDQ, ThreadsOption, data_line, lacks_pdq, name_of
from cybertip.cli.lists import StoreOption, opened
from cybertip.cli.outcome import Outcome, outcomes, warn
from cybertip.cli.settings import ConfigOption, load
from cybertip.ports.matching import (
    MD5,
    PDQ,
    SHA1,
    SHA256,
    ConsultedList,
    HashMatch,
    HashMatcher,
    HashType,
    ItemId,
    MatcherHealth,
    MatchResult,
    MediaItem,
    NotChecked,
    Outcome as Found,
    Readiness,
    Unchecked,
)

__all__ = ["match"]

#: Files that are looked up together: progress is shown, and a pipe gets its lines, after each so many.
_TOGETHER: Final = 32

#: What scripts are told; the worst comes last.
_CODES: Final = {
    Found.NO_MATCH: Outcome.DONE,
    Found.NOT_CHECKED: Outcome.NO_ANSWER,
    Found.POTENTIAL_MATCH: Outcome.NEEDS_HUMAN,
}
_STYLES: Final = {Found.NO_MATCH: "green", Found.NOT_CHECKED: "yellow", Found.POTENTIAL_MATCH: "bold red"}


def match(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures, or any other files.")],
    store: StoreOption = None,
    index: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            envvar="CYBERTIP_HASHES_INDEX",
            help="Keeps the index of pictures, which is made anew otherwise.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, max=64, metavar="BITS", help="How far apart PDQ hashes may be.")] = 31,
    oldest: Annotated[
        float, typer.Option(min=0, metavar="HOURS", help="How old a list may be, for no match in it to mean anything.")
    ] = 48.0,
    threads: ThreadsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look files up in lists of known material, by every kind of hash that is computed here and that the lists have.

    A match is a lead and no verdict, and reports nothing: a person has to look. Of a file that was not checked nothing is
    known, and that is never called no match. A pipe gets a line of JSON for each file, in the order of the files.

    Exit code 5 if something matches, else 4 if something was not checked, else 0: nothing matches, and all of it was looked
    up in lists that are young enough.
    """
    with outcomes():
        settings = load(config)
        folder = index or (Path(settings.hashes_index) if settings.hashes_index else None)
        with opened(settings, store) as kept:
            matcher = _matcher(kept, folder, limit=limit, oldest=timedelta(hours=oldest), threads=threads)
            seen = show.console.is_terminal and not as_json
            counts: Counter[Found] = Counter()
            lists: dict[ConsultedList, None] = {}
            with counting("files", len(files), quiet=not seen) as advance:
                for path, result in _matched(matcher, files):
                    counts[result.outcome] += 1
                    lists.update(dict.fromkeys(result.lists))
                    if seen:
                        _show(path, result)
                    else:
                        data_line(_plain(path, result, matcher.hash_types))
                    advance(counts.total())
            if seen:
                _conclude(counts, tuple(lists), matcher.hash_types)
            for warning in matcher.health().warnings if folder is not None else ():
                warn(warning)
    code = max((_CODES[one] for one in counts), key=list(_CODES.values()).index)
    if code is not Outcome.DONE:
        raise typer.Exit(code)


def _matcher(
    store: HashStore, index: Path | None, *, limit: int, oldest: timedelta, threads: int | None
) -> HashMatcher:
    """Return what looks up all kinds of hashes that the lists have; of lists that have none, what says so."""
    digests = frozenset({MD5, SHA1, SHA256})
    there = store.kinds([*digests, PDQ]) or {MD5, SHA1, PDQ}
    matchers: list[HashMatcher] = []
    if there & digests:
        matchers.append(LocalDigestMatcher(store, hash_types=there & digests, oldest=oldest, threads=threads))
    if PDQ in there:
        try:
            from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
        except ModuleNotFoundError as error:
            if not lacks_pdq(error):
                raise
            matchers.append(_NoPdq())
        else:
            matchers.append(LocalPdqMatcher(store, folder=index, limit=limit, oldest=oldest, threads=threads))
    return CombinedHashMatcher(matchers, name="lists of this machine")


class _NoPdq:
    """Stand in for the matcher of pictures where its extra is not installed: it checks nothing, and says why."""

    name = f"pdq, which {NEEDS_PDQ}"
    hash_types = frozenset({PDQ})
    most_items = 1000

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        gap = Unchecked(matcher=self.name, reason=NotChecked.MISSING_HASH, hash_type=PDQ)
        return tuple(MatchResult.of(item, unchecked=[gap]) for item in items)

    def health(self) -> MatcherHealth:
        return MatcherHealth(readiness=Readiness.UNAVAILABLE, warnings=(f"PDQ {NEEDS_PDQ}",))


def _matched(matcher: HashMatcher, files: Sequence[Path]) -> Iterator[tuple[Path, MatchResult]]:
    left = iter(files)
    while some := list(islice(left, _TOGETHER)):
        yield from zip(
            some, matcher.match([MediaItem(id=ItemId(name_of(path)), media=path) for path in some]), strict=True
        )


def _show(path: Path, result: MatchResult) -> None:
    """Tell a person what is known of a file."""
    show.line(f"{name_of(path)}: {result.outcome.replace('_', ' ')}", _STYLES[result.outcome])
    for one in result.matches:
        show.line(f"  {_of_match(one)}")
    for gap in result.unchecked:
        kind = f"{gap.hash_type}: " if gap.hash_type else ""
        show.line(f"  not looked up: {kind}{gap.reason.replace('_', ' ')} ({gap.matcher})", "dim")


def _of_match(one: HashMatch) -> str:
    entry = f"{one.list}, entry {one.entry}" + (f" of {one.member}" if one.member else "")
    variant = "" if one.query.variant == "original" else f" {one.query.variant.replace('_', ' ')}"
    apart = "" if one.distance is None else f", {one.distance} of at most {one.limit} bits apart"
    word = f", called {one.classification} there" if one.classification else ""
    return f"{entry}: {one.kind} by {one.query.type}{variant}{apart}{word}{', disputed' if one.disputed else ''}"


def _conclude(counts: Counter[Found], lists: Sequence[ConsultedList], kinds: Collection[HashType]) -> None:
    said = [f"{counts[one]} {one.replace('_', ' ')}" for one in reversed(_CODES)]
    show.line(f"{', '.join(said)}; looked up by {', '.join(sorted(kinds))}", "bold")
    for one in lists:
        age = f"complete as of {show.at(one.as_of)}" if one.as_of else "never was complete"
        show.line(f"  {one.name}: {age}", "dim")


def _plain(path: Path, result: MatchResult, kinds: Collection[HashType]) -> dict[str, Any]:
    """Return a result as JSON has it. It holds no hash: `hash` prints the file's own."""
    return {
        "file": str(path),
        "outcome": result.outcome,
        "reason": result.reason,
        "matches": [
            {
                "matcher": one.matcher,
                "list": one.list,
                "entry": one.entry,
                "member": one.member,
                "kind": one.kind,
                "hashType": one.query.type,
                "variant": one.query.variant,
                "distance": one.distance,
                "limit": one.limit,
                "classification": one.classification,
                "disputed": one.disputed,
            }
            for one in result.matches
        ],
        "unchecked": [
            {"matcher": one.matcher, "reason": one.reason, "hashType": one.hash_type} for one in result.unchecked
        ],
        "lookedUpBy": sorted(kinds),
        "lists": [{"name": one.name, "asOf": one.as_of and one.as_of.isoformat()} for one in result.lists],
        "listAsOf": result.list_as_of and result.list_as_of.isoformat(),
    }

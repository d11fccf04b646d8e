"""Whether the lists of this machine, and the index that was made of them, are whole and answer.

A file that was damaged, and an index that finds nothing, look like lists that know nothing: somebody should look before that
is believed.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.store import HashStore, Mark
from cybertip.errors import AdapterError
from cybertip.ports.matching import PDQ, HashMatcher, HashType, ItemId, MediaItem

if TYPE_CHECKING:
    from cybertip.hashing.index import PdqIndex

__all__ = ["Verification", "verify"]

#: How many hashes of each kind are looked up.
_SAMPLES: Final = 100

#: No list is too old to be tried out.
_ANY_AGE: Final = timedelta(days=365_000)


@attrs.frozen(kw_only=True)
class Verification:
    """What was found when the lists were looked over."""

    #: What is wrong, in words that quote nothing; nothing, if all is well.
    faults: tuple[str, ...]
    #: What is no fault, and worth knowing.
    remarks: tuple[str, ...] = ()
    #: How many hashes were looked up, and were found.
    tested: int = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.faults


def verify(store: HashStore, *, index: Path | None = None) -> Verification:
    """Read the whole file, compare the saved index with it, and look up hashes of all kinds as a matcher does.

    Args:
        store: the lists.
        index: the folder of the saved index, if there is one.

    Raises:
        AdapterError: the file cannot be read at all.
    """
    faults, remarks = list(store.faults()), []
    if faults:
        return Verification(faults=tuple(faults))
    tested = 0
    for kind in store.counts():
        if kind != PDQ:
            found, missed = _tried(LocalDigestMatcher(store, hash_types=[kind], oldest=_ANY_AGE), store, kind)
            tested += found
            if missed:
                faults.append(f"{missed} of {found + missed} hashes of type {kind} are not found")
    if PDQ in store.counts() or index is not None:
        found, said, wrong = _pictures(store, index)
        tested += found
        faults += wrong
        remarks += said
    return Verification(faults=tuple(faults), remarks=tuple(remarks), tested=tested)


def _tried(matcher: HashMatcher, store: HashStore, kind: HashType) -> tuple[int, int]:
    """Look up hashes that are on the lists, and return how many were found and how many were not."""
    samples = store.samples(kind, _SAMPLES)
    items = [MediaItem(id=ItemId(str(number)), hashes=entry.hashes) for number, (_, entry) in enumerate(samples)]
    found = 0
    for (name, entry), result in zip(samples, matcher.match(items), strict=True):
        wanted = (name, entry.member, entry.entry)
        found += any((one.list, one.member, one.entry) == wanted for one in result.matches)
    return found, len(samples) - found


def _pictures(store: HashStore, folder: Path | None) -> tuple[int, list[str], list[str]]:
    """Look over the index of pictures: return how many hashes were found, remarks and faults."""
    try:
        from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
        from cybertip.hashing.index_files import load
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("numpy", "PIL"):
            raise
        return 0, ["PDQ was not tried out: that needs the extra [pdq]"], []
    remarks, faults = [], []
    if folder is not None:
        try:
            index, about = load(folder)
            remarks += _compared(store, index, Mark(**about))
        except FileNotFoundError:
            remarks.append("there is no saved index: one is made when the first picture is looked up")
        except (AdapterError, OSError, TypeError) as error:
            faults.append(str(error) if isinstance(error, AdapterError) else "the saved index cannot be read")
    # Without a folder: what was saved is left as it is.
    found, missed = _tried(LocalPdqMatcher(store, oldest=_ANY_AGE), store, PDQ)
    if missed:
        faults.append(f"{missed} of {found + missed} hashes of type {PDQ} are not found")
    return found, remarks, faults


def _compared(store: HashStore, index: "PdqIndex", mark: Mark) -> list[str]:
    """Let a saved index catch up with the store, and see whether it then holds the very same hashes."""
    since, all_of_it = store.since(mark), store.since(None)
    if since is None or all_of_it is None:
        return ["the saved index is of another history of the lists: it is made anew at the next look-up"]
    behind = len(since.added) + len(since.removed)
    for id, value in since.added:
        index.add(value, id)
    for id in since.removed:
        index.remove(id)
    tables, ids = index.snapshot()
    if dict(zip(ids.tolist(), map(bytes, tables.hashes), strict=True)) != dict(all_of_it.added):
        raise AdapterError("the saved index does not hold what is on the lists: remove its folder, and it is made anew")
    return [f"the saved index is {behind} changes behind, which it catches up with"] if behind else []

"""What a person found, told to the list that NCMEC shares."""

from cybertip.adapters.matching.sharing.client import HttpxHashSharing
from cybertip.errors import AdapterError, CybertipError
from cybertip.ports.matching import HashMatch, MatchFeedback, Verdict

__all__ = ["HashSharingFeedback"]


class HashSharingFeedback:
    """Record what a person found here, and tell NCMEC (see `cybertip.ports.matching.MatchFeedback` for what is guaranteed).

    A false positive needs a reason: one of those that `HttpxHashSharing.reasons` lists for the kind of hash, by name or id.
    What is told concerns the hash that matched, for everybody who shares the list: ask a person, never a program.

    Args:
        sharing: leads to NCMEC.
        matcher: the matcher that found the match, where it is recorded first.
    """

    def __init__(self, sharing: HttpxHashSharing, matcher: MatchFeedback) -> None:
        self._sharing = sharing
        self._matcher = matcher

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._sharing.source.list!r}>"

    def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record what a person found who looked at a match, and tell NCMEC.

        Raises `ValueError` for a match of another list or matcher and for a reason that NCMEC does not know: nothing is
        recorded then. Raises `AdapterError` where NCMEC could not be told: it is recorded here, and may be said again.
        """
        if match.list != self._sharing.source.list or match.member is None:
            raise ValueError("the match is of another list: tell that one what was found")
        guid = None if verdict is Verdict.CONFIRMED else self._guid(match, reason)
        self._matcher.feedback(match, verdict=verdict, reason=reason)
        member, entry, kind = match.member, match.entry, match.query.type
        try:
            if guid is None:
                self._sharing.affirm(member=member, entry=entry, kind=kind)
            else:
                self._sharing.dispute(member=member, entry=entry, kind=kind, reasons=[guid])
        except CybertipError as error:
            raise AdapterError(f"what was found is recorded here, and NCMEC may not have learnt it: {error}") from error

    def _guid(self, match: HashMatch, reason: str | None) -> str:
        """Return the id of a reason."""
        if not reason:
            raise ValueError("that a hash does not belong on a list needs a reason: one of those that NCMEC lists")
        try:
            guid = self._sharing.reasons(match.query.type).guid_of(reason)
        except CybertipError as error:
            raise AdapterError(f"NCMEC's list of reasons cannot be read, and nothing is recorded: {error}") from error
        if guid is None:
            raise ValueError("NCMEC does not know this reason for this kind of hash")
        return guid

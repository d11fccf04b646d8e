"""The media of a case that is filed, with all that anybody knows of each file."""

from collections.abc import Iterator, Mapping

import attrs

from cybertip.cases.assembly.names import Names
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, MediaDecision, View
from cybertip.cases.enrichment import Enriched, MediaInfo, Placed, PlacedHash, place_events, place_hash
from cybertip.cases.events import MediaKept
from cybertip.cases.references import ItemRef
from cybertip.cases.signals import KnownMatch, Media
from cybertip.rules.values import is_blank

__all__ = ["KnownFile", "known_files", "told"]


def told(text: str | None) -> str | None:
    """Return a text that says something: an empty one says nothing, and is left out."""
    return None if text is None or is_blank(text) else text


@attrs.frozen(kw_only=True, repr=False)
class KnownFile:
    """A file of the case that is filed."""

    #: Its place in the decision, from 0.
    index: int
    decided: MediaDecision
    kept: MediaKept
    #: As the signals named it.
    media: Media
    #: As the platform answered.
    info: MediaInfo
    #: Who looked at the bytes that are kept of it.
    views: tuple[View, ...]
    #: What known material it matched.
    matches: tuple[KnownMatch, ...]
    #: What it is called when it is sent.
    name: str
    #: Where its IP events and its hash go.
    placed: Placed
    hash: PlacedHash | None

    @property
    def path(self) -> str:
        """How a reviewer finds it."""
        return f"decision.media[{self.index}]"

    @property
    def original_name(self) -> str | None:
        """What its user called it."""
        return told(self.info.file_name) or told(self.media.file_name)

    @property
    def viewed(self) -> bool | None:
        """Whether a person is recorded to have looked at all of it; None where nobody is recorded to have looked."""
        return any(view.wholly for view in self.views) if self.views else None


def known_files(case: Case, decision: Decision, enrichment: Enriched) -> Iterator[KnownFile]:
    """Bring together what is known of each file; what cannot be filed is passed over, and is an obstacle elsewhere."""
    views = _views(case, decision)
    matches: dict[ItemRef, list[KnownMatch]] = {}
    for match in case.matches:
        matches.setdefault(match.media, []).append(match)
    media = _media(case)
    names = Names()
    for index, decided in enumerate(decision.media):
        ref = decided.media
        kept, info, file = case.kept.get(ref), enrichment.media.get(ref), media.get(ref)
        if not decided.include or kept is None or info is None or file is None:
            continue
        path = f"decision.media[{index}]"
        yield KnownFile(
            index=index,
            decided=decided,
            kept=kept,
            media=file,
            info=info,
            views=views.get(kept.sha256, ()),
            matches=tuple(matches.get(ref, ())),
            name=names.give(ref, info.file_name or file.file_name, file.media_type),
            placed=place_events(info.ip_capture_events, uploaded_at=file.uploaded_at, path=path),
            hash=None if info.hash is None else place_hash(info.hash, path=path),
        )


#: What several signals can say of a file; the first that says it counts.
_SAID = ("file_name", "media_type", "uploaded_at")


def _media(case: Case) -> Mapping[ItemRef, Media]:
    """Return each file with all that signals say of it, whichever of them does."""
    found = dict(case.media)
    for signal in case.signals.values():
        for one in signal.media:
            known = found[one.ref]
            further = {
                field: value for field in _SAID if getattr(known, field) is None and (value := getattr(one, field))
            }
            if further:
                found[one.ref] = attrs.evolve(known, **further)
    return found


def _views(case: Case, decision: Decision) -> Mapping[str, tuple[View, ...]]:
    """Return the records of views, each once, by the digest of what was looked at."""
    found: dict[str, dict[View, None]] = {}
    for view in (*case.views, *decision.views):
        found.setdefault(view.sha256, {})[view] = None
    return {digest: tuple(views) for digest, views in found.items()}

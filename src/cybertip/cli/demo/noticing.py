"""How the demonstration begins: a list knows a picture, a user reports a conversation, and a moderator escalates."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs

from cybertip.adapters.matching.combined import CombinedHashMatcher
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.signals import hash_matched
from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.cases.references import ItemRef, ReviewerId, SignalId
from cybertip.cases.signals import Escalated, Media, Signal, UserReported
from cybertip.cli.demo.platform import OTHER, THREAD, USER, Platform
from cybertip.cli.settings import make_private
from cybertip.hashing.digests import digest
from cybertip.ports.matching import PDQ, EntryId, HashMatch, ItemId, ListName, MatchResult, MediaItem

__all__ = ["SHAPES", "UPLOAD", "Noticed", "notice"]

UPLOAD: Final = ItemRef(id="upload-1", type_id="image")
SHAPES: Final = ItemRef(id="upload-2", type_id="image")


@attrs.frozen(kw_only=True)
class Noticed:
    """What came in, and the match that came first."""

    signals: tuple[Signal, ...]
    match: HashMatch


def notice(folder: Path, platform: Platform) -> Noticed:
    """Make two pictures, put one on a list, look up what somebody made of it, and return what is noticed by three ways."""
    match = _look_up(folder, platform)
    now = datetime.now(UTC)
    upload = Media(
        ref=UPLOAD,
        url=platform.address_of("upload.jpg"),
        file_name="upload.jpg",
        media_type="image/jpeg",
        uploaded_at=platform.at,
    )
    shapes = attrs.evolve(
        upload, ref=SHAPES, url=platform.address_of("shapes.png"), file_name="shapes.png", media_type="image/png"
    )
    of_this_run = secrets.token_hex(4)
    matched = hash_matched(
        [(upload, match)], id=SignalId(f"match-{of_this_run}"), source="uploads", at=now, item=UPLOAD, creator=USER
    )
    assert matched is not None
    reported = UserReported(
        id=SignalId(f"report-{of_this_run}"),
        source="reports",
        at=now,
        basis="A user reported the conversation.",
        csam=True,
        reporter=OTHER,
        # Nothing says who that is about: the platform is asked whose conversation it is.
        threads=(THREAD,),
    )
    escalated = Escalated(
        id=SignalId(f"escalation-{of_this_run}"),
        source="moderation",
        at=now,
        basis="A moderator looked at the account.",
        moderator=ReviewerId("moderator-1"),
        creator=USER,
        media=(shapes, upload),
    )
    (first,) = match.matches[:1]
    return Noticed(signals=(matched, reported, escalated), match=first)


def _look_up(folder: Path, platform: Platform) -> MatchResult:
    from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
    from cybertip.hashing.pictures import PictureHashes, hash_picture
    from cybertip.testing.pictures import picture
    from cybertip.testing.uploads import save, save_again

    original, upload = folder / "original.png", folder / "upload.jpg"
    save(picture(1), original)
    save(picture(2, kind="blocks"), folder / "shapes.png")
    save_again(original, upload)
    known = hash_picture(original)
    assert isinstance(known, PictureHashes), "our own picture is a picture"
    lists = folder / "hashes.db"
    make_private(lists)
    with HashStore(lists) as store:
        with store.changing(ListName("example list")) as change:
            change.put(ListEntry(entry=EntryId("entry-1"), hashes=(*digest(original).hashes, known.hashes[0])))
            change.complete(datetime.now(UTC))
        matcher = CombinedHashMatcher([LocalDigestMatcher(store), LocalPdqMatcher(store)])
        (found,) = matcher.match([MediaItem(id=ItemId(UPLOAD.id), media=upload)])
    hashed = next(one for one in found.hashes if one.type == PDQ)
    platform.hashes[UPLOAD.id] = {"hash": hashed.value, "hashType": "PDQ"}
    return found

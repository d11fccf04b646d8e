"""Files and pictures are found on the lists of this machine, and what was not looked up is never called clean."""

import io
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from PIL import Image, ImageOps

from cybertip.adapters.matching import local_pdq
from cybertip.adapters.matching.combined import CombinedHashMatcher
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
from cybertip.adapters.matching.store import HashStore, ListEntry
from cybertip.errors import AdapterError
from cybertip.hashing.digests import digest
from cybertip.hashing.index import PdqIndex
from cybertip.hashing.index_files import MANIFEST, load
from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.ports.matching import (
    MD5,
    PDQ,
    SHA1,
    SHA256,
    ConsultedList,
    EntryId,
    HashType,
    ItemId,
    ListName,
    MatcherHealth,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Outcome,
    Readiness,
    Variant,
    Verdict,
)
from cybertip.testing.pictures import picture

LIST = ListName("synthetic")
Files = Callable[..., bytes]
Hashes = Callable[[bytes], tuple[MediaHash, ...]]


def item(media: Any = None, *hashes: MediaHash) -> MediaItem:
    return MediaItem(id=ItemId("upload"), media=media, hashes=hashes)


def one(matcher: Any, *given: Any) -> MatchResult:
    (result,) = matcher.match([item(*given)])
    assert isinstance(result, MatchResult)
    return result


def put(store: HashStore, name: str, *hashes: MediaHash) -> None:
    with store.changing(LIST) as change:
        change.put(ListEntry(entry=EntryId(name), hashes=hashes))


def random_pdq(seed: int) -> MediaHash:
    return MediaHash(type=PDQ, value=np.random.default_rng(seed).bytes(32).hex())


@pytest.fixture
def digests(store: HashStore, clock: Any) -> LocalDigestMatcher:
    return LocalDigestMatcher(store, clock=clock)


@pytest.fixture
def pictures(store: HashStore, clock: Any) -> LocalPdqMatcher:
    return LocalPdqMatcher(store, clock=clock)


def test_a_file_is_found_by_its_digests(digests: LocalDigestMatcher, picture_file: Files, tmp_path: Path) -> None:
    """Bytes, a path, and a digest that was computed elsewhere find the entry, with what its list says of it."""
    path = tmp_path / "upload.png"
    path.write_bytes(picture_file(1))
    for media in (picture_file(1), path):
        result = one(digests, media)
        assert {match.query.type for match in result.matches} == {MD5, SHA1, SHA256}
        for match in result.matches:
            assert (match.list, match.entry, match.member) == ("synthetic", "image1", "42")
            assert (match.kind, match.distance, match.limit) == (MatchKind.EXACT, None, None)
            assert (match.classification, match.disputed, match.matcher) == ("A1", False, "local digests")
        assert {hash.type for hash in result.hashes} == {MD5, SHA1, SHA256}


def test_a_given_digest_finds_an_entry_and_its_absence_is_said(
    digests: LocalDigestMatcher, known_hashes: Hashes, picture_file: Files
) -> None:
    """One digest is enough to find something; it is not enough to say that nothing is there."""
    md5 = known_hashes(picture_file(1))[0]
    found = one(digests, None, md5)
    assert found.outcome is Outcome.POTENTIAL_MATCH
    assert [(gap.reason, gap.hash_type) for gap in found.unchecked] == [(NotChecked.MISSING_HASH, SHA1)]
    other = one(digests, None, MediaHash(type=MD5, value="0" * 32))
    assert (other.outcome, other.reason) == (Outcome.NOT_CHECKED, NotChecked.MISSING_HASH)


def test_every_hash_at_hand_is_looked_up(
    store: HashStore, clock: Any, digests: LocalDigestMatcher, picture_file: Files
) -> None:
    """What a list knows by a kind that nobody demands is found by it; PDQ is left to whoever knows what is near."""
    found = digest(picture_file(3))
    put(store, "sha256", MediaHash(type=SHA256, value=found.sha256))
    put(store, "netclean", netclean := MediaHash(type=HashType("netclean"), value="AbC"))
    put(store, "pdq", random_pdq(1))
    assert [match.entry for match in one(digests, picture_file(3)).matches] == ["sha256"]
    assert {match.entry for match in one(digests, picture_file(3), netclean).matches} == {"sha256", "netclean"}
    assert one(digests, picture_file(2), random_pdq(1)).outcome is Outcome.NO_MATCH
    demanding = LocalDigestMatcher(store, clock=clock, hash_types=[PDQ])
    assert one(demanding, None, random_pdq(1)).outcome is Outcome.POTENTIAL_MATCH
    # What nobody demands keeps nothing from being checked.
    assert one(digests, None, *found.hashes[:2]).outcome is Outcome.NO_MATCH


def test_given_hashes_are_trusted_and_not_computed_again(digests: LocalDigestMatcher, tmp_path: Path) -> None:
    """A file whose hashes are all given is not read: it may be on another machine."""
    hashes = [MediaHash(type=MD5, value="1" * 32), MediaHash(type=SHA1, value="1" * 40)]
    assert one(digests, tmp_path / "missing", *hashes).outcome is Outcome.NO_MATCH


def test_a_file_that_cannot_be_read_is_not_checked(
    digests: LocalDigestMatcher, pictures: LocalPdqMatcher, tmp_path: Path
) -> None:
    """A missing file is no file without a match, nor is one whose name no file can have."""
    for matcher in (digests, pictures):
        for name in ("missing", "a\0b", "\ud800"):
            result = one(matcher, tmp_path / name)
            assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNREADABLE)


def test_lists_without_a_kind_of_hash_show_nothing(store: HashStore, clock: Any, picture_file: Files) -> None:
    """While no list knows a hash of a kind that was promised, not finding one means nothing."""
    kinds = [MD5, HashType("netclean")]
    matcher = LocalDigestMatcher(store, clock=clock, hash_types=kinds)
    netclean = MediaHash(type=HashType("netclean"), value="AbC")
    result = one(matcher, picture_file(2), netclean)
    assert [(gap.reason, gap.hash_type) for gap in result.unchecked] == [(NotChecked.NO_LIST, HashType("netclean"))]
    assert matcher.health().readiness is Readiness.DEGRADED
    put(store, "n", netclean)
    assert one(matcher, picture_file(2), netclean).outcome is Outcome.POTENTIAL_MATCH
    assert one(matcher, picture_file(2), attrs.evolve(netclean, value="abc")).outcome is Outcome.NO_MATCH


def test_an_empty_store_never_says_that_nothing_matches(tmp_path: Path, clock: Any, picture_file: Files) -> None:
    """Without any list everything is not checked."""
    with HashStore(tmp_path / "empty.db") as empty:
        for matcher in (LocalDigestMatcher(empty, clock=clock), LocalPdqMatcher(empty, clock=clock)):
            result = one(matcher, picture_file(2))
            assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.NO_LIST)
            assert matcher.health().readiness is Readiness.DEGRADED


def test_a_list_that_was_never_complete_or_is_too_old_shows_nothing(
    store: HashStore, clock: Any, picture_file: Files
) -> None:
    """To the moment at which a list becomes too old nothing found means no match; from then on it means nothing."""
    matchers: list[LocalDigestMatcher | LocalPdqMatcher] = [
        LocalDigestMatcher(store, clock=clock, oldest=timedelta(hours=3)),
        LocalPdqMatcher(store, clock=clock, oldest=timedelta(hours=3)),
    ]
    clock.time += timedelta(hours=2)
    assert {one(matcher, picture_file(2)).outcome for matcher in matchers} == {Outcome.NO_MATCH}
    clock.time += timedelta(microseconds=1)
    assert {one(matcher, picture_file(2)).reason for matcher in matchers} == {NotChecked.STALE_LIST}
    clock.time -= timedelta(hours=1)
    with store.changing(ListName("new and incomplete")):
        pass
    for matcher in matchers:
        assert one(matcher, picture_file(2)).reason is NotChecked.STALE_LIST
        assert "new and incomplete" in " ".join(matcher.health().warnings)


def test_a_list_of_a_time_to_come_shows_nothing(store: HashStore, clock: Any, picture_file: Files) -> None:
    """A slip of a pen does not keep a list young for years; a clock elsewhere may be some minutes ahead."""
    matchers: list[Any] = [LocalDigestMatcher(store, clock=clock), LocalPdqMatcher(store, clock=clock)]
    minutes = timedelta(minutes=5)
    for ahead, reason in ((minutes, None), (minutes + timedelta(microseconds=1), NotChecked.STALE_LIST)):
        with store.changing(LIST) as change:
            change.complete(clock.now() + ahead)
        assert [one(matcher, picture_file(2)).reason for matcher in matchers] == [reason, reason]
        ready = Readiness.DEGRADED if reason else Readiness.READY
        assert [matcher.health().readiness for matcher in matchers] == [ready, ready]


def test_a_matcher_without_a_kind_of_hash_is_refused(store: HashStore) -> None:
    """Nobody can set up a matcher that looks nothing up."""
    with pytest.raises(ValueError, match="nothing would ever be checked"):
        LocalDigestMatcher(store, hash_types=[])


RESAVED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG": lambda image: image,
    "GIF": lambda image: image.quantize(256),
    "half size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "grey": lambda image: image.convert("L"),
    "mirrored": ImageOps.mirror,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
}


@pytest.mark.parametrize("way", list(RESAVED))
def test_a_picture_is_found_when_it_was_saved_again(way: str, pictures: LocalPdqMatcher) -> None:
    """Recompressed, shrunk, greyed, mirrored or turned it is found, and the match says by which variant and how near."""

    def upload(seed: int) -> bytes:
        file = io.BytesIO()
        image = RESAVED[way](Image.fromarray(picture(seed, 240, 320)))
        image.save(file, "GIF" if way == "GIF" else "JPEG")
        return file.getvalue()

    (match,) = one(pictures, upload(1)).matches
    assert (match.entry, match.kind, match.limit, match.classification) == ("image1", MatchKind.NEAR, 31, "A1")
    assert match.distance is not None
    assert match.distance <= 31
    variants = {"mirrored": Variant.MIRRORED, "turned": Variant.ROTATED_270}
    assert match.query.variant is variants.get(way, Variant.ORIGINAL)
    assert one(pictures, upload(2)).outcome is Outcome.NO_MATCH


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (b"", NotChecked.UNDECODABLE),
        (b"%PDF-1.7", NotChecked.UNSUPPORTED_TYPE),
        (b"\x89PNG\r\n\x1a\n broken", NotChecked.UNDECODABLE),
        (None, NotChecked.MISSING_HASH),
    ],
)
def test_what_cannot_be_hashed_is_not_checked(
    media: bytes | None, reason: NotChecked, pictures: LocalPdqMatcher
) -> None:
    """What has no hash has a reason."""
    result = one(pictures, media)
    assert (result.outcome, result.reason, result.matches) == (Outcome.NOT_CHECKED, reason, ())


def test_hashes_of_poor_pictures_are_not_looked_up(store: HashStore, pictures: LocalPdqMatcher) -> None:
    """A hash that its hasher thinks little of would match what has nothing to do with it."""
    put(store, "flat", MediaHash(type=PDQ, value="0" * 64))
    flat = MediaHash(type=PDQ, value="0" * 64, quality=49)
    assert one(pictures, None, flat).reason is NotChecked.LOW_QUALITY
    assert one(pictures, None, attrs.evolve(flat, quality=50)).outcome is Outcome.POTENTIAL_MATCH
    assert one(pictures, None, attrs.evolve(flat, quality=None)).outcome is Outcome.POTENTIAL_MATCH


class Computing:
    """A matcher of another service, which finds nothing and hands on what it computed."""

    hash_types = frozenset({PDQ})
    most_items = 9

    def __init__(self, name: str, *, hashes: Sequence[MediaHash]) -> None:
        self.name, self._hashes = name, hashes

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        known = ConsultedList(name=LIST, as_of=datetime(2026, 3, 1, tzinfo=UTC))
        return tuple(MatchResult.of(item, hashes=self._hashes, lists=[known]) for item in items)

    def health(self) -> MatcherHealth:
        return MatcherHealth(readiness=Readiness.READY)


def flat() -> bytes:
    file = io.BytesIO()
    Image.new("L", (320, 240), 128).save(file, "PNG")
    return file.getvalue()


def mirrored(seed: int) -> bytes:
    file = io.BytesIO()
    ImageOps.mirror(Image.fromarray(picture(seed, 240, 320))).save(file, "PNG")
    return file.getvalue()


def own(data: bytes) -> MediaHash:
    """Return the one hash that others, who know nothing of variants, make of a picture."""
    found = hash_picture(data)
    assert isinstance(found, PictureHashes)
    return attrs.evolve(found.hashes[0], quality=None)


def test_a_picture_that_brings_a_hash_is_found_mirrored_all_the_same(pictures: LocalPdqMatcher) -> None:
    """A hash that somebody else computed does not keep the picture's variants from being looked up."""
    upload = mirrored(1)
    (match,) = one(pictures, upload, own(upload)).matches
    assert (match.entry, match.query.variant) == ("image1", Variant.MIRRORED)
    first = Computing("first", hashes=[own(upload)])
    assert one(CombinedHashMatcher([first, pictures]), upload).outcome is Outcome.POTENTIAL_MATCH
    # By its own hash alone it is looked up as it is.
    assert one(pictures, None, own(upload)).outcome is Outcome.NO_MATCH


def test_a_picture_that_brings_a_hash_and_cannot_be_hashed_here_is_not_checked(
    pictures: LocalPdqMatcher, picture_file: Files, tmp_path: Path
) -> None:
    """What it brings is looked up; not finding it says nothing of how the picture looks mirrored."""
    missing = tmp_path / "missing"
    assert one(pictures, missing, own(picture_file(1))).outcome is Outcome.POTENTIAL_MATCH
    result = one(pictures, missing, own(picture_file(2)))
    assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNREADABLE)
    poor = attrs.evolve(own(picture_file(2)), quality=0)
    reasons = [gap.reason for gap in one(pictures, flat(), poor).unchecked]
    assert reasons == [NotChecked.LOW_QUALITY]


def test_a_picture_that_brings_all_its_hashes_is_not_hashed_again(
    pictures: LocalPdqMatcher, picture_file: Files, tmp_path: Path
) -> None:
    """With all eight there is nothing left to compute: the file may be on another machine."""
    assert one(pictures, tmp_path / "missing", *one(pictures, picture_file(2)).hashes).outcome is Outcome.NO_MATCH


def animation(*seeds: int) -> bytes:
    file = io.BytesIO()
    first, *others = [Image.fromarray(picture(seed, 240, 320)) for seed in seeds]
    first.save(file, "PNG", save_all=True, append_images=others)
    return file.getvalue()


def test_of_an_animation_the_first_frame_alone_is_looked_up_and_that_is_said(pictures: LocalPdqMatcher) -> None:
    """A known first frame is found; an unknown one leaves the file not checked, for something else may follow."""
    assert one(pictures, animation(1, 2)).outcome is Outcome.POTENTIAL_MATCH
    result = one(pictures, animation(2, 1))
    assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.FIRST_FRAME_ONLY)


def test_the_limit_is_exact_and_recorded(store: HashStore, clock: Any) -> None:
    """A matcher with a limit of its own finds what is within it and nothing beyond."""
    put(store, "zero", MediaHash(type=PDQ, value="0" * 64))
    for limit in (0, 10, 31, 40):
        matcher = LocalPdqMatcher(store, clock=clock, limit=limit)
        within = MediaHash(type=PDQ, value=f"{2**limit - 1:064x}")
        beyond = MediaHash(type=PDQ, value=f"{2 ** (limit + 1) - 1:064x}")
        (match,) = one(matcher, None, within).matches
        assert (match.distance, match.limit) == (limit, limit)
        assert one(matcher, None, beyond).outcome is Outcome.NO_MATCH


def test_the_nearest_comes_first_and_each_entry_once_for_each_of_its_hashes(
    store: HashStore, pictures: LocalPdqMatcher
) -> None:
    """All entries near a picture are named, the nearest first, whichever of the eight variants finds them."""
    base = random_pdq(5)
    put(store, "far", MediaHash(type=PDQ, value=f"{int(base.value, 16) ^ 0b11111:064x}"))
    put(store, "near", MediaHash(type=PDQ, value=f"{int(base.value, 16) ^ 1:064x}"))
    again = attrs.evolve(base, variant=Variant.MIRRORED)
    assert [(match.entry, match.distance) for match in one(pictures, None, base, again).matches] == [
        ("near", 1),
        ("far", 5),
    ]


def test_the_index_follows_the_lists(store: HashStore, pictures: LocalPdqMatcher, clock: Any) -> None:
    """What is put on a list is found by the next answer, and what is taken off it is not."""
    new = random_pdq(7)
    assert one(pictures, None, new).outcome is Outcome.NO_MATCH
    put(store, "new", new)
    assert [match.entry for match in one(pictures, None, new).matches] == ["new"]
    with store.changing(LIST) as change:
        change.remove(EntryId("new"))
    assert one(pictures, None, new).outcome is Outcome.NO_MATCH


def test_a_list_that_becomes_younger_meanwhile_promises_nothing(
    store: HashStore, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked up before a list grew is not said to have been looked up in what it is now."""
    clock.time += timedelta(days=30)
    find, since = HashStore.find, HashStore.since

    def grow() -> None:
        with store.changing(LIST) as change:
            change.complete(clock.now())

    def find_then_grow(self: HashStore, hashes: Any) -> Any:
        found = find(self, hashes)
        grow()
        return found

    def follow_then_grow(self: HashStore, mark: Any) -> Any:
        found = since(self, mark)
        grow()
        return found

    for matcher, name, changed, hashes in (
        (
            LocalDigestMatcher(store, clock=clock, hash_types=[MD5]),
            "find",
            find_then_grow,
            MediaHash(type=MD5, value="0" * 32),
        ),
        (LocalPdqMatcher(store, clock=clock), "since", follow_then_grow, random_pdq(1)),
    ):
        with store.changing(LIST) as change:
            change.complete(clock.now() - timedelta(days=9))
        with monkeypatch.context() as patch:
            patch.setattr(HashStore, name, changed)
            assert one(matcher, None, hashes).reason is NotChecked.STALE_LIST
        assert one(matcher, None, hashes).outcome is Outcome.NO_MATCH


def test_verdicts_are_recorded_and_disputed_entries_say_so(
    store: HashStore, digests: LocalDigestMatcher, pictures: LocalPdqMatcher, picture_file: Files
) -> None:
    """An entry that a person called a false positive is disputed in later matches of every matcher."""
    for matcher, other in ((digests, pictures), (pictures, digests)):
        match = one(matcher, picture_file(1)).matches[0]
        assert not match.disputed
        matcher.feedback(match, verdict=Verdict.FALSE_POSITIVE, reason="made up")
        assert all(
            found.disputed
            for found in (*one(digests, picture_file(1)).matches, *one(pictures, picture_file(1)).matches)
        )
        with pytest.raises(ValueError, match="another matcher"):
            other.feedback(match, verdict=Verdict.CONFIRMED)
        matcher.feedback(match, verdict=Verdict.CONFIRMED)


def test_a_verdict_that_is_not_recorded_is_an_error(
    closed: HashStore, digests: LocalDigestMatcher, picture_file: Files
) -> None:
    """Nobody believes a verdict to be kept that is not."""
    match = one(digests, picture_file(1)).matches[0]
    with pytest.raises(AdapterError):
        LocalDigestMatcher(closed).feedback(match, verdict=Verdict.CONFIRMED)


def replaced(store: HashStore) -> None:
    """Put the same picture on the list anew, as an import that replaces it does: its hashes get other numbers."""
    with store.changing(LIST) as change:
        found = store.find([random_pdq(1)])
        change.clear()
        change.put(ListEntry(entry=EntryId("image1"), hashes=tuple(one.hash for one in found)))


@pytest.mark.parametrize(
    ("times", "outcome"), [(2, Outcome.POTENTIAL_MATCH), (3, Outcome.NOT_CHECKED)], ids=["twice", "without end"]
)
def test_a_list_that_is_replaced_meanwhile_loses_nothing(
    times: int, outcome: Outcome, store: HashStore, pictures: LocalPdqMatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on a list before and after is found, or not checked, and never called unknown; the next answer is right."""
    put(store, "image1", random_pdq(1))
    numbered, left = HashStore.numbered, iter(range(times))

    def replace_then_read(self: HashStore, numbers: Any) -> Any:
        if next(left, None) is not None:
            replaced(store)
        return numbered(self, numbers)

    monkeypatch.setattr(HashStore, "numbered", replace_then_read)
    assert one(pictures, None, random_pdq(1)).outcome is outcome
    assert one(pictures, None, random_pdq(1)).outcome is Outcome.POTENTIAL_MATCH


def kept(store: HashStore, clock: Any, folder: Path) -> LocalPdqMatcher:
    return LocalPdqMatcher(store, clock=clock, folder=folder)


def test_an_index_that_was_kept_is_not_made_again(
    store: HashStore, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process loads what the first one made, and catches up with what happened since."""
    folder = tmp_path / "index"
    first = kept(store, clock, folder).refresh()
    assert len(first) == len(load(folder)[0]) == 1
    put(store, "new", random_pdq(3))
    with monkeypatch.context() as patch:
        patch.setattr(LocalPdqMatcher, "_made", lambda self: pytest.fail("it was made again"))
        index = kept(store, clock, folder).refresh()
    assert (len(index), index.pending) == (2, 1)


def damage(folder: Path) -> None:
    path = next(folder.glob("entries-*.npy"))
    path.write_bytes(path.read_bytes()[:-8] + bytes(range(8)))


@pytest.mark.parametrize(
    "spoil",
    [
        damage,
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / MANIFEST).write_text('{"format": 1}'),
    ],
    ids=["altered", "no manifest", "half a manifest"],
)
def test_a_damaged_index_is_made_again(
    spoil: Callable[[Path], None], store: HashStore, clock: Any, tmp_path: Path, picture_file: Files
) -> None:
    """An index that cannot be relied on is replaced by one that can, and everything is found as before."""
    folder = tmp_path / "index"
    kept(store, clock, folder).refresh()
    spoil(folder)
    assert one(kept(store, clock, folder), picture_file(1)).outcome is Outcome.POTENTIAL_MATCH
    assert len(load(folder)[0]) == 1


def test_an_index_of_a_store_that_was_restored_is_made_again(store: HashStore, clock: Any, tmp_path: Path) -> None:
    """After a backup was restored, numbers stand for other hashes: an index of the lost history is not used."""
    folder, path = tmp_path / "index", tmp_path / "lists.db"
    kept(store, clock, folder).refresh()
    store.close()
    shutil.copy(path, tmp_path / "backup.db")
    with HashStore(path) as later:
        put(later, "lost", random_pdq(1))
        index = kept(later, clock, folder)
        index.refresh().compact()
        assert index._current is not None
        index._keep(*index._current)
    with HashStore(tmp_path / "backup.db") as restored:
        put(restored, "other", random_pdq(2))
        matcher = kept(restored, clock, folder)
        assert one(matcher, None, random_pdq(1)).outcome is Outcome.NO_MATCH
        assert [match.entry for match in one(matcher, None, random_pdq(2)).matches] == ["other"]


def test_an_index_of_other_hashes_is_noticed(store: HashStore, pictures: LocalPdqMatcher, picture_file: Files) -> None:
    """Where index and store disagree about a hash, the answer is not checked, and the next one is right again."""
    assert pictures.refresh()
    assert pictures._current is not None
    wrong, right = random_pdq(8), one(pictures, picture_file(1))
    pictures._current = (PdqIndex([bytes.fromhex(wrong.value)], [1]), pictures._current[1])
    assert one(pictures, None, wrong).reason is NotChecked.UNAVAILABLE
    assert one(pictures, None, wrong).outcome is Outcome.NO_MATCH
    assert one(pictures, picture_file(1)) == right


def test_many_changes_are_compacted_and_kept(
    store: HashStore, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that grew is made anew and written, so that searches stay fast and the next process starts with it."""
    monkeypatch.setattr(local_pdq, "_MOST_PENDING", 20)
    folder = tmp_path / "index"
    matcher = kept(store, clock, folder)
    for round in range(8):
        put(store, f"entry {round}", *(random_pdq(100 * round + number) for number in range(8)))
        assert one(matcher, None, random_pdq(100 * round)).outcome is Outcome.POTENTIAL_MATCH
        assert matcher.refresh().pending <= 20
    assert len(matcher.refresh()) == 65
    assert len(load(folder)[0]) >= 40
    # So many at once that making the index is faster than following.
    put(store, "bulk", *(random_pdq(10_000 + number) for number in range(30)))
    assert (matcher.refresh().pending, len(matcher.refresh())) == (0, 95)
    assert len(load(folder)[0]) == 95


def test_many_removals_are_compacted_too(store: HashStore, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken off a list does not stay in memory for ever, whether it went one by one or all at once."""
    put(store, "many", *(random_pdq(number) for number in range(60)))
    matcher = LocalPdqMatcher(store, clock=clock)
    index = matcher.refresh()
    monkeypatch.setattr(local_pdq, "_MOST_PENDING", 20)
    for left in range(59, 34, -1):
        put(store, "many", *(random_pdq(number) for number in range(left)))
        assert matcher.refresh() is index
        assert index.removed <= 20
    # So many at once that making the index is faster than following.
    monkeypatch.setattr(PdqIndex, "remove", lambda self, id: pytest.fail("it was followed"))
    put(store, "many")
    assert (matcher.refresh().removed, len(matcher.refresh())) == (0, 1)


def test_a_folder_that_cannot_be_written_keeps_nobody_from_an_answer(
    store: HashStore, clock: Any, tmp_path: Path, picture_file: Files
) -> None:
    """The index serves from memory, and its health says what somebody should see to."""
    (tmp_path / "file").write_text("no folder")
    matcher = kept(store, clock, tmp_path / "file" / "index")
    assert one(matcher, picture_file(1)).outcome is Outcome.POTENTIAL_MATCH
    health = matcher.health()
    assert health.readiness is Readiness.READY
    assert "could not be written" in " ".join(health.warnings)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE lists SET as_of = 'canary'",
        "UPDATE lists SET as_of = '2026-03-01T11:00:00'",
        "UPDATE lists SET as_of = 7",
        "UPDATE hashes SET value = x'00'",
        "UPDATE hashes SET value = 'canary'",
    ],
)
def test_a_damaged_file_of_lists_is_no_answer(damage: str, store: HashStore, clock: Any, tmp_path: Path) -> None:
    """Values that cannot be what they stand for leave everything unchecked; nothing is raised, and nothing is quoted."""
    with sqlite3.connect(tmp_path / "lists.db") as connection:
        connection.execute(damage)
    connection.close()
    matchers: list[Any] = [LocalPdqMatcher(store, clock=clock)]
    if "lists" in damage:
        # Digests are asked for by value: those that are damaged are not found, as those that are not there.
        matchers.append(LocalDigestMatcher(store, clock=clock))
    for matcher in matchers:
        result = one(matcher, None, MediaHash(type=MD5, value="0" * 32), random_pdq(1))
        assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNAVAILABLE)
        health = matcher.health()
        assert health.readiness is Readiness.UNAVAILABLE
        assert "canary" not in repr(health)
    assert store.faults()


def test_health_tells_what_is_looked_in(digests: LocalDigestMatcher, pictures: LocalPdqMatcher) -> None:
    """It counts the hashes of the matcher's kinds and the entries of each list."""
    assert digests.health().hashes == {MD5: 1, SHA1: 1}
    assert pictures.health().hashes == {PDQ: 1}
    assert [(known.name, known.entries) for known in pictures.health().lists] == [("synthetic", 1)]
    assert "local" in repr(digests) + repr(pictures)

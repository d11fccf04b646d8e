"""What a reviewer should know about how a filing was assembled: what was not used, and what could not be said.

| rule | what it says |
|---|---|
| `several-ip-events` | a file has more IP events than its details take; the others went to the user |
| `no-digest` | a hash has not the form of the digest that it is called |
| `exif-in-words` | EXIF data was viewed and the whole file was not, which NCMEC's field cannot say |
| `other-bytes` | the platform's digest is not that of the bytes that are kept |
| `media-type` | a media type cannot be sent; the file goes as plain bytes |
| `undecided` | the decision says nothing about some files of the case |
| `unnamed` | signals name victims or recipients whom the decision does not |
| `unused` | the answer is about a user whom the report names nowhere |
| `absent-files` | the platform meant to add files that are not there |
| `batched` | something is known that has no place in a batched report |

What was noticed about the answer itself (`missing`, `unasked`, `contradiction`) comes before them.
"""

from collections.abc import Iterator

from cybertip.cases.assembly.files import exif_viewed, is_media_type
from cybertip.cases.assembly.known import Known
from cybertip.cases.assembly.media import KnownFile, told
from cybertip.cases.assembly.notes import absent_files, missing
from cybertip.cases.enrichment import Finding
from cybertip.cases.references import UserRef
from cybertip.model import IntendedRecipient, Victim

__all__ = ["remarks"]


def remarks(known: Known) -> Iterator[Finding]:
    """Yield findings; they keep nothing from being filed."""
    yield from known.enrichment.findings
    for file in known.files:
        yield from _of_file(file)
    for index, one in enumerate(known.attachments):
        if not is_media_type(one.media_type):
            yield _unsendable(f"attachments[{index}]")
    yield from _undecided(known)
    yield from _unnamed(known)
    if known.batched:
        yield from _batched(known)
    elif absent := absent_files(known):
        message = f"names {absent} files more than there are: they are not filed, and the report says so"
        yield Finding(rule="absent-files", path="answer.additionalFiles", message=message)


def _of_file(file: KnownFile) -> Iterator[Finding]:
    if file.placed.finding is not None:
        yield file.placed.finding
    if file.hash is not None and file.hash.finding is not None:
        yield file.hash.finding
    if exif_viewed(file) is None and file.viewed is not None:
        message = (
            "was not viewed as a whole, though its EXIF data was: NCMEC's field cannot say that, so it is said in words"
        )
        yield Finding(rule="exif-in-words", path=file.path, message=message)
    given = file.media.media_type
    if given is not None and not is_media_type(given):
        yield _unsendable(file.path)
    digest = None if file.hash is None else file.hash.digest
    kept = {"MD5": file.kept.md5, "SHA256": file.kept.sha256}.get(digest.hash_type) if digest else None
    if digest and kept is not None and digest.value.lower() != kept:
        message = "is kept as other bytes than those whose digest the platform gave: it may be no original"
        yield Finding(rule="other-bytes", path=file.path, message=message)


def _unsendable(path: str) -> Finding:
    message = "has a media type that cannot be sent: it is sent as plain bytes"
    return Finding(rule="media-type", path=path, message=message)


def _undecided(known: Known) -> Iterator[Finding]:
    decided = {one.media for one in known.decision.media}
    undecided = sum(ref not in decided and ref not in known.case.missing for ref in known.case.media)
    if undecided:
        message = f"says nothing about {undecided} files of the case: they are not filed"
        yield Finding(rule="undecided", path="decision.media", message=message)


def _unnamed(known: Known) -> Iterator[Finding]:
    """Find users whom signals or the platform speak of, and the decision does not."""
    decision = known.decision
    people: tuple[Victim | IntendedRecipient, ...] = (*decision.victims, *decision.recipients)
    named = {known.case.user, *decision.batched_users}
    named |= {ref for one in people if (ref := known.ref_of(one)) is not None}
    identifiers = {one.esp_identifier for one in people}

    def is_named(ref: UserRef) -> bool:
        return ref in named or ref.id in identifiers

    for path, refs in (("decision.victims", known.case.victims), ("decision.recipients", known.case.recipients)):
        unnamed = sum(not is_named(ref) for ref in refs)
        if unnamed:
            message = f"leaves out {unnamed} users whom signals name"
            yield Finding(rule="unnamed", path=path, message=message)
    for index, ref in enumerate(known.enrichment.users):
        if ref not in named:
            message = "is about a user whom the report names nowhere, or not by one identifier alone, and was not used"
            yield Finding(rule="unused", path=f"request.users[{index}]", message=message)


def _batched(known: Known) -> Iterator[Finding]:
    """Find what NCMEC does not take in a report about many users."""
    user = known.user
    lost = {
        "answer.users": user.info.emails or user.info.ip_capture_events or told(user.info.screen_name),
        "answer.media": user.further_events,
        "answer.additionalFiles": known.enrichment.additional_files,
        "answer.additionalInfo": told(known.enrichment.additional_info),
        "case.missing": tuple(missing(known)),
        "prior_reports": known.prior_reports,
    }
    for path, value in lost.items():
        if value:
            message = "has no place in a batched report, and was left out"
            yield Finding(rule="batched", path=path, message=message)

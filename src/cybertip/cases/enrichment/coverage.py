"""Whether an answer covers what was asked, and so whether there can be a report.

| the answer | what follows |
|---|---|
| has an entry for each user and piece of media that was asked about | it can be filed |
| lacks one, has one about a user nobody asked about, or contradicts itself | nothing is filed; the platform is asked again |
| says that some media is missing | the rest is filed, and what is missing is noted and never fetched |
| says that all the media asked about is missing | nothing is filed, for good |

Where no media was asked about, none is missing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from cybertip.cases.enrichment.answer import AdditionalFile, AdditionalInfo, MediaInfo, UserInfo
from cybertip.cases.enrichment.findings import Finding
from cybertip.cases.enrichment.question import AdditionalInfoRequest
from cybertip.cases.references import ItemRef, UserRef
from cybertip.errors import Violation

__all__ = ["AllMissing", "Enriched", "Uncovered", "reconcile"]

E = TypeVar("E", UserInfo, MediaInfo)


@attrs.frozen(kw_only=True)
class Enriched:
    """An answer that can be filed with, entry by entry, in the order of the request."""

    users: Mapping[UserRef, UserInfo] = attrs.field(repr=False)
    #: Media that is there.
    media: Mapping[ItemRef, MediaInfo] = attrs.field(repr=False)
    #: Media that is gone.
    missing: tuple[ItemRef, ...] = ()
    additional_files: tuple[AdditionalFile, ...] = ()
    #: Where messages came from.
    message_addresses: Mapping[ItemRef, str] = attrs.field(factory=dict, repr=False)
    additional_info: str | None = attrs.field(default=None, repr=False)
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class Uncovered:
    """An answer that nothing may be filed with: it lacks something, or is about something else."""

    absent_users: tuple[UserRef, ...] = ()
    absent_media: tuple[ItemRef, ...] = ()
    #: What is wrong, by the entry's place in the request or in the answer.
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.violations))


@attrs.frozen(kw_only=True)
class AllMissing:
    """All the media that was asked about is gone: there will be no report of it."""

    media: tuple[ItemRef, ...]

    def __str__(self) -> str:
        return f"all {len(self.media)} pieces of media are missing: there is nothing left to file"


def reconcile(request: AdditionalInfoRequest, answer: AdditionalInfo) -> Enriched | Uncovered | AllMissing:
    """Compare an answer with what was asked.

    >>> user, image = UserRef(id="u1", type_id="user"), ItemRef(id="m1", type_id="image")
    >>> answer = AdditionalInfo(users=(UserInfo(id="u1", type_id="user"),))
    >>> print(reconcile(AdditionalInfoRequest(users=(user,), media=(image,)), answer))
    request.media[0]: has no entry in the answer [absent]
    """
    users, doubled_users = _by_ref(answer.users, "users")
    media, doubled_media = _by_ref(answer.media, "media")
    absent_users = _absent(request.users, users)
    absent_media = _absent(request.media, media)
    violations = (
        *_lacking(request.users, absent_users, "users"),
        *_lacking(request.media, absent_media, "media"),
        *_strangers(answer.users, request.users),
        *doubled_users,
        *doubled_media,
    )
    if violations:
        return Uncovered(absent_users=absent_users, absent_media=absent_media, violations=violations)
    missing = tuple(one for one in dict.fromkeys(request.media) if media[one].missing)
    if missing and len(missing) == len(set(request.media)):
        return AllMissing(media=missing)
    located = [(one.ref, one.ip_address) for one in answer.messages]
    # Of two that contradict each other the first counts, with a finding.
    addresses = dict(reversed(located))
    return Enriched(
        users={one: users[one] for one in request.users},
        media={one: media[one] for one in request.media if not media[one].missing},
        missing=missing,
        additional_files=answer.additional_files,
        message_addresses=addresses,
        additional_info=answer.additional_info,
        findings=(*_findings(request, answer), *_contradictions(located, addresses)),
    )


def _by_ref(entries: Sequence[E], name: str) -> tuple[dict[Any, E], list[Violation]]:
    """Return entries by what they are about, and those that contradict an earlier one."""
    found: dict[Any, tuple[int, E]] = {}
    doubled = []
    for index, entry in enumerate(entries):
        first, known = found.setdefault(entry.ref, (index, entry))
        if known != entry:
            message = f"contradicts answer.{name}[{first}], which is about the same"
            doubled.append(Violation(path=f"answer.{name}[{index}]", rule="contradiction", message=message))
    return {ref: entry for ref, (_, entry) in found.items()}, doubled


R = TypeVar("R", UserRef, ItemRef)


def _absent(asked: Sequence[R], found: Mapping[R, Any]) -> tuple[R, ...]:
    return tuple(one for one in dict.fromkeys(asked) if one not in found)


def _lacking(asked: Sequence[R], absent: Sequence[R], name: str) -> Iterator[Violation]:
    lacking = set(absent)
    for index, one in enumerate(asked):
        if one in lacking:
            yield Violation(path=f"request.{name}[{index}]", rule="absent", message="has no entry in the answer")


def _strangers(entries: Sequence[UserInfo], asked: Sequence[UserRef]) -> Iterator[Violation]:
    known = set(asked)
    for index, entry in enumerate(entries):
        if entry.ref not in known:
            message = "is about a user whom nobody asked about, by id and typeId"
            yield Violation(path=f"answer.users[{index}]", rule="stranger", message=message)


def _findings(request: AdditionalInfoRequest, answer: AdditionalInfo) -> Iterator[Finding]:
    asked = set(request.media)
    for index, entry in enumerate(answer.media):
        path = f"media[{index}]"
        if entry.ref not in asked:
            yield Finding(rule="unasked", path=path, message="is about media that nobody asked about, and was not used")
        elif entry.missing:
            message = "is missing at the platform: it was not fetched and is not filed"
            yield Finding(rule="missing", path=path, message=message)


def _contradictions(located: Iterable[tuple[ItemRef, str]], addresses: Mapping[ItemRef, str]) -> Iterator[Finding]:
    for index, (ref, address) in enumerate(located):
        if addresses[ref] != address:
            path = f"messages[{index}]"
            yield Finding(
                rule="contradiction", path=path, message="gives a message another address than an entry before"
            )

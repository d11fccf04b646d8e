"""What is wrong with an answer, promise by promise; by place, never by value."""

from collections.abc import Mapping

from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest, AllMissing, Enriched, Uncovered, reconcile
from cybertip.errors import InvalidReport, Violation
from cybertip.testing.webhooks.promises import Promise

__all__ = ["faults_of"]

#: Keys of times.
_TIMES = ("dateTime", "verificationDate")
_COVERAGE = (Promise.COVERS_USERS, Promise.COVERS_MEDIA, Promise.NO_STRANGERS, Promise.NO_CONTRADICTIONS)


def faults_of(asked: AdditionalInfoRequest, body: bytes) -> Mapping[Promise, tuple[str, ...]]:
    """Return the promises that could be looked at, with what breaks each."""
    found: dict[Promise, list[str]] = {Promise.ANSWERS_JSON: []}
    try:
        answer = AdditionalInfo.from_json(body)
    except InvalidReport as error:
        for one in error.violations:
            promise = _of_reading(one)
            if promise is not Promise.ANSWERS_JSON:
                # As far as the JSON could be read, the others were looked at as well.
                found |= {Promise.RIGHT_TYPES: [], Promise.RIGHT_TIMES: []} | found
            found[promise].append(str(one))
    else:
        found |= {promise: [] for promise in (Promise.RIGHT_TYPES, Promise.RIGHT_TIMES, *_COVERAGE)}
        for promise, what in _of_coverage(asked, answer):
            found[promise].append(what)
        if not asked.users and not asked.media:
            found[Promise.NOTHING_FOR_NOTHING] = _said_of_nothing(answer)
    return {promise: tuple(said) for promise, said in found.items()}


def _of_reading(one: Violation) -> Promise:
    if one.rule in ("json", "size"):
        return Promise.ANSWERS_JSON
    return Promise.RIGHT_TIMES if one.path.endswith(_TIMES) else Promise.RIGHT_TYPES


def _of_coverage(asked: AdditionalInfoRequest, answer: AdditionalInfo) -> list[tuple[Promise, str]]:
    match reconcile(asked, answer):
        case Uncovered(violations=violations):
            return [(_of_entry(one), str(one)) for one in violations]
        case Enriched() | AllMissing():
            # That everything is gone is an answer, too.
            return []


def _of_entry(one: Violation) -> Promise:
    if one.rule == "absent":
        return Promise.COVERS_USERS if one.path.startswith("request.users") else Promise.COVERS_MEDIA
    return Promise.NO_STRANGERS if one.rule == "stranger" else Promise.NO_CONTRADICTIONS


def _said_of_nothing(answer: AdditionalInfo) -> list[str]:
    """Say which media an answer is about though none was asked for; of users, `reconcile` says it."""
    return [f"answer.media[{index}]: is about media that nobody asked about" for index, _ in enumerate(answer.media)]

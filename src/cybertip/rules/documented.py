"""Every documented rule, checked before anything is sent.

Which rule holds for which field is declared with the field (`cybertip.model.limits`); here is what each rule means. The
rules of batched reports, which concern the whole, are in `cybertip.rules.batched`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from cybertip.errors import Violation
from cybertip.model import (
    Country,
    FileDescription,
    FileRelevance,
    Report,
)
from cybertip.model.declaration import Field, is_part, part_of
from cybertip.model.edition import DEFAULT_EDITION, Edition
from cybertip.model.limits import Limit
from cybertip.rules.batched import batched
from cybertip.rules.emptiness import empty
from cybertip.rules.values import (
    US_STATES,
    is_blank,
    is_email,
    is_ip,
    is_past,
    is_url,
    repeats_calling_code,
)
from cybertip.xml.layout import walk
from cybertip.xml.writer import unwritable

__all__ = ["RULES", "UPHELD_BY_THE_XSD", "check"]


class Place(NamedTuple):
    """What a rule may look at: the field's part, the whole document, and the time."""

    part: Any
    document: Any
    now: datetime
    limit: Limit


#: A rule returns a sentence about a value that breaks it, or None. It never quotes the value.
Rule = Callable[[Any, Place], str | None]


def check(
    document: Any,
    *,
    now: datetime,
    files: Sequence[FileDescription | None] = (),
    edition: Edition | str = DEFAULT_EDITION,
) -> tuple[Violation, ...]:
    """Return every documented rule that a document breaks, all at once; if there is none, NCMEC has no known reason to
    refuse it.

    Args:
        document: a report, file details, or any part of them.
        now: the time at which NCMEC will read it, aware; what must be past must be before it.
        files: what is said of the files that go with a report, in their order, None for a file of which nothing is said.
            Batched reports have rules about them.
        edition: the edition that it will be written in.

    Raises `ValueError` when `now` has no offset. Clause: NCMEC, section 5 (documents) and the documentation's rules for
    single fields.

    >>> from datetime import UTC, datetime
    >>> from cybertip.model import IpCaptureEvent
    >>> event = IpCaptureEvent(ip_address="192.0.2.1", port=0)
    >>> for violation in check(event, now=datetime(2025, 1, 1, tzinfo=UTC)):
    ...     print(violation)
    ipCaptureEvent.port: must be from 1 to 65535 [range]
    """
    if not is_part(type(document)):
        raise TypeError("check takes a document or a part of one")
    if now.utcoffset() is None:
        raise ValueError("now must have an offset from UTC (a time zone)")
    edition = Edition(edition)
    found = [*_document(document, document, now, edition)]
    if isinstance(document, Report):
        found += batched(document, files)
        for index, description in enumerate(files):
            if description is not None:
                found += (_of_file(one, index) for one in _document(description, document, now, edition))
    return tuple(found)


def _of_file(violation: Violation, index: int) -> Violation:
    """Return a violation of a file's description, as the caller reaches it: `files[0].original_file_name`."""
    below = violation.path.partition(".")[2]
    return Violation(
        path=f"files[{index}].{below}" if below else f"files[{index}]",
        xpath=violation.xpath,
        rule=violation.rule,
        message=violation.message,
    )


def _document(document: Any, whole: Any, now: datetime, edition: Edition) -> Iterator[Violation]:
    yield from unwritable(document, edition=edition)
    for part, declared, python, xml in walk(document):
        for field in declared.fields:
            value = getattr(part, field.python)
            for index in empty(field, value):
                below, inside = field.path(index)
                yield Violation(
                    path=python + below, xpath=xml + inside, rule="empty-element", message="is empty; leave it out"
                )
            for limit in field.limits:
                rule = RULES.get(limit.rule)
                if rule is None:
                    continue
                for index, member in _members(field, value, limit):
                    if (message := rule(member, Place(part, whole, now, limit))) is not None:
                        below, inside = field.path(index)
                        yield Violation(path=python + below, xpath=xml + inside, rule=limit.rule, message=message)


def _members(field: Field, value: Any, limit: Limit) -> Iterable[tuple[int | None, Any]]:
    """Return what a rule is to look at: each member of a repeated field, or the whole of it."""
    if limit.rule in _OF_THE_WHOLE:
        return [(None, value)]
    if field.many:
        return enumerate(value)
    # A rule about what is missing sees None; every other one is asked about values only.
    return [(None, value)] if value is not None or limit.rule in _OF_WHAT_IS_MISSING else []


_OF_THE_WHOLE = frozenset({"one-unless-batched"})
_OF_WHAT_IS_MISSING = frozenset({"region-if-us-city", "verified-if-dated", "viewed-if-exif-viewed"})


def _text(value: Any) -> str:
    """Return the text of a value, which may be a part with attributes."""
    if is_part(type(value)) and (text := part_of(type(value)).text) is not None:
        value = getattr(value, text.python)
    return str(value)


# -- rules about one value ------------------------------------------------------------------------------------------------


def _max_length(value: Any, place: Place) -> str | None:
    most = place.limit.operand
    assert isinstance(most, int)
    return f"must have at most {most} characters, and has {length}" if (length := len(_text(value))) > most else None


def _local_part(value: Any, place: Place) -> str | None:
    most = place.limit.operand
    assert isinstance(most, int)
    return f"must have at most {most} characters before the @" if len(_text(value).rpartition("@")[0]) > most else None


def _range(value: Any, place: Place) -> str | None:
    assert isinstance(place.limit.operand, tuple)
    least, most = place.limit.operand
    return None if least <= value <= most else f"must be from {least} to {most}"


def _past(value: date | datetime, place: Place) -> str | None:
    return None if is_past(value, place.now) else "must be a past date"


def _must_be(test: Callable[[str], bool], what: str) -> Rule:
    return lambda value, place: None if test(_text(value)) else f"must be {what}"


# -- rules about a value among others ---------------------------------------------------------------------------------------


def _after(value: Any, place: Place) -> str | None:
    sibling = getattr(place.part, str(place.limit.operand))
    return None if sibling is None or value > sibling else f"must be after {place.limit.operand}"


def _at_or_after(value: Any, place: Place) -> str | None:
    sibling = getattr(place.part, str(place.limit.operand))
    return None if sibling is None or value >= sibling else f"must not be before {place.limit.operand}"


def _not_with(value: Any, place: Place) -> str | None:
    sibling = getattr(place.part, str(place.limit.operand))
    return None if sibling is None else f"must not be given together with {place.limit.operand}"


def _verified_if_dated(value: bool | None, place: Place) -> str | None:
    return "must be true, for verification_date is given" if place.part.verification_date and not value else None


def _viewed_if_exif_viewed(value: bool | None, place: Place) -> str | None:
    return "must be true, for exif_viewed_by_esp is true" if place.part.exif_viewed_by_esp and not value else None


def _calling_code_once(value: Any, place: Place) -> str | None:
    code = place.part.country_calling_code
    return "must not repeat country_calling_code" if code and repeats_calling_code(_text(value), code) else None


def _us_state_if_us(value: str, place: Place) -> str | None:
    if place.part.country_code is not Country.US or value in US_STATES:
        return None
    return "must be the two letters of a state, for country_code is US"


def _region_if_us_city(value: str | None, place: Place) -> str | None:
    missing = value is None and place.part.city is not None and place.part.country_code is Country.US
    return "must be given, for city is given and country_code is US" if missing else None


def _relevance(value: FileRelevance, place: Place) -> str | None:
    part = place.part
    tagged = part.potential_meme or (part.file_annotations is not None and part.file_annotations.potential_meme)
    if value is FileRelevance.SUPPLEMENTAL_REPORTED and (tagged or part.industry_classification is not None):
        return "must not be Supplemental Reported, for the file is a potential meme or has an industry classification"
    return None


def _needs_email(value: Any, _: Place) -> str | None:
    return None if value.emails else "must have an email"


def _one_unless_batched(value: tuple[Any, ...], place: Place) -> str | None:
    return (
        "must be one at the most, unless batched_report is given"
        if len(value) > 1 and not place.part.batched_report
        else None
    )


def _email_of_a_person(value: Any, place: Place) -> str | None:
    if not isinstance(place.document, Report):
        return None
    report = place.document
    people = [
        *(user.person_or_user_reported_person for user in report.persons_or_users_reported),
        *(recipient.intended_recipient_person for recipient in report.intended_recipients),
        *(victim.victim_person for victim in report.victims),
    ]
    known = {email.value.casefold() for person in people if person is not None for email in person.emails}
    if value.value.casefold() in known:
        return None
    return "must be an email of a reported person, an intended recipient or a victim of this report"


#: What each rule means, by its id.
RULES: dict[str, Rule] = {
    "after": _after,
    "at-or-after": _at_or_after,
    "calling-code-once": _calling_code_once,
    "email": _must_be(is_email, "one email address"),
    "email-of-a-person": _email_of_a_person,
    "ip": _must_be(is_ip, "an IP address of version 4 or 6"),
    # NCMEC's own list of countries holds more than ISO's and is closed by its XSD; of its words, only the empty one is none.
    "iso3166-alpha2": _must_be(bool, "a country"),
    "local-part": _local_part,
    "max-length": _max_length,
    "needs-email": _needs_email,
    "not-blank": _must_be(lambda text: not is_blank(text), "more than white space"),
    "not-with": _not_with,
    "one-unless-batched": _one_unless_batched,
    "past": _past,
    "range": _range,
    "region-if-us-city": _region_if_us_city,
    "relevance": _relevance,
    "report-id": lambda value, _: None if value > 0 else "must be the positive number of a report",
    "url": _must_be(is_url, "an absolute URL"),
    "us-state": _must_be(US_STATES.__contains__, "a state of the United States"),
    "us-state-if-us": _us_state_if_us,
    "verified-if-dated": _verified_if_dated,
    "viewed-if-exif-viewed": _viewed_if_exif_viewed,
}

#: Rules that the documentation and the XSD both state; the model holds no value that breaks them.
UPHELD_BY_THE_XSD = frozenset({"pattern"})

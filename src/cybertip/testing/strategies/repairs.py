"""How a generated part is made to keep the documented rules: its values are mended, never thrown away."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from cybertip.model import Country, Email, FileRelevance, Person, PersonOrUserReported, Report, evolve
from cybertip.model.declaration import Choice, Field, part_of
from cybertip.rules.emptiness import says_nothing
from cybertip.testing.strategies.values import texts

__all__ = ["Draw", "mend"]

#: `draw(strategy)`: take a value, as in a composite strategy.
Draw = Callable[[st.SearchStrategy[Any]], Any]
_Repair = Callable[[Draw, dict[str, Any], Field, Any], None]


def mend(kind: type[Any], values: dict[str, Any], draw: Draw) -> None:
    """Change the values of a part until it keeps every rule that is declared of its fields, or of the whole report."""
    for field in part_of(kind).fields:
        for limit in field.limits:
            if (repair := _REPAIRS.get(limit.rule)) is not None:
                repair(draw, values, field, limit.operand)
    if kind is Report:
        _mend_report(draw, values)
    for field in part_of(kind).fields:
        _leave_out_what_says_nothing(values, field)


def _leave_out_what_says_nothing(values: dict[str, Any], field: Field) -> None:
    value = values.get(field.python)
    if value is None or isinstance(field.type, Choice):
        return
    if field.many:
        value = values[field.python] = tuple(member for member in value if not says_nothing(member))
    elif says_nothing(value) and isinstance(value, str) and field.required:
        values[field.python] = "x"
    elif says_nothing(value) and not field.required:
        del values[field.python]


def _exclude(_: Draw, values: dict[str, Any], field: Field, sibling: str) -> None:
    if values.get(field.python) is not None and values.get(sibling) is not None:
        values[sibling] = None


def _not_before(_: Draw, values: dict[str, Any], field: Field, sibling: str) -> None:
    here, there = values.get(field.python), values.get(sibling)
    if here is not None and there is not None and here < there:
        values[field.python] = there


def _after(_: Draw, values: dict[str, Any], field: Field, sibling: str) -> None:
    here, there = values.get(field.python), values.get(sibling)
    if here is not None and there is not None and here <= there:
        values[field.python] = there + timedelta(hours=1)


def _verified(_: Draw, values: dict[str, Any], field: Field, __: None) -> None:
    if values.get("verification_date") is not None:
        values[field.python] = True


def _viewed(_: Draw, values: dict[str, Any], field: Field, __: None) -> None:
    if values.get("exif_viewed_by_esp"):
        values[field.python] = True


def _relevant(_: Draw, values: dict[str, Any], field: Field, __: None) -> None:
    annotations = values.get("file_annotations")
    tagged = values.get("potential_meme") is not None or (annotations is not None and annotations.potential_meme)
    if field.python in values and (tagged or values.get("industry_classification") is not None):
        values[field.python] = FileRelevance.REPORTED


def _region(draw: Draw, values: dict[str, Any], field: Field, _: None) -> None:
    known = values.get("city") is not None or values.get(field.python) is not None
    if values.get("country_code") is Country.US and known:
        values[field.python] = draw(st.sampled_from(("IL", "NY", "PR")))


def _with_email(draw: Draw, values: dict[str, Any], field: Field, _: None) -> None:
    person = values[field.python]
    if not person.emails:
        values[field.python] = evolve(person, emails=(Email(value=draw(_EMAILS)),))


def _one_person(_: Draw, values: dict[str, Any], field: Field, __: None) -> None:
    if values.get("batched_report") is None and field.python in values:
        values[field.python] = values[field.python][:1]


_REPAIRS: dict[str, _Repair] = {
    "after": _after,
    "at-or-after": _not_before,
    "needs-email": _with_email,
    "not-with": _exclude,
    "one-unless-batched": _one_person,
    "region-if-us-city": _region,
    "relevance": _relevant,
    "verified-if-dated": _verified,
    "viewed-if-exif-viewed": _viewed,
}

_EMAILS = st.sampled_from(("safety@example.com", "legal@example.org"))


# -- rules about the whole report ---------------------------------------------------------------------------------------


def _mend_report(draw: Draw, values: dict[str, Any]) -> None:
    if values.get("batched_report") is not None:
        _batch(draw, values)
    elif incidents := values.get("internet_details"):
        emails = list(dict.fromkeys(_emails_of_persons(values)))
        if not emails and any(_emails_of_persons_in(incident) for incident in incidents):
            emails = [draw(_EMAILS)]
            _give_email(values, emails[0])
        values["internet_details"] = tuple(_mend_incident(draw, incident, emails) for incident in incidents)


def _give_email(values: dict[str, Any], address: str) -> None:
    """Let the reported user have an address, so that an incident can be about it."""
    user, *others = values.get("persons_or_users_reported") or (PersonOrUserReported(),)
    person = evolve(user.person_or_user_reported_person or Person(), emails=(Email(value=address),))
    user = evolve(user, person_or_user_reported_person=person)
    values["persons_or_users_reported"] = (user, *others)


def _batch(draw: Draw, values: dict[str, Any]) -> None:
    """Leave what a batched report may have: the summary, the reporter, and users with an identifier each."""
    for name in ("internet_details", "law_enforcement", "intended_recipients", "victims", "additional_info"):
        values.pop(name, None)
    values["incident_summary"] = evolve(values["incident_summary"], escalate_to_high_priority=None)
    identifiers = [user.esp_identifier for user in values.get("persons_or_users_reported", ())] or [None]
    values["persons_or_users_reported"] = tuple(
        PersonOrUserReported(esp_identifier=identifier or draw(_IDENTIFIERS)) for identifier in identifiers
    )


_IDENTIFIERS = texts(min_size=1).filter(str.strip)


def _emails_of_persons(values: dict[str, Any]) -> list[str]:
    people = [
        *(user.person_or_user_reported_person for user in values.get("persons_or_users_reported", ())),
        *(recipient.intended_recipient_person for recipient in values.get("intended_recipients", ())),
        *(victim.victim_person for victim in values.get("victims", ())),
    ]
    return [email.value for person in people if person is not None for email in person.emails]


def _emails_of_persons_in(incident: Any) -> dict[str, tuple[Email, ...]]:
    """Return the fields of an incident that hold addresses of persons, with what they hold."""
    return {
        field.python: emails
        for field in part_of(type(incident)).fields
        if any(limit.rule == "email-of-a-person" for limit in field.limits)
        and (emails := getattr(incident, field.python))
    }


def _mend_incident(draw: Draw, incident: Any, emails: list[str]) -> Any:
    changes = {
        name: tuple(evolve(email, value=draw(st.sampled_from(emails))) for email in given)
        for name, given in _emails_of_persons_in(incident).items()
    }
    return evolve(incident, **changes)

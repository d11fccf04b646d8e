"""Who took part: the rules of the reported user, of victims and of intended recipients."""

from collections.abc import Iterator, Mapping
from typing import Any

from cybertip.cases.assembly.known import KnownPerson, KnownUser
from cybertip.cases.assembly.media import told
from cybertip.cases.assembly.rule import Rule, Section
from cybertip.cases.enrichment import UserInfo, unique_events
from cybertip.model import Email, IntendedRecipient, Person, PersonOrUserReported, Victim, evolve

__all__ = ["RECIPIENT", "USER", "VICTIM", "display_names"]

#: Where the platform's own form of a user says what others see.
_DISPLAY_NAME = "displayName"

_SAID = "as the reviewer wrote"
_EVENTS = "each once, by address, time and event"


def display_names(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that others see, where the platform's own form of a user has them as text or a list of texts."""
    found = data.get(_DISPLAY_NAME)
    names = found if isinstance(found, list | tuple) else (found,)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and told(name)))


def _person(emails: tuple[Email, ...]) -> Person | None:
    return Person(emails=emails) if emails else None


USER = Section[KnownUser](
    kind=PersonOrUserReported,
    path="report.persons_or_users_reported[]",
    about="The user whom the case is about. A batched report has one section for each of its users, in the order of "
    "`case.user`, `decision.batched_users`, and with the identifier alone, as NCMEC demands.",
    rules=(
        Rule("person_or_user_reported_person", "answer.users[].email", "the emails, as the platform gave them",
             lambda user: _person(user.info.emails)),
        Rule("esp_identifier", "case.user.id", "the platform's identifier of the user", lambda user: user.ref.id),
        Rule("esp_service", "profile.company_name", "the company", lambda user: user.service),
        Rule("screen_name", "answer.users[].screenName", "left out where the platform gave none; an identifier is never "
             "passed off as one", lambda user: told(user.info.screen_name)),
        Rule("display_names", "answer.users[].data.displayName", "a text or a list of texts; anything else is left out",
             lambda user: display_names(user.info.data)),
        Rule("ip_capture_events", "answer.users[].ipCaptureEvent, answer.media[].ipCaptureEvent",
             f"the user's, and what file details had no room for; {_EVENTS}",
             lambda user: unique_events((*user.info.ip_capture_events, *user.further_events))),
        Rule("prior_ct_reports", "prior_reports", "every report that was finished about the same user, each once",
             lambda user: user.prior_reports),
    ),
)  # fmt: skip


# -- victims and recipients -----------------------------------------------------------------------------------------------


def _joined_person(field: str) -> Any:
    """Take the person that the reviewer described, with the emails that the platform knows besides."""

    def value(of: KnownPerson) -> Person | None:
        said: Person | None = getattr(of.said, field)
        person = said or Person()
        known = {email.value.casefold() for email in person.emails}
        further = [] if of.info is None else [one for one in of.info.emails if one.value.casefold() not in known]
        return evolve(person, emails=(*person.emails, *further)) if further else said

    return value


def _further(of: KnownPerson) -> Iterator[UserInfo]:
    if of.info is not None:
        yield of.info


def _service(of: KnownPerson) -> str | None:
    said: str | None = of.said.esp_service
    return of.service if said is None and of.said.esp_identifier is not None else said


def _screen_name(of: KnownPerson) -> str | None:
    said: str | None = of.said.screen_name
    return said if said is not None else next((told(info.screen_name) for info in _further(of)), None)


def _display_names(of: KnownPerson) -> tuple[str, ...]:
    found = [name for info in _further(of) for name in display_names(info.data)]
    return tuple(dict.fromkeys((*of.said.display_names, *found)))


def _of_somebody(person: str, said: str) -> tuple[Rule[KnownPerson], ...]:
    """Return the rules that victims and recipients share; `said` is where the reviewer described them."""
    return (
        Rule(person, f"{said}, answer.users[].email",
             f"{_SAID}, with the emails that the platform knows besides", _joined_person(person)),
        Rule("esp_service", f"{said}, profile.company_name",
             f"{_SAID}; else the company, where there is an identifier", _service),
        Rule("screen_name", f"{said}, answer.users[].screenName", f"{_SAID}; else the platform's", _screen_name),
        Rule("display_names", f"{said}, answer.users[].data.displayName",
             f"{_SAID}, and those that the platform knows besides", _display_names),
        Rule("ip_capture_events", f"{said}, answer.users[].ipCaptureEvent", f"the reviewer's and the platform's; {_EVENTS}",
             lambda of: unique_events(
                 (*of.said.ip_capture_events, *(one for info in _further(of) for one in info.ip_capture_events)))),
    )  # fmt: skip


_COMPLETED = (
    "One section for each that the decision names. Where the identifier is that of a user whom the platform was asked "
    "about, what the reviewer left out is taken from the answer."
)

VICTIM = Section[KnownPerson](
    kind=Victim,
    path="report.victims[]",
    about=_COMPLETED,
    completes=True,
    rules=_of_somebody("victim_person", "decision.victims[]"),
)

RECIPIENT = Section[KnownPerson](
    kind=IntendedRecipient,
    path="report.intended_recipients[]",
    about=_COMPLETED,
    completes=True,
    rules=_of_somebody("intended_recipient_person", "decision.recipients[]"),
)

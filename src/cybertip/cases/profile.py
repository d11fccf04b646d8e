"""Who reports: what an organisation says of itself in each report, and where its own endpoints are.

Credentials are not part of it: they come from a function, are read again when they are refused, and are never stored.

| setting | what it is for |
|---|---|
| `company_name` | the company in the report, and the service of the reported user |
| `legal_url` | where law enforcement finds how to serve process |
| `reporter_email` | where NCMEC answers; without it no report is taken |
| `terms_of_service` | a text of at most 3000 characters, or its URL |
| `contact` | whom law enforcement may contact: `first_name`, `last_name`, `email`, `phone` |
| `more_info_url` | the web page of incidents on web pages |
| `default_queue` | where cases go unless a rule says otherwise |
| `default_incident` | where incidents take place: one of the kinds of `IncidentKind`, such as `chat_im` |
| `additional_info_url` | the endpoint that is asked for more before a report is built |
| `preservation_url` | the endpoint that is told to preserve after a report is finished |
| `case_event_url` | the endpoint that is told what becomes of cases |
"""

import tomllib
from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from typing import Any

import attrs

from cybertip.cases.checking import checks, instance, optional
from cybertip.cases.reading import Reader
from cybertip.errors import InvalidReport, Violation
from cybertip.model import (
    CellPhoneIncident,
    ChatImIncident,
    ContactPerson,
    Email,
    EmailIncident,
    Incident,
    NewsgroupIncident,
    NonInternetIncident,
    OnlineGamingIncident,
    Peer2PeerIncident,
    Person,
    Phone,
    Reporter,
    WebPageIncident,
)
from cybertip.rules.values import is_blank, is_email, is_url
from cybertip.webhooks.addresses import Address

__all__ = ["Contact", "IncidentKind", "Lack", "Profile", "Purpose"]

#: What the variables of the environment begin with.
_PREFIX = "CYBERTIP_PROFILE_"


class IncidentKind(StrEnum):
    """Name where incidents take place, as a setting does."""

    WEB_PAGE = "web_page"
    EMAIL = "email"
    NEWSGROUP = "newsgroup"
    CHAT_IM = "chat_im"
    ONLINE_GAMING = "online_gaming"
    CELL_PHONE = "cell_phone"
    NON_INTERNET = "non_internet"
    PEER_TO_PEER = "peer_to_peer"


_INCIDENTS: dict[IncidentKind, type[Incident]] = {
    IncidentKind.WEB_PAGE: WebPageIncident,
    IncidentKind.EMAIL: EmailIncident,
    IncidentKind.NEWSGROUP: NewsgroupIncident,
    IncidentKind.CHAT_IM: ChatImIncident,
    IncidentKind.ONLINE_GAMING: OnlineGamingIncident,
    IncidentKind.CELL_PHONE: CellPhoneIncident,
    IncidentKind.NON_INTERNET: NonInternetIncident,
    IncidentKind.PEER_TO_PEER: Peer2PeerIncident,
}


class Purpose(IntEnum):
    """Say what a profile is to be complete for; each includes those before it."""

    TEST = 1
    PRODUCTION = 2
    GOOD_REPORT = 3


@attrs.frozen(kw_only=True)
class Lack:
    """Say what a profile lacks, for what, and why that matters."""

    setting: str
    purpose: Purpose
    why: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.why}"


def _text(longest: int) -> Any:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "must be text"
        if is_blank(value):
            return "is blank: leave it out where there is none"
        return f"has more than {longest} characters" if len(value) > longest else None

    return optional(checks("text", check))


def _text_that(rule: str, is_sound: Callable[[str], bool], wanted: str, longest: int) -> Any:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "must be text"
        if len(value) > longest:
            return f"has more than {longest} characters"
        return None if is_sound(value) else wanted

    return optional(checks(rule, check))


def _endpoint(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    try:
        Address.of(value)
    except ValueError as error:
        return str(error)
    return None


def _setting(validator: Any) -> Any:
    return attrs.field(default=None, validator=validator)


_URL = _text_that("url", is_url, "must be an absolute URL, such as https://company.example/legal", 2083)
_EMAIL = _text_that("email", is_email, "must be an email address, such as safety@company.example", 255)
_ENDPOINT = optional(checks("endpoint", _endpoint))


def _kind(value: Any) -> Any:
    """Take Coop's spelling, too: WEB_PAGE."""
    return IncidentKind(value.lower()) if isinstance(value, str) and value.lower() in set(IncidentKind) else value


def _incident(value: object) -> str | None:
    return None if isinstance(value, IncidentKind) else f"must be one of {', '.join(IncidentKind)}"


@attrs.frozen(kw_only=True)
class Contact:
    """Name a person whom law enforcement may contact."""

    first_name: str | None = _setting(_text(100))
    last_name: str | None = _setting(_text(100))
    email: str | None = _setting(_EMAIL)
    phone: str | None = _setting(_text(50))


@attrs.frozen(kw_only=True)
class Profile:
    """Hold an organisation's settings; what is wrong with one is named by its name and never repeated.

    >>> profile = Profile.from_toml('company_name = "Example"\\nreporter_email = "safety@company.example"')
    >>> profile.missing(Purpose.TEST)
    ()
    >>> [lack.setting for lack in profile.missing(Purpose.PRODUCTION)]
    ['legal_url']
    >>> Profile.from_toml('legal_url = "company.example"')
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: profile.legal_url: must be an absolute URL, such as https://company.example/legal [url]
    """

    # NCMEC takes no longer service of a user (espService).
    company_name: str | None = _setting(_text(100))
    legal_url: str | None = _setting(_URL)
    reporter_email: str | None = _setting(_EMAIL)
    terms_of_service: str | None = _setting(_text(3000))
    contact: Contact | None = attrs.field(default=None, validator=optional(instance(Contact)))
    more_info_url: str | None = _setting(_URL)
    default_queue: str | None = _setting(_text(255))
    default_incident: IncidentKind | None = attrs.field(
        default=None, converter=_kind, validator=optional(checks("incident", _incident))
    )
    additional_info_url: str | None = attrs.field(default=None, validator=_ENDPOINT, repr=False)
    preservation_url: str | None = attrs.field(default=None, validator=_ENDPOINT, repr=False)
    case_event_url: str | None = attrs.field(default=None, validator=_ENDPOINT, repr=False)

    # -- reading --------------------------------------------------------------------------------------------------------

    @classmethod
    def from_toml(cls, text: str, *, environ: Mapping[str, str] | None = None) -> "Profile":
        """Read the settings, or those of the table `[profile]` where there is one; variables go before them.

        Raises `InvalidReport` with everything that is wrong.
        """
        try:
            given = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            # Its words can quote what is there; its place is what helps.
            place = str(error).rpartition("(")[2].removesuffix(")")
            message = f"is not TOML ({place})"
            raise InvalidReport((Violation(path="profile", rule="toml", message=message),)) from None
        table = given.get("profile", given)
        variables = _from(environ or {})
        return _READER.read(_over(table, variables) if isinstance(table, dict) else table, path="profile")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Profile":
        """Read the settings from variables, such as `CYBERTIP_PROFILE_LEGAL_URL`; empty ones are none.

        >>> Profile.from_environment({"CYBERTIP_PROFILE_CONTACT_PHONE": "+1 202 555 0100"}).contact.phone
        '+1 202 555 0100'
        """
        return _READER.read(_from(environ), path="profile")

    # -- what is missing ------------------------------------------------------------------------------------------------

    def missing(self, purpose: Purpose) -> tuple[Lack, ...]:
        """Return what is missing for a purpose, what matters most first."""
        return tuple(lack for lack, is_lacking in _LACKS if lack.purpose <= purpose and is_lacking(self))

    # -- what goes into reports -----------------------------------------------------------------------------------------

    def reporter(self) -> Reporter:
        """Return who reports; raise `InvalidReport` where there is no email, which NCMEC takes no report without."""
        if self.reporter_email is None:
            message = "is missing: NCMEC takes no report without it"
            raise InvalidReport((Violation(path="profile.reporter_email", rule="required", message=message),))
        return Reporter(
            reporting_person=Person(emails=(Email(value=self.reporter_email),)),
            contact_person=self._contact_person(),
            company_template=self.company_name,
            terms_of_service=self.terms_of_service,
            legal_url=self.legal_url,
        )

    def _contact_person(self) -> ContactPerson | None:
        contact = self.contact
        if contact is None or contact == Contact():
            return None
        return ContactPerson(
            first_name=contact.first_name,
            last_name=contact.last_name,
            phones=() if contact.phone is None else (Phone(value=contact.phone),),
            emails=() if contact.email is None else (Email(value=contact.email),),
        )

    def internet_details(self) -> tuple[Incident, ...]:
        """Return where incidents take place, for a report that says nothing more particular."""
        if self.default_incident is None:
            return ()
        if self.default_incident is IncidentKind.WEB_PAGE and self.more_info_url is not None:
            return (WebPageIncident(urls=(self.more_info_url,)),)
        return (_INCIDENTS[self.default_incident](),)


def _nobody_to_contact(profile: Profile) -> bool:
    contact = profile.contact or Contact()
    return (contact.first_name or contact.last_name) is None or (contact.email or contact.phone) is None


def _page_without_address(profile: Profile) -> bool:
    return profile.default_incident is IncidentKind.WEB_PAGE and profile.more_info_url is None


def _unset(setting: str) -> Callable[[Profile], bool]:
    return lambda profile: getattr(profile, setting) is None


_LACKS: tuple[tuple[Lack, Callable[[Profile], bool]], ...] = tuple(
    (Lack(setting=setting, purpose=purpose, why=why), is_lacking or _unset(setting))
    for purpose, setting, why, is_lacking in (
        (Purpose.TEST, "reporter_email", "NCMEC takes no report without it", None),
        (Purpose.TEST, "company_name", "nobody can tell whose report it is, or which service the user is of", None),
        (Purpose.PRODUCTION, "legal_url", "law enforcement cannot tell how to serve process", None),
        (Purpose.GOOD_REPORT, "contact", "law enforcement has nobody to call: give a name, and an email or a phone",
         _nobody_to_contact),
        (Purpose.GOOD_REPORT, "additional_info_url", "reports have no emails and no IP addresses but those of the case",
         None),
        (Purpose.GOOD_REPORT, "default_incident", "reports do not say where it took place", None),
        (Purpose.GOOD_REPORT, "more_info_url", "incidents on web pages have no page", _page_without_address),
        (Purpose.GOOD_REPORT, "terms_of_service", "investigators cannot tell what users had agreed to", None),
        (Purpose.GOOD_REPORT, "preservation_url", "nothing tells the platform to preserve (18 U.S.C. 2258A(h))", None),
        (Purpose.GOOD_REPORT, "default_queue", "cases that no rule sends anywhere have no queue of their own", None),
    )
)  # fmt: skip


# -- reading --------------------------------------------------------------------------------------------------------------

_READER = Reader(Profile, spelled=str)
_CONTACT = tuple(field.name for field in attrs.fields(Contact))


def _from(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that variables give, in the form that TOML has."""
    given: dict[str, Any] = {}
    for variable, value in environ.items():
        if not variable.startswith(_PREFIX) or not value:
            continue
        name = variable.removeprefix(_PREFIX).lower()
        within = name.removeprefix("contact_")
        if within != name and within in _CONTACT:
            given.setdefault("contact", {})[within] = value
        else:
            given[name] = value
    return given


def _over(given: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
    contact = given.get("contact")
    merged = given | variables
    if isinstance(contact, dict) and "contact" in variables:
        merged["contact"] = contact | variables["contact"]
    return merged

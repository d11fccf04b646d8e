"""Mirrors `reporter`, `personOrUserReported`, `intendedRecipient` and `victim`: who took part."""

from typing import Annotated

from cybertip.model import limits
from cybertip.model.common import (
    AccountPermanentlyDisabled,
    AccountTemporarilyDisabled,
    AssociatedAccount,
    ContactPerson,
    DeviceId,
    EstimatedLocation,
    IpCaptureEvent,
    Person,
    PriorReport,
    ScreenName,
)
from cybertip.model.declaration import Form, Law, Name, Prose, part, public
from cybertip.model.limits import max_length

__all__ = ["IntendedRecipient", "PersonOrUserReported", "Reporter", "Victim"]

# Three sections of NCMEC's document share these fields, each in an order of its own: the declaration of a field is one
# alias here, its place is where a section names it.
_EspIdentifier = Annotated[str | None, max_length(255), Law.IDENTITY]
_EspService = Annotated[str | None, max_length(100)]
_YesOrNo = Annotated[bool | None, public]
_Screen = Annotated[ScreenName | None, max_length(256), Law.IDENTITY]
_DisplayNames = Annotated[tuple[str, ...], Name("displayName"), max_length(255), Law.IDENTITY]
_ProfileUrls = Annotated[tuple[str, ...], Name("profileUrl"), limits.URL, limits.URL_LENGTH, Law.IDENTITY]
_IpCaptureEvents = Annotated[tuple[IpCaptureEvent, ...], Name("ipCaptureEvent"), Law.IDENTITY]
_DeviceIds = Annotated[tuple[DeviceId, ...], Name("deviceId"), Law.IDENTITY]
_PriorReports = Annotated[tuple[PriorReport, ...], Name("priorCTReports")]
_GroupIdentifier = Annotated[str | None, max_length(255)]
_Location = Annotated[EstimatedLocation | None, Law.LOCATION]
_Accounts = Annotated[tuple[AssociatedAccount, ...], Name("associatedAccount")]


@part("reporter", form=Form.ELEMENT)
class Reporter:
    """Say who reports, and where law enforcement can reach the company."""

    reporting_person: Annotated[Person, limits.NEEDS_EMAIL]
    contact_person: ContactPerson | None = None
    company_template: Prose | None = None
    terms_of_service: Prose | None = None
    legal_url: Annotated[str | None, Name("legalURL"), limits.URL, limits.URL_LENGTH] = None


@part("personOrUserReported", form=Form.ELEMENT)
class PersonOrUserReported:
    """Describe the person or user whom the report is about."""

    person_or_user_reported_person: Annotated[Person | None, Law.IDENTITY] = None
    vehicle_description: Annotated[str | None, max_length(300)] = None
    esp_identifier: _EspIdentifier = None
    esp_service: _EspService = None
    compromised_account: _YesOrNo = None
    screen_name: _Screen = None
    display_names: _DisplayNames = ()
    profile_urls: _ProfileUrls = ()
    profile_bio: Prose | None = None
    ip_capture_events: _IpCaptureEvents = ()
    device_ids: _DeviceIds = ()
    third_party_user_reported: _YesOrNo = None
    prior_ct_reports: _PriorReports = ()
    group_identifier: _GroupIdentifier = None
    account_temporarily_disabled: AccountTemporarilyDisabled | None = None
    account_permanently_disabled: AccountPermanentlyDisabled | None = None
    estimated_location: _Location = None
    all_emails_reported: _YesOrNo = None
    associated_accounts: _Accounts = ()
    additional_info: Prose | None = None


@part("intendedRecipient", form=Form.ELEMENT)
class IntendedRecipient:
    """Describe someone to whom content was sent or meant to be sent."""

    intended_recipient_person: Annotated[Person | None, Law.IDENTITY] = None
    esp_identifier: _EspIdentifier = None
    esp_service: _EspService = None
    compromised_account: _YesOrNo = None
    screen_name: _Screen = None
    display_names: _DisplayNames = ()
    profile_urls: _ProfileUrls = ()
    profile_bio: Prose | None = None
    ip_capture_events: _IpCaptureEvents = ()
    device_ids: _DeviceIds = ()
    prior_ct_reports: _PriorReports = ()
    group_identifier: _GroupIdentifier = None
    account_temporarily_disabled: AccountTemporarilyDisabled | None = None
    account_permanently_disabled: AccountPermanentlyDisabled | None = None
    estimated_location: _Location = None
    all_emails_reported: _YesOrNo = None
    additional_infos: Annotated[tuple[Prose, ...], Name("additionalInfo")] = ()


@part("victim", form=Form.ELEMENT)
class Victim:
    """Describe a child who was harmed or is at risk."""

    victim_person: Annotated[Person, Law.IDENTITY]
    esp_identifier: _EspIdentifier = None
    esp_service: _EspService = None
    compromised_account: _YesOrNo = None
    screen_name: _Screen = None
    display_names: _DisplayNames = ()
    profile_urls: _ProfileUrls = ()
    profile_bio: Prose | None = None
    ip_capture_events: _IpCaptureEvents = ()
    device_ids: _DeviceIds = ()
    school_name: Annotated[str | None, max_length(255), Law.LOCATION] = None
    prior_ct_reports: _PriorReports = ()
    account_temporarily_disabled: AccountTemporarilyDisabled | None = None
    account_permanently_disabled: AccountPermanentlyDisabled | None = None
    estimated_location: _Location = None
    all_emails_reported: _YesOrNo = None
    associated_accounts: _Accounts = ()
    additional_info: Prose | None = None

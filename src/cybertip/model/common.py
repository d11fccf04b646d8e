"""Parts that several sections of NCMEC's document share: people, contacts, addresses, captures and accounts."""

from datetime import date, datetime
from typing import Annotated

from cybertip.model import limits
from cybertip.model.country import Country
from cybertip.model.declaration import ATTRIBUTE, TEXT, Form, Int, Law, Lexical, Name, Prose, Simple, part, public
from cybertip.model.edition import Edition
from cybertip.model.identifiers import ReportId
from cybertip.model.limits import max_length
from cybertip.model.vocabulary import AddressType, AssociatedAccountType, EmailType, IpCaptureType, PhoneType, State

__all__ = [
    "AccountPermanentlyDisabled",
    "AccountPlatform",
    "AccountTemporarilyDisabled",
    "Address",
    "AssociatedAccount",
    "ContactPerson",
    "DeviceId",
    "Email",
    "EstimatedLocation",
    "IpCaptureEvent",
    "Person",
    "Phone",
    "PriorReport",
    "ScreenName",
]

ScreenName = Annotated[str, Simple("screenName", Lexical.STRING, complex=True)]
PriorReport = Annotated[ReportId, Simple("xs:long", Lexical.LONG), limits.REPORT_ID]
_CallingCode = Annotated[str, Simple("phoneCountryCallingCode", Lexical.STRING, r"\+[0-9]{1,3}")]
_Extension = Annotated[str, Simple("phoneExtension", Lexical.STRING, "[0-9]+")]


@part("email")
class Email:
    """Give an email address, and whether the platform verified it."""

    value: Annotated[str, TEXT, limits.EMAIL, max_length(255), limits.LOCAL_PART, Law.IDENTITY]
    type: Annotated[EmailType | None, ATTRIBUTE, public] = None
    verified: Annotated[bool | None, ATTRIBUTE, limits.VERIFIED_IF_DATED, public] = None
    verification_date: Annotated[datetime | None, ATTRIBUTE, limits.PAST] = None


@part("phone")
class Phone:
    """Give a phone number; the country's calling code, with its plus sign, stands apart."""

    value: Annotated[str, TEXT, max_length(50), limits.CALLING_CODE_ONCE, Law.IDENTITY]
    type: Annotated[PhoneType | None, ATTRIBUTE, public] = None
    verified: Annotated[bool | None, ATTRIBUTE, limits.VERIFIED_IF_DATED, public] = None
    verification_date: Annotated[datetime | None, ATTRIBUTE, limits.PAST] = None
    country_calling_code: Annotated[_CallingCode | None, ATTRIBUTE, limits.CALLING_CODE] = None
    extension: Annotated[_Extension | None, ATTRIBUTE, limits.DIGITS, max_length(10)] = None


@part("address")
class Address:
    """Give a postal address; `state` is for the United States, `non_usa_state` for everywhere else."""

    address: Annotated[str | None, max_length(255), Law.LOCATION] = None
    city: Annotated[str | None, max_length(100), Law.LOCATION] = None
    zip_code: Annotated[str | None, max_length(20), Law.LOCATION] = None
    state: Annotated[State | None, limits.US_STATE, Law.LOCATION] = None
    non_usa_state: Annotated[str | None, max_length(100), Law.LOCATION] = None
    country: Annotated[Country | None, limits.COUNTRY, Law.LOCATION] = None
    type: Annotated[AddressType | None, ATTRIBUTE, public] = None


@part("person")
class Person:
    """Describe a person: the reporter, a user, a recipient or a victim."""

    first_name: Annotated[str | None, max_length(100), Law.IDENTITY] = None
    last_name: Annotated[str | None, max_length(100), Law.IDENTITY] = None
    phones: Annotated[tuple[Phone, ...], Name("phone"), Law.IDENTITY] = ()
    emails: Annotated[tuple[Email, ...], Name("email"), Law.IDENTITY] = ()
    addresses: Annotated[tuple[Address, ...], Name("address"), Law.LOCATION] = ()
    age: Annotated[Int | None, limits.between(0, 150), Law.IDENTITY] = None
    age_assertion_discrepancy: Annotated[bool | None, Edition.V2026_08, public] = None
    date_of_birth: Annotated[date | None, limits.PAST, Law.IDENTITY] = None


@part("contactPerson")
class ContactPerson:
    """Name a person whom law enforcement may contact."""

    first_name: Annotated[str | None, max_length(100)] = None
    last_name: Annotated[str | None, max_length(100)] = None
    phones: Annotated[tuple[Phone, ...], Name("phone")] = ()
    emails: Annotated[tuple[Email, ...], Name("email")] = ()
    addresses: Annotated[tuple[Address, ...], Name("address")] = ()


@part("ipCaptureEvent")
class IpCaptureEvent:
    """Record an IP address as it was seen: what for, when, and from which source port."""

    ip_address: Annotated[str, limits.IP, limits.NOT_BLANK, Law.IDENTITY]
    event_name: Annotated[IpCaptureType | None, public] = None
    date_time: Annotated[datetime | None, limits.PAST, Law.HISTORY] = None
    possible_proxy: Annotated[bool | None, public] = None
    port: Annotated[Int | None, limits.between(1, 65535), Law.IDENTITY] = None


@part("deviceId")
class DeviceId:
    """Record a device by whatever identifies it, such as an IMEI or an advertising id."""

    id_type: Annotated[str, limits.NOT_BLANK, max_length(255)]
    id_value: Annotated[str, limits.NOT_BLANK, max_length(2083), Law.IDENTITY]
    event_name: Annotated[IpCaptureType | None, public] = None
    date_time: Annotated[datetime | None, limits.PAST, Law.HISTORY] = None


@part("estimatedLocation")
class EstimatedLocation:
    """Say where a user seems to be; in the United States `region` is the state's two letters."""

    city: Annotated[str | None, max_length(255), Law.LOCATION] = None
    region: Annotated[str | None, max_length(255), limits.US_STATE_IF_US, limits.REGION_IF_CITY, Law.LOCATION] = None
    country_code: Annotated[Country | None, limits.NOT_BLANK, limits.COUNTRY, Law.LOCATION] = None
    verified: Annotated[bool | None, ATTRIBUTE, public] = None
    timestamp: Annotated[datetime | None, ATTRIBUTE, limits.PAST] = None


@part("accountTemporarilyDisabled")
class AccountTemporarilyDisabled:
    """Say whether an account was disabled for a time, since when, and whether its user knows."""

    value: Annotated[bool, TEXT, public]
    disabled_date: Annotated[datetime | None, ATTRIBUTE, limits.PAST] = None
    user_notified: Annotated[bool | None, ATTRIBUTE, public] = None
    user_notified_date: Annotated[
        datetime | None, ATTRIBUTE, limits.PAST, limits.at_or_after("disabled_date", "disabledDate")
    ] = None
    reenabled_date: Annotated[datetime | None, ATTRIBUTE, limits.after("disabled_date", "disabledDate")] = None


@part("accountPermanentlyDisabled")
class AccountPermanentlyDisabled:
    """Say whether an account was disabled for good, since when, and whether its user knows."""

    value: Annotated[bool, TEXT, public]
    disabled_date: Annotated[datetime | None, ATTRIBUTE, limits.PAST] = None
    user_notified: Annotated[bool | None, ATTRIBUTE, public] = None
    user_notified_date: Annotated[
        datetime | None, ATTRIBUTE, limits.PAST, limits.at_or_after("disabled_date", "disabledDate")
    ] = None


@part("platform", form=Form.INLINE)
class AccountPlatform:
    """Name the service of an associated account, and whether it belongs to someone else."""

    value: Annotated[str, TEXT]
    third_party_user: Annotated[bool | None, ATTRIBUTE, public] = None


@part("associatedAccount")
class AssociatedAccount:
    """Describe another account that belongs to the same user."""

    platform: Annotated[AccountPlatform | None, max_length(256)] = None
    first_name: Annotated[str | None, max_length(256), Law.IDENTITY] = None
    middle_name: Annotated[str | None, max_length(256), Law.IDENTITY] = None
    last_name: Annotated[str | None, max_length(256), Law.IDENTITY] = None
    approximate_age: Annotated[
        Int | None, limits.between(0, 150), limits.exclusive("date_of_birth", "dateOfBirth"), Law.IDENTITY
    ] = None
    age_assertion_discrepancy: Annotated[bool | None, Edition.V2026_08, public] = None
    date_of_birth: Annotated[
        date | None, limits.PAST, limits.exclusive("approximate_age", "approximateAge"), Law.IDENTITY
    ] = None
    phones: Annotated[tuple[Phone, ...], Name("phone"), Law.IDENTITY] = ()
    emails: Annotated[tuple[Email, ...], Name("email"), Law.IDENTITY] = ()
    all_emails_reported: Annotated[bool | None, public] = None
    addresses: Annotated[tuple[Address, ...], Name("address"), Law.LOCATION] = ()
    esp_service: Annotated[str | None, max_length(256)] = None
    esp_identifier: Annotated[str | None, max_length(256), Law.IDENTITY] = None
    profile_urls: Annotated[tuple[str, ...], Name("profileUrl"), limits.URL, limits.URL_LENGTH, Law.IDENTITY] = ()
    screen_name: Annotated[ScreenName | None, max_length(256), Law.IDENTITY] = None
    display_names: Annotated[tuple[str, ...], Name("displayName"), max_length(255), Law.IDENTITY] = ()
    profile_bio: Prose | None = None
    group_identifier: Annotated[str | None, max_length(256)] = None
    compromised_account: Annotated[bool | None, public] = None
    account_temporarily_disabled: AccountTemporarilyDisabled | None = None
    account_permanently_disabled: AccountPermanentlyDisabled | None = None
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Name("ipCaptureEvent"), Law.IDENTITY] = ()
    device_ids: Annotated[tuple[DeviceId, ...], Name("deviceId"), Law.IDENTITY] = ()
    prior_ct_reports: Annotated[tuple[PriorReport, ...], Name("priorCTReport")] = ()
    additional_info: Prose | None = None
    type: Annotated[AssociatedAccountType, ATTRIBUTE, public]

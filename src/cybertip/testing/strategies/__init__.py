"""Hypothesis strategies for NCMEC's documents and every part of them, valid by construction.

```python
from hypothesis import given
from cybertip.testing import strategies

@given(strategies.reports())
def test_our_pipeline_survives_any_report(report): ...
```

By default a document is anything that the XSD of an edition allows: hostile text, absurd times, ages below zero, numbers
that are none. With `acceptable=True` it keeps every documented rule as well, so that `cybertip.check` has nothing to say
against it: right for tests that file reports.

Every function takes the keyword arguments of `built`. All data is invented: addresses are those set aside for
documentation. Needs the extra `cybertip[testing]`.

>>> from cybertip.model import Email
>>> from hypothesis import find
>>> find(emails(), lambda email: email.verified is not None)
Email(type=None, verified=False)
"""

from datetime import datetime

from hypothesis import strategies as st

from cybertip.model import (
    DEFAULT_EDITION,
    AccountPermanentlyDisabled,
    AccountPlatform,
    AccountTemporarilyDisabled,
    Address,
    AssociatedAccount,
    BatchedReport,
    CellPhoneIncident,
    ChatImIncident,
    ContactPerson,
    Details,
    DeviceId,
    DoneFiles,
    Edition,
    Email,
    EmailIncident,
    EstimatedLocation,
    FileAnnotations,
    FileDescription,
    FileDetails,
    Hash,
    Incident,
    IncidentSummary,
    IntendedRecipient,
    IpCaptureEvent,
    LawEnforcement,
    NameValue,
    NewsgroupIncident,
    NonInternetIncident,
    OnlineGamingIncident,
    Peer2PeerIncident,
    Person,
    PersonOrUserReported,
    Phone,
    Report,
    ReportAnnotations,
    ReportDoneResponse,
    Reporter,
    ReportResponse,
    ServedLegalProcessInternational,
    Victim,
    WebPageIncident,
)
from cybertip.testing.strategies.building import Strategies, built, strategies_of
from cybertip.testing.strategies.unknown import unknown_elements
from cybertip.testing.strategies.values import BEFORE, texts, times
from cybertip.xml import Document

__all__ = [
    "BEFORE",
    "Strategies",
    "account_platforms",
    "accounts_permanently_disabled",
    "accounts_temporarily_disabled",
    "addresses",
    "associated_accounts",
    "batched_reports",
    "built",
    "cell_phone_incidents",
    "chat_im_incidents",
    "contact_persons",
    "details",
    "device_ids",
    "documents",
    "done_files",
    "email_incidents",
    "emails",
    "estimated_locations",
    "file_annotations",
    "file_descriptions",
    "file_details",
    "hashes",
    "incident_summaries",
    "incidents",
    "intended_recipients",
    "ip_capture_events",
    "law_enforcements",
    "name_values",
    "newsgroup_incidents",
    "non_internet_incidents",
    "online_gaming_incidents",
    "peer2peer_incidents",
    "persons",
    "persons_or_users_reported",
    "phones",
    "report_annotations",
    "report_done_responses",
    "report_responses",
    "reporters",
    "reports",
    "served_legal_processes_international",
    "texts",
    "times",
    "unknown_elements",
    "victims",
    "web_page_incidents",
]

# The documents.
reports = strategies_of(Report, "reports", "reports")
file_details = strategies_of(FileDetails, "file_details", "what is said of uploaded files")
file_descriptions = strategies_of(
    FileDescription, "file_descriptions", "what is known of files that NCMEC has not named"
)
report_responses = strategies_of(ReportResponse, "report_responses", "NCMEC's answers to every call but a finish")
report_done_responses = strategies_of(ReportDoneResponse, "report_done_responses", "NCMEC's receipts")

# The sections of a report.
batched_reports = strategies_of(BatchedReport, "batched_reports", "the mark of reports that stand for many")
incident_summaries = strategies_of(IncidentSummary, "incident_summaries", "what happened, and when")
report_annotations = strategies_of(ReportAnnotations, "report_annotations", "the tags of reports")
law_enforcements = strategies_of(LawEnforcement, "law_enforcements", "agencies that know of an incident")
served_legal_processes_international = strategies_of(
    ServedLegalProcessInternational, "served_legal_processes_international", "whether another country served process"
)
reporters = strategies_of(Reporter, "reporters", "those who report")
persons_or_users_reported = strategies_of(PersonOrUserReported, "persons_or_users_reported", "those who are reported")
intended_recipients = strategies_of(IntendedRecipient, "intended_recipients", "those to whom content was sent")
victims = strategies_of(Victim, "victims", "children who were harmed or are at risk")

# The eight kinds of incident.
web_page_incidents = strategies_of(WebPageIncident, "web_page_incidents", "incidents on web pages")
email_incidents = strategies_of(EmailIncident, "email_incidents", "incidents by email")
newsgroup_incidents = strategies_of(NewsgroupIncident, "newsgroup_incidents", "incidents in newsgroups")
chat_im_incidents = strategies_of(ChatImIncident, "chat_im_incidents", "incidents in chats")
online_gaming_incidents = strategies_of(OnlineGamingIncident, "online_gaming_incidents", "incidents in online games")
cell_phone_incidents = strategies_of(CellPhoneIncident, "cell_phone_incidents", "incidents by cell phone")
non_internet_incidents = strategies_of(NonInternetIncident, "non_internet_incidents", "incidents away from computers")
peer2peer_incidents = strategies_of(Peer2PeerIncident, "peer2peer_incidents", "incidents in peer-to-peer networks")

# What several sections share.
persons = strategies_of(Person, "persons", "persons")
contact_persons = strategies_of(ContactPerson, "contact_persons", "persons whom law enforcement may contact")
emails = strategies_of(Email, "emails", "email addresses with what is known of them")
phones = strategies_of(Phone, "phones", "phone numbers with what is known of them")
addresses = strategies_of(Address, "addresses", "postal addresses")
ip_capture_events = strategies_of(IpCaptureEvent, "ip_capture_events", "IP addresses as they were seen")
device_ids = strategies_of(DeviceId, "device_ids", "devices as they were seen")
estimated_locations = strategies_of(EstimatedLocation, "estimated_locations", "where users seem to be")
associated_accounts = strategies_of(AssociatedAccount, "associated_accounts", "other accounts of the same user")
account_platforms = strategies_of(AccountPlatform, "account_platforms", "the services of associated accounts")
accounts_temporarily_disabled = strategies_of(
    AccountTemporarilyDisabled, "accounts_temporarily_disabled", "whether accounts were disabled for a time"
)
accounts_permanently_disabled = strategies_of(
    AccountPermanentlyDisabled, "accounts_permanently_disabled", "whether accounts were disabled for good"
)

# The parts of file details, and of NCMEC's replies.
file_annotations = strategies_of(FileAnnotations, "file_annotations", "the tags of files")
hashes = strategies_of(Hash, "hashes", "digests of files")
details = strategies_of(Details, "details", "lists of names and values about files")
name_values = strategies_of(NameValue, "name_values", "names with their values")
done_files = strategies_of(DoneFiles, "done_files", "the files that receipts list")


def incidents(
    *, edition: Edition | str = DEFAULT_EDITION, acceptable: bool = False, before: datetime = BEFORE
) -> st.SearchStrategy[Incident]:
    """Generate incidents of all eight kinds (`Incident`). The arguments are those of `built`.

    Whether the addresses of email and newsgroup incidents are among those of the persons, only a whole report can tell.
    """
    kinds = (
        web_page_incidents,
        email_incidents,
        newsgroup_incidents,
        chat_im_incidents,
        online_gaming_incidents,
        cell_phone_incidents,
        non_internet_incidents,
        peer2peer_incidents,
    )
    return st.one_of([kind(edition=edition, acceptable=acceptable, before=before) for kind in kinds])


def documents(
    *, edition: Edition | str = DEFAULT_EDITION, acceptable: bool = False, before: datetime = BEFORE
) -> st.SearchStrategy[Document]:
    """Generate any of the four documents: reports, file details and both of NCMEC's replies. The arguments are `built`'s."""
    kinds = (reports, file_details, report_responses, report_done_responses)
    return st.one_of([kind(edition=edition, acceptable=acceptable, before=before) for kind in kinds])

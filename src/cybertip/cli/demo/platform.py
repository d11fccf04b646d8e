"""The demonstration's platform: an invented one, with media, a conversation, and what it knows of its users."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cybertip.cases.profile import Contact, IncidentKind, Profile
from cybertip.cases.references import MessageId, ThreadId, UserRef
from cybertip.cases.signals import Signal
from cybertip.cases.transcripts import Message
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Endpoint

if TYPE_CHECKING:
    from cybertip.ports.webhooks import Media, Webhooks
    from cybertip.webhooks.signing import Signer

__all__ = ["CASE_EVENT", "INFO", "OTHER", "PRESERVE", "STORE", "THREAD", "USER", "Call", "Endpoints", "Platform"]

#: Whom it is all about, and with whom they talked: both invented.
USER = UserRef(id="user-1001", type_id="user")
OTHER = UserRef(id="user-1002", type_id="user")
THREAD = ThreadId("thread-1")

INFO, PRESERVE, CASE_EVENT = "/additional-info", "/preserve", "/case-event"
STORE = "/store/"
_PICTURES = {"upload.jpg": "image/jpeg", "shapes.png": "image/png"}
_ACCOUNT = "account.txt"
_SUPPLEMENT = b"Synthetic data: how the invented account user-1001 was made, and when it was closed.\n"
_MESSAGES = 5


@attrs.frozen(kw_only=True)
class Call:
    """A request that the platform took, because its signature was right."""

    path: str
    id: str
    body: dict[str, Any] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Endpoints:
    """Where the platform's endpoints are, and what signs the requests to them."""

    url: str
    signer: "Signer"
    #: Whether there is one for events, which Coop's contract does not have.
    events: bool = True


class Platform:
    """What a platform has. Its store of media is a folder; `cybertip.cli.demo.endpoints` serves what it answers."""

    def __init__(self, folder: Path, url: str, endpoints: Endpoints) -> None:
        self.url = url
        self.endpoints = endpoints
        #: The requests that came to its own endpoints.
        self.calls: list[Call] = []
        self._folder = folder
        #: What it knows of its files, by their ids.
        self.hashes: dict[str, dict[str, str]] = {}
        #: When it all took place, an hour ago.
        self.at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    @property
    def has_own_endpoints(self) -> bool:
        """Whether its own endpoints are called, and not somebody else's."""
        return self.endpoints.url == self.url

    def profile(self) -> Profile:
        """Return how the organisation describes itself, with its endpoints."""
        return Profile(
            company_name="Example Chat",
            legal_url="https://example.com/legal",
            reporter_email="safety@example.com",
            terms_of_service="https://example.com/terms",
            contact=Contact(first_name="Toni", last_name="Example", email="legal@example.com", phone="+1 202 555 0199"),
            default_queue="child-safety",
            default_incident=IncidentKind.CHAT_IM,
            additional_info_url=self.endpoints.url + INFO,
            preservation_url=self.endpoints.url + PRESERVE,
            case_event_url=self.endpoints.url + CASE_EVENT if self.endpoints.events else None,
        )

    def webhooks(self) -> "Webhooks":
        """Return what calls the endpoints, signing each request."""
        from cybertip.adapters.webhooks import HttpxWebhooks

        info, preserve, event = (
            Endpoint(address=self.endpoints.url + path, signer=self.endpoints.signer)
            for path in (INFO, PRESERVE, CASE_EVENT)
        )
        return HttpxWebhooks(
            additional_info=info,
            preservation=preserve,
            case_event=event if self.endpoints.events else None,
            guard=_guard(info.address.host),
        )

    def media(self) -> "Media":
        """Return what fetches files from the platform's store."""
        from cybertip.adapters.webhooks import HttpxMedia

        return HttpxMedia(_guard("127.0.0.1"))

    def creator(self, signal: Signal) -> UserRef | None:
        """Say who made what a signal is about, as the platform's own tables do."""
        return USER if THREAD in signal.threads else None

    def conversation(self, thread: ThreadId, wanted: tuple[MessageId, ...]) -> Iterator[Message]:
        """Return messages of the one conversation there is."""
        people = (USER, OTHER)
        for number in range(_MESSAGES):
            message = Message(
                id=MessageId(f"message-{number + 1}"),
                type_id="message",
                thread=THREAD,
                sent_at=self.at + timedelta(minutes=number),
                sender=people[number % 2],
                recipients=(people[1 - number % 2],),
                text=f"Synthetic message {number + 1}.",
            )
            if thread == THREAD and message.id in wanted:
                yield message

    def address_of(self, name: str) -> str:
        """Return where a file of the platform's store is."""
        return f"{self.url}{STORE}{name}"

    # -- what the endpoints do ----------------------------------------------------------------------------------------

    def answer(self, call: Call) -> tuple[int, dict[str, Any] | None]:
        """Answer a request that is genuine."""
        self.calls.append(call)
        if call.path == INFO:
            return 200, self._known(call.body)
        return (204, None) if call.path in (PRESERVE, CASE_EVENT) else (404, None)

    def file(self, path: str) -> tuple[bytes, str] | None:
        """Return a file of the store and its type; None for anything that the demonstration did not put there."""
        name = path.removeprefix(STORE)
        if name == _ACCOUNT:
            return _SUPPLEMENT, "text/plain"
        return ((self._folder / name).read_bytes(), _PICTURES[name]) if name in _PICTURES else None

    def _known(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what is known of users and media, with an entry for each that was asked about."""
        event = {"ipAddress": "192.0.2.17", "dateTime": self.at.isoformat(), "possibleProxy": False, "port": 49231}
        return {
            "users": [
                {
                    **one,
                    "screenName": "sam_example",
                    "email": [{"email": "sam@example.com", "type": "Home", "verified": True}],
                    "ipCaptureEvent": [event | {"eventName": "Login"}],
                    "data": {"displayName": "Sam"},
                }
                for one in asked["users"]
            ],
            "media": [
                {**one, "publiclyAvailable": False, "ipCaptureEvent": [event | {"eventName": "Upload"}]}
                | ({"fileDetails": self.hashes[one["id"]]} if one["id"] in self.hashes else {})
                for one in asked["media"]
            ],
            "messages": [{"id": "message-1", "typeId": "message", "ipAddress": "192.0.2.17"}],
            "additionalFiles": [
                {
                    "fileUrl": self.address_of(_ACCOUNT),
                    "fileName": _ACCOUNT,
                    "additionalInfo": ["How the account was made."],
                }
            ],
            "additionalInfo": "Synthetic data, made to show the software. No such user or incident exists.",
        }


def _guard(host: str) -> Guard:
    return Guard(hosts=[host], networks=LOOPBACK)

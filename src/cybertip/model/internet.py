"""Mirrors `internetDetails`: where an incident took place, as exactly one of eight kinds."""

from typing import Annotated

from cybertip.model import limits
from cybertip.model.common import Address, Email, IpCaptureEvent, Phone
from cybertip.model.declaration import ATTRIBUTE, Content, Form, Law, Lexical, Name, Prose, Simple, part, public
from cybertip.model.limits import max_length

__all__ = [
    "CellPhoneIncident",
    "ChatImIncident",
    "EmailIncident",
    "Incident",
    "NewsgroupIncident",
    "NonInternetIncident",
    "OnlineGamingIncident",
    "Peer2PeerIncident",
    "WebPageIncident",
]

_LatLong = Annotated[float, Simple("latlong", Lexical.DOUBLE)]


@part("webPageIncident", form=Form.ELEMENT)
class WebPageIncident:
    """The incident took place on web pages."""

    urls: Annotated[tuple[str, ...], Name("url"), limits.URL, limits.URL_LENGTH, Law.IDENTITY] = ()
    additional_info: Prose | None = None
    third_party_hosted_content: Annotated[bool | None, ATTRIBUTE, public] = None


@part("emailIncident", form=Form.ELEMENT)
class EmailIncident:
    """The incident took place by email; its addresses are those of persons whom the report names."""

    email_addresses: Annotated[tuple[Email, ...], Name("emailAddress"), limits.EMAIL_OF_A_PERSON, Law.IDENTITY] = ()
    content: Annotated[Content | None, Law.COMMUNICATION] = None
    additional_info: Prose | None = None


@part("newsgroupIncident", form=Form.ELEMENT)
class NewsgroupIncident:
    """The incident took place in a newsgroup."""

    name: Annotated[str | None, max_length(255)] = None
    email_addresses: Annotated[tuple[Email, ...], Name("emailAddress"), limits.EMAIL_OF_A_PERSON, Law.IDENTITY] = ()
    content: Annotated[Content | None, Law.COMMUNICATION] = None
    additional_info: Prose | None = None


@part("chatImIncident", form=Form.ELEMENT)
class ChatImIncident:
    """The incident took place in a chat or by instant messages."""

    chat_client: Annotated[str | None, max_length(255)] = None
    chat_room_name: Annotated[str | None, max_length(255)] = None
    content: Annotated[Content | None, Law.COMMUNICATION] = None
    additional_info: Prose | None = None


@part("onlineGamingIncident", form=Form.ELEMENT)
class OnlineGamingIncident:
    """The incident took place in an online game."""

    game_name: Annotated[str | None, max_length(255)] = None
    console: Annotated[str | None, max_length(255)] = None
    content: Annotated[Content | None, Law.COMMUNICATION] = None
    additional_info: Prose | None = None


@part("cellPhoneIncident", form=Form.ELEMENT)
class CellPhoneIncident:
    """The incident took place by cell phone: calls, text messages, or pictures sent through one."""

    phone_number: Annotated[Phone | None, Law.IDENTITY] = None
    latitude: Annotated[_LatLong | None, Law.LOCATION] = None
    longitude: Annotated[_LatLong | None, Law.LOCATION] = None
    additional_info: Prose | None = None


@part("nonInternetIncident", form=Form.ELEMENT)
class NonInternetIncident:
    """The incident involved neither a computer nor a cell phone."""

    location_name: Annotated[str | None, max_length(255), Law.LOCATION] = None
    incident_addresses: Annotated[tuple[Address, ...], Name("incidentAddress"), Law.LOCATION] = ()
    additional_info: Prose | None = None


@part("peer2peerIncident", form=Form.ELEMENT)
class Peer2PeerIncident:
    """The incident took place in a peer-to-peer network."""

    client: Annotated[str | None, max_length(255)] = None
    ip_capture_events: Annotated[tuple[IpCaptureEvent, ...], Name("ipCaptureEvent"), Law.IDENTITY] = ()
    file_names: str | None = None
    additional_info: Prose | None = None


#: One of the eight kinds, closed.
Incident = (
    WebPageIncident
    | EmailIncident
    | NewsgroupIncident
    | ChatImIncident
    | OnlineGamingIncident
    | CellPhoneIncident
    | NonInternetIncident
    | Peer2PeerIncident
)

"""IP addresses as they were seen: each once, and the right one with the file."""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from cybertip.cases.enrichment.findings import Finding
from cybertip.model import IpCaptureEvent, IpCaptureType, evolve

__all__ = ["Placed", "place_events", "unique_events"]


def unique_events(events: Iterable[IpCaptureEvent]) -> tuple[IpCaptureEvent, ...]:
    """Return each event once, in the order of their first appearance.

    Events are the same when address, time and name are, however the address or the time's zone is spelled. What only one of
    them says, the port or the proxy, is kept. Two that name different ports, or differ on the proxy, stay apart: under
    carrier-grade NAT each port is somebody else.

    >>> plain, ported = (IpCaptureEvent(ip_address="192.0.2.1", port=port) for port in (None, 50000))
    >>> unique_events([plain, ported]) == (ported,)
    True
    """
    found: dict[object, list[IpCaptureEvent]] = {}
    for event in events:
        alike = found.setdefault((_address(event.ip_address), event.date_time, event.event_name), [])
        for index, known in enumerate(alike):
            if _agree(known, event):
                alike[index] = evolve(
                    known,
                    port=event.port if known.port is None else known.port,
                    possible_proxy=event.possible_proxy if known.possible_proxy is None else known.possible_proxy,
                )
                break
        else:
            alike.append(event)
    return tuple(event for alike in found.values() for event in alike)


def _agree(one: IpCaptureEvent, other: IpCaptureEvent) -> bool:
    ports = {one.port, other.port} - {None}
    proxies = {one.possible_proxy, other.possible_proxy} - {None}
    return len(ports) <= 1 and len(proxies) <= 1


def _address(text: str) -> object:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return getattr(address, "ipv4_mapped", None) or address


@attrs.frozen(kw_only=True)
class Placed:
    """Where the events of a file go: one into its details, which take no more, the rest to the user."""

    file_event: IpCaptureEvent | None
    user_events: tuple[IpCaptureEvent, ...] = ()
    finding: Finding | None = None


def place_events(events: Iterable[IpCaptureEvent], *, uploaded_at: datetime | None, path: str) -> Placed:
    """Choose the event that goes into a file's details; the others become the reported user's, with a finding.

    It is the upload nearest to the time of upload: where several are as near, or no time is known, the first of them.
    Where no event is an upload, it is the nearest of all.

    Args:
        events: the file's, as the platform gave them.
        uploaded_at: when the file was uploaded, where that is known.
        path: the entry of the answer, for the finding.
    """
    unique = unique_events(events)
    if len(unique) <= 1:
        return Placed(file_event=unique[0] if unique else None)
    uploads = [event for event in unique if event.event_name is IpCaptureType.UPLOAD]
    chosen = _nearest(uploads or unique, uploaded_at)
    kind = "upload" if uploads else "event (none is an upload)"
    which = f"the {kind} nearest to its upload" if uploaded_at is not None else f"the first {kind}"
    message = (
        f"has {len(unique)} IP events, and file details take one: {which} is the file's, the others are the user's"
    )
    return Placed(
        file_event=chosen,
        user_events=tuple(event for event in unique if event is not chosen),
        finding=Finding(rule="several-ip-events", path=path, message=message),
    )


def _nearest(events: Sequence[IpCaptureEvent], at: datetime | None) -> IpCaptureEvent:
    def distance(event: IpCaptureEvent) -> timedelta:
        return timedelta.max if at is None or event.date_time is None else abs(event.date_time - at)

    # The first of those that are as near.
    return min(events, key=distance)

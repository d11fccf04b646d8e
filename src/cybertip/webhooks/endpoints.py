"""An endpoint of the platform's, and how patient we are with it."""

from datetime import timedelta

import attrs

from cybertip.webhooks.addresses import Address
from cybertip.webhooks.signing import Signer

__all__ = ["Endpoint", "Limits"]


def _address(given: str | Address) -> Address:
    return given if isinstance(given, Address) else Address.of(given)


@attrs.frozen(kw_only=True)
class Endpoint:
    """Say where an endpoint is and what signs the requests to it. There is no endpoint without a signer.

    Each endpoint had better have keys of its own.
    """

    address: Address = attrs.field(converter=_address)
    signer: Signer


@attrs.frozen(kw_only=True)
class Limits:
    """Say how long an exchange may take as a whole, and how much of an answer is read."""

    #: From the first byte sent to the last one read. Looking a name up counts, and ends when the system's resolver says so.
    deadline_for: timedelta = timedelta(seconds=30)
    #: To make a connection.
    connect_for: timedelta = timedelta(seconds=10)
    #: Without a single byte.
    silence_for: timedelta = timedelta(seconds=30)
    answer_bytes: int = 5_000_000

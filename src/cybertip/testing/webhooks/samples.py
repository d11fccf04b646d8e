"""Requests as an endpoint gets them, as values: headers and a body, to be posted with the test client of any framework.

```python
response = client.post("/hooks/info", content=sample.body, headers=sample.headers)  # FastAPI, Starlette, httpx
response = client.post("/hooks/info", sample.body, content_type=sample.content_type, headers=sample.headers)  # Django
```
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

import attrs

from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.cases.notices import CaseEvent, CaseEventKind, Preservation
from cybertip.cases.references import CaseId, ItemRef, UserRef
from cybertip.model import ReportId
from cybertip.ports.clock import SystemClock
from cybertip.testing.webhooks.promises import Promise
from cybertip.webhooks.signing import Headers, Signer, compact

__all__ = ["ID", "Asked", "Call", "Sample", "invented", "of_now", "sample", "signed"]

#: What an endpoint is asked or told.
Asked = AdditionalInfoRequest | Preservation | CaseEvent

#: What a sample is called where it was given no other id.
ID = "sample_1"


class Call(StrEnum):
    """Name one of the three calls."""

    ADDITIONAL_INFO = "additional-info"
    PRESERVATION = "preservation"
    CASE_EVENT = "case-event"

    @classmethod
    def of(cls, asked: Asked) -> "Call":
        """Return the call that something is asked or told with."""
        return _CALLS[type(asked)]


_CALLS: dict[type[Asked], Call] = {
    AdditionalInfoRequest: Call.ADDITIONAL_INFO,
    Preservation: Call.PRESERVATION,
    CaseEvent: Call.CASE_EVENT,
}


@attrs.frozen(kw_only=True)
class Sample:
    """Hold one request."""

    #: What is particular about it, for the message of a test that fails.
    name: str
    #: What the endpoint promises about such a request.
    promise: Promise
    #: What it asks or tells, whatever else the body holds.
    asked: Asked = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    @property
    def content_type(self) -> str:
        """What the body is labelled as; it is among the headers, too."""
        return self.headers["Content-Type"]


def invented(call: Call) -> Asked:
    """Return what a call of ours could be about: people and things that were never there.

    Some are hard on those who look too closely or not closely enough: two things share an id, one id is not ASCII, and there
    are more things than a page of a list usually holds.
    """
    user = UserRef(id="invented-user-1", type_id="user")
    match call:
        case Call.ADDITIONAL_INFO:
            return AdditionalInfoRequest(users=(user, UserRef(id="invented-user-2", type_id="user")), media=_media(120))
        case Call.PRESERVATION:
            return Preservation(user=user, reported_media=_media(3), report_id=ReportId(1))
        case Call.CASE_EVENT:
            at = datetime(2025, 1, 1, tzinfo=UTC)
            return CaseEvent(kind=CaseEventKind.FILED, case=CaseId("invented-case"), at=at, report_id=ReportId(1))


def _media(count: int) -> tuple[ItemRef, ...]:
    plain = (ItemRef(id=f"invented-{number}", type_id="image") for number in range(1, count - 1))
    return (*plain, ItemRef(id="invented-1", type_id="video"), ItemRef(id="invented-\u00fc", type_id="image"))


def sample(asked: Asked | Call, signer: Signer, *, id: str = ID, at: datetime | None = None) -> Sample:
    """Return a request as we send it, which an endpoint answers with success.

    Args:
        asked: what it asks or tells; of a call, something invented.
        signer: whom the endpoint trusts (`make_keys().signer`).
        id: its name, the same each time that it is sent.
        at: when it is signed, if not now.
    """
    asked = of_call(asked)
    body = compact(asked.as_json())
    name = "signed rightly"
    return signed(Promise.ACCEPTS_SIGNED, name, asked, body, signer, signer.sign(body, id=id, at=of_now(at)))


def of_call(asked: Asked | Call) -> Asked:
    """Return what is asked, or something invented where only the call is given."""
    return invented(asked) if isinstance(asked, Call) else asked


def of_now(at: datetime | None) -> datetime:
    """Return a time, or the present one."""
    return at or SystemClock().now()


def signed(promise: Promise, name: str, asked: Asked, body: bytes, signer: Signer, signature: Headers) -> Sample:
    """Put a request together, whatever vouches for it."""
    headers = {"Content-Type": signer.content_type, **dict(signature)}
    return Sample(name=name, promise=promise, asked=asked, headers=headers, body=body)

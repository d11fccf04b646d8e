"""What a platform is told after a decision: to preserve, and what became of a case."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from cybertip.cases.checking import aware, fixed, identifier, instance, members, optional, sequence
from cybertip.cases.references import CaseId, ItemRef, UserRef
from cybertip.model import ReportId
from cybertip.xml.lexical import read_time, write_time

__all__ = ["CaseEvent", "CaseEventKind", "Preservation"]


@attrs.frozen(kw_only=True)
class Preservation:
    """Tell the platform that a report of a user was finished, so that it preserves what belongs to it.

    Clause: 18 U.S.C. 2258A(h). It is told of finished production reports only.

    >>> user, image = UserRef(id="u1", type_id="user"), ItemRef(id="m1", type_id="image")
    >>> Preservation(user=user, reported_media=(image,), report_id=ReportId(123456789)).as_json()["reportId"]
    '123456789'
    """

    user: UserRef = attrs.field(validator=instance(UserRef))
    reported_media: tuple[ItemRef, ...] = attrs.field(default=(), converter=sequence, validator=members(ItemRef))
    report_id: ReportId = attrs.field(validator=instance(int))

    def as_json(self) -> dict[str, Any]:
        """Return the notice as the contract spells it."""
        return {
            "user": self.user.as_json(),
            "reportedMedia": [one.as_json() for one in self.reported_media],
            "reportId": str(self.report_id),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Preservation":
        """Read what `as_json` returned."""
        return cls(
            user=UserRef.from_json(plain["user"]),
            reported_media=tuple(map(ItemRef.from_json, plain["reportedMedia"])),
            report_id=ReportId(int(plain["reportId"])),
        )


class CaseEventKind(StrEnum):
    """Say what became of a case."""

    FILED = "case.filed"
    NEEDS_HUMAN = "case.needs_human"
    PRESERVED = "case.preserved"


@attrs.frozen(kw_only=True)
class CaseEvent:
    """Tell the host what became of a case. It names things and says nothing about them; details are asked for.

    >>> from datetime import UTC
    >>> event = CaseEvent(kind=CaseEventKind.FILED, case=CaseId("c1"), at=datetime(2025, 1, 1, tzinfo=UTC))
    >>> event.as_json()
    {'type': 'case.filed', 'timestamp': '2025-01-01T00:00:00+00:00', 'data': {'caseId': 'c1', 'reportId': None}}
    """

    kind: CaseEventKind = attrs.field(validator=instance(CaseEventKind))
    case: CaseId = attrs.field(repr=False, validator=identifier)
    at: datetime = attrs.field(converter=fixed, validator=aware)
    report_id: ReportId | None = attrs.field(default=None, validator=optional(instance(int)))

    def as_json(self) -> dict[str, Any]:
        """Return the event in the form that Standard Webhooks recommends."""
        report_id = None if self.report_id is None else str(self.report_id)
        return {
            "type": str(self.kind),
            "timestamp": write_time(self.at),
            "data": {"caseId": self.case, "reportId": report_id},
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "CaseEvent":
        """Read what `as_json` returned."""
        data = plain["data"]
        return cls(
            kind=CaseEventKind(plain["type"]),
            case=CaseId(data["caseId"]),
            at=read_time(plain["timestamp"]),
            report_id=None if data["reportId"] is None else ReportId(int(data["reportId"])),
        )

"""A submission as a host sees it."""

import attrs

from cybertip.filing import Journal, Status

__all__ = ["Handle"]


@attrs.frozen(kw_only=True)
class Handle:
    """A submission as it stood when it was asked about."""

    key: str
    status: Status
    #: NCMEC's number of the filed report, or of the open one.
    report_id: int | None
    version: int

    @classmethod
    def of(cls, journal: Journal) -> "Handle":
        """Return the handle of a journal."""
        return cls(
            key=journal.key, status=journal.status, report_id=journal.submission.report_id, version=journal.version
        )

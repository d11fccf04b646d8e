"""Who may see which case. What somebody may not see looks as if it were not there.

| a case | is seen by |
|---|---|
| of another organisation | nobody of this one |
| for NCMEC's real system | who holds the permission that the host passes in |
| for a test, undecided | everybody of the organisation |
| for a test, decided | who decided it |
"""

import attrs

from cybertip.cases.checking import identifier, mark
from cybertip.cases.events import Environment
from cybertip.cases.references import ReviewerId
from cybertip.cases.stages import JOINABLE, REVIEWABLE
from cybertip.desk.keys import reviewer_tag
from cybertip.desk.office import Office
from cybertip.ports.storage import Head

__all__ = ["Viewer", "may_see_signals", "sees"]


@attrs.frozen(kw_only=True)
class Viewer:
    """Somebody who asks, as the host knows them.

    Clause: 18 U.S.C. 2258B(c): as few people as possible have access.
    """

    reviewer: ReviewerId = attrs.field(repr=False, validator=identifier)
    #: Whether they hold the permission to see what is, or may be, reported. It has no default.
    child_safety: bool = attrs.field(validator=mark)


def may_see_signals(office: Office, viewer: Viewer) -> bool:
    """Tell whether somebody may see signals that are in no case yet."""
    return office.purpose is not Environment.PRODUCTION or viewer.child_safety


def sees(office: Office, viewer: Viewer, head: Head) -> bool:
    """Tell whether somebody may see the case that a head belongs to.

    >>> from cybertip.cases.profile import Profile
    >>> from cybertip.protocol import Environment as Where
    >>> office = Office(organisation="o1", environment=Where.TEST, profile=Profile())
    >>> head = Head(key="k", version=1, digest="0", status="review", tenant="o1", lane=office.cases)
    >>> sees(office, Viewer(reviewer=ReviewerId("r1"), child_safety=False), head)
    True
    """
    if head.tenant != office.organisation or head.lane != office.cases:
        return False
    if office.purpose is Environment.PRODUCTION:
        return viewer.child_safety
    return head.status in JOINABLE | REVIEWABLE or reviewer_tag(office.organisation, viewer.reviewer) in head.tags

"""What an organisation asks of a decision, and what of one does not go with its case."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from cybertip.cases.decisions import Decision, Dismissed
from cybertip.cases.events import Decided, Environment
from cybertip.cases.references import ReviewerId
from cybertip.errors import InvalidReport, Violation

if TYPE_CHECKING:
    from cybertip.cases.case import Case

__all__ = ["ReviewPolicy", "decided", "faults"]


@attrs.frozen(kw_only=True)
class ReviewPolicy:
    """Say what an organisation asks of its reviewers."""

    #: Whether a decision may leave files undecided. A decision about a file is not a view of it.
    partial: bool = False
    #: Whether a second person must approve before anything is filed with production.
    second_approval: bool = False


def decided(
    case: "Case", decision: Decision | Dismissed, *, reviewer: ReviewerId, policy: ReviewPolicy | None = None
) -> Decided:
    """Return the event of a decision; raise `InvalidReport` with everything that does not go with the case."""
    policy = policy or ReviewPolicy()
    found = () if isinstance(decision, Dismissed) else tuple(faults(case, decision, partial=policy.partial))
    if found:
        raise InvalidReport(found)
    to_approve = policy.second_approval and case.environment is Environment.PRODUCTION
    return Decided(
        reviewer=reviewer, decision=decision, needs_approval=to_approve and not isinstance(decision, Dismissed)
    )


def faults(case: "Case", decision: Decision, *, partial: bool) -> Iterator[Violation]:
    """Say what of a decision does not go with its case; `partial` allows that files are left undecided."""
    for index, one in enumerate(decision.media):
        path = f"decision.media[{index}]"
        kept = case.kept.get(one.media)
        if one.media not in case.media:
            yield Violation(path=path, rule="unknown-media", message="is not a file of the case")
        elif one.include and kept is None:
            why = "is missing: leave it out" if one.media in case.missing else "is not preserved yet: decide when it is"
            yield Violation(path=path, rule="not-kept", message=why)
        if any(kept is None or view.sha256 != kept.sha256 for view in one.views):
            message = "claims a view of other bytes than those that are kept of the file"
            yield Violation(path=f"{path}.views", rule="other-bytes", message=message)
    undecided = len(case.media.keys() - case.missing.keys() - {one.media for one in decision.media})
    if undecided and not partial:
        message = f"says nothing about {undecided} files of the case, and the organisation's policy wants all decided"
        yield Violation(path="decision.media", rule="partial", message=message)

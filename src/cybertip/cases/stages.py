"""The life of a case: from a stage, by what happened, to the next stage.

It is this table, and nothing else. A pair that is not in it cannot happen; a journal that holds one was not written by this
program.
"""

from enum import StrEnum

from cybertip.cases.routing import Destination

__all__ = ["BEFORE_FILING", "JOINABLE", "REVIEWABLE", "TRANSITIONS", "Stage"]


class Stage(StrEnum):
    """Where a case stands."""

    #: Signals join it, and somebody is to decide.
    OPEN = "open"
    #: A decision was taken back, and somebody is to decide again. Signals open a case of their own.
    RETURNED = "returned"
    #: A second person is to approve.
    APPROVAL = "approval"
    #: It is to be filed, and the platform is to be asked first.
    DECIDED = "decided"
    #: All that the filing is made of is recorded: from here on it is the same filing, however often it is made.
    READY = "ready"
    #: The filing cannot be made; nothing was filed.
    BLOCKED = "blocked"
    FILED = "filed"
    #: NCMEC has it, and a receipt is there.
    REPORTED = "reported"
    #: A person withdrew the filing before it was finished: nothing was reported.
    RETRACTED = "retracted"
    DISMISSED = "dismissed"


#: Somebody is to decide.
_UNDECIDED = (Stage.OPEN, Stage.RETURNED)
#: Nothing can have been filed, and nobody was asked: the decision is still to come, or to be approved.
BEFORE_FILING = (*_UNDECIDED, Stage.APPROVAL)
_CLAIMABLE = (*BEFORE_FILING, Stage.BLOCKED)

#: From a stage, by what happened, to the next stage.
TRANSITIONS: dict[tuple[Stage, str], Stage] = {
    # signals join until there is a decision, and never again: later ones open a case of their own. So a signal that is not
    # in a case that was decided never gets into it, whoever is slow, and can safely go elsewhere.
    (Stage.OPEN, "joined"): Stage.OPEN,
    **{(stage, "routed"): stage for stage in _UNDECIDED},
    # what a filing is made of does not change once it was decided; bytes are kept whenever they come
    **{(stage, "mediakept"): stage for stage in Stage},
    **{(stage, "mediamissing"): stage for stage in BEFORE_FILING},
    **{(stage, "viewed"): stage for stage in BEFORE_FILING},
    **{(stage, "claimed"): stage for stage in _CLAIMABLE},
    **{(stage, "released"): stage for stage in _CLAIMABLE},
    **{(stage, "decided"): Stage.DECIDED for stage in _UNDECIDED},
    **{(stage, "proposed"): Stage.APPROVAL for stage in _UNDECIDED},
    **{(stage, "dismissed"): Stage.DISMISSED for stage in _UNDECIDED},
    (Stage.APPROVAL, "approved"): Stage.DECIDED,
    # a decision can be taken back until the filing could be under way
    **{(stage, "returned"): Stage.RETURNED for stage in (Stage.APPROVAL, Stage.DECIDED, Stage.BLOCKED)},
    (Stage.DECIDED, "enriched"): Stage.READY,
    **{(stage, "blocked"): Stage.BLOCKED for stage in (Stage.DECIDED, Stage.READY)},
    (Stage.BLOCKED, "retried"): Stage.DECIDED,
    # the only way to a filing, and there is none back: a case has one filing at most
    (Stage.READY, "filed"): Stage.FILED,
    (Stage.FILED, "reported"): Stage.REPORTED,
    (Stage.FILED, "retracted"): Stage.RETRACTED,
    (Stage.REPORTED, "preserved"): Stage.REPORTED,
    # what waits, and what the host is told, changes nothing
    **{(stage, word): stage for stage in Stage for word in ("delayed", "notified", "overdue")},
}

#: The statuses in which a case takes signals, and those in which somebody is to look at it.
JOINABLE = frozenset({*map(str, Destination), "claimed"})
REVIEWABLE = frozenset({"review", "triage", "claimed", *map(str, (Stage.RETURNED, Stage.APPROVAL, Stage.BLOCKED))})

"""The simulation is worth something: each of these rules of ours is broken by hand, and some world shows it.

CONTRIBUTING.md names them. Whoever adds a rule adds its mutation here.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from cybertip.filing import decision, flows, outcomes
from cybertip.filing.effects import Record
from cybertip.filing.events import Call, Unsent, Verdict
from cybertip.filing.submission import TRANSITIONS, Stage, Submission
from cybertip.testing.simulation import Flaw, simulate

#: In how many worlds a mutation has to show itself.
WORLDS = 150

Mutation = Callable[[pytest.MonkeyPatch], None]


def stays_open(call: Call, what: str) -> Mutation:
    return lambda patch: patch.setitem(TRANSITIONS, (Stage.OPEN, call, what), Stage.OPEN)


def no_claim(patch: pytest.MonkeyPatch) -> None:
    def unclaimed(**fields: Any) -> Record:
        return Record(**fields | {"claimed": False})

    patch.setattr(flows, "Record", unclaimed)


def no_withdrawal(patch: pytest.MonkeyPatch) -> None:
    must_go = decision._must_go

    def deaf(state: Submission, *rest: Any) -> bool:
        return must_go(attrs.evolve(state, withdrawn=False), *rest)

    patch.setattr(decision, "_must_go", deaf)


def never_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(flows, "Lost", lambda call, reason: Unsent(call=call, reason=reason))


#: Each rule that is broken, by the name that CONTRIBUTING.md has for it: how, and what the history check says.
MUTATIONS: dict[str, tuple[Mutation, str]] = {
    "a lost upload is repeated in the same report": (stays_open(Call.UPLOAD, "lost"), "other files"),
    "an upload is repeated after a code that nobody knows": (stays_open(Call.UPLOAD, Verdict.UNKNOWN), "other files"),
    "a report is left open after a lost upload": (
        lambda patch: patch.setitem(TRANSITIONS, (Stage.OPEN, Call.UPLOAD, "lost"), Stage.GONE),
        "which its journal knows",
    ),
    "a new attempt begins while a finish is unresolved": (
        lambda patch: patch.setitem(TRANSITIONS, (Stage.FINISHING, Call.FINISH, "lost"), Stage.GONE),
        "was filed 2 times|was filed 3 times|which its journal knows",
    ),
    "a gateway's 502 counts as nothing done": (
        lambda patch: patch.setattr(outcomes, "_is_gateway", lambda call, error: False),
        "other files|orphans",
    ),
    "the deadline is not looked at": (
        lambda patch: patch.setattr(decision, "deadline", lambda attempt, policy: attempt.opened_at + timedelta(9999)),
        "too late",
    ),
    "an intent is recorded without the claim": (no_claim, "without the claim"),
    "a withdrawal is not heard in mid-delivery": (no_withdrawal, "was withdrawn"),
    "an intent without an outcome counts as never sent": (never_left, "orphans|other files"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_rule_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some world among the first shows that the rule is broken, and the flaw says what came of it."""
    mutate, expected = MUTATIONS[name]
    mutate(monkeypatch)

    def search() -> None:
        for seed in range(WORLDS):
            simulate(seed)

    with pytest.raises(Flaw, match=expected):
        search()


def test_the_mutations_are_named_for_those_who_change_the_rules() -> None:
    """CONTRIBUTING.md names each mutation, and no other."""
    page = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("## Mutations of the rules")[2].partition("\n## ")[0]
    named = [line[2:].rstrip(".") for line in section.splitlines() if line.startswith("- ")]
    assert named == list(MUTATIONS)

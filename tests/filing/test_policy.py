"""How patient a delivery is: pauses grow, are capped and scattered, and honour what NCMEC asks for, within bounds."""

import math
from datetime import timedelta

import attrs
from hypothesis import example, given, strategies as st

from cybertip.filing import Policy

SECOND = timedelta(seconds=1)
seeds = st.text(max_size=10)
failures = st.integers(1, 10_000)
policies = st.builds(
    Policy,
    pause_for=st.timedeltas(SECOND, timedelta(days=1)),
    pause_factor=st.floats(1, 100),
    longest_pause_for=st.timedeltas(SECOND, timedelta(days=2)),
    longest_retry_after_for=st.timedeltas(timedelta(0), timedelta(days=2)),
)


@given(policy=policies, failures=failures, seed=seeds)
def test_a_pause_is_bounded(policy: Policy, failures: int, seed: str) -> None:
    """However many failures there were, a pause is some time and never longer than the longest."""
    assert timedelta(0) < policy.pause(failures, seed=seed) <= policy.longest_pause_for


@given(failures=failures, seed=seeds)
def test_pauses_grow(failures: int, seed: str) -> None:
    """Each pause is at least as long as the one before it, until the longest is reached."""
    policy = Policy()
    before, after = (policy.pause(number, seed=seed) for number in (failures, failures + 1))
    assert after >= min(before, policy.longest_pause_for / 2)


@example(policy=Policy(pause_factor=1.0625, longest_pause_for=timedelta(seconds=30)), failures=100, seed="")
@given(policy=policies, failures=failures, seed=seeds)
def test_pauses_are_scattered_by_half_at_the_most(policy: Policy, failures: int, seed: str) -> None:
    """A pause lies between half and the whole of what the policy says for so many failures."""
    first, longest = policy.pause_for.total_seconds(), policy.longest_pause_for.total_seconds()
    grown = math.log(first) + (failures - 1) * math.log(policy.pause_factor)
    whole = timedelta(seconds=math.exp(min(grown, math.log(longest))))
    # As near as floating point gets.
    assert whole * 0.499999 <= policy.pause(failures, seed=seed) <= whole * 1.000001 + timedelta(microseconds=2)


@given(failures=failures, seed=seeds)
def test_the_same_history_decides_the_same(failures: int, seed: str) -> None:
    """A pause follows from the key and the failures, so that a restart decides what was decided before."""
    assert Policy().pause(failures, seed=seed) == Policy().pause(failures, seed=seed)


def test_a_thousand_submissions_do_not_come_back_at_once() -> None:
    """Submissions that failed together are tried again one after the other: the pauses of different keys differ."""
    pauses = [Policy().pause(5, seed=f"case-{number}") for number in range(1000)]
    assert len(set(pauses)) > 990
    in_the_first_tenth = sum(pause < min(pauses) + (max(pauses) - min(pauses)) / 10 for pause in pauses)
    assert 50 < in_the_first_tenth < 150


@given(policy=policies, failures=failures, seed=seeds, asked=st.floats(0, 1e9))
def test_what_ncmec_asks_for_is_the_least(policy: Policy, failures: int, seed: str, asked: float) -> None:
    """A pause is no shorter than what NCMEC asked for and never shorter for it, unless it asked for more than a host wants
    to wait: a gateway's slip does not stop a report for years."""
    pause = policy.pause(failures, seed=seed, retry_after_for=asked)
    heeded = min(timedelta(seconds=asked), policy.longest_retry_after_for)
    assert pause == max(policy.pause(failures, seed=seed), heeded)


def test_the_budgets_of_a_policy_are_finite_and_positive() -> None:
    """Out of the box everything is tried more than once, every pause is finite, and the margin is within a report's life."""
    policy = Policy()
    for field in attrs.fields(Policy):
        value = getattr(policy, field.name)
        assert value > (timedelta(0) if isinstance(value, timedelta) else 0)
    assert policy.margin_for < policy.deleted_after_change_for < policy.deleted_after_opening_for
    assert policy.pause_factor >= 2
    # 18 U.S.C. 2258A(h): a year.
    assert policy.preserved_for >= timedelta(days=365)

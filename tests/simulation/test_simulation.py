"""Durable filing under bad luck of every kind: the promises hold in every world that a seed makes."""

import os

import pytest

from cybertip.filing import Policy
from cybertip.testing.simulation import Luck, simulate

#: Worlds to make. CI makes them all; they are cut into chunks so that several cores share them.
WORLDS = int(os.environ.get("CYBERTIP_SIMULATIONS", "5000"))
CHUNK = 100


@pytest.mark.parametrize("first", range(0, WORLDS, CHUNK))
def test_every_submission_arrives_once_and_whole(first: int) -> None:
    """Losses, crashes, two workers, clock jumps, expiry and withdrawals: none lost, none twice, none in part."""
    for seed in range(first, min(first + CHUNK, WORLDS)):
        simulate(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_wire_that_mostly_fails_delays_and_does_not_lose(seed: int) -> None:
    """When almost nothing gets through, people are called, and everything arrives all the same."""
    simulate(seed, luck=Luck(lost_answer=0.4, lost_request=0.2, never_sent=0.2), policy=Policy(failures=3, attempts=2))


@pytest.mark.parametrize("seed", range(20))
def test_many_workers_do_not_get_in_each_others_way(seed: int) -> None:
    """Five workers that keep dying deliver each submission once."""
    simulate(seed, workers=5, luck=Luck(crash=0.1, sleep=0.15))

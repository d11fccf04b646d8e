"""A worker dies before or after any effect of a delivery; the next one brings it home."""

import pytest

from cybertip.testing.simulation import Luck, Simulation

CALM = Luck(
    lost_request=0,
    lost_answer=0,
    never_sent=0,
    garbled=0,
    refused_for_now=0,
    crash=0,
    clock_jump=0,
    sleep=0,
    withdrawal=0,
)


class Doomed(Simulation):
    """A world without bad luck, but for one death at one effect."""

    def __init__(self, seed: int, *, at: int, after: bool) -> None:
        super().__init__(seed, luck=CALM, submissions=1, workers=1)
        self.at, self.after = at, after
        self.effects = 0
        self.died = False

    def strikes(self, chance: float) -> bool:
        return False

    def run(self, *, steps: int = 400) -> None:
        worker = self.workers[0]
        original = worker.step

        def step() -> None:
            if self.effects == self.at and not self.died and not self.after:
                self.died = True
                worker.die()
                return
            original()
            self.effects += 1
            if self.effects == self.at + 1 and not self.died and self.after:
                self.died = True
                worker.die()

        worker.step = step  # type: ignore[method-assign] # the one death of this world
        super().run(steps=steps)


def effects_of_a_calm_delivery(seed: int) -> int:
    """Return how many effects a delivery performs when nothing goes wrong."""
    world = Doomed(seed, at=-1, after=False)
    world.run()
    return world.effects


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_effect_neither_loses_nor_doubles(seed: int, after: bool) -> None:
    """Whichever effect a worker dies at, the report arrives once, with exactly its files."""
    count = effects_of_a_calm_delivery(seed)
    assert count > 8
    for at in range(count):
        world = Doomed(seed, at=at, after=after)
        world.run()
        assert world.died

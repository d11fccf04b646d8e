"""Years of bad luck in a second: workers, a NCMEC double, faults and clocks, all from one seed.

A simulation lets workers deliver submissions one effect at a time, in an order that the seed decides, while requests and
answers are lost, workers die before and after any effect, clocks jump, reports delete themselves and people decide. Then the
luck turns, all is delivered, and the history is checked: each submission has exactly one finished report that holds exactly
its files, or was retracted, and no promise was broken on the way.

It runs over your own storage, too: give each world names of its own where many share a database.

>>> from cybertip.adapters.storage.memory import MemoryStorage
>>> storage = MemoryStorage()
>>> for seed in range(3):
...     world = simulate(seed, storage=storage, prefix=f"world-{seed}")
>>> {head.status for head in storage.heads()} <= {"finished", "retracted"}
True
"""

from cybertip.testing.simulation.history import Flaw, check_history
from cybertip.testing.simulation.luck import Luck
from cybertip.testing.simulation.wire import SandboxWire
from cybertip.testing.simulation.world import Simulation, simulate

__all__ = ["Flaw", "Luck", "SandboxWire", "Simulation", "check_history", "simulate"]

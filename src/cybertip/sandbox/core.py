"""A NCMEC of your own, as a value: bytes in, bytes out. It opens no socket and looks at no clock but its own."""

from collections.abc import Iterable, Mapping
from typing import Any

from cybertip.sandbox.answers import Answer
from cybertip.sandbox.behaviour import Behaviour
from cybertip.sandbox.clock import Clock, VirtualClock
from cybertip.sandbox.control import Control, listed
from cybertip.sandbox.desk import Desk
from cybertip.sandbox.exchange import Exchange, Head
from cybertip.sandbox.faults import Fault
from cybertip.sandbox.state import Identifiers
from cybertip.sandbox.uploads import Shelf

__all__ = ["GivenHeaders", "Ncmec"]

GivenHeaders = Mapping[str, str] | Iterable[tuple[str, str]]


class Ncmec:
    """Behave as NCMEC's reporting server does, in memory.

    ```python
    ncmec = Ncmec(Behaviour(after_deletion=5101))
    exchange = ncmec.begin("POST", "/ispws/upload", headers)
    for chunk in body:
        exchange.feed(chunk)
    answer = exchange.end()
    ```

    Args:
        behaviour: who may use it, and what is chosen where the original is not known.
        clock: its time; unless given, a `VirtualClock`, which stands still and knows nothing of today. Incident
            times must be in its past.

    Clause: NCMEC, sections 1 to 6.

    >>> Ncmec().handle("GET", "/ispws/status").status
    401
    """

    def __init__(self, behaviour: Behaviour | None = None, *, clock: Clock | None = None) -> None:
        self.behaviour = behaviour if behaviour is not None else Behaviour()
        self.clock: Clock = clock if clock is not None else VirtualClock()
        #: Faults to come, first come first served; append to it.
        self.faults: list[Fault] = []
        # What exchanges work with.
        self.identifiers = Identifiers(self.behaviour.seed)
        self.desk = Desk(self.behaviour, self.clock, self.identifiers)
        self.shelf = Shelf(self.behaviour.keep)
        self.control = Control(self.desk.register, self.clock, self.faults)

    def begin(self, method: str, path: str, headers: GivenHeaders = (), *, peer: str = "127.0.0.1") -> "Exchange":
        """Begin an exchange with a request's head; `path` may have a query, which is not looked at.

        If the exchange has an `answer` at once, such as for wrong credentials, the body need not be sent.
        """
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        known = {name.lower(): value for name, value in pairs}
        return Exchange(self, Head(method, path.partition("?")[0], known, peer))

    def handle(
        self, method: str, path: str, headers: GivenHeaders = (), body: bytes = b"", *, peer: str = "127.0.0.1"
    ) -> Answer:
        """Answer a request that is at hand as a whole."""
        exchange = self.begin(method, path, headers, peer=peer)
        exchange.feed(body)
        return exchange.end()

    def reports(self) -> list[dict[str, Any]]:
        """Return what `GET /_sandbox/reports` lists: every report there ever was, in its state of now."""
        return listed(self.desk.register)

"""An HMA as a value: requests in, answers out. It opens no socket."""

import time
from collections.abc import Callable, Collection
from typing import Literal

from cybertip.sandbox.answers import Answer
from cybertip.testing.hma.curation import Curator
from cybertip.testing.hma.faults import Fault, Word, take
from cybertip.testing.hma.matching import Hasher, Matcher
from cybertip.testing.hma.replies import Aborted, as_json, page, text
from cybertip.testing.hma.requests import Request, request_of
from cybertip.testing.hma.state import Bank, Content, Exchange, Store

__all__ = ["Hma", "Readiness", "Role"]

#: What `/site-map` names whatever the roles are. Of these the double serves the last three: nobody matches by the others.
_ROUTES = (
    "/",
    "/openapi/",
    "/openapi/oauth2-redirect.html",
    "/openapi/openapi.json",
    "/openapi/static/<path:filename>",
    "/openapi/swagger",
    "/openapi/swagger/<path:filename>",
    "/static/<path:filename>",
    "/site-map",
    "/status",
    "/status/live",
)

Role = Literal["hasher", "matcher", "curator"]
Readiness = Literal["I-AM-ALIVE", "INDEX-NOT-LOADED", "INDEX-STALE"]


class Hma:
    """Behave as Hasher-Matcher-Actioner 1.1.7 does, in memory.

    Args:
        roles: what this process does. A role that is off has no routes, and asking for one gives a page of HTML.
        builds: whether the index is built anew after each change. A real one is a minute or so behind: with False, what was
            added is found after `build()`.
        loads: whether what was built is looked in at once. A real one takes up to half a minute, and looks in what it had
            before, even if that was nothing: with False, until `load()`.
        now: the time in seconds since 1970, for what is added.

    >>> Hma().handle("GET", "/status").body
    b'I-AM-ALIVE'
    >>> Hma(roles=["curator"]).handle("GET", "/m/index/status").status
    404
    """

    def __init__(
        self,
        *,
        roles: Collection[Role] = ("hasher", "matcher", "curator"),
        builds: bool = True,
        loads: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = Store()
        self.roles = frozenset(roles)
        self.builds = builds
        self.loads = loads
        #: Faults to come, first come first served; append to it.
        self.faults: list[Fault] = []
        #: What was asked, as it came.
        self.requests: list[Request] = []
        self._now = now
        hasher = Hasher(self.store)
        self._matcher = Matcher(self.store, hasher if "hasher" in self.roles else None, now=self._time)
        curator = Curator(self.store, hasher, now=self._time, changed=self._changed)
        every: dict[Role, Hasher | Matcher | Curator] = {
            "hasher": hasher,
            "matcher": self._matcher,
            "curator": curator,
        }
        self._parts = [part for role, part in every.items() if role in self.roles]
        self._readiness: Readiness = "I-AM-ALIVE"

    @property
    def readiness(self) -> Readiness:
        """What `/status` says; it is 503 but for the first. Without its indexes loaded, it answers no lookup."""
        return self._readiness

    @readiness.setter
    def readiness(self, word: Readiness) -> None:
        self._readiness = word
        self._matcher.loaded = word != "INDEX-NOT-LOADED"

    def bank(self, name: str, *, ratio: float = 1.0) -> Bank:
        """Make a bank, or change how often it is looked in."""
        found = self.store.banks[name] = Bank(name=name, ratio=ratio)
        return found

    def add(self, bank: str, **signals: str) -> Content:
        """Put hashes of one piece of content into a bank: `add("SYNTHETIC", pdq=...)`."""
        found = self.store.add(bank, signals, at=self._time())
        self._changed()
        return found

    def exchange(self, name: str, **status: object) -> Exchange:
        """Have a bank filled by an exchange, and say how its fetching stands: `last_fetch_succeeded=True`, and so on."""
        self.bank(name)
        found = self.store.exchanges[name] = Exchange(name=name)
        found.status.update(status)
        return found

    def build(self) -> None:
        """Build the indexes of what is in the banks now."""
        self.store.build()
        if self.loads:
            self.load()

    def load(self) -> None:
        """Look in the indexes as they were last built."""
        self.store.load()

    def handle(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Answer a request, faults aside."""
        return self._answered(request_of(method, target, headers or {}, body))

    def spoilt(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[Answer, Word | None]:
        """Answer a request and remember it; say with which of the faults that were ordered."""
        request = request_of(method, target, headers, body)
        self.requests.append(request)
        fault = take(self.faults, request.path)
        if isinstance(fault, Answer):
            return fault, None
        return self._answered(request), fault

    def _answered(self, request: Request) -> Answer:
        try:
            found = self._core(request)
            for part in self._parts:
                found = found or part.answer(request)
        except Aborted as aborted:
            return aborted.answer
        if found is not None:
            return found
        return page(405 if request.path in self._routes() else 404)

    def _core(self, request: Request) -> Answer | None:
        match request.method, request.path:
            case "GET", "/status":
                if "matcher" not in self.roles or self._readiness == "I-AM-ALIVE":
                    return text(200, "I-AM-ALIVE")
                return text(503, self._readiness)
            case "GET", "/status/live":
                return text(200, "I-AM-ALIVE")
            case "GET", "/site-map":
                return as_json(self._routes())
        return None

    def _routes(self) -> list[str]:
        return sorted(set(_ROUTES).union(*(part.routes for part in self._parts)))

    def _time(self) -> int:
        return int(self._now())

    def _changed(self) -> None:
        if self.builds:
            self.build()

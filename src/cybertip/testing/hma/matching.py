"""The roles that hash and that look up: routes below /h and /m."""

from collections.abc import Callable
from typing import Any

from cybertip.sandbox.answers import Answer
from cybertip.testing.hma.media import Form, form_of, hashed
from cybertip.testing.hma.replies import Aborted, as_json, message, missing
from cybertip.testing.hma.requests import Request
from cybertip.testing.hma.state import SIGNALS, Store, sound

__all__ = ["Hasher", "Matcher"]


class Hasher:
    """Hash files."""

    prefix = "/h"
    routes = ("/h/hash",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, request: Request) -> Answer | None:
        """Answer a request, or return None where there is no such route."""
        match request.method, request.path:
            case "GET", "/h/hash":
                return missing("url") if "url" not in request.query else _no_fetching()
            case "POST", "/h/hash":
                return as_json(self.hashes(request, form_of(request.content_type, request.body)))
        return None

    def hashes(self, request: Request, form: Form) -> dict[str, str]:
        """Return the hashes of the one file of a form."""
        if not form.files:
            raise Aborted(message(400, "Missing multipart/form-data file upload"))
        if len(form.files) > 1:
            raise Aborted(message(400, "Only one file allowed per request"))
        ((kind, data),) = form.files
        if kind not in self._store.contents:
            raise Aborted(message(400, f"no such content_type: '{kind}'"))
        if not self._store.contents[kind]:
            raise Aborted(message(400, f"content_type {kind} is disabled"))
        return {signal: hashed(signal, data) for signal in self._signals(kind, request.query.get("types"))}

    def _signals(self, kind: str, chosen: str | None) -> list[str]:
        there = [name for name, ratio in self._store.signals.items() if ratio and SIGNALS.get(name) == kind]
        if not there:
            raise Aborted(message(500, "No signal types configured!"))
        if chosen is None:
            return there
        names = [name for one in chosen.split(",") if (name := one.strip())]
        for name in names:
            if name not in there:
                raise Aborted(message(400, f"signal type '{name}' doesn't exist or is disabled"))
        if not names:
            raise Aborted(message(400, "empty signal type selection"))
        return names


class Matcher:
    """Look hashes up."""

    prefix = "/m"
    routes = ("/m/compare", "/m/index/status", "/m/lookup", "/m/raw_lookup")

    def __init__(self, store: Store, hasher: Hasher | None, *, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        #: POST of a file needs the role that hashes in the same process.
        self._hasher = hasher
        #: Whether the process has loaded its indexes.
        self.loaded = True

    def answer(self, request: Request) -> Answer | None:
        """Answer a request, or return None where there is no such route."""
        match request.method, request.path:
            case "GET", "/m/lookup":
                return self._lookup(request)
            case "POST", "/m/lookup":
                return self._lookup_file(request)
            case "GET", "/m/raw_lookup":
                return self._raw(request)
            case "POST", "/m/compare":
                return self._compare(request.json())
            case "GET", "/m/index/status":
                return self._status(request.query.get("signal_type"))
        return None

    def _lookup(self, request: Request) -> Answer:
        if "url" in request.query:
            return _no_fetching()
        signal, kind = request.query.get("signal"), request.query.get("signal_type")
        if not signal or not kind:
            raise Aborted(message(400, "Either url or both signal and signal_type are required"))
        return as_json(self._by_bank(request, kind, signal))

    def _lookup_file(self, request: Request) -> Answer:
        if self._hasher is None:
            raise Aborted(message(403, "Hashing is disabled, missing role"))
        hashes = self._hasher.hashes(request, form_of(request.content_type, request.body))
        bypass = request.query.get("bypass_coinflip", "false") == "true"
        return as_json({kind: self._by_bank(request, kind, one, bypass=bypass) for kind, one in hashes.items()})

    def _by_bank(self, request: Request, kind: str, signal: str, *, bypass: bool = False) -> dict[str, Any]:
        seed = request.query.get("seed")
        found = self._store.enabled(self._found(kind, signal), now=self._now(), seed=seed, bypass=bypass)
        banks: dict[str, list[dict[str, Any]]] = {}
        for id, distance in found:
            name = self._store.content[id].bank
            if request.banks is None or name in request.banks:
                banks.setdefault(name, []).append({"bank_content_id": id, "distance": distance})
        return banks

    def _raw(self, request: Request) -> Answer:
        if lacking := [name for name in ("signal", "signal_type") if name not in request.query]:
            raise Aborted(missing(*lacking))
        found = self._found(request.query["signal_type"], request.query["signal"])
        if request.banks is not None:
            content = self._store.content
            found = [(id, far) for id, far in found if id in content and content[id].bank in request.banks]
        if request.query.get("include_distance", "false").lower() in ("true", "1"):
            return as_json({"matches": [{"bank_content_id": id, "distance": distance} for id, distance in found]})
        return as_json({"matches": [id for id, _ in found]})

    def _found(self, kind: str, signal: str) -> list[tuple[int, str]]:
        self._check_kind(kind)
        try:
            signal = sound(kind, signal)
        except ValueError as error:
            raise Aborted(message(400, f"invalid signal: {error}")) from None
        if not self.loaded:
            raise Aborted(message(503, "index not yet ready"))
        return self._store.find(kind, signal)

    def _check_kind(self, kind: str) -> None:
        if kind not in self._store.signals:
            raise Aborted(message(400, f"No such SignalType '{kind}'"))
        if not self._store.signals[kind]:
            raise Aborted(message(400, f"SignalType '{kind}' is not enabled"))

    def _compare(self, given: Any) -> Answer:
        if not isinstance(given, dict):
            raise Aborted(message(400, "Request input was not a dict"))
        results = {}
        for kind, pair in given.items():
            if not isinstance(pair, list):
                raise Aborted(message(400, f"Comparison hashes for {kind} was not a list"))
            if len(pair) != 2:
                raise Aborted(message(400, "Comparison hash list length must be exactly 2"))
            self._check_kind(kind)
            if kind != "pdq":
                # What it found cannot be written as JSON.
                raise Aborted(message(500))
            try:
                one, other = (int(sound(kind, value), 16) for value in pair)
            except ValueError as error:
                raise Aborted(message(400, f"Invalid {kind} hash: {error}")) from None
            bits = (one ^ other).bit_count()
            results[kind] = [bits <= 31, {"distance": bits}]
        return as_json(results)

    def _status(self, kind: str | None) -> Answer:
        if kind is not None and kind not in self._store.signals:
            raise Aborted(message(400, f"No such signal type '{kind}'"))
        states = {}
        for name in self._store.signals if kind is None else (kind,):
            index = self._store.indexes.get(name)
            states[name] = {
                "present": index is not None,
                "built_to": index.built_to if index is not None else -1,
                "size": len(index.entries) if index is not None else 0,
            }
        return as_json(states)


def _no_fetching() -> Answer:
    """HMA would fetch the address; a double for tests reaches nothing."""
    return message(400, "Invalid or unsafe URL provided")

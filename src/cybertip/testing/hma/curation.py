"""The role that curates: routes below /c, with the banks, their content, the exchanges and the state of the indexes."""

import json
import re
from collections.abc import Callable
from typing import Any

from cybertip.sandbox.answers import Answer
from cybertip.testing.hma.matching import Hasher
from cybertip.testing.hma.media import form_of
from cybertip.testing.hma.replies import Aborted, as_json, message, missing
from cybertip.testing.hma.requests import Request
from cybertip.testing.hma.state import Bank, Content, Exchange, Index, Store, sound

__all__ = ["Curator"]

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_FIVE_YEARS = 5 * 365 * 24 * 3600
_METADATA = {"content_id", "content_uri", "json"}
_APIS = ("sample", "ncmec")
_NCMEC = re.compile(r"https://(report|exttest)\.cybertip\.org/(exploitative-)?hashsharing")


class Curator:
    """Keep banks."""

    prefix = "/c"
    routes = (
        "/c/bank/<bank_name>",
        "/c/bank/<bank_name>/content",
        "/c/bank/<bank_name>/content/<int:content_id>",
        "/c/bank/<bank_name>/signal",
        "/c/banks",
        "/c/content_type",
        "/c/exchange/<string:exchange_name>",
        "/c/exchange/<string:exchange_name>/status",
        "/c/exchanges",
        "/c/exchanges/api/<string:api_name>",
        "/c/exchanges/api/<string:api_name>/schema",
        "/c/exchanges/apis",
        "/c/signal_type",
        "/c/signal_type/<signal_type_name>",
        "/c/signal_type/index",
    )

    def __init__(self, store: Store, hasher: Hasher, *, now: Callable[[], int], changed: Callable[[], None]) -> None:
        self._store = store
        self._hasher = hasher
        self._now = now
        self._changed = changed
        self._credentials: set[str] = set()

    def answer(self, request: Request) -> Answer | None:
        """Answer a request, or return None where there is no such route."""
        parts = request.path.split("/")[1:]
        if parts[0] != "c":
            return None
        match request.method, *parts[1:]:
            case _, "banks":
                return self._banks(request)
            case _, "bank", name:
                return self._bank(request, name)
            case _, "bank", name, *rest:
                return self._content(request, name, rest)
            case "GET", "signal_type", "index":
                return self._index(request.query.get("signal_type"))
            case "GET", "signal_type":
                return as_json([{"name": name, "enabled_ratio": one} for name, one in self._store.signals.items()])
            case "PUT", "signal_type", _:
                # Two functions claim the route, and the one that answers fails.
                return message(500)
            case "GET", "content_type":
                return as_json([{"name": name, "enabled": one} for name, one in self._store.contents.items()])
            case _, "exchanges", *rest:
                return self._exchanges(request, rest)
            case _, "exchange", name, *rest:
                return self._exchange(request, name, rest)
        return None

    # -- banks ------------------------------------------------------------------------------------------------------------

    def _banks(self, request: Request) -> Answer | None:
        if request.method == "GET":
            return as_json([one.as_json() for one in self._store.banks.values()])
        if request.method != "POST":
            return None
        given = request.object()
        if "name" not in given:
            raise Aborted(missing("name"))
        # Whether it is enabled is looked at only where the ratio, which has a default, is null.
        name, ratio = str(given["name"]), given.get("enabled_ratio", 1.0)
        if ratio is None:
            ratio = 1.0 if given.get("enabled") in (None, True) else 0.0
        self._check_name(name, "Bank")
        if name in self._store.banks:
            raise Aborted(message(403, "Bank already exists"))
        self._store.banks[name] = Bank(name=name, ratio=float(ratio))
        return as_json(self._store.banks[name].as_json(), 201)

    def _bank(self, request: Request, name: str) -> Answer | None:
        match request.method:
            case "GET":
                return as_json(self._known(name).as_json())
            case "PUT":
                if name not in self._store.banks:
                    raise Aborted(message(404, "Bank not found"))
                return self._change(self._store.banks[name], request.object())
            case "DELETE":
                self._store.remove_bank(name)
                self._changed()
                return as_json({"message": "Done"})
        return None

    def _change(self, bank: Bank, given: dict[str, Any]) -> Answer:
        if given.get("name") is not None:
            self._check_name(str(given["name"]), "Bank")
            if str(given["name"]) in self._store.banks.keys() - {bank.name}:
                raise Aborted(message(403, "Bank name already exists"))
            del self._store.banks[bank.name]
            for one in self._store.content.values():
                one.bank = str(given["name"]) if one.bank == bank.name else one.bank
            bank.name = str(given["name"])
            self._store.banks[bank.name] = bank
        if given.get("enabled") is not None:
            bank.ratio = 1.0 if given["enabled"] else 0.0
        if given.get("enabled_ratio") is not None:
            bank.ratio = float(given["enabled_ratio"])
        return as_json(bank.as_json())

    def _known(self, name: str) -> Bank:
        if name not in self._store.banks:
            raise Aborted(message(404, f"bank '{name}' not found"))
        return self._store.banks[name]

    def _check_name(self, name: str, what: str) -> None:
        if not _NAME.fullmatch(name):
            raise Aborted(message(400, f"{what} names must be UPPER_WITH_UNDERSCORE"))

    # -- content ----------------------------------------------------------------------------------------------------------

    def _content(self, request: Request, name: str, rest: list[str]) -> Answer | None:
        match request.method, *rest:
            case "POST", "content":
                return self._add_file(request, self._known(name))
            case "POST", "signal":
                self._known(name)
                given = request.object()
                note = self._note(given.pop("note", None))
                return self._add(name, given, note=note)
            case method, "content", number if number.isdecimal():
                self._known(name)
                found = self._store.content.get(int(number))
                if method == "DELETE":
                    return self._remove(found)
                if found is None:
                    raise Aborted(message(404, f"content '{number}' not found"))
                if method == "PUT":
                    return self._update(found, request.object())
                return self._shown(request, found) if method == "GET" else None
        return None

    def _add_file(self, request: Request, bank: Bank) -> Answer:
        form = form_of(request.content_type, request.body)
        fields = dict(form.fields)
        metadata, note = self._metadata(fields.get("metadata")), self._note(fields.get("note"))
        if "url" in request.query:
            raise Aborted(message(400, "Invalid or unsafe URL provided"))
        if not form.files:
            raise Aborted(message(400, "Neither `url` nor multipart file upload was received"))
        return self._add(bank.name, self._hasher.hashes(request, form), note=note, metadata=metadata)

    def _add(self, bank: str, signals: dict[str, Any], **about: Any) -> Answer:
        if not signals:
            raise Aborted(message(400, "No signals given"))
        kept = {}
        for kind, value in signals.items():
            if kind not in self._store.signals:
                raise Aborted(message(400, f"No such signal type {kind}"))
            try:
                kept[kind] = sound(kind, value)
            except ValueError as error:
                raise Aborted(message(400, f"Invalid {kind} signal: {error}")) from None
        added = self._store.add(bank, kept, at=self._now(), **about)
        self._changed()
        return as_json({"id": added.id, "signals": kept})

    def _metadata(self, given: str | None) -> dict[str, Any] | None:
        if given is None:
            return None
        try:
            found = json.loads(given)
        except ValueError:
            raise Aborted(message(400, "metadata form field must be valid JSON")) from None
        if not isinstance(found, dict):
            raise Aborted(message(400, "metadata should be a json object"))
        found.pop("collab", None)
        if found.keys() - _METADATA:
            raise Aborted(message(400, "Invalid metadata: Extra inputs are not permitted"))
        return found or None

    def _note(self, given: Any) -> str | None:
        if not given:
            return None
        if not isinstance(given, str):
            raise Aborted(message(400, "note should be a string"))
        if len(given) > 255:
            raise Aborted(message(400, "note must be at most 255 characters"))
        return given

    def _remove(self, found: Content | None) -> Answer:
        if found is not None:
            del self._store.content[found.id]
            self._changed()
        return as_json({"deleted": int(found is not None)})

    def _update(self, found: Content, given: dict[str, Any]) -> Answer:
        if "disable_until_ts" in given:
            try:
                until = int(given["disable_until_ts"])
            except (TypeError, ValueError):
                raise Aborted(message(400, f"Invalid int: '{given['disable_until_ts']}'")) from None
            if until < 0:
                raise Aborted(message(400, "disable_until_ts must be a non-negative integer"))
            if until > self._now() + _FIVE_YEARS:
                raise Aborted(message(400, "disable_until_ts must be less than 5 years in the future"))
            found.disable_until_ts = until
        if "note" in given:
            found.note = self._note(given["note"])
        kept = {"collab_metadata": found.collab or {}, "note": found.note, "user_metadata": found.metadata}
        return as_json(self._described(found) | kept)

    def _shown(self, request: Request, found: Content) -> Answer:
        shown = self._described(found)
        if request.query.get("include_signals", "false").lower() == "true":
            shown["signals"] = found.signals
        if found.metadata or found.collab:
            known = found.metadata or {}
            shown["metadata"] = {key: known.get(key) for key in _METADATA} | {"collab": found.collab}
        return as_json(shown)

    def _described(self, found: Content) -> dict[str, Any]:
        shown = {
            "id": found.id,
            "bank": self._store.banks[found.bank].as_json(),
            "disable_until_ts": found.disable_until_ts,
            "original_media_uri": None,
        }
        return shown | ({"note": found.note} if found.note is not None else {})

    # -- indexes and exchanges ----------------------------------------------------------------------------------------------

    def _index(self, kind: str | None) -> Answer:
        if kind is not None and kind not in self._store.signals:
            raise Aborted(message(400, f"No such signal type '{kind}'"))
        states = {}
        for name in self._store.signals if kind is None else (kind,):
            target, built = self._store.target(name), self._store.indexes.get(name, Index())
            states[name] = {
                "db_size": len(target.entries),
                "index_size": len(built.entries),
                "index_out_of_date": built.checkpoint != target.checkpoint,
                "newest_db_item": target.built_to,
                "index_built_to": built.built_to,
            }
        return as_json(states)

    def _exchanges(self, request: Request, rest: list[str]) -> Answer | None:
        match request.method, *rest:
            case "GET", "apis":
                return as_json(list(_APIS))
            case (("GET" | "POST"), "api", api):
                return self._api(request, api)
            case "GET", "api", _, "schema":
                return as_json({"config_schema": {"fields": []}, "credentials_schema": None})
            case ("GET",):
                return as_json(list(self._store.exchanges))
            case ("POST",):
                return self._make_exchange(request.object())
        return None

    def _api(self, request: Request, api: str) -> Answer:
        if api not in _APIS:
            raise Aborted(message(400, f"no such Exchange API '{api}'"))
        if request.method == "POST":
            given = request.object().get("credential_json")
            if given is not None:
                (self._credentials.add if given else self._credentials.discard)(api)
        has = {"supports_authentification": api == "ncmec", "has_set_authentification": api in self._credentials}
        return as_json(has)

    def _make_exchange(self, given: dict[str, Any]) -> Answer:
        for name in ("bank",):
            if given.get(name) is None:
                raise Aborted(message(400, f"{name} is required"))
        bank, api, about = str(given["bank"]), given.get("api"), given.get("api_json", {})
        if not re.fullmatch(r"[A-Z0-9_]+", bank):
            raise Aborted(message(400, "Field `bank` must match /^[A-Z0-9_]+$/"))
        if not isinstance(about, dict):
            raise Aborted(message(400, "Field `api_json` must be object"))
        if api not in _APIS:
            raise Aborted(message(400, f"No such exchange type '{api}'"))
        if api == "ncmec" and not _NCMEC.fullmatch(str(about.get("environment"))):
            raise Aborted(message(400, "Failed to parse `api_json` - it names no environment of NCMEC's"))
        self._store.banks.setdefault(bank, Bank(name=bank))
        self._store.exchanges[bank] = Exchange(name=bank, api=str(api), api_json=about)
        return as_json({"message": "Created successfully"}, 201)

    def _exchange(self, request: Request, name: str, rest: list[str]) -> Answer | None:
        if request.method == "DELETE" and not rest:
            if self._store.exchanges.pop(name, None) is not None:
                # The bank that it filled goes with it.
                self._store.remove_bank(name)
                self._changed()
            return as_json({"message": "Exchange deleted"})
        found = self._store.exchanges.get(name)
        if found is None:
            raise Aborted(message(404, f"Exchange '{name}' not found"))
        match request.method, *rest:
            case "GET", "status":
                return as_json(found.status)
            case ("GET",):
                return as_json({"name": name, "api": found.api, "enabled": found.enabled, **found.api_json})
            case ("PUT",):
                found.enabled = bool(request.object().get("enabled", found.enabled))
                # The keys of an object, joined, under the type of JSON.
                return Answer(200, (("Content-Type", "application/json"),), b"nameapienabled")
        return None

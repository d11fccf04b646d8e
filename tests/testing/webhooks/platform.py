"""A platform's endpoints as somebody built them from a description: Standard Webhooks, `cryptography`, nothing of ours.

Each class below `Platform` has one mistake that somebody makes.
"""

import base64
import gzip
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Reply = tuple[int, bytes, dict[str, str]]

#: No answer at all.
HANG_UP: Reply = (0, b"", {})

_ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class Platform:
    """Answer all three calls, to whoever signed with a key (`whsec_...` or `whpk_...`)."""

    def __init__(self, key: str) -> None:
        kind, _, spelled = key.partition("_")
        self._public = kind == "whpk"
        self._key = base64.b64decode(spelled)
        self.done: list[str] = []

    # -- signatures -----------------------------------------------------------------------------------------------------

    def trusts(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether a request is genuine."""
        if not (headers.get(_ID) and headers.get(_TIME) and headers.get(_SIGNATURE)):
            return False
        try:
            signed_at = int(headers[_TIME])
        except ValueError:
            return False
        if not self.is_fresh(time.time() - signed_at):
            return False
        content = f"{headers[_ID]}.{signed_at}.".encode() + self.verified_bytes(body)
        return any(self._matches(one, content) for one in self.signatures(headers[_SIGNATURE]))

    def is_fresh(self, age: float) -> bool:
        """Tell whether a request is neither too old nor of a time to come."""
        return abs(age) <= 300

    def verified_bytes(self, body: bytes) -> bytes:
        """Return what the signature is compared with."""
        return body

    def signatures(self, header: str) -> list[str]:
        """Return the signatures of a header."""
        return header.split(" ")

    def _matches(self, signature: str, content: bytes) -> bool:
        version, _, spelled = signature.partition(",")
        try:
            given = base64.b64decode(spelled, validate=True)
        except ValueError:
            return False
        if not self._public:
            return version == "v1" and hmac.compare_digest(given, hmac.new(self._key, content, hashlib.sha256).digest())
        try:
            Ed25519PublicKey.from_public_bytes(self._key).verify(given, content)
        except InvalidSignature:
            return False
        return version == "v1a"

    # -- requests -------------------------------------------------------------------------------------------------------

    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request."""
        if not self.trusts(headers, body):
            return as_json({"error": "signature"}, 401)
        return self.take(headers[_ID], json.loads(body))

    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        """Answer a genuine request; do what it says once."""
        if "users" in asked:
            return as_json(self.answer(asked))
        if id not in self.done:
            self.done.append(id)
        return 204, b"", {}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Say what is known."""
        return {
            "users": [self.user(one["id"], one["typeId"]) for one in asked["users"]],
            "media": [self.media(one["id"], one["typeId"]) for one in asked["media"]],
            "additionalInfo": "canary",
            "servedBy": {"canary": 1},
        }

    def user(self, id: str, kind: str) -> dict[str, Any]:
        """Say what is known of a user."""
        email = {"email": "canary@example.com", "type": "Home", "verificationDate": "2025-01-01T00:00:00.123456789Z"}
        return {"id": id, "typeId": kind, "screenName": "canary", "email": [email], "ipCaptureEvent": [self.event()]}

    def media(self, id: str, kind: str) -> dict[str, Any]:
        """Say what is known of a piece of media."""
        return {"id": id, "typeId": kind, "missing": True, "fileName": "canary.png"}

    def event(self) -> dict[str, Any]:
        """Return where somebody was."""
        return {
            "ipAddress": "192.0.2.77", "eventName": "Upload", "dateTime": "2025-01-01T00:00:00+01:00", "port": 50000
        }  # fmt: skip


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return a reply with JSON."""
    return status, json.dumps(value).encode(), headers


# -- mistakes with signatures -----------------------------------------------------------------------------------------


class LooksAtNothing(Platform):
    def trusts(self, headers: Mapping[str, str], body: bytes) -> bool:
        return True


class LooksOnlyWhereThereIsASignature(Platform):
    def trusts(self, headers: Mapping[str, str], body: bytes) -> bool:
        return _SIGNATURE not in headers or super().trusts(headers, body)


class LooksOnlyAtTheForm(Platform):
    def _matches(self, signature: str, content: bytes) -> bool:
        return signature.startswith("v1,") and len(signature) == 47


class ForgetsTheTime(Platform):
    def is_fresh(self, age: float) -> bool:
        return True


class TakesTheFuture(Platform):
    def is_fresh(self, age: float) -> bool:
        return age <= 300


class TakesTheFirstSignature(Platform):
    def signatures(self, header: str) -> list[str]:
        return header.split(" ")[:1]


class SpellsTheBodyAnew(Platform):
    def verified_bytes(self, body: bytes) -> bytes:
        try:
            plain = json.loads(body)
        except ValueError:
            return body
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class BreaksOnNonsense(Platform):
    def trusts(self, headers: Mapping[str, str], body: bytes) -> bool:
        int(headers.get(_TIME, "0"))
        return super().trusts(headers, body)


class HangsUpOnStrangers(Platform):
    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        return super().handle(headers, body) if self.trusts(headers, body) else HANG_UP


class TrustsNobody(Platform):
    def trusts(self, headers: Mapping[str, str], body: bytes) -> bool:
        return False


# -- mistakes with requests -------------------------------------------------------------------------------------------


class RefusesWhatCameBefore(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        if id in self.done:
            return as_json({"error": "replay"}, 409)
        self.done.append(id)
        return super().take(id, asked)


class RefusesUnknownKeys(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        known = {"users", "media", "user", "reportedMedia", "reportId", "type", "timestamp", "data"}
        return super().take(id, asked) if asked.keys() <= known else as_json({"error": "key"}, 422)


class NeedsMedia(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        about = asked.get("user") or asked.get("users")
        media = asked.get("media", asked.get("reportedMedia"))
        return as_json({"error": "media"}, 400) if about and not media else super().take(id, asked)


class KnowsOneKindOfEvent(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        return super().take(id, asked) if asked["type"] == "case.filed" else as_json({"error": "type"}, 400)


class SendsElsewhere(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        return 307, b"", {"Location": "/elsewhere"}


class IsBusy(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        return 503, b"", {}


class Breaks(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        raise ZeroDivisionError


# -- mistakes with answers --------------------------------------------------------------------------------------------


class IsSlow(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        time.sleep(1)
        return super().take(id, asked)


class SaysTooMuch(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return super().answer(asked) | {"log": "canary" * 50_000}


class StopsHalfway(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        status, body, _ = super().take(id, asked)
        return status, body, {"Content-Length": str(len(body) + 1)}


class AnswersWithAPage(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        return 200, b"<!DOCTYPE html><title>canary</title>", {}


class AnswersWithNothing(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        return 200, b"", {}


class AnswersPacked(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        status, body, _ = super().take(id, asked)
        return status, gzip.compress(body), {"Content-Encoding": "gzip"}


class AnswersWithAList(Platform):
    def take(self, id: str, asked: dict[str, Any]) -> Reply:
        return as_json(self.answer(asked)["users"])


class SpellsPortsAsText(Platform):
    def event(self) -> dict[str, Any]:
        return super().event() | {"port": "canary"}


class KnowsNoAddresses(Platform):
    def event(self) -> dict[str, Any]:
        return super().event() | {"ipAddress": "canary"}


class HasLocalTimes(Platform):
    def event(self) -> dict[str, Any]:
        return super().event() | {"dateTime": "2025-01-01T00:00:00"}


class ReadsLatin1(Platform):
    def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        status, answer, more = super().handle(headers, body)
        return status, json.dumps(json.loads(answer), ensure_ascii=False).encode().decode("latin-1").encode(), more


class ForgetsAUser(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return super().answer(asked | {"users": asked["users"][:1]})


class AnswersAPage(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return super().answer(asked | {"media": asked["media"][:100]})


class LeavesOutWhatIsGone(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return super().answer(asked | {"media": []})


class KnowsIdsOnly(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        kinds = {one["id"]: one["typeId"] for one in asked["media"]}
        answer = super().answer(asked)
        return answer | {"media": [self.media(one["id"], kinds[one["id"]]) for one in asked["media"]]}


class TellsOfOthers(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        others = [self.user("canary", "user")] if asked["users"] else []
        answer = super().answer(asked)
        return answer | {"users": answer["users"] + others}


class ContradictsItself(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = super().answer(asked)
        return answer | {"users": answer["users"] + [one | {"screenName": "other"} for one in answer["users"]]}


class TellsOfEverythingUnasked(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return super().answer(asked if asked["media"] else asked | {"media": [{"id": "canary", "typeId": "image"}]})


class LeavesOutEmptyLists(Platform):
    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in super().answer(asked).items() if value}


# -- serving ----------------------------------------------------------------------------------------------------------


@contextmanager
def serving(platform: Platform) -> Iterator[str]:
    """Serve a platform on loopback, whatever the path."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status, answer, headers = platform.handle(dict(lowered(self.headers.items())), body)
            except Exception:
                status, answer, headers = 500, b"canary", {}
            if (status, answer, headers) == HANG_UP:
                return
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(answer))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/canary"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def lowered(headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Return headers with their names in lower case."""
    for name, value in headers:
        yield name.lower(), value

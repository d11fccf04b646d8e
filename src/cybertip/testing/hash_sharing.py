"""A double of NCMEC's Hash Sharing API on a loopback port, to try your own sync, and ours, against.

```python
with HashSharingDouble(page_size=2, seed=7) as double:
    double.put("image1", member="42", fingerprints={"md5": "0" * 32})
    double.faults.append(Fault(at=1, status=503))
    source = Source(list="synthetic", url=double.url)
```

It is built from descriptions and other programs' examples of the API, and not from NCMEC's service, to which nothing was
ever compared. What is not known of the service can be chosen: the order of entries, whether the ends of a window belong to
it, whether earlier states of an entry are sent, too.
"""

import base64
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

import attrs

__all__ = ["Fault", "HashSharingDouble", "State"]

_NAMESPACE: Final = "https://hashsharing.ncmec.org/hashsharing/v2"
_PATH: Final = "/hashsharing"

#: A reason for each of the kinds that feedback is about, as the double lists them.
REASON: Final = "00000000-0000-4000-8000-000000000001"


@attrs.frozen(kw_only=True)
class State:
    """An entry as it was from a time on; without fingerprints if it was deleted then."""

    member: str
    entry: str
    at: datetime
    kind: str = "image"
    deleted: bool = False
    classification: str | None = None
    #: By the names of their elements.
    fingerprints: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    disputed: bool = False
    #: XML that the entry also has.
    more: str = ""


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to a request instead of a right answer.

    Args:
        at: how many requests pass before it.
        times: how many requests it then happens to.
        status, headers, body: what is answered.
        cut: half of the right answer is sent, and the connection closed; with 0 nothing is.
        then: called when it strikes, before anything is answered.
    """

    at: int = 0
    times: int = 1
    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)
    cut: float | None = None
    then: Callable[[], object] | None = None


class HashSharingDouble:
    """Serve a list from construction to the end of a `with` block, or to `close`.

    Args:
        username, password: what has to be sent.
        page_size: entries on a page.
        seed: of the order in which a window's entries are sent. It stays the same for a window, as a right one must.
        sends_history: earlier states of an entry are sent, too, in the windows of their times.
        ends: which ends of a window belong to it: "(]", "[]", "[)" or "()".
        upper_case: hashes are written in upper case.
        date: what the service takes for now, for its Date header; none is sent where it returns None.
    """

    def __init__(
        self,
        *,
        username: str = "sandbox",
        password: str = "sandbox",  # noqa: S107 # known to all
        page_size: int = 1000,
        seed: int = 0,
        sends_history: bool = False,
        ends: str = "(]",
        upper_case: bool = False,
        date: Callable[[], datetime | None] = lambda: datetime.now(UTC),
    ) -> None:
        self.username, self.password = username, password
        self.page_size, self.seed = page_size, seed
        self.sends_history, self.ends, self.upper_case = sends_history, ends, upper_case
        self.date = date
        #: To come, in any order.
        self.faults: list[Fault] = []
        #: XML that pages also have, beside images and videos.
        self.more = ""
        #: The paths that were asked for, below the list's address.
        self.requests: list[str] = []
        #: What was sent about entries: path and body.
        self.feedback: list[tuple[str, bytes]] = []
        self._states: list[State] = []
        self._nexts: set[str] = set()
        self._lock = threading.RLock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The list's address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{_PATH}"

    def close(self) -> None:
        """Close the port, and wait for the thread to end. It may be said again."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def put(
        self,
        entry: str,
        *,
        member: str = "42",
        at: datetime | None = None,
        kind: str = "image",
        classification: str | None = None,
        fingerprints: Mapping[str, str] | None = None,
        disputed: bool = False,
        more: str = "",
    ) -> None:
        """Put an entry on the list, or change it, at a time; now, where nothing is said."""
        self.change(
            State(
                member=member,
                entry=entry,
                at=at or datetime.now(UTC),
                kind=kind,
                classification=classification,
                fingerprints=dict(fingerprints or {}),
                disputed=disputed,
                more=more,
            )
        )

    def delete(self, entry: str, *, member: str = "42", at: datetime | None = None, kind: str = "image") -> None:
        """Take an entry off the list: a tombstone remains."""
        self.change(State(member=member, entry=entry, at=at or datetime.now(UTC), kind=kind, deleted=True))

    def change(self, state: State) -> None:
        """Let an entry have another state from its time on."""
        with self._lock:
            self._states.append(attrs.evolve(state, at=state.at.astimezone(UTC).replace(microsecond=0)))

    def entries(self) -> dict[tuple[str, str], State]:
        """Return the list as it is now, by member and entry: what a perfect sync has."""
        return {key: state for key, state in self._latest().items() if not state.deleted}

    @property
    def states(self) -> tuple[State, ...]:
        """Return everything that any entry ever was."""
        with self._lock:
            return tuple(self._states)

    def _latest(self) -> dict[tuple[str, str], State]:
        latest: dict[tuple[str, str], State] = {}
        with self._lock:
            for state in self._states:
                known = latest.get((state.member, state.entry))
                if known is None or (state.at, state.deleted) >= (known.at, known.deleted):
                    latest[state.member, state.entry] = state
        return latest

    # -- what is answered --------------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer a request whose credentials are right."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self.requests.append(target)
            match method, parts.path.split("/")[1:]:
                case "GET", ["v2", "status"]:
                    return 200, _document(
                        "status",
                        "<ipAddress>127.0.0.1</ipAddress><username>sandbox</username>" + _member("1", "Example Member"),
                    )
                case "GET", ["v2", "members"]:
                    found = sorted({state.member for state in self._states})
                    return 200, _document("members", "".join(_member(one, f"Member {one}") for one in found))
                case "GET", ["v2", "entries"]:
                    return self._page(target, query)
                case "GET", ["v2", "categorizations"]:
                    group = '<group name="Example" allowMultiple="true"><categorization guid="c-1" name="One"/></group>'
                    return 200, _document("availableCategorizations", group)
                case "GET", ["v2", "feedback", kind, "reasons"]:
                    one = f'<reason guid="{REASON}" name="Made up" type={quoteattr(kind.capitalize())}/>'
                    return 200, _document("availableFeedbackReasons", one)
                case "PUT", ["v2", "entries", _, _, _, "feedback"]:
                    self.feedback.append((target, body))
                    return 200, b""
                case _:
                    return 404, b"<html>not here</html>"

    def _page(self, target: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        # The address of a page is good only as it was given out.
        if "start" in query and target not in self._nexts:
            return 400, b""
        try:
            after, until = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
            start = int(query.get("start", "1"))
        except (KeyError, ValueError):
            return 400, b""
        found = self._window(after, until)
        shown = found[start - 1 : start - 1 + self.page_size]
        content = "".join(
            self._holder(kind, [state for state in shown if state.kind == kind]) for kind in ("image", "video")
        )
        end = start + self.page_size
        if end <= len(found):
            ends = [quote(time.strftime("%Y-%m-%dT%H:%M:%S.000Z")) for time in (after, until)]
            next = f"/v2/entries?from={ends[0]}&to={ends[1]}&start={end}&size={self.page_size}&max={len(found)}"
            self._nexts.add(next)
            content += f"<paging><next>{escape(next)}</next></paging>"
        return 200, _document("queryResult", self.more + content)

    def _window(self, after: datetime, until: datetime) -> list[State]:
        states = self._states if self.sends_history else self._latest().values()
        first, last = timedelta(seconds=self.ends[0] == "("), timedelta(seconds=self.ends[1] == ")")
        found = [state for state in states if after + first <= state.at <= until - last]
        random.Random(f"{self.seed} {after} {until}").shuffle(found)  # noqa: S311 # disorder, not a secret
        return found

    def _holder(self, kind: str, states: Sequence[State]) -> str:
        if not states:
            return f'<{kind}s count="0"/>'
        last = _written(max(state.at for state in states))
        return f'<{kind}s count="{len(states)}" maxTimestamp="{last}">{"".join(map(self._entry, states))}</{kind}s>'

    def _entry(self, state: State) -> str:
        name = f"deleted{state.kind.capitalize()}" if state.deleted else state.kind
        content = (
            _member(state.member, f"Member {state.member}")
            + f"<timestamp>{_written(state.at)}</timestamp><id>{escape(state.entry)}</id>"
            + ("" if state.classification is None else f"<classification>{state.classification}</classification>")
        )
        if not state.deleted:
            values = ((name, one.upper() if self.upper_case else one) for name, one in state.fingerprints.items())
            content += (
                f"<fingerprints>{''.join(f'<{name}>{escape(one)}</{name}>' for name, one in values)}</fingerprints>"
            )
        if state.disputed:
            reason = f'<reasons><reason guid="{REASON}" name="Made up" type="Md5"/></reasons>'
            content += f'<feedback><negativeFeedback type="Md5">{reason}</negativeFeedback></feedback>'
        return f"<{name}>{content}{state.more}</{name}>"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    #: Whoever hung up gets no complaint.
    block_on_close = False

    def __init__(self, double: HashSharingDouble) -> None:
        self.double = double
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of a test may die in the middle of a request."""

    def strike(self) -> Fault | None:
        """Return the fault of this request, and count the request for those to come."""
        struck: Fault | None = None
        with self._lock:
            left = []
            for fault in self.double.faults:
                if fault.at > 0:
                    left.append(attrs.evolve(fault, at=fault.at - 1))
                elif struck is None:
                    struck = fault
                    if fault.times > 1:
                        left.append(attrs.evolve(fault, times=fault.times - 1))
                else:
                    left.append(fault)
            self.double.faults[:] = left
        return struck


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: A client that is gone is not waited for.
    timeout = 30
    #: Else the head of an answer waits for the client to say that it has seen the one before.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.strike()
        if fault is not None and fault.then is not None:
            fault.then()
        if fault is not None and fault.status is not None:
            self._send(fault.status, fault.body, fault.headers)
            return
        double = self.server.double
        secret = base64.b64encode(f"{double.username}:{double.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {secret}":
            self._send(401, b"", {"WWW-Authenticate": "Basic"})
        elif not self.path.startswith(_PATH + "/"):
            self._send(404, b"")
        else:
            self._send(
                *double.answer(self.command, self.path.removeprefix(_PATH), body),
                cut=None if fault is None else fault.cut,
            )

    def _send(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, cut: float | None = None
    ) -> None:
        if cut == 0:
            self.close_connection = True
            return
        self.send_response_only(status)
        date = self.server.double.date()
        given = {"Content-Type": "application/xml", "Content-Length": str(len(body))} | dict(headers or {})
        if date is not None:
            given["Date"] = format_datetime(date.astimezone(UTC), usegmt=True)
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[: int(len(body) * cut)])
        self.close_connection = self.close_connection or cut is not None


def _document(root: str, content: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f'{head}<{root} xmlns="{_NAMESPACE}">{content}</{root}>'.encode()


def _member(id: str, name: str) -> str:
    return f"<member id={quoteattr(id)}>{escape(name)}</member>"


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

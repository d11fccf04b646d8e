"""Canaries in every sensitive place: in no log, no repr, no error, no argument of a task, no name of a thread."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import attrs
import pytest

from cybertip.adapters.queue.memory import MemoryQueue
from cybertip.courier import Courier
from cybertip.drivers import head_of
from cybertip.errors import CybertipError
from cybertip.filing import FileEntry, Filing, Journal, Status
from cybertip.filing.events import Filed, decode
from cybertip.model import Edition, FileDescription, Report, evolve
from cybertip.model.declaration import Field, Lexical, Simple
from cybertip.ports.evidence import entry_of
from cybertip.protocol import Answer, Credentials, Environment
from cybertip.sandbox import Behaviour, running
from cybertip.testing.faults import Crash, Faults, answered, away, corrupt, crash, lost_answer, unreadable

CANARY = "canary-4f1d"
CANARIES: dict[Lexical, Any] = {
    Lexical.STRING: CANARY,
    Lexical.TOKEN: CANARY,
    Lexical.INT: 1987654321,
    Lexical.LONG: 1987654321,
    Lexical.DOUBLE: 19.87654321,
    Lexical.DATE: date(1987, 6, 5),
    Lexical.BOOLEAN: True,
    Lexical.DATETIME: datetime(1987, 6, 5, 4, 3, 21, tzinfo=UTC),
}
TRACES = (CANARY, "1987654321", "19.87654321", "1987-06-05", "1987, 6, 5")
BYTES = f"synthetic bytes with a {CANARY}".encode()


def canary_of(field: Field) -> Any:
    """Return a value of a field's type that can be told from all others wherever it turns up."""
    kind = field.type
    if not isinstance(kind, Simple):
        words: Any = kind
        return list(words)[-1]
    if kind.pattern is not None:
        return "+987" if kind.pattern.startswith("\\+") else "1987654321"
    return CANARIES[kind.lexical]


class Listener:
    """Hears everything that goes in and out of ports and hooks, as somebody's log or debugger would show it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, *things: Any) -> None:
        for thing in things:
            self.heard += [repr(thing), str(thing)]
        self.heard += [thread.name for thread in threading.enumerate()]

    def around(self, port: Any) -> Any:
        return _Heard(self, port)


class _Heard:
    def __init__(self, listener: Listener, port: Any) -> None:
        self._listener, self._port = listener, port

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def calling(*args: Any, **kwargs: Any) -> Any:
            self._listener.hear(name, args, kwargs)
            try:
                result = found(*args, **kwargs)
            except Exception as error:
                self._listener.hear(error, error.args)
                raise
            self._listener.hear(result)
            return result

        return calling


def quoting(code: int) -> Answer:
    """Return a refusal in which NCMEC quotes what was sent, as it does."""
    text = (
        f"<reportResponse><responseCode>{code}</responseCode><responseDescription>Value '{CANARY}' is not facet-valid"
    )
    return Answer(status=200, body=f"{text}</responseDescription></reportResponse>".encode())


def other_bytes(file: Any) -> BytesIO:
    data = file.read()
    return BytesIO(data[:-1] + b"!")


#: What goes wrong, and so makes somebody say something.
TROUBLES: dict[str, Callable[[], list[Any]]] = {
    "nothing": list,
    "answers are lost": lambda: [lost_answer("/upload"), lost_answer("/retract"), lost_answer("/finish")],
    "NCMEC quotes what was sent": lambda: [answered("/fileinfo", quoting(4100))],
    "NCMEC answers with what was sent": lambda: [corrupt("/submit", lambda _: Answer(status=200, body=BYTES))],
    "an unknown code": lambda: [answered("/upload", quoting(7777))],
    "credentials are refused": lambda: [answered("/submit", quoting(3100))],
    "other bytes arrive": lambda: [corrupt("open", other_bytes, at=1), corrupt("open", other_bytes, at=3)],
    "evidence is unreadable": lambda: [unreadable(at=1)],
    "evidence is gone": lambda: [unreadable()],
    "storage is away": lambda: [away("append", at=2), away("renew"), away("claim_due", at=1)],
    "the process dies": lambda: [crash("/upload")],
}


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever anybody logs is looked at, down to the last detail."""
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def secret(new_world: Any, filled: Callable[..., Any]) -> Any:
    """A world in which a filing waits that has a canary in every sensitive place."""
    world = new_world(behaviour=Behaviour(check_rules=False, edition=Edition.V2026_08))
    world.evidence.kept[f"{CANARY}/reference"] = BYTES
    report: Report = filled(Report, canary_of)
    user = evolve(report.persons_or_users_reported[0], esp_identifier="case-1")
    filing = Filing(
        report=evolve(report, persons_or_users_reported=(user, *report.persons_or_users_reported[1:])),
        files=(
            entry_of(
                world.evidence,
                f"{CANARY}/reference",
                name=f"{CANARY}.png",
                media_type="image/png",
                description=filled(FileDescription, canary_of),
            ),
        ),
        edition=Edition.V2026_08,
    )
    world.filings["case-1"] = filing
    # Recorded as it is: no rule is to keep a canary out.
    filed = Filed(environment="sandbox", filing=filing, tenant="north", tags=("urgent",))
    journal = Journal(key="case-1").then(filed, world.time.now())
    world.storage.append(journal.pending, head_of(journal, world.time.now()), expected=0)
    return world


def shown(world: Any) -> Iterator[Any]:
    """Yield everything about a submission that somebody could show."""
    entries = world.storage.read("case-1")
    journal = Journal.of("case-1", entries)
    yield from (journal, journal.submission, world.filings["case-1"], *world.filings["case-1"].files, *entries)
    yield from (decode(entry.kind, entry.data) for entry in entries)
    head = world.storage.head("case-1")
    yield from (head, attrs.asdict(head))
    for topic in ("alarm", "receipt"):
        for letter in world.letters(topic):
            # What is in a letter is an argument of a task in somebody's queue.
            yield from (letter, attrs.asdict(letter))


def assert_silent(texts: Any) -> None:
    leaks = {(trace, text[:300]) for text in texts for trace in TRACES if trace in text}
    assert leaks == set()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_f53_no_canary_gets_out(secret: Any, kit: Any, caplog: pytest.LogCaptureFixture, trouble: str) -> None:
    """With whatever goes wrong, nothing that is shown, logged, raised, queued or named tells anything of what is filed."""
    listener, faults = Listener(), Faults(*TROUBLES[trouble]())
    ports = {
        "storage": listener.around(faults.around(secret.storage)),
        "evidence": faults.around(secret.evidence),
        "transport": faults.around(kit.Wire(secret)),
        "queue": listener.around(MemoryQueue()),
        "clock": secret.time,
    }
    courier = Courier(
        kit.ENVIRONMENT, watch=listener.hear, progress=listener.hear, worker="worker-1", policy=secret.policy, **ports
    )
    for _ in range(60):
        try:
            courier.run_due(concurrency=2)
            listener.hear(courier, courier.status("case-1"), courier.receipt("case-1"))
            if secret.status() is Status.NEEDS_HUMAN:
                listener.hear(courier.override("case-1", actor="reviewer", reason=CANARY))
        except CybertipError as error:
            listener.hear(error, error.args, error.__cause__)
        except Crash:
            courier = secret.courier()
        secret.time.advance(timedelta(minutes=10))
    assert secret.status() is Status.FINISHED
    # They were there, and arrived.
    (arrived,) = [one for one in secret.ncmec.reports() if one["state"] == "finished"]
    assert arrived["report"].count(CANARY) > 50
    assert arrived["files"][0]["filename"] == f"{CANARY}.png"
    assert CANARY in arrived["files"][0]["details"]
    listener.hear(*shown(secret))
    assert len(listener.heard) > 100
    assert_silent(listener.heard)
    assert_silent(record.getMessage() for record in caplog.records)
    assert_silent(repr(vars(record)) for record in caplog.records)


def test_f53_a_persons_words_are_not_shown(secret: Any) -> None:
    """Why a person decided something is on record, and in no repr: it may name anybody."""
    courier = secret.courier()
    courier.override("case-1", actor="reviewer", reason=CANARY)
    courier.retract("case-1", actor="reviewer", reason=CANARY)
    listener = Listener()
    listener.hear(*shown(secret), courier.status("case-1"))
    assert_silent(listener.heard)
    assert CANARY in secret.storage.read("case-1")[-1].data


def test_f53_over_http(secret: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What httpx and the server log of an upload, of broken lines and of refused credentials tells nothing either."""
    password = f"{CANARY}-password"
    with running(secret.ncmec) as url:
        ports = {"storage": secret.storage, "evidence": secret.evidence, "clock": secret.time}
        wrong = Credentials(username="sandbox", password=password)
        with Courier(Environment.sandbox(url), wrong, **ports) as courier:
            courier.run_due()
        secret.time.advance(timedelta(hours=1))
        right = Credentials(username="sandbox", password="sandbox")
        with Courier(Environment.sandbox(url), right, **ports) as courier:
            secret.settle(courier)
    assert secret.status() is Status.FINISHED
    assert len(caplog.records) > 10
    assert_silent(record.getMessage() for record in caplog.records)


def test_f53_the_canaries_are_heard_where_they_are_shown(secret: Any) -> None:
    """The listener is not deaf: what does hold a canary is found."""
    listener = Listener()
    entry: FileEntry = secret.filings["case-1"].files[0]
    listener.hear(entry.name)
    with pytest.raises(AssertionError):
        assert_silent(listener.heard)

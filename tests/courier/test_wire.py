"""The clients that a courier makes: no more than it needs, and none that is closed under a call."""

import threading
from typing import Any

import pytest

from cybertip.adapters.transport import httpx_transport
from cybertip.courier.wire import Wire
from cybertip.errors import NeverSent
from cybertip.protocol import Answer, Credentials, Environment, status

SANDBOX = Environment.sandbox("http://127.0.0.1:8025")
CREDENTIALS = Credentials(username="sandbox", password="sandbox")


class Client:
    """A client that notes whether it was closed, and answers when it may."""

    made: list["Client"]
    may_answer: threading.Event
    called: threading.Event

    def __init__(self, *_: Any) -> None:
        self.closed = False
        self.made.append(self)

    def exchange(self, *_: Any) -> Answer:
        self.called.set()
        assert self.may_answer.wait(60)
        assert not self.closed
        return Answer(status=200)

    def close(self) -> None:
        assert not self.closed
        self.closed = True


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    """The clients that are made."""
    Client.made, Client.may_answer, Client.called = [], threading.Event(), threading.Event()
    Client.may_answer.set()
    monkeypatch.setattr(httpx_transport, "HttpxTransport", Client)
    return Client.made


def test_a_client_whose_credentials_were_refused_is_closed(clients: list[Client]) -> None:
    """Credentials that are refused for hours leave no connections behind."""
    wire = Wire(SANDBOX, CREDENTIALS, None)
    for _ in range(100):
        wire.exchange(status())
        wire.renew()
    assert len(clients) == 100
    assert all(client.closed for client in clients)
    wire.close()


def test_a_call_that_is_under_way_keeps_its_client(clients: list[Client]) -> None:
    """An upload goes on with the old credentials; its client is closed when it is done with."""
    wire = Wire(SANDBOX, CREDENTIALS, None)
    Client.may_answer.clear()
    calling = threading.Thread(target=wire.exchange, args=(status(),))
    calling.start()
    assert Client.called.wait(60)
    wire.renew()
    assert not clients[0].closed
    Client.may_answer.set()
    calling.join(60)
    assert clients[0].closed
    wire.close()


def test_a_client_that_cannot_be_made_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process has no files left, nothing was sent, and the submission waits."""

    def fail(*_: Any) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(httpx_transport, "HttpxTransport", fail)
    wire = Wire(SANDBOX, CREDENTIALS, None)
    with pytest.raises(NeverSent, match="no connection can be made here"):
        wire.exchange(status())

"""The double in memory, behind httpx."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cybertip.sandbox import Answer, Behaviour, Fault, Ncmec, SandboxTransport

BASE = "https://ncmec.example.com"
AUTH = ("sandbox", "sandbox")


@pytest.fixture
def ncmec() -> Ncmec:
    return Ncmec()


@pytest.fixture
def client(ncmec: Ncmec) -> httpx.Client:
    return httpx.Client(base_url=BASE, transport=SandboxTransport(ncmec), auth=AUTH)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_async_client_files_a_report(caller: Any, ncmec: Ncmec) -> None:
    """Under any event loop, with a body that is streamed."""

    async def body(report_id: str) -> AsyncIterator[bytes]:
        for byte in caller.form(report_id, b"abc"):
            yield bytes([byte])

    async with httpx.AsyncClient(base_url=BASE, transport=SandboxTransport(ncmec), auth=AUTH) as client:
        opened = await client.post("/ispws/submit", content=caller.report_xml(), headers={"Content-Type": "text/xml"})
        report_id = opened.text.partition("<reportId>")[2][:9]
        kind = {"Content-Type": caller.multipart}
        uploaded = await client.post("/ispws/upload", content=body(report_id), headers=kind)
        assert "900150983cd24fb0d6963f7d28e17f72" in uploaded.text
        ncmec.faults.append(Fault(endpoint="/finish", when="after", answer="truncate"))
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await client.post("/ispws/finish", data={"id": report_id})
    assert ncmec.reports()[0]["state"] == "finished"


@pytest.mark.parametrize(
    ("answer", "error"),
    [("drop", httpx.RemoteProtocolError), ("truncate", httpx.RemoteProtocolError), ("hang", httpx.ReadTimeout)],
)
def test_broken_answers_are_httpx_errors(
    client: httpx.Client, ncmec: Ncmec, answer: Any, error: type[Exception]
) -> None:
    """A client meets in memory the errors that it would meet on the wire."""
    ncmec.faults.append(Fault(endpoint="/status", when="after", answer=answer))
    with pytest.raises(error):
        client.get("/ispws/status")
    assert client.get("/ispws/status").status_code == 200


def test_a_wrong_length_is_sent_as_it_is_ordered(client: httpx.Client, ncmec: Ncmec) -> None:
    """A body that is shorter than its header says breaks off, and a longer one is cut."""
    ncmec.faults.append(
        Fault(endpoint="/status", when="before", answer=Answer(200, (("content-length", "9"),), b"abc"))
    )
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/ispws/status")
    ncmec.faults.append(
        Fault(endpoint="/status", when="before", answer=Answer(200, (("content-length", "2"),), b"abc"))
    )
    assert client.get("/ispws/status").content == b"ab"


def test_a_refused_client_is_not_listened_to(client: httpx.Client) -> None:
    """Whoever has no credentials sends no body."""

    def body() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    assert client.post("/ispws/upload", content=body(), auth=("a", "b")).status_code == 401


def test_a_body_that_fails_adds_nothing(caller: Any, tmp_path: Path) -> None:
    """A client whose file cannot be read any further has uploaded nothing."""
    ncmec = Ncmec(Behaviour(keep=tmp_path))

    def body() -> Iterator[bytes]:
        yield caller.form(1)[:-10]
        raise OSError("the disk is gone")

    with (
        httpx.Client(base_url=BASE, transport=SandboxTransport(ncmec), auth=AUTH) as client,
        pytest.raises(OSError, match="the disk"),
    ):
        client.post("/ispws/upload", content=body(), headers={"Content-Type": caller.multipart})
    assert list(tmp_path.iterdir()) == []

"""The double on a real loopback port, for clients that are not ours."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cybertip.sandbox import Answer, Behaviour, Fault, Ncmec, running, serve

EXAMPLE = Path(__file__).parents[2] / "examples/file_with_curl.sh"
AUTH = ("sandbox", "sandbox")
XML = {"Content-Type": "text/xml"}


@pytest.fixture(scope="module")
def ncmec() -> Ncmec:
    return Ncmec()


@pytest.fixture(scope="module")
def client(ncmec: Ncmec) -> Iterator[httpx.Client]:
    with running(ncmec) as url, httpx.Client(base_url=url, auth=AUTH, trust_env=False) as client:
        yield client


def test_a_report_is_filed_over_a_socket(caller: Any, client: httpx.Client, ncmec: Ncmec) -> None:
    """All seven endpoints and the control routes answer over HTTP as they do in memory."""
    assert "Remote Ip : 127.0.0.1" in client.get("/ispws/status").text
    assert client.get("/ispws/xsd").content == caller.call("GET", "/xsd").answer.body
    report_id = opened(caller, client)
    uploaded = client.post("/ispws/upload", data={"id": report_id}, files={"file": ("a b.bin", b"abc", "image/png")})
    file_id = text_of("fileId", uploaded)
    described = client.post("/ispws/fileinfo", content=caller.details_xml(int(report_id), file_id), headers=XML)
    assert text_of("responseCode", described) == "0"
    finished = client.post("/ispws/finish", data={"id": report_id})
    assert text_of("fileId", finished) == file_id
    assert text_of("responseCode", client.post("/ispws/retract", data={"id": report_id})) == "5102"
    listed = client.get("/_sandbox/reports", auth=None).json()
    assert listed == ncmec.reports()
    assert listed[-1]["files"][0]["filename"] == "a b.bin"
    assert len(finished.headers.get_list("date")) == 1
    assert "server" not in finished.headers


def opened(caller: Any, client: httpx.Client) -> str:
    return text_of("reportId", client.post("/ispws/submit", content=caller.report_xml(), headers=XML))


def text_of(element: str, response: httpx.Response) -> str:
    return response.text.partition(f"<{element}>")[2].partition("<")[0]


def test_a_stream_of_unknown_length_is_taken(caller: Any, client: httpx.Client) -> None:
    """A form that is sent in chunks, without a length, arrives whole."""
    head, tail = caller.form(opened(caller, client), b"|").split(b"|")
    block = bytes(range(256)) * 1024

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(40):
            yield block
        yield tail

    reply = client.post("/ispws/upload", content=body(), headers={"Content-Type": caller.multipart})
    assert text_of("hash", reply) == hashlib.md5(block * 40).hexdigest()


@pytest.mark.parametrize("size", [10, 500_000, 5_000_000])
def test_wrong_credentials_are_answered_before_a_long_body(client: httpx.Client, size: int) -> None:
    """The refusal reaches the client, however much it still has to send."""
    reply = client.post("/ispws/upload", files={"file": b"0" * size}, auth=("sandbox", "wrong"))
    assert (reply.status_code, reply.content) == (401, b"")
    # A short body is read to its end, and the connection goes on.
    assert ("connection" in reply.headers) == (size > 1024 * 1024)
    assert client.get("/ispws/status").status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("answer", ["drop", "truncate"])
def test_a_lost_answer_is_a_broken_connection(
    caller: Any, client: httpx.Client, ncmec: Ncmec, when: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The client sees the connection close; whether the report was finished it cannot know. Nothing is logged."""
    report_id = opened(caller, client)
    ncmec.faults.append(Fault(endpoint="/finish", when=when, answer=answer))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
        client.post("/ispws/finish", data={"id": report_id})
    assert ncmec.reports()[-1]["state"] == ("finished" if when == "after" else "open")
    assert text_of("responseCode", client.post("/ispws/finish", data={"id": report_id})) == (
        "5102" if when == "after" else "0"
    )
    assert caplog.records == []


def test_an_answer_that_never_comes_ends_with_the_clients_patience(client: httpx.Client, ncmec: Ncmec) -> None:
    """A hung server is told by a timeout alone."""
    ncmec.faults.append(Fault(endpoint="/status", when="before", answer="hang"))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/ispws/status", timeout=0.2)
    assert client.get("/ispws/status").status_code == 200


def test_a_wrong_length_is_sent_as_it_is_ordered(client: httpx.Client, ncmec: Ncmec) -> None:
    """A body that is shorter than its header says breaks the connection, and a longer one is cut."""
    ncmec.faults.append(
        Fault(endpoint="/status", when="before", answer=Answer(200, (("Content-Length", "9"),), b"abc"))
    )
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/ispws/status")
    ncmec.faults.append(
        Fault(endpoint="/status", when="before", answer=Answer(200, (("Content-Length", "2"),), b"abc"))
    )
    assert client.get("/ispws/status").content == b"ab"


def test_an_upload_that_breaks_off_adds_nothing(caller: Any, tmp_path: Path) -> None:
    """Half a form is no file, neither in the report nor in the folder."""
    ncmec = Ncmec(Behaviour(keep=tmp_path))
    report_id = type(caller)(ncmec).opened()
    with running(ncmec) as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as line:
            head = f"POST /ispws/upload HTTP/1.1\r\nHost: a\r\nAuthorization: {caller.basic()['Authorization']}\r\n"
            line.sendall(f"{head}Content-Type: {caller.multipart}\r\nContent-Length: 100000\r\n\r\n".encode())
            line.sendall(caller.form(report_id)[:-10])
            wait_until(lambda: list(tmp_path.iterdir()) != [])
        wait_until(lambda: list(tmp_path.iterdir()) == [])
    assert ncmec.reports()[0]["files"] == []


def wait_until(holds: Any) -> None:
    """Wait for what the server does in its own time, for ten seconds at most."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_kept_file_streams_back(caller: Any, tmp_path: Path) -> None:
    """What was uploaded can be fetched and compared."""
    ncmec = Ncmec(Behaviour(keep=tmp_path))
    report_id = type(caller)(ncmec).opened()
    data = bytes(range(256)) * 1000
    file_id = type(caller)(ncmec).uploaded(report_id, data)
    with running(ncmec) as url:
        reply = httpx.get(f"{url}/_sandbox/reports/{report_id}/files/{file_id}", trust_env=False)
    assert (reply.content, reply.headers["content-length"]) == (data, "256000")


def test_stopping_waits_for_nobody(ncmec: Ncmec) -> None:
    """A server with an open connection and an answer that never comes stops at once, and leaves no thread."""
    before = threading.active_count()
    hanging = Ncmec()
    hanging.faults.append(Fault(endpoint="/status", when="before", answer="hang"))
    with running(hanging) as url:
        port = int(url.rpartition(":")[2])
        line = socket.create_connection(("127.0.0.1", port))
        line.sendall(b"GET /ispws/status HTTP/1.1\r\nHost: a\r\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\r\n\r\n")
        wait_until(lambda: not hanging.faults)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    line.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
def test_only_loopback_is_listened_on(host: str) -> None:
    """The control routes ask for no credentials, so they are for this machine alone unless told otherwise."""
    with pytest.raises(ValueError), running(host=host):
        pass
    with pytest.raises(ValueError):
        serve(Behaviour(), host=host, port=0)


def test_a_taken_port_is_an_error() -> None:
    """A second server does not silently share the port of the first."""
    with running() as url, pytest.raises(OSError, match="in use"):
        serve(port=int(url.rpartition(":")[2]))


def test_without_a_double_the_clock_is_the_systems() -> None:
    """The command's double knows what time it is, and runs."""
    with running(Behaviour(username="a", password="b")) as url, httpx.Client(base_url=url, trust_env=False) as client:
        times = [client.get("/_sandbox/clock").json()["now"] for _ in range(2)]
        assert client.get("/ispws/status", auth=("a", "b")).status_code == 200
    assert times[0] < times[1]
    assert abs(time.time() - time.mktime(time.strptime(times[0][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60


@pytest.fixture
def served() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server in the foreground of a process of its own, and its address."""
    program = "from cybertip.sandbox import serve; serve(port=0, ready=lambda url: print(url, flush=True))"
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_the_server_in_the_foreground_stops_on_control_c(served: tuple["subprocess.Popen[str]", str]) -> None:
    """It answers as soon as it has told its address, says nothing else, and ends without an error."""
    process, url = served
    assert httpx.get(f"{url}/ispws/status", auth=AUTH, trust_env=False).status_code == 200
    process.send_signal(signal.SIGINT)
    assert (*process.communicate(timeout=10), process.returncode) == ("", "", 0)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: the example files a report with it")
def test_a_client_that_is_not_ours_files_a_report(ncmec: Ncmec, client: httpx.Client) -> None:
    """The example, which is curl commands alone, files a report with a file and its details."""
    environment = os.environ | {"SANDBOX_URL": str(client.base_url).rstrip("/")}
    run = subprocess.run(["sh", str(EXAMPLE)], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    filed = ncmec.reports()[-1]
    assert run.stdout.endswith(f"report {filed['reportId']} is filed, with file {filed['files'][0]['fileId']}\n")
    assert filed["state"] == "finished"
    assert filed["files"][0]["md5"] == hashlib.md5(b"synthetic bytes, which depict nothing\n").hexdigest()
    assert "example.txt" in filed["files"][0]["details"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: the example files a report with it")
def test_the_example_stops_where_it_is_refused(ncmec: Ncmec, client: httpx.Client) -> None:
    """No step is taken after one that failed: a report is finished whole or not at all."""
    ncmec.faults.append(Fault(endpoint="/fileinfo", when="before", answer=1000))
    environment = os.environ | {"SANDBOX_URL": str(client.base_url).rstrip("/")}
    run = subprocess.run(["sh", str(EXAMPLE)], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (1, "/fileinfo was refused: do not go on\n")
    assert ncmec.reports()[-1]["state"] == "open"

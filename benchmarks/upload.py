"""How fast a large file goes up, what that costs in memory, and whether the event loop stays free.

    python benchmarks/upload.py [--size 1024] [--runs 5] [--json]

Everything goes over loopback to one bare server in its own process, which reads, discards and answers. The yardstick is
`http.client` with the same form and blocks of 1 MiB (its own default of 8 KiB is several times slower): "in turn" hashes a
block, then sends it; "only send" knows the MD5. Runs are interleaved, and the medians are compared; a ratio above 1 means
that we are faster. Memory is the growth of a fresh process's peak while it uploads.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel

from cybertip import AsyncClient, Client, Environment, HashMismatch, ReportId
from cybertip.protocol import FilePart, frame

REPORT = ReportId(4564654)
NAME = "example.bin"
MIB = 1024 * 1024
#: What http.client reads, hashes and sends at a time.
BLOCK = MIB
#: The blocks in which it sends a file that it is given whole.
AS_IT_COMES = 8192


# -- the server ---------------------------------------------------------------------------------------------------------


def serve(md5: str) -> None:
    """Answer every call of a delivery, uploads with a given MD5, on a port that is printed."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    body = (
        f"<reportResponse><responseCode>0</responseCode><responseDescription/><reportId>{REPORT}</reportId>"
        f"<fileId>{'0' * 32}</fileId><hash>{md5}</hash></reportResponse>"
    ).encode()
    done = (
        f"<reportDoneResponse><responseCode>0</responseCode><reportId>{REPORT}</reportId><files/></reportDoneResponse>"
    )
    replies = [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(one), one)
        for one in (body, done.encode())
    ]
    buffer = memoryview(bytearray(MIB))
    while True:
        connection, _ = listener.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            fields, _, rest = head.partition(b"\r\n\r\n")
            lines = (line.partition(b":") for line in fields.split(b"\r\n")[1:])
            left = next(int(value) for name, _, value in lines if name.lower() == b"content-length") - len(rest)
            while left > 0:
                left -= connection.recv_into(buffer)
            connection.sendall(replies[b"/finish " in fields.partition(b"\r\n")[0]])


def start(md5: str) -> tuple[subprocess.Popen[str], str]:
    """Start the server; return its process and address."""
    command = [sys.executable, __file__, "--serve", md5]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{int(process.stdout.readline())}"


# -- the contestants ----------------------------------------------------------------------------------------------------


def with_http_client(url: str, path: Path, *, digest: bool, block_size: int = BLOCK) -> None:
    """Send the form as a careful program without a library would."""
    size = path.stat().st_size
    framed = frame(report_id=REPORT, file=FilePart(name=NAME, size=size), boundary="0123456789abcdef0123456789abcdef")
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", "/ispws/upload")
    connection.putheader("Content-Type", framed.content_type)
    connection.putheader("Content-Length", str(len(framed.head) + size + len(framed.tail)))
    connection.endheaders(framed.head)
    md5 = hashlib.md5(usedforsecurity=False)
    with path.open("rb", buffering=0) as file:
        while block := file.read(block_size):
            if digest:
                md5.update(block)
            connection.send(block)
    connection.send(framed.tail)
    answer = connection.getresponse().read()
    assert not digest or md5.hexdigest().encode() in answer
    connection.close()


def with_client(url: str, path: Path, md5: str | None) -> None:
    """Upload with `Client`."""
    with Client(Environment.sandbox(url)) as ncmec:
        ncmec.upload(REPORT, path, name=NAME, md5=md5)


async def with_async_client(url: str, path: Path, md5: str | None) -> None:
    """Upload with `AsyncClient`."""
    async with AsyncClient(Environment.sandbox(url)) as ncmec:
        await ncmec.upload(REPORT, path, name=NAME, md5=md5)


async def longest_block(url: str, path: Path, md5: str | None) -> float:
    """Return the longest time, in seconds, that an upload kept the event loop from running anything else."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await anyio.lowlevel.checkpoint()
            longest = max(longest, time.perf_counter() - before)
            await anyio.sleep(0.001)

    async with AsyncClient(Environment.sandbox(url)) as ncmec, anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await ncmec.upload(REPORT, path, name=NAME, md5=md5)
        tasks.cancel_scope.cancel()
    return longest


# -- measuring ----------------------------------------------------------------------------------------------------------


def peak() -> int:
    """Return this process's peak memory in bytes.

    Linux says what this program used; what `getrusage` says can be the peak of the program that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def growth(kind: str, url: str, path: Path) -> int:
    """Upload in this process, which `measure` starts for it, and return by how much its peak memory grew."""
    small = path.with_suffix(".small")
    run: Callable[[Path], object] = (
        (lambda file: with_client(url, file, None))
        if kind == "sync"
        else (lambda file: anyio.run(with_async_client, url, file, None))
    )
    # What any exchange costs (certificates, an event loop) is not the upload's.
    with contextlib.suppress(HashMismatch):
        run(small)
    before = peak()
    run(path)
    return peak() - before


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def measure(size: int, runs: int) -> dict[str, float]:
    """Measure everything with a file of `size` MiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.bin"
        digest = hashlib.md5(usedforsecurity=False)
        with path.open("wb") as file:
            for number in range(size):
                block = bytes([number % 251]) * MIB
                digest.update(block)
                file.write(block)
        path.with_suffix(".small").write_bytes(b"example")
        md5 = digest.hexdigest()
        process, url = start(md5)
        try:
            contestants: dict[str, Callable[[], object]] = {
                "http.client, in turn": lambda: with_http_client(url, path, digest=True),
                "Client, MD5 computed": lambda: with_client(url, path, None),
                "AsyncClient, MD5 computed": lambda: anyio.run(with_async_client, url, path, None),
                "http.client, only send": lambda: with_http_client(url, path, digest=False),
                "http.client, only send, as it comes": lambda: with_http_client(
                    url, path, digest=False, block_size=AS_IT_COMES
                ),
                "Client, MD5 known": lambda: with_client(url, path, md5),
                "AsyncClient, MD5 known": lambda: anyio.run(with_async_client, url, path, md5),
            }
            seconds: dict[str, list[float]] = {name: [] for name in contestants}
            for _ in range(runs):
                for name, contestant in contestants.items():
                    seconds[name].append(timed(contestant))
            medians = {name: statistics.median(found) for name, found in seconds.items()}
            result = {f"{name} (s)": found for name, found in medians.items()}
            plain = medians["http.client, only send, as it comes"]
            in_turn, only_send = medians["http.client, in turn"], medians["http.client, only send"]
            for kind in ("Client", "AsyncClient"):
                result[f"{kind}, MD5 computed: ratio to in turn"] = in_turn / medians[f"{kind}, MD5 computed"]
                result[f"{kind}, MD5 known: ratio to only send"] = only_send / medians[f"{kind}, MD5 known"]
                result[f"{kind}, MD5 known: ratio to its default"] = plain / medians[f"{kind}, MD5 known"]
            for kind in ("sync", "async"):
                command = [sys.executable, __file__, "--growth", kind, url, str(path)]
                grown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                result[f"memory above the start, {kind} (MiB)"] = int(grown) / MIB
            for backend in ("asyncio", "trio"):
                for kind, given in (("computed", None), ("known", md5)):
                    found = [anyio.run(longest_block, url, path, given, backend=backend) for _ in range(runs)]
                    result[f"event loop blocked, {backend}, MD5 {kind} (ms)"] = statistics.median(found) * 1000
        finally:
            process.kill()
            process.wait()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="of the file, in MiB")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--growth", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    elif given.growth:
        kind, url, path = given.growth
        print(growth(kind, url, Path(path)))
    else:
        result = measure(given.size, given.runs)
        if given.json:
            print(json.dumps(result))
        else:
            for name, value in result.items():
                print(f"{name:<50} {value:8.3f}")


if __name__ == "__main__":
    main()

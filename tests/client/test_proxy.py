"""A proxy between us and NCMEC: what it refuses to pass on never reached NCMEC."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from cybertip import Client, Environment, NeverSent, ReportId


@contextmanager
def proxy(answer: bytes) -> Iterator[str]:
    """Listen on loopback, read what a client asks a proxy, and answer it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",  # a tunnel that ends before TLS does
        b"",
    ],
)
def test_a_tunnel_that_did_not_open_carried_nothing(answer: bytes) -> None:
    """Whatever a proxy does before our request leaves, nothing happened at NCMEC."""
    with proxy(answer) as address, httpx.Client(proxy=address, timeout=10) as http:
        ncmec = Client(Environment.sandbox("https://127.0.0.1:9"), http=http)
        with pytest.raises(NeverSent):
            ncmec.finish(ReportId(7))

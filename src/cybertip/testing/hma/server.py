"""The double on a loopback port, for clients in any language."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cybertip.sandbox.answers import Answer
from cybertip.testing.hma.core import Hma
from cybertip.testing.hma.faults import Word

__all__ = ["running"]

#: How often a byte of a body comes that never ends.
_DRIP_FOR = 0.02


@contextmanager
def running(hma: Hma, *, port: int = 0) -> Iterator[str]:
    """Serve in background threads for as long as the block runs, and yield the address, such as `http://127.0.0.1:5100`.

    Args:
        hma: the double that answers; it may be changed meanwhile.
        port: the TCP port on 127.0.0.1; 0 takes a free one.
    """
    server = _Server(hma, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="cybertip-hma", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.cut()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """A server that can end while clients wait for answers that never come."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, hma: Hma, port: int) -> None:
        self.hma = hma
        self.stopping = threading.Event()
        self._lines: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        self._lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._lines.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """Break every connection that is left."""
        for line in list(self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client go away, which is no error of the double."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # as it was given


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Head and body leave one after the other: the second must not wait until the first was acknowledged.
    disable_nagle_algorithm = True
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer, fault = self.server.hma.spoilt(self.command, self.path, dict(self.headers.items()), body)
        if fault == "hang":
            self.server.stopping.wait()
        if fault in ("hang", "drop"):
            self.close_connection = True
            return
        with suppress(OSError):
            self._send(answer, fault)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def _send(self, answer: Answer, fault: Word | None) -> None:
        headers, body, breaks = answer.framed()
        self.send_response_only(answer.status)
        for name, value in headers:
            if not (fault == "trickle" and name.lower() == "content-length"):
                self.send_header(name, value)
        if fault is not None or breaks:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "truncate" else body)
        while fault == "trickle" and not self.server.stopping.wait(_DRIP_FOR):
            self.wfile.write(b" ")

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the addresses hold hashes."""

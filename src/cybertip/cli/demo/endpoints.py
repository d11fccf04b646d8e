"""The platform's endpoints and its store, over HTTP on this machine: a server of their own, as any platform has one.

It answers nobody whose request is not signed as Standard Webhooks (standardwebhooks.com) says, and does nothing twice.
"""

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from cybertip.cli.demo.platform import INFO, Call, Endpoints, Platform
from cybertip.webhooks.signing import Replayed, Seen, Unverified, Verifier, refuse_replay

__all__ = ["running_platform"]


@contextmanager
def running_platform(
    folder: Path, *, secret: str | None = None, elsewhere: Endpoints | None = None
) -> Iterator[Platform]:
    """Run a platform for a while.

    Args:
        folder: its store of media.
        secret: what it shares with whoever calls its endpoints; a new one that nobody else knows, unless given.
        elsewhere: endpoints of somebody else's making, which are called instead of its own.
    """
    from cybertip.adapters.webhooks import MemorySeen
    from cybertip.webhooks.standard import StandardSigner, StandardVerifier

    secret = secret or f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    server = _Server(("127.0.0.1", 0), _Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    server.platform = Platform(folder, url, elsewhere or Endpoints(url=url, signer=StandardSigner([secret])))
    server.verifier, server.seen = StandardVerifier([secret]), MemorySeen()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.platform
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    platform: Platform
    verifier: Verifier
    seen: Seen


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Verify the bytes as they came, and answer."""
        server = cast(_Server, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            verified = server.verifier.verify(body, self.headers.items(), now=datetime.now(UTC))
            if self.path != INFO:
                # What is asked may be asked again; what is told counts once.
                refuse_replay(verified, server.seen)
        except Replayed:
            self._reply(204)
        except Unverified:
            self._reply(401)
        else:
            status, answer = server.platform.answer(Call(path=self.path, id=verified.id, body=json.loads(body)))
            self._reply(status, b"" if answer is None else json.dumps(answer).encode())

    def do_GET(self) -> None:
        """Give a file of the store out."""
        found = cast(_Server, self.server).platform.file(self.path)
        if found is None:
            self._reply(404)
        else:
            self._reply(200, *found)

    def _reply(self, status: int, body: bytes = b"", kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

"""A platform that has built Coop's two endpoints, from Coop's description of them and with nothing of ours.

It is a program of its own: `coop_platform.py KEY.pem...` prints its port, and then each request as a line of JSON.
"""

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEYS: list[rsa.RSAPublicKey] = []


class Handler(BaseHTTPRequestHandler):
    """Answer `/additional-info` and `/preserve`, to whoever signed."""

    def do_POST(self) -> None:
        """Verify the signature over the raw body, whatever it is labelled as, and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not signed(self.headers.get("coop-signature", ""), body):
            self.reply(401, {"error": "signature"})
            return
        asked = json.loads(body)
        print(json.dumps({"path": self.path, "label": self.headers["Content-Type"], "raw": body.decode()}), flush=True)
        if self.path == "/additional-info":
            self.reply(200, answer(asked))
        elif self.path == "/preserve":
            self.reply(204, None)
        else:
            self.reply(404, {"error": "path"})

    def reply(self, status: int, value: Any) -> None:
        """Send a status and perhaps some JSON."""
        body = b"" if value is None else json.dumps(value, indent=2).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def signed(header: str, body: bytes) -> bool:
    """Tell whether one of the keys signed a body, as Coop's documentation says."""
    for key in KEYS:
        try:
            key.verify(base64.b64decode(header), body, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Say something of each user and each piece of media that was asked about; what is called gone is missing."""
    event = {"ipAddress": "192.0.2.1", "eventName": "Upload", "dateTime": "2025-01-01T00:00:00Z", "port": 50000}
    return {
        "users": [{**one, "screenName": "invented", "ipCaptureEvent": [event], "x-new": 1} for one in asked["users"]],
        "media": [
            {**one, "missing": one["id"] == "gone", "fileDetails": {"hash": "ab" * 32, "hashType": "PDQ"}}
            for one in asked["media"]
        ],
        "additionalInfo": "text",
        "servedBy": "platform-1",
    }


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            loaded = serialization.load_pem_public_key(file.read())
        assert isinstance(loaded, rsa.RSAPublicKey)
        KEYS.append(loaded)
    assert not [name for name in sys.modules if name.startswith("cybertip")], "nothing of ours"
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()

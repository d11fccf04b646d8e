"""A platform that has built Coop's two endpoints can point this at them unchanged."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cybertip.cases.enrichment import AdditionalInfoRequest, AllMissing, Enriched, reconcile
from cybertip.cases.notices import Preservation
from cybertip.cases.references import ItemRef, UserRef
from cybertip.model import ReportId
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.coop import CoopSigner
from cybertip.webhooks.endpoints import Endpoint
from cybertip.webhooks.failures import WebhookDeclined

HERE = Guard(hosts=["127.0.0.1"], networks=LOOPBACK)
USER = UserRef(id="u1", type_id="user")
IMAGE, GONE = ItemRef(id="m\u00fc1", type_id="image"), ItemRef(id="gone", type_id="image")


class Platform:
    """The program, and the key that it believes."""

    def __init__(self, process: "subprocess.Popen[str]", signer: CoopSigner) -> None:
        assert process.stdout is not None
        self._lines = process.stdout
        self.signer = signer
        self.url = f"http://127.0.0.1:{int(self._lines.readline())}"

    def request(self) -> dict[str, Any]:
        """Return the next request that the program took."""
        read: dict[str, Any] = json.loads(self._lines.readline())
        return read

    def endpoints(self, signer: CoopSigner | None = None) -> dict[str, Any]:
        """Return what makes adapters for its two endpoints."""
        signer = signer or self.signer
        return {
            "additional_info": Endpoint(address=f"{self.url}/additional-info", signer=signer),
            "preservation": Endpoint(address=f"{self.url}/preserve", signer=signer),
            "guard": HERE,
        }


def _pair(folder: Path, name: str) -> tuple[CoopSigner, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return CoopSigner(key), str(path)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return a platform that believes an old key, and a new one, which signs."""
    folder = tmp_path_factory.mktemp("keys")
    _, old = _pair(folder, "old")
    signer, new = _pair(folder, "new")
    program = Path(__file__).with_name("coop_platform.py")
    with subprocess.Popen([sys.executable, str(program), old, new], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Platform(process, signer)
        finally:
            process.terminate()


def test_the_platform_is_asked(colour: Any, platform: Platform) -> None:
    """The platform verifies what was sent, and its answer covers what was asked."""
    request = AdditionalInfoRequest(users=(USER,), media=(IMAGE, GONE))
    answer = colour.webhooks(**platform.endpoints()).additional_info(request, id="a")
    found = reconcile(request, answer)
    assert isinstance(found, Enriched)
    assert found.users[USER].screen_name == "invented"
    assert found.users[USER].ip_capture_events[0].port == 50000
    assert (list(found.media), found.missing, found.additional_info) == ([IMAGE], (GONE,), "text")
    taken = platform.request()
    assert taken["path"] == "/additional-info"
    assert taken["label"] == "text/plain;charset=UTF-8"
    assert taken["raw"] == (
        '{"media":[{"id":"m\u00fc1","typeId":"image"},{"id":"gone","typeId":"image"}],'
        '"users":[{"id":"u1","typeId":"user"}]}'
    )


def test_all_missing_is_told_by_the_platform(colour: Any, platform: Platform) -> None:
    """Where the platform says that all of it is gone, there is nothing to file."""
    request = AdditionalInfoRequest(users=(USER,), media=(GONE,))
    answer = colour.webhooks(**platform.endpoints()).additional_info(request, id="a")
    assert isinstance(reconcile(request, answer), AllMissing)
    platform.request()


def test_the_platform_is_told_to_preserve(colour: Any, platform: Platform) -> None:
    """The platform verifies the notice, takes it, and needs to say nothing."""
    notice = Preservation(user=USER, reported_media=(IMAGE,), report_id=ReportId(123456789))
    colour.webhooks(**platform.endpoints()).preserve(notice, id="a")
    taken = platform.request()
    assert taken["path"] == "/preserve"
    assert json.loads(taken["raw"]) == {
        "user": {"id": "u1", "typeId": "user"},
        "reportedMedia": [{"id": "m\u00fc1", "typeId": "image"}],
        "reportId": "123456789",
    }


def test_another_key_is_not_believed(colour: Any, platform: Platform, tmp_path: Path) -> None:
    """The platform refuses what somebody else signed, and that is told by its status."""
    stranger, _ = _pair(tmp_path, "stranger")
    webhooks = colour.webhooks(**platform.endpoints(stranger))
    with pytest.raises(WebhookDeclined) as declined:
        webhooks.preserve(Preservation(user=USER, report_id=ReportId(1)), id="a")
    assert declined.value.status == 401

"""The doubles of services refuse what the services refuse, as their documentation says, so that a client's mistakes show."""

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.testing.pictures import picture
from cybertip.testing.services import ContentSafety, PhotoDnaCloud, Shield

CLASSIFY = "https://classify.example/v1beta1/images:classify"
MATCH = "https://photodna.example/photodna/v1.0/Match"
LOOK_UP = "https://shield.example/v1/pdq/"


def saved(rows: int = 240, columns: int = 320, *, seed: int = 1, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(seed, rows, columns)).save(file, kind)
    return file.getvalue()


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


SMALL = in_base64(saved(48, 64))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"images": [SMALL] * 32}, 200),
        ({"images": [SMALL] * 33}, 400),
        ({"images": []}, 400),
        ({"images": [in_base64(b"no picture")]}, 400),
        ({"images": ["no base64"]}, 400),
        ({"pictures": [SMALL]}, 400),
        ([SMALL], 400),
        ({"images": ["A" * 10_000_001]}, 413),
    ],
    ids=["most", "too many", "none", "no picture", "no base64", "another key", "array", "too large"],
)
def test_google_takes_so_many_pictures_and_nothing_else(body: Any, status: int) -> None:
    """32 pictures and 10 MB are the limits; what is no picture is refused with all that came with it."""
    google = ContentSafety(key="synthetic")
    answer = google(httpx.Request("POST", CLASSIFY, json=body, headers={"X-Goog-Api-Key": "synthetic"}))
    assert answer.status_code == status
    assert google.seen == ([[(64, 48)] * 32] if status == 200 else [])


def test_google_lets_a_key_in_and_knows_one_path() -> None:
    """The key may be in a header or in the address, as Google takes it."""
    google = ContentSafety(key="synthetic")
    body = {"images": [SMALL]}
    assert google(httpx.Request("POST", f"{CLASSIFY}?key=synthetic", json=body)).status_code == 200
    assert google(httpx.Request("POST", CLASSIFY, json=body)).status_code == 403
    assert google(httpx.Request("POST", f"{CLASSIFY}?key=other", json=body)).status_code == 403
    assert google(httpx.Request("POST", "https://classify.example/v2?key=synthetic", json=body)).status_code == 404


def test_shield_knows_hashes_and_refuses_what_is_none() -> None:
    """A near hash is known, a far one is not, and one of another length is an error."""
    found = hash_picture(saved())
    assert isinstance(found, PictureHashes)
    near = bytes([found.pdq.variants[0][0] ^ 0xFF]) + found.pdq.variants[0][1:]
    shield = Shield([found.pdq.variants[0]], username="synthetic", password="synthetic")

    def asked(*hashes: Any, password: str = "synthetic", url: str = LOOK_UP) -> httpx.Response:
        with httpx.Client(transport=httpx.MockTransport(shield), auth=("synthetic", password)) as http:
            return http.post(url, json={"hashes": list(hashes)})

    scanned = asked(in_base64(near), in_base64(bytes(32))).json()["scanned_hashes"]
    assert [one["classification"] for one in scanned.values()] == ["csam", "no-known-match"]
    assert asked(in_base64(bytes(31))).status_code == 400
    assert asked(7).status_code == 400
    assert asked(in_base64(near), password="other").status_code == 401
    assert asked(in_base64(near), url="https://shield.example/v1/other/").status_code == 404


@pytest.mark.parametrize(
    ("content", "code", "matched"),
    [
        (saved(), 3000, True),
        (saved(kind="JPEG"), 3000, True),
        (saved(seed=2), 3000, False),
        (saved(159, 320), 3208, False),
        (saved() + bytes(4 * 1024 * 1024), 3208, False),
        (saved(kind="WEBP"), 3206, False),
        (b"no picture", 3206, False),
    ],
    ids=["known", "recompressed", "unknown", "small", "large", "another kind", "no picture"],
)
def test_photodna_says_its_errors_with_success(content: bytes, code: int, matched: bool) -> None:
    """Whatever it makes of a picture, it says so with HTTP 200."""
    cloud = PhotoDnaCloud([saved()], key="synthetic")
    headers = {"Ocp-Apim-Subscription-Key": "synthetic"}
    answer = cloud(httpx.Request("POST", MATCH, content=content, headers=headers))
    said = answer.json()
    assert (answer.status_code, said["Status"]["Code"], said["IsMatch"]) == (200, code, matched)
    assert len(said["MatchDetails"]["MatchFlags"]) == matched
    assert cloud(httpx.Request("POST", MATCH, content=content)).status_code == 401
    assert cloud(httpx.Request("GET", MATCH, headers=headers)).status_code == 404

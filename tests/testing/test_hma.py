"""The double of HMA gives the answers that were recorded of HMA 1.1.7, the odd ones included."""

import hashlib
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.sandbox.answers import Answer
from cybertip.testing.hma import Fault, Hma, running
from cybertip.testing.pictures import picture

NOW = 1_795_289_784
KNOWN = "0f" * 32
NEAR = "0e" + "0f" * 31
FAR = "f0" * 32
MD5 = hashlib.md5(b"synthetic video").hexdigest()


@pytest.fixture
def hma() -> Hma:
    """Two banks; one hash is in both, and there is a video."""
    double = Hma(now=lambda: NOW)
    double.bank("SYNTHETIC_A")
    double.bank("SYNTHETIC_B")
    double.add("SYNTHETIC_A", pdq=KNOWN)
    double.add("SYNTHETIC_B", pdq=NEAR)
    double.add("SYNTHETIC_B", video_md5=MD5)
    return double


def asked(hma: Hma, call: str, given: object = None, **query: str) -> tuple[int, Any]:
    """Return the status and the JSON of a call such as "GET /m/lookup"."""
    method, path = call.split()
    target = f"{path}?{httpx.QueryParams(query)}" if query else path
    body = b"" if given is None else json.dumps(given).encode()
    answer = hma.handle(method, target, {"Content-Type": "application/json"}, body)
    assert answer.header("content-type") == "application/json"
    return answer.status, json.loads(answer.body)


def posted(hma: Hma, path: str, *files: tuple[str, bytes], **fields: str) -> tuple[int, Any]:
    """Return the status and the JSON of a form."""
    request = httpx.Request(
        "POST", "http://127.0.0.1", data=fields, files=[(name, ("f", data)) for name, data in files]
    )
    answer = hma.handle("POST", path, dict(request.headers.items()), request.read())
    return answer.status, json.loads(answer.body)


def saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


RECORDED = [
    ("GET /m/lookup", {"signal_type": "pdq", "signal": FAR}, 200, {}),
    (
        "GET /m/lookup",
        {"signal_type": "pdq", "signal": KNOWN},
        200,
        {
            "SYNTHETIC_A": [{"bank_content_id": 1, "distance": "0"}],
            "SYNTHETIC_B": [{"bank_content_id": 2, "distance": "1"}],
        },
    ),
    (
        "GET /m/lookup",
        {"signal_type": "pdq", "signal": KNOWN, "banks": "SYNTHETIC_B,NONE_SUCH"},
        200,
        {"SYNTHETIC_B": [{"bank_content_id": 2, "distance": "1"}]},
    ),
    (
        "GET /m/lookup",
        {"signal_type": "video_md5", "signal": MD5},
        200,
        {"SYNTHETIC_B": [{"bank_content_id": 3, "distance": "-"}]},
    ),
    (
        "GET /m/lookup",
        {"signal_type": "pdq", "signal": KNOWN.upper()},
        400,
        {"message": "invalid signal: invalid PDQ hash"},
    ),
    ("GET /m/lookup", {"signal_type": "tmk", "signal": KNOWN}, 400, {"message": "No such SignalType 'tmk'"}),
    ("GET /m/lookup", {}, 400, {"message": "Either url or both signal and signal_type are required"}),
    ("GET /m/raw_lookup", {"signal_type": "pdq", "signal": KNOWN}, 200, {"matches": [1, 2]}),
    (
        "GET /m/raw_lookup",
        {"signal_type": "pdq", "signal": NEAR, "include_distance": "true", "banks": "SYNTHETIC_B"},
        200,
        {"matches": [{"bank_content_id": 2, "distance": "0"}]},
    ),
    (
        "GET /m/index/status",
        {},
        200,
        {
            "pdq": {"present": True, "built_to": NOW, "size": 2},
            "video_md5": {"present": True, "built_to": NOW, "size": 1},
        },
    ),
    (
        "GET /c/signal_type/index",
        {"signal_type": "pdq"},
        200,
        {
            "pdq": {
                "db_size": 2,
                "index_size": 2,
                "index_out_of_date": False,
                "newest_db_item": NOW,
                "index_built_to": NOW,
            }
        },
    ),
    (
        "GET /c/banks",
        {},
        200,
        [
            {"name": "SYNTHETIC_A", "matching_enabled_ratio": 1.0},
            {"name": "SYNTHETIC_B", "matching_enabled_ratio": 1.0},
        ],
    ),
    ("GET /c/bank/NONE_SUCH", {}, 404, {"message": "bank 'NONE_SUCH' not found"}),
    ("DELETE /c/bank/NONE_SUCH", {}, 200, {"message": "Done"}),
    (
        "GET /c/bank/SYNTHETIC_A/content/1",
        {"include_signals": "true"},
        200,
        {
            "id": 1,
            "bank": {"name": "SYNTHETIC_A", "matching_enabled_ratio": 1.0},
            "disable_until_ts": 1,
            "original_media_uri": None,
            "signals": {"pdq": KNOWN},
        },
    ),
    ("DELETE /c/bank/SYNTHETIC_A/content/1", {}, 200, {"deleted": 1}),
    ("DELETE /c/bank/SYNTHETIC_A/content/99", {}, 200, {"deleted": 0}),
    ("GET /c/exchanges/apis", {}, 200, ["sample", "ncmec"]),
    (
        "GET /c/exchanges/api/ncmec",
        {},
        200,
        {"supports_authentification": True, "has_set_authentification": False},
    ),
    ("GET /c/exchanges", {}, 200, []),
    ("GET /c/exchange/NONE_SUCH/status", {}, 404, {"message": "Exchange 'NONE_SUCH' not found"}),
    (
        "GET /c/signal_type",
        {},
        200,
        [{"name": "pdq", "enabled_ratio": 1.0}, {"name": "video_md5", "enabled_ratio": 1.0}],
    ),
    ("GET /c/content_type", {}, 200, [{"name": "photo", "enabled": True}, {"name": "video", "enabled": True}]),
]


@pytest.mark.parametrize(("call", "query", "status", "body"), RECORDED, ids=[row[0] for row in RECORDED])
def test_what_was_recorded(hma: Hma, call: str, query: dict[str, str], status: int, body: object) -> None:
    """Each call is answered as it was recorded."""
    assert asked(hma, call, **query) == (status, body)


def test_readiness() -> None:
    """`/status` says in plain words whether the indexes are loaded; `/status/live` says that the process is there."""
    hma = Hma()
    for word, status in (("I-AM-ALIVE", 200), ("INDEX-STALE", 503), ("INDEX-NOT-LOADED", 503)):
        hma.readiness = word  # type: ignore[assignment] # one of its words
        answer = hma.handle("GET", "/status")
        assert (answer.status, answer.body.decode()) == (status, word)
        assert answer.header("content-type") == "text/html; charset=utf-8"
        assert hma.handle("GET", "/status/live").body == b"I-AM-ALIVE"
    assert asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN) == (503, {"message": "index not yet ready"})


def test_a_role_that_is_off_has_no_routes() -> None:
    """The client sees a page of HTML, and the site's map has no such routes."""
    hma = Hma(roles=["matcher"])
    for target in ("/h/hash", "/c/banks", "/c/signal_type/index", "/nothing"):
        answer = hma.handle("GET", target)
        assert (answer.status, answer.header("content-type")) == (404, "text/html; charset=utf-8")
        assert answer.body.startswith(b"<!doctype html>")
    routes = asked(hma, "GET /site-map")[1]
    assert [one for one in routes if one[:3] in ("/c/", "/h/", "/m/")] == [
        "/m/compare",
        "/m/index/status",
        "/m/lookup",
        "/m/raw_lookup",
    ]
    assert {"/status", "/status/live", "/site-map"} < set(routes)
    assert posted(hma, "/m/lookup", ("photo", b"")) == (403, {"message": "Hashing is disabled, missing role"})


def test_what_a_request_lacks_is_a_list() -> None:
    """A request's model answers 422 with a list, and no message."""
    for call in ("GET /m/raw_lookup", "GET /h/hash", "POST /c/banks"):
        status, body = asked(Hma(), call, {})
        assert status == 422
        assert isinstance(body, list)
        assert body[0]["type"] == "missing"


def test_no_index() -> None:
    """Where no index was built, everything is looked up in nothing, and the answer is that of finding nothing."""
    hma = Hma(builds=False)
    hma.bank("SYNTHETIC")
    hma.add("SYNTHETIC", pdq=KNOWN)
    hma.add("SYNTHETIC", pdq=FAR)
    assert asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN) == (200, {})
    status = {"present": False, "built_to": -1, "size": 0}
    assert asked(hma, "GET /m/index/status")[1] == {"pdq": status, "video_md5": status}
    assert asked(hma, "GET /c/signal_type/index")[1]["pdq"]["index_out_of_date"] is True
    hma.build()
    assert asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN)[1] != {}


def test_an_index_that_is_not_loaded() -> None:
    """What was built is looked in once it was loaded; until then nothing tells it from an empty bank."""
    hma = Hma(loads=False)
    hma.bank("SYNTHETIC")
    for value in (KNOWN, FAR):
        hma.add("SYNTHETIC", pdq=value)
    assert asked(hma, "GET /m/index/status")[1]["pdq"]["present"] is True
    assert asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN) == (200, {})
    hma.load()
    assert asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN)[1] != {}


def test_an_index_of_one_hash_finds_nothing() -> None:
    """One hash, or the same twice, is lost when the index is saved; nothing says so."""
    hma = Hma()
    hma.bank("SYNTHETIC")
    for _ in range(2):
        hma.add("SYNTHETIC", pdq=KNOWN)
        assert asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN) == (200, {})
        assert hma.handle("GET", "/status").status == 200
    hma.add("SYNTHETIC", pdq=FAR)
    assert len(asked(hma, "GET /m/lookup", signal_type="pdq", signal=KNOWN)[1]["SYNTHETIC"]) == 2


def test_the_coin(hma: Hma) -> None:
    """A bank with a ratio below 1 is left out now and then, always the same for one seed; POST alone can forbid that."""
    hma.bank("SYNTHETIC_A", ratio=0.5)
    about = {"signal_type": "pdq", "signal": KNOWN, "bypass_coinflip": "true"}
    outcomes = {seed: "SYNTHETIC_A" in asked(hma, "GET /m/lookup", seed=seed, **about)[1] for seed in "abcdefgh"}
    assert set(outcomes.values()) == {True, False}
    for seed, outcome in outcomes.items():
        assert ("SYNTHETIC_A" in asked(hma, "GET /m/lookup", seed=seed, **about)[1]) is outcome
    hma.bank("SYNTHETIC_A", ratio=0)
    assert all("SYNTHETIC_A" not in asked(hma, "GET /m/lookup", seed=seed, **about)[1] for seed in outcomes)
    data = saved(Image.fromarray(picture(1, 240, 320)), "PNG")
    found = hash_picture(data)
    assert isinstance(found, PictureHashes)
    hma.add("SYNTHETIC_A", pdq=found.hashes[0].value)
    assert posted(hma, "/m/lookup?bypass_coinflip=true", ("photo", data))[1]["pdq"].keys() == {"SYNTHETIC_A"}
    assert posted(hma, "/m/lookup", ("photo", data)) == (200, {"pdq": {}})


def test_hashing_files() -> None:
    """Pictures and videos are hashed by the name of their field; poor pictures have no hash, and rubbish is a failure."""
    hma, image = Hma(), Image.fromarray(picture(1, 240, 320))
    found = hash_picture(saved(image, "PNG"))
    assert isinstance(found, PictureHashes)
    assert posted(hma, "/h/hash", ("photo", saved(image, "PNG"))) == (200, {"pdq": found.hashes[0].value})
    assert posted(hma, "/h/hash", ("video", b"synthetic video")) == (200, {"video_md5": MD5})
    flat = saved(Image.new("RGB", (100, 100), "grey"), "PNG")
    tiny = saved(image.resize((4, 4)), "PNG")
    assert posted(hma, "/h/hash", ("photo", tiny)) == (200, {"pdq": ""})
    assert posted(hma, "/h/hash", ("photo", flat)) == (200, {"pdq": ""})
    assert posted(hma, "/m/lookup", ("photo", flat)) == (400, {"message": "invalid signal: invalid PDQ hash"})
    status, body = posted(hma, "/h/hash", ("photo", b"no picture"))
    assert (status, body.keys()) == (500, {"message"})
    assert posted(hma, "/h/hash", ("audio", b""))[1] == {"message": "no such content_type: 'audio'"}
    assert posted(hma, "/h/hash", ("photo", flat), ("photo", flat))[0] == 400
    assert posted(hma, "/h/hash", field="only")[1] == {"message": "Missing multipart/form-data file upload"}
    wrong = {"message": "signal type 'video_md5' doesn't exist or is disabled"}
    assert posted(hma, "/h/hash?types=video_md5", ("photo", flat)) == (400, wrong)


@pytest.mark.parametrize("kind", ["GIF", "CMYK"])
def test_palettes_and_inks_are_hashed_wrongly(kind: str) -> None:
    """As HMA does, and without a word: the hash is that of another picture."""
    image = Image.fromarray(picture(1, 240, 320))
    found = hash_picture(saved(image, "PNG"))
    assert isinstance(found, PictureHashes)
    file = saved(image.convert("CMYK"), "JPEG") if kind == "CMYK" else saved(image, "GIF")
    status, body = posted(Hma(), "/h/hash", ("photo", file))
    assert status == 200
    assert (int(body["pdq"], 16) ^ int(found.hashes[0].value, 16)).bit_count() > 100


def test_comparing(hma: Hma) -> None:
    """Hashes of pictures can be compared; those of videos make HMA fail."""
    assert asked(hma, "POST /m/compare", {"pdq": [KNOWN, NEAR]}) == (200, {"pdq": [True, {"distance": 1}]})
    assert asked(hma, "POST /m/compare", {"pdq": [KNOWN, FAR]}) == (200, {"pdq": [False, {"distance": 256}]})
    assert asked(hma, "POST /m/compare", {"video_md5": [MD5, MD5]})[0] == 500
    assert asked(hma, "POST /m/compare", [])[0] == 400


def test_banks() -> None:
    """Banks are made, changed, renamed and removed; one that is there already is forbidden, not in conflict."""
    hma = Hma()
    made = {"name": "SYNTHETIC", "matching_enabled_ratio": 1.0}
    assert asked(hma, "POST /c/banks", {"name": "SYNTHETIC"}) == (201, made)
    assert asked(hma, "POST /c/banks", {"name": "SYNTHETIC"}) == (403, {"message": "Bank already exists"})
    # Whether it is enabled is looked at only where the ratio is null.
    assert asked(hma, "POST /c/banks", {"name": "ON", "enabled": False})[1]["matching_enabled_ratio"] == 1
    off = {"name": "OFF", "enabled": False, "enabled_ratio": None}
    assert asked(hma, "POST /c/banks", off)[1]["matching_enabled_ratio"] == 0
    bad = {"message": "Bank names must be UPPER_WITH_UNDERSCORE"}
    assert asked(hma, "POST /c/banks", {"name": "lower"}) == (400, bad)
    assert asked(hma, "PUT /c/bank/SYNTHETIC", {"enabled": False})[1]["matching_enabled_ratio"] == 0
    assert asked(hma, "PUT /c/bank/SYNTHETIC", {"name": "OTHER", "enabled_ratio": 0.5})[1] == {
        "name": "OTHER",
        "matching_enabled_ratio": 0.5,
    }
    assert asked(hma, "PUT /c/bank/SYNTHETIC", {})[0] == 404
    for name in ("OTHER", "ON", "OFF"):
        assert asked(hma, f"DELETE /c/bank/{name}") == (200, {"message": "Done"})
    assert asked(hma, "GET /c/banks") == (200, [])


def test_content(hma: Hma) -> None:
    """Content is added by its hash, twice where it is given twice, and disabled for good, until a time, or not at all."""
    added = {"id": 4, "signals": {"pdq": FAR}}
    assert asked(hma, "POST /c/bank/SYNTHETIC_A/signal", {"pdq": FAR, "note": "synthetic"}) == (200, added)
    assert asked(hma, "POST /c/bank/SYNTHETIC_A/signal", {"pdq": FAR})[1]["id"] == 5
    assert asked(hma, "POST /c/bank/SYNTHETIC_A/signal", {"pdq": FAR.upper()})[0] == 400
    place, lookup = "/c/bank/SYNTHETIC_A/content/4", {"signal_type": "pdq", "signal": FAR}
    for until, ids in ((0, [5]), (1, [4, 5]), (NOW + 60, [5]), (NOW - 60, [4, 5])):
        assert asked(hma, f"PUT {place}", {"disable_until_ts": until})[0] == 200
        found = asked(hma, "GET /m/lookup", **lookup)[1]["SYNTHETIC_A"]
        assert [one["bank_content_id"] for one in found] == ids
        # The cheapest call knows nothing of it.
        assert asked(hma, "GET /m/raw_lookup", **lookup)[1] == {"matches": [4, 5]}
    assert asked(hma, f"PUT {place}", {"disable_until_ts": NOW + 6 * 365 * 86400})[0] == 400
    assert asked(hma, "PUT /c/bank/SYNTHETIC_A/content/99", {"disable_until_ts": 0})[0] == 404


def test_content_of_files(hma: Hma) -> None:
    """A file's metadata go in a field of the form, and only three keys may be in them."""
    path, video = "/c/bank/SYNTHETIC_A/content", ("video", b"another synthetic video")
    assert posted(hma, path, video, metadata='{"content_id": "7"}', note="n")[0] == 200
    assert posted(hma, path, video, metadata='{"mine": "7"}')[0] == 400
    shown = asked(hma, "GET /c/bank/SYNTHETIC_A/content/4")[1]
    assert shown["metadata"] == {"content_id": "7", "content_uri": None, "json": None, "collab": None}
    assert shown["note"] == "n"


def test_exchanges(hma: Hma) -> None:
    """An exchange fills the bank of its name; its state is told, and one answer about it is no JSON."""
    given = {"bank": "NCMEC", "api": "ncmec", "api_json": {"environment": "https://report.cybertip.org/hashsharing"}}
    assert asked(hma, "POST /c/exchanges", given) == (201, {"message": "Created successfully"})
    assert asked(hma, "POST /c/exchanges", {**given, "api_json": {"environment": "x"}})[0] == 400
    assert asked(hma, "GET /c/exchanges") == (200, ["NCMEC"])
    assert asked(hma, "GET /c/exchange/NCMEC/status")[1] == {
        "checkpoint_ts": None,
        "fetched_items": 0,
        "last_fetch_complete_ts": None,
        "last_fetch_succeeded": None,
        "running_fetch_start_ts": None,
        "up_to_date": False,
    }
    changed = hma.handle("PUT", "/c/exchange/NCMEC", {"Content-Type": "application/json"}, b'{"enabled": false}')
    assert (changed.status, changed.body) == (200, b"nameapienabled")
    credentials = {"credential_json": {"user": "u", "password": "p"}}
    assert asked(hma, "POST /c/exchanges/api/ncmec", credentials)[1]["has_set_authentification"] is True
    assert asked(hma, "POST /c/exchanges/api/ncmec", {"credential_json": {}})[1]["has_set_authentification"] is False
    assert asked(hma, "PUT /c/signal_type/pdq", {"enabled_ratio": 1})[0] == 500
    assert asked(hma, "DELETE /c/exchange/NONE_SUCH")[0] == 200
    assert asked(hma, "DELETE /c/exchange/NCMEC")[0] == 200
    assert asked(hma, "GET /c/bank/NCMEC")[0] == 404


class TestServed:
    """Over HTTP on loopback, with faults."""

    @pytest.fixture
    def client(self, hma: Hma) -> Iterator[httpx.Client]:
        with running(hma) as url, httpx.Client(base_url=url, timeout=0.5) as client:
            yield client

    def test_requests_are_answered_and_remembered(self, hma: Hma, client: httpx.Client) -> None:
        """What is asked over HTTP is answered as without it, and can be looked at afterwards."""
        for _ in range(2):
            response = client.get("/m/lookup", params={"signal_type": "pdq", "signal": FAR})
            assert (response.status_code, response.json()) == (200, {})
        assert [one.path for one in hma.requests] == ["/m/lookup"] * 2
        assert hma.requests[0].query == {"signal_type": "pdq", "signal": FAR}

    @pytest.mark.parametrize(
        ("word", "error"),
        [
            ("drop", httpx.RemoteProtocolError),
            ("truncate", httpx.RemoteProtocolError),
            ("hang", httpx.ReadTimeout),
        ],
    )
    def test_connections_break(self, hma: Hma, client: httpx.Client, word: Any, error: type[Exception]) -> None:
        """A fault strikes its path as often as was ordered, and no other."""
        hma.faults.append(Fault(path="/m/index/status", answer=word))
        assert client.get("/status").text == "I-AM-ALIVE"
        with pytest.raises(error):
            client.get("/m/index/status")
        assert client.get("/m/index/status").status_code == 200

    def test_another_answer(self, hma: Hma, client: httpx.Client) -> None:
        """Any answer can take the place of the double's own, for all that follows if need be."""
        hma.faults.append(Fault(answer=Answer(502, (), b"<html>"), times=None))
        assert [client.get("/status").status_code for _ in range(3)] == [502] * 3

    def test_a_body_that_never_ends(self, hma: Hma, client: httpx.Client) -> None:
        """A byte comes now and then; no step takes long, and the whole does."""
        hma.faults.append(Fault(answer="trickle"))
        with client.stream("GET", "/status") as response:
            pieces = response.iter_raw()
            assert len([next(pieces) for _ in range(4)]) == 4

    def test_it_is_on_this_machine_only(self, hma: Hma) -> None:
        """It listens on loopback."""
        with running(hma) as url:
            host, port = httpx.URL(url).host, httpx.URL(url).port
            assert host == "127.0.0.1"
            assert port is not None
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            pass

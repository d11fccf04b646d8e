"""`webhooks check` judges an endpoint, and shows neither keys nor what was answered."""

import json
import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cybertip.testing.webhooks import Promise, Scheme, make_keys

KEYS = make_keys(Scheme.HMAC)
VARIABLE = {"CYBERTIP_WEBHOOK_KEY": KEYS.trusted}


@pytest.fixture(scope="session")
def somebody() -> Any:
    """Return the platform that somebody else has built, and its mistakes."""
    platform = Path(__file__).parents[1] / "testing/webhooks/platform.py"
    return SimpleNamespace(**runpy.run_path(str(platform)))


@pytest.fixture
def check(run: Any, somebody: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that checks a platform; what it shows is looked through for keys and answers."""
    shown: list[str] = []

    def check(platform: Any, *words: object, **variables: str) -> Any:
        with somebody.serving(platform) as url:
            done = run("webhooks", "check", url, *words, **variables)
        shown.append(done.output + done.stderr)
        return done

    yield check
    for text in shown:
        assert "canary" not in text
        assert KEYS.trusted[6:] not in text


@pytest.mark.parametrize("call", ["", "--additional-info", "--preservation", "--case-event"])
def test_a_good_endpoint_passes(check: Any, somebody: Any, call: str) -> None:
    """Whichever call it is for, an endpoint that keeps the contract ends with exit code 0 and a verdict on each promise."""
    done = check(somebody.Platform(KEYS.trusted), *filter(None, [call]), **VARIABLE)
    assert (done.exit_code, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["broken"] == []
    assert {one["standing"] for one in said["verdicts"]} == {"kept"}
    promises = [one["promise"] for one in said["verdicts"]]
    assert ("covers-media" in promises) == (call in ("", "--additional-info"))
    assert ("takes-every-kind" in promises) == (call == "--case-event")


@pytest.mark.parametrize(
    ("mistake", "promise"),
    [
        ("ForgetsTheTime", Promise.REFUSES_STALE),
        ("HasLocalTimes", Promise.RIGHT_TIMES),
        ("AnswersAPage", Promise.COVERS_MEDIA),
        ("AnswersWithAPage", Promise.ANSWERS_JSON),
        ("TellsOfOthers", Promise.NO_STRANGERS),
    ],
)
def test_a_broken_promise_is_named(check: Any, somebody: Any, mistake: str, promise: Promise) -> None:
    """A mistake ends with exit code 1 and its promise, with what broke it."""
    done = check(getattr(somebody, mistake)(KEYS.trusted), "--json", **VARIABLE)
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["broken"] == [promise]
    (broken,) = (one for one in said["verdicts"] if one["promise"] == promise)
    assert (broken["sentence"], broken["standing"]) == (promise.sentence, "broken")
    assert broken["findings"]


def test_a_slow_endpoint_is_given_up(check: Any, somebody: Any) -> None:
    """How long an answer may take is an option."""
    done = check(somebody.IsSlow(KEYS.trusted), "--within", "0.2", **VARIABLE)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["broken"] == [Promise.ANSWERS_IN_TIME]


def test_a_busy_endpoint_is_not_judged(check: Any, somebody: Any) -> None:
    """Where nothing could be found out, exit code 4 says so, and not that all is well."""
    done = check(somebody.IsBusy(KEYS.trusted), **VARIABLE)
    assert done.exit_code == 4
    assert "too busy" in done.stderr


def test_a_table_names_what_is_broken(somebody: Any, place: Path, on_a_terminal: Any) -> None:
    """A person sees each promise, what breaks it, and how many are kept; of many findings, the first few."""
    (place / "key").write_text(KEYS.trusted)
    with somebody.serving(somebody.LeavesOutWhatIsGone(KEYS.trusted)) as url:
        code, seen = on_a_terminal("webhooks", "check", url, "--key", "key")
    assert code == 1
    assert "covers-media" in seen
    assert "request.media[0]: has no entry in the answer" in seen
    assert "and 115 more" in seen
    assert "1 broken" in seen
    assert "broken: covers-media" in seen
    assert KEYS.trusted[6:] not in seen


def test_the_platforms_own_things_can_be_asked_about(check: Any, somebody: Any) -> None:
    """An endpoint that only knows its own users and media is asked about those, and ids may hold any character."""
    asked = []

    class Watching(somebody.Platform):  # type: ignore[misc] # the class comes out of a file
        def take(self, id: str, plain: dict[str, Any]) -> Any:
            asked.append(plain)
            return super().take(id, plain)

    words = ("--user", "account:u:7", "--media", "image:8", "--media", "video:8")
    assert check(Watching(KEYS.trusted), *words, **VARIABLE).exit_code == 0
    assert asked[0] == {
        "users": [{"id": "u:7", "typeId": "account"}],
        "media": [{"id": "8", "typeId": "image"}, {"id": "8", "typeId": "video"}],
    }
    asked.clear()
    assert check(Watching(KEYS.trusted), "--preservation", *words, **VARIABLE).exit_code == 0
    assert asked[0]["user"] == {"id": "u:7", "typeId": "account"}
    assert len(asked[0]["reportedMedia"]) == 2


# -- keys -------------------------------------------------------------------------------------------------------------


def test_the_key_says_the_scheme(run: Any, somebody: Any, place: Path) -> None:
    """A secret, a key pair of Ed25519 and one of RSA each sign in their own way, from a file or from a variable."""
    ed25519 = make_keys(Scheme.ED25519)
    seen: list[dict[str, str]] = []

    class Watching(somebody.Platform):  # type: ignore[misc] # the class comes out of a file
        def handle(self, headers: Any, body: bytes) -> Any:
            seen.append(headers)
            return super().handle(headers, body)

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encryption = serialization.BestAvailableEncryption(b"pass")
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    (place / "coop.pem").write_bytes(pem)
    (place / "both").write_text(f"{KEYS.trusted}\n{make_keys(Scheme.HMAC).trusted}\n")
    with somebody.serving(Watching(KEYS.trusted)) as url:
        assert run("webhooks", "check", url, "--key", "both").exit_code == 0
        assert len(seen[0]["webhook-signature"].split()) == 2
        assert run("webhooks", "check", url, CYBERTIP_WEBHOOK_KEY_FILE="both").exit_code == 0
        seen.clear()
        variables = {"CYBERTIP_WEBHOOK_KEY": pem.decode(), "CYBERTIP_WEBHOOK_PASSWORD": "pass"}
        assert run("webhooks", "check", url, **variables).exit_code == 1
        assert run("webhooks", "check", url, "--key", "coop.pem", "--password", "pass").exit_code == 1
        assert len(seen) == 2
        assert all("coop-signature" in one for one in seen)
    with somebody.serving(somebody.Platform(ed25519.trusted)) as url:
        # A signer's own key, as it signs.
        private_ed25519 = "whsk_" + "A" * 43
        done = run("webhooks", "check", url, CYBERTIP_WEBHOOK_KEY=private_ed25519)
        assert "compare the keys" in json.loads(done.stdout)["verdicts"][0]["findings"][0]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "there is no key"),
        ("canary", "a key for this begins with whsec_ or whsk_"),
        ("whsec_canary!", "must be base64"),
        ("whpk_" + "A" * 43, "a key for this begins with"),
        ("-----BEGIN canary-----", "no private key in PEM form"),
    ],
)
def test_a_key_that_is_none_is_refused_and_not_shown(run: Any, place: Path, key: str, complaint: str) -> None:
    """Nothing is sent without a key, and nothing of one is repeated, wherever it came from."""
    (place / "key").write_text(key)
    for words, variables in ((("--key", "key"), {}), ((), {"CYBERTIP_WEBHOOK_KEY": key})):
        done = run("webhooks", "check", "http://127.0.0.1:9/", *words, **variables)
        assert (done.exit_code, done.stdout) == (2, "")
        assert complaint in done.stderr
        assert "canary" not in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("http://platform.example/canary",), "the URL must be https"),
        (("ftp://platform.example/canary",), "the URL must be a URL that begins with https://"),
        (("http://localhost/", "--preservation", "--case-event"), "one call at a time"),
        (("http://localhost/", "--user", "canary"), "TYPE:ID"),
        (("http://localhost/", "--case-event", "--user", "t:canary"), "an event is about a case"),
        (("http://localhost/", "--preservation", "--user", "t:canary", "--user", "t:b"), "--user once"),
        (("http://localhost/", "--allow-network", "canary"), "given as a network"),
    ],
)
def test_misuse_is_explained(run: Any, words: tuple[str, ...], complaint: str) -> None:
    """What cannot be done is said, with exit code 2, and without the address."""
    done = run("webhooks", "check", *words, **VARIABLE)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "canary" not in done.stderr


def test_nobody_there_is_exit_code_4(run: Any, somebody: Any) -> None:
    """Where nothing could be sent there is no verdict."""
    with somebody.serving(somebody.Platform(KEYS.trusted)) as url:
        pass
    done = run("webhooks", "check", url, **VARIABLE)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "no connection could be made" in done.stderr
    assert os.path.basename(url) not in done.stderr


def test_a_private_network_is_called_where_it_is_allowed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint at a private address is refused unless its network is named; nothing was sent."""
    done = run("webhooks", "check", "https://10.1.2.3/", **VARIABLE)
    assert done.exit_code == 4
    assert "an address that is not public" in done.stderr
    from cybertip.cli import webhooks
    from cybertip.webhooks.addresses import Address

    address = Address.of("https://10.1.2.3/")
    assert webhooks._guard(address, ["10.1.0.0/16"]).against_ip("10.1.2.3", address) is None
    assert webhooks._guard(address, []).against_ip("10.1.2.3", address) is not None

"""Requests go only to addresses that were checked, over connections that are made to just those."""

import base64
import datetime as dt
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cybertip.adapters.webhooks import AsyncGuardedTransport, GuardedTransport
from cybertip.adapters.webhooks.backend import async_resolve, resolve
from cybertip.cases.notices import Preservation
from cybertip.cases.references import UserRef
from cybertip.model import ReportId
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Endpoint, Limits
from cybertip.webhooks.failures import WebhookNotSent
from cybertip.webhooks.standard import StandardSigner

SIGNER = StandardSigner(["whsec_" + base64.b64encode(bytes(range(32))).decode()])
NOTICE = Preservation(user=UserRef(id="u1", type_id="user"), report_id=ReportId(1))
PLATFORM = Guard(hosts=["platform.example"], networks=LOOPBACK)


class Names:
    """A resolver that answers as it is told, and remembers what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate of platform.example with its key; it vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "platform.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("platform.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture(scope="module")
def shows(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """Return the context of a server that shows the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture(scope="module")
def trusts(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """Return the context of a client that trusts it."""
    return ssl.create_default_context(cafile=certificate[0])


def calling(colour: Any, url: str, **more: Any) -> Any:
    """Return the adapter for one endpoint."""
    return colour.webhooks(preservation=Endpoint(address=url, signer=SIGNER), **more)


def test_the_checked_address_is_the_one_that_is_connected_to(
    colour: Any, serving: Any, answer: Any, shows: ssl.SSLContext, trusts: ssl.SSLContext
) -> None:
    """A name is looked up once: a second answer, that leads elsewhere, is never asked for. TLS and Host keep the name."""
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    with serving(answer(), shows) as server:
        url = f"https://platform.example:{server.port}/hook"
        calling(colour, url, guard=PLATFORM, resolve=names, verify=trusts).preserve(NOTICE, id="a")
    assert names.asked == [("platform.example", server.port)]
    assert server.requests[0].headers["host"] == f"platform.example:{server.port}"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (["10.0.0.1"], "not public"),
        (["127.0.0.1"], "loopback"),
        (["169.254.169.254"], "metadata"),
        (["fe80::1"], "link-local"),
        (["224.0.0.1"], "multicast"),
        (["8.8.8.8", "10.0.0.1"], "not public"),
        (["::ffff:192.168.0.1"], "not public"),
        (["canary"], "no address"),
        ([], "no connection"),
    ],
)
def test_a_name_that_stands_for_an_inner_address_is_refused(colour: Any, found: list[str], words: str) -> None:
    """Whatever a resolver says: nothing is sent to where only we can reach, nor where one of several is such a place."""
    names = Names(found)
    guard = Guard(hosts=["platform.example"])
    webhooks = calling(colour, "https://platform.example/hook", guard=guard, resolve=names)
    with pytest.raises(WebhookNotSent, match=words) as refused:
        webhooks.preserve(NOTICE, id="a")
    assert names.asked == [("platform.example", 443)]
    assert "10.0.0.1" not in str(refused.value)


def test_without_an_allowance_this_machine_is_refused(colour: Any, serving: Any, answer: Any) -> None:
    """A server here gets nothing unless the host allowed loopback, also where its address is written out."""
    with serving(answer()) as server:
        for url in (server.url, f"http://localhost:{server.port}"):
            with pytest.raises(WebhookNotSent, match="loopback"):
                calling(colour, url).preserve(NOTICE, id="a")
    assert not server.requests


def test_a_host_that_is_not_on_the_list_is_not_even_looked_up(colour: Any) -> None:
    """A name itself can carry a secret to whoever answers for it: what is not allowed is not asked for."""
    names = Names(["8.8.8.8"])
    webhooks = calling(colour, "https://other.example/", guard=PLATFORM, resolve=names)
    with pytest.raises(WebhookNotSent, match="not on the list"):
        webhooks.preserve(NOTICE, id="a")
    assert not names.asked


def test_plain_http_does_not_leave_the_machine(colour: Any) -> None:
    """Where localhost stands for another machine, nothing is sent in the clear."""
    guard = Guard(hosts=["localhost"], networks=["0.0.0.0/0"])
    webhooks = calling(colour, "http://localhost:9/", guard=guard, resolve=Names(["8.8.8.8"]))
    with pytest.raises(WebhookNotSent, match="only https may leave"):
        webhooks.preserve(NOTICE, id="a")


def test_the_next_address_is_tried(colour: Any, serving: Any, answer: Any) -> None:
    """Of several addresses that are allowed, one that nobody answers at does not keep the request from going out."""
    with serving(answer()) as server:
        guard = Guard(hosts=["localhost"], networks=LOOPBACK)
        names = Names(["127.0.0.2", "127.0.0.1"])
        calling(colour, f"http://localhost:{server.port}/", guard=guard, resolve=names).preserve(NOTICE, id="a")
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["https://other.example:{port}/", "https://platform.example:{port}/"])
def test_a_certificate_that_is_not_the_hosts_is_refused(
    colour: Any, serving: Any, answer: Any, shows: ssl.SSLContext, trusts: ssl.SSLContext, url: str
) -> None:
    """Neither another host's certificate nor one that nobody vouches for is taken, and nothing is sent."""
    strict = trusts if "other" in url else None
    guard = Guard(hosts=["*.example", "platform.example", "other.example"], networks=LOOPBACK)
    with serving(answer(), shows) as server:
        webhooks = calling(
            colour, url.format(port=server.port), guard=guard, resolve=Names(["127.0.0.1"]), verify=strict
        )
        with pytest.raises(WebhookNotSent, match="no connection could be made"):
            webhooks.preserve(NOTICE, id="a")
    assert not server.requests


def test_no_proxy_is_asked(colour: Any, serving: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look names up by itself: those of the surroundings are passed by."""
    with serving(answer()) as proxy, serving(answer()) as server:
        for variable in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        guard = Guard(hosts=["127.0.0.1"], networks=LOOPBACK)
        calling(colour, server.url, guard=guard).preserve(NOTICE, id="a")
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


def test_a_server_without_tls_gets_nothing(colour: Any, serving: Any, answer: Any, trusts: ssl.SSLContext) -> None:
    """Where no TLS is spoken no request is sent, and nobody waits for it for long."""
    limits = Limits(connect_for=dt.timedelta(seconds=0.3))
    with serving(answer()) as server:
        url = f"https://platform.example:{server.port}/hook"
        resolver = Names(["127.0.0.1"])
        webhooks = calling(colour, url, guard=PLATFORM, resolve=resolver, verify=trusts, limits=limits)
        with pytest.raises(WebhookNotSent, match="in time"):
            webhooks.preserve(NOTICE, id="a")
    assert not server.requests


def test_any_client_of_the_hosts_can_be_guarded(serving: Any, answer: Any) -> None:
    """The transport serves httpx's own clients: what may be reached is, and what may not is refused by httpx's error."""
    with serving(answer(b"hello")) as server:
        guard = Guard(hosts=["127.0.0.1"], networks=LOOPBACK)
        with httpx.Client(transport=GuardedTransport(guard)) as client:
            assert client.get(server.url).text == "hello"
            with pytest.raises(httpx.UnsupportedProtocol, match="not on the list"):
                client.get("https://intranet.example/")
            with pytest.raises(httpx.UnsupportedProtocol, match="must be https"):
                client.get("http://intranet.example/")

        async def ask() -> str:
            async with httpx.AsyncClient(transport=AsyncGuardedTransport(guard)) as client:
                with pytest.raises(httpx.UnsupportedProtocol, match="not on the list"):
                    await client.get("https://intranet.example/")
                return (await client.get(server.url)).text

        assert anyio.run(ask, backend="asyncio") == "hello"
        assert anyio.run(ask, backend="trio") == "hello"


def test_a_redirect_of_a_guarded_client_is_guarded_as_well(serving: Any, answer: Any) -> None:
    """A client that follows redirects is led nowhere that it may not go: each step is checked."""
    with serving(answer(status="302 Found", Location="https://intranet.example/")) as server:
        guard = Guard(hosts=["127.0.0.1"], networks=LOOPBACK)
        client = httpx.Client(transport=GuardedTransport(guard), follow_redirects=True)
        with client, pytest.raises(httpx.UnsupportedProtocol, match="not on the list"):
            client.get(server.url)


def test_the_system_is_asked_what_a_name_stands_for() -> None:
    """Where the host has no resolver of its own, the system is asked; what is no name ends as no connection does."""
    assert list(resolve("127.0.0.1", 80)) == ["127.0.0.1"]
    assert anyio.run(async_resolve, "127.0.0.1", 80) == ["127.0.0.1"]
    # Too long to be a name: nobody is asked.
    name = "a" * 64 + ".example"
    with pytest.raises(httpcore.ConnectError, match="could not be looked up"):
        resolve(name, 80)
    with pytest.raises(httpcore.ConnectError, match="could not be looked up"):
        anyio.run(async_resolve, name, 80)

"""Where reports may go."""

import copy
import pickle

import pytest

from cybertip.protocol import Endpoint, Environment


def test_ncmec_has_two_addresses() -> None:
    """Test and production are NCMEC's own addresses, and each endpoint is below them."""
    assert Environment.TEST.address(Endpoint.SUBMIT) == "https://exttest.cybertip.org/ispws/submit"
    assert Environment.PRODUCTION.address(Endpoint.SCHEMA) == "https://report.cybertip.org/ispws/xsd"
    assert not Environment.TEST.is_sandbox
    assert str(Environment.PRODUCTION) == "production"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8025", "http://127.0.0.1:8025/ispws"),
        ("http://127.0.0.1:8025/", "http://127.0.0.1:8025/ispws"),
        ("http://127.0.0.1:8025/ispws", "http://127.0.0.1:8025/ispws"),
        ("http://127.0.0.1:8025/ispws/", "http://127.0.0.1:8025/ispws"),
        ("https://localhost/double/a", "https://localhost/double/a"),
        ("HTTP://LOCALHOST:1", "http://localhost:1/ispws"),
        ("http://[::1]:8025", "http://[::1]:8025/ispws"),
        ("http://127.8.9.10", "http://127.8.9.10/ispws"),
    ],
)
def test_a_sandbox_is_on_this_machine(given: str, url: str) -> None:
    """Any loopback address will do, and its path defaults to NCMEC's."""
    sandbox = Environment.sandbox(given)
    assert sandbox.url == url
    assert sandbox.is_sandbox
    assert str(sandbox) == f"sandbox {url}"
    assert Environment.named(given) == sandbox


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://report.cybertip.org/ispws",
        "https://192.0.2.1/ispws",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "http://user:secret@127.0.0.1:8025",
        "http://example.com\\@127.0.0.1",
        "http://127.0.0.1\\.example.com",
        "http://127.0.0.1:8025/ispws?next=1",
        "http://127.0.0.1:8025/ispws?",
        "http://127.0.0.1:8025/ispws#part",
        "http://127.0.0.1:8025/../x",
        "http://127.0.0.1:8025//example.com",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://0.0.0.0:8025",
        "http://0177.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://[::ffff:127.0.0.1]",
        "http://[::1%25eth0]",
        "http://[::1",
        "http://\u2460\u2461\u2467.0.0.1",
        "ftp://127.0.0.1",
        "file:///etc/hosts",
        "//127.0.0.1",
        "127.0.0.1:8025",
        " http://127.0.0.1",
        "http://127.0.0.1\n",
        "http://",
        "",
    ],
)
def test_a_sandbox_is_nowhere_else(url: str) -> None:
    """No spelling of an address makes a sandbox of another machine, and the refusal does not repeat the address."""
    with pytest.raises(ValueError) as raised:
        Environment.sandbox(url)
    assert "secret" not in str(raised.value)


def test_an_environment_cannot_be_made_of_any_address() -> None:
    """Only the three ways exist: another address under a known name, or a known one under another name, is refused."""
    for name, url in [
        ("test", "https://example.com/ispws"),
        ("production", Environment.TEST.url),
        ("sandbox", Environment.PRODUCTION.url),
        ("sandbox", "http://127.0.0.1:8025"),
        ("staging", Environment.TEST.url),
    ]:
        with pytest.raises(ValueError):
            Environment(name=name, url=url)
    with pytest.raises(AttributeError):
        Environment.TEST.url = "https://example.com"  # type: ignore[misc] # what is tested


def test_a_configuration_names_an_environment() -> None:
    """A configuration says test, production or the address of a double; nothing is guessed."""
    assert Environment.named("test") is Environment.TEST
    assert Environment.named("production") is Environment.PRODUCTION
    for name in ("", "TEST", "prod", "sandbox", "exttest.cybertip.org"):
        with pytest.raises(ValueError):
            Environment.named(name)
    for given in (None, 1):
        with pytest.raises(TypeError):
            Environment.named(given)  # type: ignore[arg-type] # what is tested
        with pytest.raises(TypeError):
            Environment.sandbox(given)  # type: ignore[arg-type] # what is tested


def test_an_environment_is_a_value() -> None:
    """Environments are equal by what they say, and survive being stored and copied."""
    sandbox = Environment.sandbox("http://127.0.0.1:8025")
    assert sandbox == Environment.sandbox("http://127.0.0.1:8025/ispws/")
    for one in (sandbox, Environment.TEST):
        assert pickle.loads(pickle.dumps(one)) == copy.copy(one) == one

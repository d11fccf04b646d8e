"""The pytest plugin of `cybertip`: a fixture with a NCMEC double on a loopback port.

pytest loads this module in every session where `cybertip` is installed: it imports nothing that the fixture does not need
until a test asks for it. The fixture needs the extra `[testing]`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cybertip.sandbox.clock import Clock
    from cybertip.sandbox.core import Ncmec
    from cybertip.sandbox.server import BackgroundServer

__all__ = ["RunningSandbox", "cybertip_sandbox"]


class RunningSandbox:
    """A NCMEC double that answers at `url` for as long as the test runs.

    `ncmec.faults` takes faults to come, and `clock.advance` lets time pass.
    """

    def __init__(self, url: str, ncmec: "Ncmec") -> None:
        #: The base address, to which the endpoints' paths are added as `/ispws/submit`.
        self.url = url
        self.ncmec = ncmec

    @property
    def clock(self) -> "Clock":
        """The double's time, which runs as the system's does."""
        return self.ncmec.clock

    @property
    def username(self) -> str:
        return self.ncmec.behaviour.username

    @property
    def password(self) -> str:
        return self.ncmec.behaviour.password

    def reports(self) -> list[dict[str, Any]]:
        """Return the reports as `GET /_sandbox/reports` lists them."""
        return self.ncmec.reports()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "cybertip_sandbox(**behaviour): choose how the double of the cybertip_sandbox fixture behaves; "
        "the arguments are those of cybertip.sandbox.Behaviour",
    )


@pytest.fixture(scope="session")
def _cybertip_server() -> Iterator["BackgroundServer"]:
    from cybertip.sandbox.core import Ncmec
    from cybertip.sandbox.server import BackgroundServer

    server = BackgroundServer(Ncmec())
    yield server
    server.stop()


@pytest.fixture
def cybertip_sandbox(_cybertip_server: "BackgroundServer", request: pytest.FixtureRequest) -> RunningSandbox:
    """A NCMEC double on a loopback port, without reports; what one test files, the next does not see.

    ```python
    @pytest.mark.cybertip_sandbox(after_deletion=5101)
    def test_expiry(cybertip_sandbox):
        platform.file_a_report(cybertip_sandbox.url, cybertip_sandbox.username, cybertip_sandbox.password)
        assert [report["state"] for report in cybertip_sandbox.reports()] == ["finished"]
    ```
    """
    from cybertip.sandbox.behaviour import Behaviour
    from cybertip.sandbox.core import Ncmec
    from cybertip.sandbox.server import system_clock

    marker = request.node.get_closest_marker("cybertip_sandbox")
    behaviour = Behaviour(**marker.kwargs) if marker is not None else Behaviour()
    # One server serves all tests, for it takes a while to stop; each test has a double of its own behind it.
    _cybertip_server.ncmec = Ncmec(behaviour, clock=system_clock())
    return RunningSandbox(_cybertip_server.url, _cybertip_server.ncmec)

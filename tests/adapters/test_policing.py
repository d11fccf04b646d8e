"""Whatever a stranger's adapter raises, its callers see the errors that the port names."""

import asyncio
from functools import partial
from typing import Any

import anyio
import pytest

from cybertip.errors import AdapterError, Conflict, CybertipError
from cybertip.ports.policing import policed, policing


class Strange:
    """An adapter that raises what it is told to."""

    name = "strange"

    def call(self, error: BaseException) -> None:
        raise error

    async def wait(self, error: BaseException) -> None:
        await anyio.lowlevel.checkpoint()
        raise error

    def disguised(self, error: BaseException) -> Any:
        return partial(self.wait, error)()


_STRANGE = [
    OSError("secret"),
    KeyError("secret"),
    CybertipError("secret"),
    ExceptionGroup("secret", [ValueError("secret")]),
]


@pytest.mark.parametrize("error", _STRANGE, ids=lambda error: type(error).__name__)
def test_strange_errors(error: Exception) -> None:
    """Every error that the port does not name becomes the port's own, with the original as its cause and nothing quoted."""
    adapter = policed(Strange())
    with pytest.raises(AdapterError, match=rf"Strange.call failed \({type(error).__name__}\)") as caught:
        adapter.call(error)
    assert caught.value.__cause__ is error
    assert "secret" not in str(caught.value)
    for method in (adapter.wait, adapter.disguised):
        with pytest.raises(AdapterError) as caught:
            asyncio.run(_await(method, error))
        assert caught.value.__cause__ is error


async def _await(method: Any, error: BaseException) -> None:
    await method(error)


@pytest.mark.parametrize(
    "error", [Conflict("x"), AdapterError("x"), KeyboardInterrupt(), SystemExit(), GeneratorExit()]
)
def test_what_passes(error: BaseException) -> None:
    """The port's own errors pass as they are, and so does what ends a program."""
    with pytest.raises(type(error)) as caught:
        policed(Strange()).call(error)
    assert caught.value is error


def test_what_a_port_names() -> None:
    """A port may name more errors of its own."""
    with pytest.raises(FileNotFoundError):
        policed(Strange(), OSError).call(FileNotFoundError())
    with pytest.raises(AdapterError), policing("Evidence.open", OSError):
        raise KeyError


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_cancellation_passes(loop: str) -> None:
    """A cancelled call is cancelled, and not a failure of the adapter."""

    class Sleepy:
        async def sleep(self) -> None:
            await anyio.sleep(60)

    async def main() -> None:
        with anyio.move_on_after(0.01) as scope:
            await policed(Sleepy()).sleep()
        assert scope.cancelled_caught

    anyio.run(main, backend=loop)


def test_it_passes_for_the_adapter() -> None:
    """Attributes are the adapter's own; what it lacks is lacking."""
    adapter = policed(Strange())
    assert adapter.name == "strange"
    assert not hasattr(adapter, "nothing")
    assert "policed" in repr(adapter)

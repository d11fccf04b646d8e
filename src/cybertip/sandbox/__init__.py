"""A NCMEC of your own: a double of the reporting server for clients in any language, in memory or on a loopback port.

Names are imported when they are first used, for they need the extra `[sandbox]`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cybertip.sandbox.answers import Answer as Answer
    from cybertip.sandbox.behaviour import Behaviour as Behaviour
    from cybertip.sandbox.clock import ShiftedClock as ShiftedClock, VirtualClock as VirtualClock
    from cybertip.sandbox.core import Ncmec as Ncmec
    from cybertip.sandbox.exchange import Exchange as Exchange
    from cybertip.sandbox.faults import Fault as Fault
    from cybertip.sandbox.server import running as running, serve as serve
    from cybertip.sandbox.transport import SandboxTransport as SandboxTransport

_HOMES = {
    "Answer": "answers",
    "Behaviour": "behaviour",
    "Exchange": "exchange",
    "Fault": "faults",
    "Ncmec": "core",
    "SandboxTransport": "transport",
    "ShiftedClock": "clock",
    "VirtualClock": "clock",
    "running": "server",
    "serve": "server",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name in ("python_multipart", "uvicorn"):
            raise ModuleNotFoundError(
                f"the sandbox needs {error.name}: install cybertip[sandbox]", name=error.name
            ) from error
        raise
    globals()[name] = found
    return found

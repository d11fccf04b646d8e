"""Only errors of ours get out: what a stranger's storage or evidence raises is told by its kind, and never by its words."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from cybertip.adapters.evidence import MemoryEvidence
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.errors import AdapterError
from cybertip.filing import Status


class OfTheDatabase(Exception):
    """An error that no program but its own has heard of."""


class Strange(MemoryStorage):
    """Raises an error of its own from one method."""

    def __init__(self, method: str, error: Exception) -> None:
        super().__init__()
        self.method, self.error = "", error
        self._which = method

    def breaks(self) -> None:
        self.method = self._which

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name == "method" or name != self.method:
            return found

        def broken(*args: Any, **kwargs: Any) -> Any:
            raise self.error

        return broken


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "file": lambda world, courier: courier.file(world.filing(user="user-2"), key="case-2"),
    "deliver": lambda world, courier: courier.deliver("case-1"),
    "run_due": lambda world, courier: courier.run_due(),
    "status": lambda world, courier: courier.status("case-1"),
    "journal": lambda world, courier: courier.journal("case-1"),
    "submission": lambda world, courier: courier.submission("case-1"),
    "receipt": lambda world, courier: courier.receipt("case-1"),
    "retract": lambda world, courier: courier.retract("case-1", actor="reviewer", reason="a mistake"),
    "override": lambda world, courier: courier.override("case-1", actor="reviewer", reason="looked at"),
}
#: What of its storage each call needs.
NEEDS = {
    "file": ("read", "append"),
    "deliver": ("head", "claim", "read", "append"),
    "run_due": ("claim_due", "read", "append"),
    "status": ("read",),
    "journal": ("read",),
    "submission": ("read",),
    "receipt": ("read",),
    "retract": ("read", "append"),
    "override": ("read", "append"),
}


@pytest.mark.parametrize(("call", "method"), [(call, method) for call, needs in NEEDS.items() for method in needs])
@pytest.mark.parametrize(
    "error",
    [OfTheDatabase("canary"), KeyError("canary"), TimeoutError("canary")],
    ids=lambda error: type(error).__name__,
)
def test_a_strangers_errors_become_ours(world: Any, call: str, method: str, error: Exception) -> None:
    """Whatever a storage raises, callers see an `AdapterError` that names the method and the kind of the error; the original
    is its cause, and its words are in no message of ours."""
    world.storage = Strange(method, error)
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    world.storage.breaks()
    with pytest.raises(AdapterError) as caught:
        CALLS[call](world, courier)
    assert caught.value.__cause__ is error
    assert method in str(caught.value)
    assert type(error).__name__ in str(caught.value)
    assert "canary" not in "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_sent_that_is_not_recorded(world: Any, call: str) -> None:
    """While storage takes nothing, nothing leaves."""
    world.storage = Strange("append", OfTheDatabase("canary"))
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    world.storage.breaks()
    if "append" in NEEDS[call]:
        with pytest.raises(AdapterError):
            CALLS[call](world, courier)
    else:
        CALLS[call](world, courier)
    assert world.wire.calls == []
    assert world.kinds("case-1") == ["filed"]


@pytest.mark.parametrize(
    "error", [OfTheDatabase("canary"), RuntimeError("canary")], ids=lambda error: type(error).__name__
)
def test_strange_evidence_stops_one_submission(world: Any, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Evidence that fails in a way which its port does not know holds the submission, with an alarm, and no other; its words
    are in no log."""

    class Odd(MemoryEvidence):
        def open(self, reference: str) -> Any:
            if reference.startswith("user-1"):
                raise error
            return super().open(reference)

    filings = [world.filing(True, user=f"user-{number}") for number in (1, 2)]
    courier = world.courier(evidence=Odd(world.evidence.kept))
    for number, filing in enumerate(filings, start=1):
        courier.file(filing, key=f"case-{number}")
    assert courier.run_due() == 2
    assert courier.status("case-2").status is Status.FINISHED
    assert world.storage.head("case-1").status == Status.HELD
    now = world.clock.now()
    letters = world.storage.take_letters(now=now, until=now, limit=9, topics=["alarm"])
    assert [letter.key for letter in letters] == ["case-1"]
    assert type(error).__name__ in caplog.text
    assert "canary" not in caplog.text


def test_evidence_that_cannot_be_opened_waits_for_a_person(world: Any) -> None:
    """Evidence that is gone is damaged evidence: nothing is sent for it, a person is called, and when it is back and the
    person says so, it is delivered."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    kept, world.evidence.kept = world.evidence.kept, {}
    assert courier.deliver("case-1").status is Status.NEEDS_HUMAN
    assert world.wire.calls == []
    world.evidence.kept.update(kept)
    courier.override("case-1", actor="reviewer", reason="restored")
    assert courier.deliver("case-1").status is Status.FINISHED

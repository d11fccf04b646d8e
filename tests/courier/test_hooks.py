"""Hooks: a host can watch deliveries, and nothing that goes wrong while it watches harms one."""

from typing import Any

import pytest

from cybertip.filing import Status


def test_a_watch_is_told_after_each_record(world: Any) -> None:
    """Whatever is recorded of a delivery, the host is told of it when it is on disk, with the state that follows from it."""
    seen: list[tuple[str, int, Status]] = []

    def watch(journal: Any) -> None:
        assert world.storage.head(journal.key).version == journal.version
        seen.append((journal.key, journal.version, journal.status))

    courier = world.courier(watch=watch)
    courier.file(world.filing(True), key="case-1")
    courier.deliver("case-1")
    assert [version for _, version, _ in seen] == [2, 4, 6, 8, 9]
    assert {key for key, _, _ in seen} == {"case-1"}
    assert [status for _, _, status in seen] == [Status.DELIVERING] * 4 + [Status.FINISHED]


def test_progress_is_told_while_a_file_goes_up(world: Any) -> None:
    """The host is told of each file how far it is: never back, never more than there is, and in the end all of it."""
    seen: list[tuple[str, int, int, int]] = []
    courier = world.courier(progress=lambda *about: seen.append(about))
    filing = world.filing(True, False)
    courier.file(filing, key="case-1")
    courier.deliver("case-1")
    for index, file in enumerate(filing.files):
        told = [(sent, size) for key, number, sent, size in seen if (key, number) == ("case-1", index)]
        assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
        assert {size for _, size in told} == {file.size}
        assert told[-1] == (file.size, file.size)


@pytest.mark.parametrize("which", ["watch", "progress"])
@pytest.mark.parametrize("error", [RuntimeError, KeyError, OSError, AssertionError])
def test_a_hook_that_fails_harms_no_delivery(
    world: Any, which: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """A hook that raises is noted in the log, without its words, and the report is delivered as if there were none."""
    called: list[int] = []

    def hook(*about: Any) -> None:
        called.append(1)
        raise error("canary")

    courier = world.courier(**{which: hook})
    courier.file(world.filing(True), key="case-1")
    assert courier.deliver("case-1").status is Status.FINISHED
    assert called
    assert world.kinds("case-1").count("intended") == 4
    assert error.__name__ in caplog.text
    assert "canary" not in caplog.text


def test_what_a_hook_returns_decides_nothing(world: Any) -> None:
    """Whatever a hook returns, the delivery goes on as it would."""
    courier = world.courier(watch=lambda journal: False, progress=lambda *about: False)
    courier.file(world.filing(True), key="case-1")
    assert courier.deliver("case-1").status is Status.FINISHED


def test_the_log_of_a_delivery_is_silent_when_all_is_well(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing goes wrong there is nothing to read."""
    caplog.set_level("DEBUG", logger="cybertip")
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    courier.run_due()
    assert [record for record in caplog.records if record.name.startswith("cybertip")] == []

"""A case goes as far as it can by itself: its files are kept, the platform is asked, and it is filed once."""

from datetime import timedelta
from typing import Any


def test_a_case_goes_from_its_signal_to_its_report(any_world: Any, kit: Any) -> None:
    """In each colour: files are kept, the platform is asked, the report is filed, and platform and host hear of it."""
    world = any_world
    key = world.decided(kit.kept(1), kit.at_url(2), **kit.conversation())
    world.pass_time(seconds=60, step=timedelta(seconds=1))
    case = world.case(key)
    assert case.stage == "reported"
    assert world.states() == ["finished"]
    [(_, notice)] = world.platform.preserved
    assert notice.report_id == case.report_id
    assert notice.reported_media == (kit.image(1), kit.image(2))
    assert [event.kind for _, event in world.platform.told] == ["case.filed", "case.preserved"]
    assert case.preserved
    assert world.letters() == []
    assert world.storage.head(key).due_at is None

"""What a person found switches entries of one's own banks off and on; nobody else's, and not without HMA's word."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.adapters.matching.hma import Bounds, HmaSettings
from cybertip.errors import AdapterError
from cybertip.ports.matching import EntryId, ListName, MediaItem, Outcome, Verdict
from cybertip.sandbox.answers import Answer
from cybertip.testing.hma import Fault, Hma


def test_false_positives_are_not_found_any_more(colour: Any, hma: Hma, url: str, known: MediaItem) -> None:
    """A later verdict takes the place of an earlier one."""
    settings = HmaSettings.at(url, own_banks=["SYNTHETIC"])
    ((found,),) = [result.matches for result in colour.match(settings, [known])]
    for verdict, outcome in (
        (Verdict.FALSE_POSITIVE, Outcome.NO_MATCH),
        (Verdict.CONFIRMED, Outcome.POTENTIAL_MATCH),
    ):
        colour.of(
            settings, lambda matcher, verdict=verdict: matcher.feedback(found, verdict=verdict, reason="synthetic")
        )
        assert colour.match(settings, [known])[0].outcome is outcome


def test_others_banks_are_left_alone(colour: Any, hma: Hma, url: str, known: MediaItem) -> None:
    """Without being told that a bank is one's own, no entry is taken from anybody."""
    settings = HmaSettings.at(url)
    ((found,),) = [result.matches for result in colour.match(settings, [known])]
    hma.requests.clear()
    with pytest.raises(AdapterError, match="nothing was recorded"):
        colour.of(settings, lambda matcher: matcher.feedback(found, verdict=Verdict.FALSE_POSITIVE))
    other = attrs.evolve(found, matcher="other")
    with pytest.raises(ValueError, match="another matcher"):
        colour.of(settings, lambda matcher: matcher.feedback(other, verdict=Verdict.FALSE_POSITIVE))
    assert hma.requests == []
    with pytest.raises(ValueError, match="curator"):
        HmaSettings(matcher=url, own_banks=["SYNTHETIC"])


@pytest.mark.parametrize(
    "fault",
    ["drop", "hang", Answer(404, (), b"<html>"), Answer(200, (), b"{}"), Answer(200, (), b'{"disable_until_ts":1}')],
)
def test_what_hma_does_not_confirm_is_not_recorded(
    colour: Any, hma: Hma, url: str, known: MediaItem, fault: Any
) -> None:
    """Whoever told it learns that nobody knows."""
    bounds = Bounds(silence_for=timedelta(seconds=0.1))
    settings = HmaSettings.at(url, own_banks=["SYNTHETIC"], bounds=bounds)
    ((found,),) = [result.matches for result in colour.match(settings, [known])]
    hma.faults.append(Fault(path="/c/bank/SYNTHETIC/content/1", answer=fault, times=None))
    with pytest.raises(AdapterError, match="not known"):
        colour.of(settings, lambda matcher: matcher.feedback(found, verdict=Verdict.FALSE_POSITIVE))


@pytest.mark.parametrize(("list", "entry"), [("SYNTHETIC", "99"), ("SYNTHETIC", "../../banks"), ("GONE", "1")])
def test_entries_that_are_not_there(colour: Any, url: str, known: MediaItem, list: str, entry: str) -> None:
    """An entry that is gone cannot be changed, and a strange one leads nowhere else."""
    settings = HmaSettings.at(url, own_banks=["SYNTHETIC", "GONE"])
    ((found,),) = [result.matches for result in colour.match(settings, [known])]
    gone = attrs.evolve(found, list=ListName(list), entry=EntryId(entry))
    with pytest.raises(AdapterError):
        colour.of(settings, lambda matcher: matcher.feedback(gone, verdict=Verdict.FALSE_POSITIVE))

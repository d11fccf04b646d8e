"""Whatever is assembled, or refused, names fields and quotes nothing."""

from typing import Any

import attrs
import pytest

from cybertip.cases.assembly.known import Known
from cybertip.cases.enrichment import MediaHash
from cybertip.cases.profile import Profile
from cybertip.cases.references import ThreadId
from cybertip.errors import InvalidReport
from cybertip.model import Email, IntendedRecipient, Person, Victim

CANARY = "canary-4711"


def canaries(kit: Any, *too_long: str) -> dict[str, Any]:
    """Return what a filing is assembled from, with a canary in every text that there is; some of them are too long."""
    long = dict.fromkeys(too_long, CANARY * 1000)
    decision = kit.decision(
        kit.included(views=(kit.view(wholly=False, exif=True),)),
        threads=tuple(attrs.evolve(one, thread=ThreadId(CANARY)) for one in kit.decision().threads),
        victims=(Victim(victim_person=Person(first_name=long.get("victim", CANARY)), esp_identifier=CANARY),),
        recipients=(IntendedRecipient(screen_name=CANARY),),
        escalation=CANARY,
        additional_info=CANARY,
    )
    user = kit.user(
        screen_name=long.get("screen_name", CANARY),
        emails=(Email(value=f"{CANARY}@example.com"),),
        data={"displayName": CANARY},
        ip_capture_events=(kit.event(),),
    )
    info = kit.info(
        file_name=long.get("file_name", CANARY),
        additional_infos=(CANARY,),
        hash=MediaHash(value=CANARY, type="md5"),
        ip_capture_events=(kit.event(), kit.event(1)),
    )
    return {
        "of": kit.case(kit.Joined(signal=kit.matched(1)), kit.kept()),
        "decided": decision,
        "enrichment": kit.answered(decision, user, info, additional_info=CANARY),
        "attachments": (
            kit.transcript(thread=ThreadId(CANARY), name=CANARY),
            kit.supplemental(name=CANARY, media_type=CANARY, additional_infos=(CANARY,)),
        ),
    }


def test_what_is_assembled_can_stand_in_a_log(kit: Any) -> None:
    """A filing with its findings shows neither what somebody said nor who anybody is."""
    made = kit.assembled(**canaries(kit))
    assert {"no-digest", "several-ip-events", "exif-in-words", "media-type"} <= {one.rule for one in made.findings}
    shown = repr(made) + "".join(map(str, made.findings))
    for secret in (CANARY, "192.0.2.1", "user@", "u1", "'m1"):
        assert secret not in shown


def test_what_is_refused_quotes_nothing(kit: Any) -> None:
    """A violation says where, which rule, and where the value came from, and not what it is."""
    with pytest.raises(InvalidReport) as error:
        kit.assembled(**canaries(kit, "screen_name", "victim", "file_name"))
    assert {one.path for one in error.value.violations} == {
        "case.user.screen_name",
        "decision.victims[0].victim_person.first_name",
        "decision.media[0].original_file_name",
    }
    assert CANARY not in str(error.value) + repr(error.value)


def test_what_is_known_shows_nothing(kit: Any) -> None:
    """What stands in a traceback with its local values is silent about them."""
    given = canaries(kit)
    known = Known.of(given["of"], given["decided"], given["enrichment"], Profile(), given["attachments"], ())
    shown = repr(known) + repr(known.files) + repr(known.user) + repr(known.person(known.decision.victims[0]))
    assert CANARY not in shown
    assert "192.0.2.1" not in shown

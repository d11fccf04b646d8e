"""Whose cases they are: an organisation's desk, put together from the settings."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cybertip.cases.enrichment import nothing_known
from cybertip.cases.profile import Profile
from cybertip.cases.references import ReviewerId
from cybertip.cases.review import ReviewPolicy
from cybertip.cases.routing import DEFAULT, Rules
from cybertip.cli.outcome import Misuse
from cybertip.cli.profile import read_profile
from cybertip.cli.settings import Settings
from cybertip.cli.webhooks import signer
from cybertip.desk.office import Office
from cybertip.desk.visibility import Viewer
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Endpoint

if TYPE_CHECKING:
    from cybertip.adapters.storage.sql import SqlStorage
    from cybertip.courier import Courier
    from cybertip.desk.desks import CaseDesk
    from cybertip.ports.webhooks import Media, Webhooks

__all__ = ["ChildSafetyOption", "ReviewerOption", "desk_at", "named", "office_of", "opened_desk", "viewer"]

ReviewerOption = Annotated[
    str | None,
    typer.Option("--reviewer", envvar="CYBERTIP_REVIEWER", help="Who you are, as your organisation calls you."),
]
ChildSafetyOption = Annotated[
    bool,
    typer.Option(
        "--child-safety", help="You hold the permission to see what is, or may be, reported: say so each time."
    ),
]

#: What `review` may ask for.
_PARTIAL, _SECOND = "partial", "second-approval"


def viewer(settings: Settings, reviewer: str | None, *, child_safety: bool) -> Viewer:
    """Return who asks."""
    name = reviewer or settings.reviewer
    if not name:
        raise Misuse("nobody knows who you are here: give --reviewer, or CYBERTIP_REVIEWER")
    return Viewer(reviewer=ReviewerId(name), child_safety=child_safety)


def named(given: str, otherwise: str) -> dict[str, str]:
    """Return the parts of what is given as TYPE:ID; `otherwise` tells who gave something else how it is done."""
    type_id, _, id = given.partition(":")
    if not type_id or not id:
        raise Misuse(otherwise)
    return {"type_id": type_id, "id": id}


def office_of(settings: Settings) -> Office:
    """Return what goes for the organisation's desk: by which rules it works, and how its things are called in storage."""
    return Office(
        organisation=settings.need("organisation"),
        environment=settings.chosen_environment(),
        profile=_profile(settings),
        rules=_rules(settings),
        review=_review(settings),
    )


@contextmanager
def opened_desk(settings: Settings, *, make: bool = False) -> "Iterator[tuple[CaseDesk, SqlStorage]]":
    """Open the organisation's desk for people: it does no work on its own, and calls nobody."""
    office = office_of(settings)
    with settings.open_storage(make=make) as storage, settings.courier(storage) as courier:
        yield _desk(settings, office, courier, read_only=True), storage


def desk_at(settings: Settings, courier: "Courier") -> "CaseDesk":
    """Return the organisation's desk for a worker, with the endpoints of its profile."""
    office = office_of(settings)
    # Who has no endpoint that knows more may have others.
    source = None if office.profile.additional_info_url else nothing_known
    webhooks = _webhooks(settings, office.profile)
    return _desk(settings, office, courier, webhooks=webhooks, source=source, media=_media(settings))


def _desk(
    settings: Settings, office: Office, courier: "Courier", *, read_only: bool = False, **parts: Any
) -> "CaseDesk":
    from cybertip.desk.desks import CaseDesk

    return CaseDesk(
        office.organisation,
        courier=courier,
        evidence=settings.kept_evidence(read_only=read_only),
        profile=office.profile,
        rules=office.rules,
        review=office.review,
        **parts,
    )


# -- what the organisation says ---------------------------------------------------------------------------------------


def _profile(settings: Settings) -> Profile:
    return read_profile(Path(settings.profile) if settings.profile else None)


def _rules(settings: Settings) -> Rules:
    """Return where signals go: as the tables `[[routing]]` beside the profile say, where there are any."""
    if settings.profile is None:
        return DEFAULT
    text = Path(settings.profile).read_text(encoding="utf-8")
    return Rules.from_toml(text) if "routing" in tomllib.loads(text) else DEFAULT


def _review(settings: Settings) -> ReviewPolicy:
    words = set(settings.review.replace(",", " ").split())
    if words - {_PARTIAL, _SECOND}:
        raise Misuse(
            f"review is made of the words {_PARTIAL} and {_SECOND}: give them as CYBERTIP_REVIEW, or leave it out"
        )
    return ReviewPolicy(partial=_PARTIAL in words, second_approval=_SECOND in words)


# -- the platform -----------------------------------------------------------------------------------------------------


def _webhooks(settings: Settings, profile: Profile) -> "Webhooks | None":
    """Return what calls the endpoints that the profile names; without any, nobody is asked and nobody told."""
    if not (profile.additional_info_url or profile.preservation_url or profile.case_event_url):
        return None
    from cybertip.adapters.webhooks import HttpxWebhooks

    key = Path(settings.webhook_key_file) if settings.webhook_key_file else None
    signs = signer(key, settings.webhook_password)
    info, preservation, event = (
        None if url is None else Endpoint(address=url, signer=signs)
        for url in (profile.additional_info_url, profile.preservation_url, profile.case_event_url)
    )
    hosts = [one.address.host for one in (info, preservation, event) if one is not None]
    return HttpxWebhooks(
        additional_info=info, preservation=preservation, case_event=event, guard=_guard(settings, hosts)
    )


def _media(settings: Settings) -> "Media | None":
    """Return what fetches media, where it is said from which hosts."""
    hosts = settings.media_hosts.replace(",", " ").split()
    if not hosts:
        return None
    from cybertip.adapters.webhooks import HttpxMedia

    return HttpxMedia(_guard(settings, hosts))


def _guard(settings: Settings, hosts: list[str]) -> Guard:
    try:
        return Guard(hosts=hosts, networks=(*LOOPBACK, *settings.networks.replace(",", " ").split()))
    except ValueError:
        raise Misuse("media_hosts must be names of hosts, and networks such as 10.1.0.0/16") from None

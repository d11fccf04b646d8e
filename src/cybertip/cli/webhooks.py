"""`webhooks`: whether endpoints of the platform's keep the contract."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer

from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.cases.notices import Preservation
from cybertip.cases.references import ItemRef, UserRef
from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Misuse, Outcome, outcomes, warn
from cybertip.errors import CybertipError
from cybertip.webhooks.addresses import LOOPBACK, Address, Guard
from cybertip.webhooks.endpoints import Limits
from cybertip.webhooks.failures import WebhookNotSent

if TYPE_CHECKING:
    from cybertip.testing.webhooks import Asked, Verdict
    from cybertip.webhooks.signing import Signer

__all__ = ["signer", "webhooks"]

#: Holds the key itself; a key on the command line could be read by every user of the machine.
_KEY = "CYBERTIP_WEBHOOK_KEY"
_KEY_FILE = "CYBERTIP_WEBHOOK_KEY_FILE"
_STYLES = {"kept": "green", "broken": "bold red", "not checked": "yellow"}
#: Findings of a promise that a person is shown; a script gets all of them.
_SHOWN = 5

webhooks = typer.Typer(no_args_is_help=True, help="Look after the endpoints of your own that this program calls.")


@webhooks.callback()
def _group() -> None:
    pass


@webhooks.command()
def check(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the endpoint is: https, or http on this machine.")],
    additional_info: Annotated[
        bool,
        typer.Option("--additional-info", help="It is asked for more about users and media; unless another is named."),
    ] = False,
    preservation: Annotated[bool, typer.Option("--preservation", help="It is told to preserve.")] = False,
    case_event: Annotated[bool, typer.Option("--case-event", help="It is told what becomes of cases.")] = False,
    key: Annotated[
        Path | None,
        typer.Option(
            envvar=_KEY_FILE,
            help=f"The file of the key that signs: whsec_... or whsk_... (Standard Webhooks), several on lines of their "
            f"own, or a private RSA key in PEM form (Coop's scheme). Else {_KEY} holds the key.",
        ),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="CYBERTIP_WEBHOOK_PASSWORD", help="Of a key in PEM form, if it has one. Better in the variable."
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE:ID", help="Ask about this user of yours, not about invented ones; repeatable."),
    ] = None,
    media: Annotated[
        list[str] | None, typer.Option(metavar="TYPE:ID", help="Ask about this piece of media of yours; repeatable.")
    ] = None,
    allow_network: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="A private network that may be called, such as 10.1.0.0/16; repeatable."),
    ] = None,
    within: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How long an answer may take.")] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Call an endpoint with good and bad requests, and give a verdict on each promise of the contract.

    The endpoint acts on what it is told: never check one in production. Neither keys nor answers are shown.

    Exit code 0 if no promise is broken, 1 if one is, 4 if nothing could be sent, or what is signed rightly was not judged.
    """
    with outcomes():
        from cybertip.testing.webhooks import Promise, Standing, check_endpoint

        call = _call(additional_info=additional_info, preservation=preservation, case_event=case_event)
        asked = _asked(call, [_ref(UserRef, one) for one in user or ()], [_ref(ItemRef, one) for one in media or ()])
        address = _address(url)
        try:
            verdicts = check_endpoint(
                address,
                signer(key, password),
                asked,
                limits=Limits(deadline_for=timedelta(seconds=within), silence_for=timedelta(seconds=within)),
                guard=_guard(address, allow_network or []),
            )
        except WebhookNotSent as error:
            # Not as a failure of an adapter, which would be called one of storage.
            raise CybertipError(f"{error.reason}. {error.advice}") from None
        if as_json or not show.console.is_terminal:
            show.data(_plain(verdicts))
        else:
            _show(verdicts)
    standings = {one.promise: one.standing for one in verdicts}
    if Standing.BROKEN in standings.values():
        raise typer.Exit(Outcome.INVALID)
    if standings[Promise.ACCEPTS_SIGNED] is not Standing.KEPT:
        warn("the endpoint was too busy to be judged: try again")
        raise typer.Exit(Outcome.NO_ANSWER)


# -- what is called, and with what ------------------------------------------------------------------------------------


def _call(*, additional_info: bool, preservation: bool, case_event: bool) -> str:
    named = {"additional-info": additional_info, "preservation": preservation, "case-event": case_event}
    chosen = [name for name, is_chosen in named.items() if is_chosen]
    if len(chosen) > 1:
        raise Misuse(
            f"an endpoint is checked for one call at a time: choose one of {', '.join(f'--{one}' for one in named)}"
        )
    return chosen[0] if chosen else "additional-info"


def _ref(kind: Any, given: str) -> Any:
    type_id, _, id = given.partition(":")
    if not type_id or not id:
        raise Misuse("--user and --media are given as TYPE:ID, such as image:4711")
    return kind(id=id, type_id=type_id)


def _asked(call: str, users: Sequence[UserRef], media: Sequence[ItemRef]) -> "Asked":
    from cybertip.testing.webhooks import Call, invented

    made = invented(Call(call))
    if not users and not media:
        return made
    match made:
        case AdditionalInfoRequest():
            return AdditionalInfoRequest(users=tuple(users), media=tuple(media))
        case Preservation() if len(users) <= 1:
            return attrs.evolve(made, user=users[0] if users else made.user, reported_media=tuple(media))
        case Preservation():
            raise Misuse("an endpoint is told to preserve of one user: give --user once")
        case _:
            raise Misuse("an event is about a case: --user and --media say nothing about it")


def _address(url: str) -> Address:
    try:
        return Address.of(url)
    except ValueError as error:
        # Not repeated: an address may hold a token.
        raise Misuse(f"the URL {error}") from None


def _guard(address: Address, networks: Sequence[str]) -> Guard:
    try:
        return Guard(hosts=[address.host], networks=(*LOOPBACK, *networks))
    except ValueError:
        raise Misuse("--allow-network is given as a network, such as 10.1.0.0/16") from None


# -- keys -------------------------------------------------------------------------------------------------------------


def signer(file: Path | None, password: str | None) -> "Signer":
    """Return what signs; what kind of key it is says the scheme."""
    given = file.read_bytes() if file is not None else os.environ.get(_KEY, "").encode(errors="replace")
    where = str(file) if file is not None else _KEY
    if not given.strip():
        raise Misuse(f"there is no key to sign with: name its file with --key or as {_KEY_FILE}, or give it as {_KEY}")
    try:
        from cybertip.webhooks.coop import CoopSigner
        from cybertip.webhooks.standard import StandardSigner

        if b"-----BEGIN" in given:
            return CoopSigner.from_pem(given, password=password.encode() if password else None)
        return StandardSigner(given.decode(errors="replace").split())
    except ImportError as error:
        raise Misuse(str(error)) from None
    except ValueError as error:
        # Our own words, which hold nothing of a key.
        raise Misuse(f"{where}: {error}") from None


# -- what is shown ----------------------------------------------------------------------------------------------------


def _plain(verdicts: "Sequence[Verdict]") -> dict[str, Any]:
    return {
        "broken": _broken(verdicts),
        "verdicts": [
            {
                "promise": str(one.promise),
                "sentence": one.promise.sentence,
                "standing": str(one.standing),
                "findings": list(one.findings),
            }
            for one in verdicts
        ],
    }


def _show(verdicts: "Sequence[Verdict]") -> None:
    show.table(("promise", "stands", ""), ((one.promise, one.standing, "\n".join(_said(one))) for one in verdicts))
    counts = Counter(str(one.standing) for one in verdicts)
    worst = next(one for one in ("broken", "not checked", "kept") if counts[one])
    show.line(", ".join(f"{counts[one]} {one}" for one in _STYLES if counts[one]), _STYLES[worst])
    if counts["broken"]:
        show.line(f"broken: {', '.join(_broken(verdicts))}", _STYLES["broken"])


def _broken(verdicts: "Sequence[Verdict]") -> list[str]:
    return [str(one.promise) for one in verdicts if one.standing == "broken"]


def _said(one: "Verdict") -> list[str]:
    left = len(one.findings) - _SHOWN
    sentence = [] if one.standing == "not checked" else [one.promise.sentence]
    return [*sentence, *one.findings[:_SHOWN], *([f"and {left} more"] if left > 0 else [])]

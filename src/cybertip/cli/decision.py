"""`DECISION.json` and `SIGNAL.json`: what a person decided, and what was noticed, as files; faults are named by their paths.

The form is that in which cases record both: our own names as they are spelled in Python, and what goes into a report as
NCMEC spells it.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cybertip.cases.decisions import Decision, Dismissed
from cybertip.cases.reading import Reader
from cybertip.cases.signals import Signal, decode
from cybertip.errors import InvalidReport, UnknownEvent, Violation
from cybertip.model import FileAnnotations, IntendedRecipient, ReportAnnotations, Victim
from cybertip.xml import from_json
from cybertip.xml.as_json import parse_json

__all__ = ["read_decision", "read_signal"]


def read_decision(path: Path) -> Decision | Dismissed:
    """Read a decision, or with `reason` alone a dismissal; raise `InvalidReport` with everything that is wrong."""
    plain = parse_json(path.read_bytes())
    if "reason" in plain:
        return _DISMISSED.read(plain, path="decision")
    return _DECISION.read(plain, path="decision")


def read_signal(path: Path) -> Signal:
    """Read a signal, `{"kind": "escalated/1", "data": {...}}`; raise `InvalidReport` where it is none."""
    plain = parse_json(path.read_bytes())
    if plain.keys() != {"kind", "data"} or not isinstance(plain["kind"], str):
        message = "must have `kind`, such as escalated/1, and `data`, and nothing else"
        raise InvalidReport((Violation(path="signal", rule="type", message=message),))
    try:
        return decode(plain["kind"], json.dumps(plain["data"]))
    except UnknownEvent:
        # Its words are about a journal.
        message = "is not of a kind that is known, or its data is not what that kind has"
        raise InvalidReport((Violation(path="signal", rule="type", message=message),)) from None


def _section(kind: type[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """Say how a part of a report is read, which has a JSON form of its own."""

    def read(plain: Mapping[str, Any]) -> Any:
        try:
            return from_json(plain, kind)
        except InvalidReport as error:
            # Whoever reads says where it stands; what it is within that is ours to say.
            raise InvalidReport(tuple(_within(one) for one in error.violations)) from None

    return Mapping[str, Any], read


def _within(fault: Violation) -> Violation:
    inner = fault.path.partition(".")[2]
    return Violation(path="", rule=fault.rule, message=f"{inner} {fault.message}" if inner else fault.message)


_SECTIONS: dict[type, tuple[Any, Callable[[Any], Any]]] = {
    kind: _section(kind) for kind in (ReportAnnotations, FileAnnotations, Victim, IntendedRecipient)
}
_DECISION = Reader(Decision, spelled=str, through=_SECTIONS)
_DISMISSED = Reader(Dismissed, spelled=str)

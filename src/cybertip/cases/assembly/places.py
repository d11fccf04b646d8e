"""Where a reviewer finds what is wrong with a report: in the decision, the answer or the profile that it came from."""

import re

from cybertip.cases.assembly.files import ATTACHMENT, FILE
from cybertip.cases.assembly.known import Known
from cybertip.cases.assembly.people import RECIPIENT, USER, VICTIM
from cybertip.cases.assembly.report import REPORT, REPORTER, SUMMARY
from cybertip.cases.assembly.rule import Section
from cybertip.errors import Violation

__all__ = ["SECTIONS", "placed"]

#: Every section that has rules, in NCMEC's order.
SECTIONS: tuple[Section[object], ...] = (REPORT, SUMMARY, REPORTER, USER, RECIPIENT, VICTIM, FILE, ATTACHMENT)  # type: ignore[assignment] # each knows something else

_INDEX = re.compile(r"\[\d+\]")
_MEMBER = re.compile(
    r"(report\.persons_or_users_reported|report\.victims|report\.intended_recipients|files)\[(\d+)\](.*)"
)


def placed(violation: Violation, known: Known) -> Violation:
    """Name a violation by what a reviewer knows, and say where the value came from."""
    path, pattern = _known(violation.path, known)
    source = _source(pattern)
    return Violation(
        path=path,
        xpath=violation.xpath,
        rule=violation.rule,
        message=f"{violation.message} (from {source})" if source else violation.message,
    )


def _known(path: str, known: Known) -> tuple[str, str]:
    """Return what a reviewer calls a place, and the pattern by which the rules know it."""
    pattern = _INDEX.sub("[]", path)
    member = _MEMBER.fullmatch(path)
    if member is None:
        return path, pattern
    owner, index, below = member[1], int(member[2]), member[3]
    match owner.rpartition(".")[2]:
        case "persons_or_users_reported":
            return ("case.user" if index == 0 else f"decision.batched_users[{index - 1}]") + below, pattern
        case "victims":
            return f"decision.victims[{index}]{below}", pattern
        case "intended_recipients":
            return f"decision.recipients[{index}]{below}", pattern
        case _ if index < len(known.files):
            return known.files[index].path + below, pattern
        case _:
            return f"attachments[{index - len(known.files)}]{below}", pattern.replace("files[]", ATTACHMENT.path, 1)


def _source(pattern: str) -> str | None:
    """Return where the value at a place comes from, by the rule that is nearest to it."""
    found = [
        (len(at), rule.source)
        for section in SECTIONS
        for rule in section.rules
        if re.match(rf"{re.escape(at := f'{section.path}.{rule.field}')}(?![a-z_])", pattern)
    ]
    return max(found)[1] if found else None

"""The rules of batched reports: many users who shared the same viral file, each named by nothing but an identifier."""

from collections.abc import Iterator, Sequence
from typing import Any

from cybertip.errors import Violation
from cybertip.model import FileDescription, PersonOrUserReported, Report
from cybertip.model.declaration import part_of
from cybertip.rules.values import is_blank

__all__ = ["batched"]

#: What a batched report must not have, and where that is.
_FORBIDDEN = (
    ("internet_details", "internetDetails"),
    ("law_enforcement", "lawEnforcement"),
    ("intended_recipients", "intendedRecipient"),
    ("victims", "victim"),
    ("additional_info", "additionalInfo"),
)
_TAGS = ("viral", "potential_meme")


def batched(report: Report, files: Sequence[FileDescription | None]) -> Iterator[Violation]:
    """Yield what keeps a batched report from being accepted (NCMEC: section 5, batched reports)."""
    if report.batched_report is None:
        return
    yield from _forbidden(report)
    for index, user in enumerate(report.persons_or_users_reported):
        yield from _user(user, index)
    if len(files) > 1:
        yield Violation(path="files", rule="batched-one-file", message="must be one at the most in a batched report")
    for index, description in enumerate(files):
        yield from _file(description, index)


def _forbidden(report: Report) -> Iterator[Violation]:
    message = "must not be in a batched report"
    if report.incident_summary.escalate_to_high_priority is not None:
        yield Violation(
            path="report.incident_summary.escalate_to_high_priority",
            xpath="/report/incidentSummary/escalateToHighPriority",
            rule="batched-forbidden",
            message=message,
        )
    for python, xml in _FORBIDDEN:
        if getattr(report, python) not in (None, ()):
            yield Violation(path=f"report.{python}", xpath=f"/report/{xml}", rule="batched-forbidden", message=message)


def _user(user: PersonOrUserReported, index: int) -> Iterator[Violation]:
    path, xpath = f"report.persons_or_users_reported[{index}]", f"/report/personOrUserReported[{index + 1}]"
    if user.esp_identifier is None or is_blank(user.esp_identifier):
        yield Violation(
            path=f"{path}.esp_identifier",
            xpath=f"{xpath}/espIdentifier",
            rule="batched-identifier",
            message="must be given in a batched report",
        )
    for field in part_of(PersonOrUserReported).fields:
        if field.python != "esp_identifier" and getattr(user, field.python) not in (None, ()):
            yield Violation(
                path=path + field.path()[0],
                xpath=xpath + field.path()[1],
                rule="batched-identifier",
                message="must not be given in a batched report, which has the identifier alone",
            )


def _file(description: FileDescription | None, index: int) -> Iterator[Violation]:
    path, xpath = f"files[{index}].file_annotations", "/fileDetails/fileAnnotations"
    tags = set(_tags(description))
    if not tags & set(_TAGS):
        message = "must be viral, potential_meme or both in a batched report"
        yield Violation(path=path, xpath=xpath, rule="batched-annotation", message=message)
    if tags - set(_TAGS):
        message = "must be nothing but viral and potential_meme in a batched report"
        yield Violation(path=path, xpath=xpath, rule="batched-annotation", message=message)


def _tags(description: FileDescription | None) -> Iterator[str]:
    if description is None:
        return
    if description.potential_meme:
        yield "potential_meme"
    annotations: Any = description.file_annotations
    if annotations is not None:
        yield from (field.python for field in part_of(type(annotations)).fields if getattr(annotations, field.python))

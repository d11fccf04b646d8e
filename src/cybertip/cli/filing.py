"""`FILING.json`: a report and its files, `{"report": {...}, "files": [{"path": "...", "details": {...}}]}`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cybertip.errors import InvalidReport, Violation
from cybertip.model import FileDescription, Report
from cybertip.xml import from_json

__all__ = ["Filing", "FilingFile", "missing", "read_filing"]


class FilingFile(NamedTuple):
    """A file to upload: where it is, relative to the filing, and what is said of it."""

    path: str
    description: FileDescription | None


class Filing(NamedTuple):
    """What goes to NCMEC together."""

    report: Report
    files: tuple[FilingFile, ...]


def read_filing(value: Mapping[str, Any]) -> Filing:
    """Read a filing from parsed JSON; raise `InvalidReport` with every fault in it."""
    found = list(_shape(value))
    if found:
        raise InvalidReport(tuple(found))
    report: Report | None = None
    files = []
    try:
        report = from_json(value["report"], Report)
    except InvalidReport as error:
        found += error.violations
    for index, file in enumerate(value.get("files", [])):
        description = None
        try:
            if "details" in file:
                description = from_json(file["details"], FileDescription)
        except InvalidReport as error:
            found += (
                Violation(
                    path=f"files[{index}].details{one.path.removeprefix('fileDetails')}",
                    xpath=one.xpath,
                    rule=one.rule,
                    message=one.message,
                )
                for one in error.violations
            )
        files.append(FilingFile(file["path"], description))
    if report is None or found:
        raise InvalidReport(tuple(found))
    return Filing(report, tuple(files))


def _shape(value: Mapping[str, Any]) -> Iterator[Violation]:
    if value.keys() - {"report", "files"}:
        yield Violation(path="", rule="unknown-key", message="has a key that is neither report nor files")
    if not isinstance(value.get("report"), Mapping):
        yield Violation(path="report", rule="type", message="must be an object")
    files = value.get("files", [])
    if not isinstance(files, list):
        yield Violation(path="files", rule="type", message="must be an array")
        return
    for index, file in enumerate(files):
        if not isinstance(file, Mapping) or not isinstance(file.get("path"), str) or file.keys() - {"path", "details"}:
            yield Violation(
                path=f"files[{index}]", rule="type", message="must be an object with path and, if need be, details"
            )


def missing(filing: Filing, folder: Path) -> Iterator[Violation]:
    """Yield which of a filing's files cannot be uploaded from a folder; their names are the reader's own, and not shown."""
    for index, file in enumerate(filing.files):
        path = folder / file.path
        if not path.is_file():
            yield Violation(
                path=f"files[{index}].path", rule="file", message="is no file, looked for beside the filing"
            )
        elif path.stat().st_size == 0:
            yield Violation(path=f"files[{index}].path", rule="empty-file", message="has no bytes")

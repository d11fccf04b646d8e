"""`FILING.json`: a report and its files, `{"report": {...}, "files": [{"path": "...", "details": {...}}]}`."""

import mimetypes
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from cybertip.adapters.evidence import LocalEvidence
from cybertip.errors import AdapterError, InvalidReport, Violation
from cybertip.filing import FileEntry, Filing
from cybertip.model import Edition, FileDescription, Report
from cybertip.ports.evidence import entry_of
from cybertip.xml import from_json

__all__ = ["Draft", "DraftFile", "example", "freeze", "media_type_of", "missing", "read_draft"]


#: Python's own table and not the machine's: the type is part of what a key stands for, and the same file must have the same
#: one on another machine.
_TYPES = mimetypes.MimeTypes()
_TYPES.add_type("application/jsonl", ".jsonl")
_UNKNOWN_TYPE = "application/octet-stream"


class DraftFile(NamedTuple):
    """A file to upload: where it is, relative to the filing, and what is said of it."""

    path: str
    description: FileDescription | None


class Draft(NamedTuple):
    """What is to go to NCMEC together, before its files are preserved and digested."""

    report: Report
    files: tuple[DraftFile, ...]


def example() -> str:
    """Return the example filing that ships with the package."""
    return resources.files("cybertip.cli").joinpath("example/filing.json").read_text(encoding="utf-8")


def read_draft(value: Mapping[str, Any]) -> Draft:
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
        files.append(DraftFile(file["path"], description))
    if report is None or found:
        raise InvalidReport(tuple(found))
    return Draft(report, tuple(files))


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


def missing(draft: Draft, folder: Path) -> Iterator[Violation]:
    """Yield which of a filing's files cannot be uploaded from a folder; their names are the reader's own, and not shown."""
    for index, file in enumerate(draft.files):
        path = folder / file.path
        if not path.is_file():
            yield Violation(
                path=f"files[{index}].path", rule="file", message="is no file, looked for beside the filing"
            )
        elif path.stat().st_size == 0:
            yield Violation(path=f"files[{index}].path", rule="empty-file", message="has no bytes")


def freeze(draft: Draft, folder: Path, evidence: LocalEvidence, *, edition: Edition) -> Filing:
    """Preserve the files of a draft, relative to a folder, and return the filing with their digests.

    The digests are those of the bytes as they are read back from the evidence.
    """
    found = tuple(missing(draft, folder))
    if found:
        raise InvalidReport(found)
    files = tuple(_frozen(index, file, folder, evidence) for index, file in enumerate(draft.files))
    return Filing(report=draft.report, files=files, edition=edition)


def _frozen(index: int, file: DraftFile, folder: Path, evidence: LocalEvidence) -> FileEntry:
    try:
        source = (folder / file.path).open("rb")
    except OSError as error:
        # The name stays with whoever knows it.
        message = f"cannot be read: {error.strerror or type(error).__name__}"
        raise InvalidReport((Violation(path=f"files[{index}].path", rule="file", message=message),)) from None
    with source:
        try:
            reference = evidence.keep(source)
            return entry_of(
                evidence,
                reference,
                name=Path(file.path).name,
                media_type=media_type_of(file.path),
                description=file.description,
            )
        except OSError as error:
            what = error.strerror or type(error).__name__
            raise AdapterError(
                f"files[{index}] could not be preserved as evidence ({what}); nothing was recorded"
            ) from None


def media_type_of(name: str) -> str:
    """Guess a file's media type from its name.

    >>> media_type_of("a.png"), media_type_of("a.tar.gz"), media_type_of("a.unheard-of")
    ('image/png', 'application/octet-stream', 'application/octet-stream')
    """
    kind, encoding = _TYPES.guess_type(Path(name).name)
    # What is compressed is no longer what its inner name says.
    return kind if kind is not None and encoding is None else _UNKNOWN_TYPE

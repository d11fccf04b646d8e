"""What is filed: a report and the manifest of its files, frozen and digested before the first byte leaves."""

import hashlib
import json
from typing import Any

import attrs

from cybertip.errors import InvalidReport, Violation
from cybertip.model import DEFAULT_EDITION, Edition, FileDescription, Report
from cybertip.xml import from_json, to_json

__all__ = ["FileEntry", "Filing", "canonical", "digest_of"]


def canonical(value: Any) -> str:
    """Return JSON in its one canonical spelling: sorted keys, no white space, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of(text: str) -> str:
    """Return the SHA-256 of a canonical text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@attrs.frozen(kw_only=True)
class FileEntry:
    """One file of a filing: where its bytes are kept, what they must be, and what is said of them."""

    #: What the `Evidence` port opens.
    evidence: str = attrs.field(repr=False)
    name: str = attrs.field(repr=False)
    media_type: str = "application/octet-stream"
    size: int
    sha256: str
    md5: str
    description: FileDescription | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry as plain values."""
        plain = attrs.asdict(self, filter=lambda field, _: field.name != "description")
        description = self.description
        return plain | {"description": None if description is None else json.loads(to_json(description))}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "FileEntry":
        """Read what `as_json` returned."""
        description = plain["description"]
        read = None if description is None else from_json(description, FileDescription)
        return cls(**(plain | {"description": read}))


@attrs.frozen(kw_only=True)
class Filing:
    """A report with its files. Two filings with the same `digest` ask for the same thing."""

    report: Report
    files: tuple[FileEntry, ...] = ()
    edition: Edition = DEFAULT_EDITION

    def __attrs_post_init__(self) -> None:
        empty = tuple(
            Violation(path=f"files[{index}]", rule="empty-file", message="has no bytes")
            for index, file in enumerate(self.files)
            if file.size == 0
        )
        if empty:
            raise InvalidReport(empty)

    @property
    def digest(self) -> str:
        """The SHA-256 of the filing: of its report, its files' digests and all that is said of them."""
        return digest_of(canonical(self.as_json()))

    def as_json(self) -> dict[str, Any]:
        """Return the filing as plain values, the report in its JSON form."""
        return {
            "edition": str(self.edition),
            "files": [file.as_json() for file in self.files],
            "report": json.loads(to_json(self.report)),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Filing":
        """Read what `as_json` returned, and nothing else: what a newer program added would be lost in the delivery."""
        if plain.keys() != {"edition", "files", "report"}:
            raise ValueError("a filing holds an edition, files and a report")
        return cls(
            report=from_json(plain["report"], Report),
            files=tuple(map(FileEntry.from_json, plain["files"])),
            edition=Edition(plain["edition"]),
        )

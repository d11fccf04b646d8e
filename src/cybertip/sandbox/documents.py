"""The documents that arrive, judged: well-formed, valid by the XSD, within the documented rules."""

import codecs
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cybertip.errors import InvalidReport, Violation
from cybertip.model import FileDetails, Report
from cybertip.protocol.codes import Code
from cybertip.rules import check
from cybertip.sandbox.answers import Refusal
from cybertip.sandbox.behaviour import Behaviour
from cybertip.sandbox.xerces import translated
from cybertip.xml import read
from cybertip.xml.parsing import parse
from cybertip.xml.schema import NEWEST, exported

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["Document", "Judge"]

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_CODES = {"xml": Code.MALFORMED_XML, "doctype": Code.MALFORMED_XML, "size": Code.INVALID_REQUEST}


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was accepted: its bytes, and what they mean.

    `value` is None where an XSD that is not ours allows what our model cannot hold; then no rule is checked.
    """

    data: bytes = field(repr=False)
    encoding: str
    value: Report | FileDetails | None
    #: Whom file details are about; zero and nothing in a report.
    report_id: int = 0
    file_id: str = ""

    @property
    def text(self) -> str:
        """The document as it was received, as text."""
        # A byte order mark outweighs what is declared, which may be nothing.
        if self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return self.data.decode("utf-16", "replace")
        try:
            return self.data.decode(self.encoding, "replace")
        except LookupError:
            return self.data.decode("utf-8", "replace")


class Judge:
    """Accept documents, or refuse them with the code and the words that NCMEC has for it."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        #: The XSD that is judged by.
        self.schema = behaviour.xsd if behaviour.xsd is not None else exported(behaviour.edition)
        _compiled(self.schema)  # so that an XSD that is none is refused at once

    def report(self, data: bytes, *, now: datetime) -> Document:
        """Judge what was sent to /submit."""
        root = self._valid(data, "report")
        value = self._read(data)
        assert isinstance(value, Report | None)
        self._keeps_rules(value, now)
        return Document(data, root.getroottree().docinfo.encoding or "utf-8", value)

    def details(self, data: bytes) -> Document:
        """Judge what was sent to /fileinfo, but for its rules: those come after the report is known to be open."""
        root = self._valid(data, "fileDetails")
        value = self._read(data)
        assert isinstance(value, FileDetails | None)
        report_id, file_id = root.findtext("reportId", ""), root.findtext("fileId", "")
        try:
            number = int(report_id)
        except ValueError:
            raise Refusal(Code.VALIDATION_FAILED, "reportId must be a number") from None
        return Document(data, root.getroottree().docinfo.encoding or "utf-8", value, number, file_id.strip())

    def described(self, details: Document, report: Document, *, now: datetime) -> None:
        """Refuse file details that break a rule, alone or as those of a batched report's file."""
        if details.value is not None:
            self._keeps_rules(details.value, now)
            self.complete(report, (details,), now=now)

    def complete(self, report: Document, files: tuple[Document | None, ...], *, now: datetime) -> None:
        """Refuse a batched report whose files break its rules (NCMEC: section 5, batched reports)."""
        if isinstance(report.value, Report) and report.value.batched_report is not None and self._behaviour.check_rules:
            described = [file.value if file is not None else None for file in files]
            _refuse(
                check(
                    report.value,
                    now=now,
                    files=[one for one in described if not isinstance(one, Report)],
                    edition=NEWEST,
                )
            )

    def _valid(self, data: bytes, name: str) -> "etree._Element":
        try:
            root = parse(data, limit=self._behaviour.document_limit)
        except InvalidReport as error:
            violation = error.violations[0]
            line = f" (line {violation.line})" if violation.line is not None else ""
            raise Refusal(
                _CODES.get(violation.rule, Code.MALFORMED_XML), f"Document {violation.message}{line}"
            ) from None
        if not _compiled(self.schema).validate(root):
            # A schema of its own, for its error log is shared by all who validate with it.
            schema = _compile(self.schema)
            schema.validate(root)
            description = translated(schema.error_log[0])
            raise Refusal(Code.VALIDATION_FAILED, description, status=self._behaviour.schema_error_status)
        if root.tag != name:
            raise Refusal(Code.VALIDATION_FAILED, f"Expected element '{name}'")
        return root

    def _read(self, data: bytes) -> object:
        try:
            return read(data, limit=self._behaviour.document_limit)
        except InvalidReport as error:
            if self._behaviour.xsd is not None:
                return None
            # The XSD allows a time without an offset; the documentation does not, and nor does the original.
            _refuse(error.violations)
            raise

    def _keeps_rules(self, value: Report | FileDetails | None, now: datetime) -> None:
        if value is not None and self._behaviour.check_rules:
            _refuse(check(value, now=now, edition=NEWEST))


def _refuse(violations: tuple[Violation, ...]) -> None:
    if violations:
        first = violations[0]
        name = (first.xpath or first.path).rpartition("/")[2]
        raise Refusal(Code.VALIDATION_FAILED, f"{name} {first.message}")


@lru_cache(maxsize=8)
def _compiled(schema: bytes) -> "etree.XMLSchema":
    return _compile(schema)


def _compile(schema: bytes) -> "etree.XMLSchema":
    """Compile an XSD, which must not ask for others: the sandbox fetches nothing."""
    from lxml import etree

    try:
        root = parse(schema)
        if any(True for _ in root.iter(f"{_XSD}import", f"{_XSD}include", f"{_XSD}redefine")):
            raise ValueError("the XSD must be in one file: it imports or includes another")
        return etree.XMLSchema(root)
    except (InvalidReport, etree.XMLSchemaParseError) as error:
        raise ValueError(f"the XSD cannot be used: {error}") from None

"""`validate` and `convert`: documents in files, as XML or JSON."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cybertip.cli import show
from cybertip.cli.filing import Draft, missing, read_draft
from cybertip.cli.outcome import Outcome, outcomes
from cybertip.errors import InvalidReport, Violation
from cybertip.model import DEFAULT_EDITION, Edition, ReportDoneResponse, ReportResponse
from cybertip.rules import check
from cybertip.xml import Document, from_json, read, schema, to_json, write
from cybertip.xml.as_json import parse_json

__all__ = ["convert", "validate"]

EditionOption = Annotated[Edition, typer.Option("--edition", help="The edition of NCMEC's schema.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="XML, JSON or filings; - is standard input.")],
    edition: EditionOption = DEFAULT_EDITION,
    as_json: JsonOption = False,
) -> None:
    """Check documents by the schema and by every documented rule, and print all violations. Exit code 1 if there are any.

    The documented rules are looked at once a document can be read. A filing's files must be there, and not be empty.
    """
    with outcomes():
        found = [(name, tuple(_violations(name, edition))) for name in files]
        if as_json:
            show.data([{"file": name, "violations": [_plain(one) for one in said]} for name, said in found])
        else:
            for name, said in found:
                show.line(f"{name}: {_verdict(said)}", "bold red" if said else "green")
                for violation in said:
                    show.line(f"  {violation}")
                    if violation.xpath:
                        show.line(f"    {violation.xpath}", "dim")
                if said and not _STRUCTURAL.isdisjoint(one.rule for one in said):
                    show.line("  The documented rules are checked once this can be read.", "dim")
    rules = {violation.rule for _, said in found for violation in said}
    if rules:
        raise typer.Exit(Outcome.USAGE if _UNREADABLE in rules else Outcome.INVALID)


#: The rule of a file that could not even be opened.
_UNREADABLE = "unreadable"
#: Rules of what cannot be read as a document, so that no other rule was looked at.
_STRUCTURAL = frozenset(
    {
        "choice",
        "doctype",
        "json",
        "required",
        "root",
        "type",
        "unknown-key",
        "xml",
        "xsd-attribute",
        "xsd-content",
        "xsd-value",
    }
)


def _verdict(said: tuple[Violation, ...]) -> str:
    return f"{len(said)} violation{'s' if len(said) > 1 else ''}" if said else "valid"


def _violations(name: str, edition: Edition) -> Iterator[Violation]:
    try:
        data = _load(name)
    except OSError as error:
        yield Violation(path="", rule=_UNREADABLE, message=error.strerror or "cannot be read")
        return
    try:
        document = _parse(data)
    except InvalidReport as error:
        yield from error.violations
        return
    now = datetime.now(UTC)
    if isinstance(document, Draft):
        descriptions = [file.description for file in document.files]
        yield from check(document.report, now=now, files=descriptions, edition=edition)
        if name != "-":
            yield from missing(document, Path(name).parent)
    elif isinstance(document, ReportResponse | ReportDoneResponse) and _is_xml(data):
        # The reader forgives NCMEC's replies what the schema does not.
        yield from schema.validate(data, edition=edition)
    else:
        yield from check(document, now=now, edition=edition)


def _plain(violation: Violation) -> dict[str, Any]:
    return {
        "path": violation.path,
        "xpath": violation.xpath,
        "rule": violation.rule,
        "message": violation.message,
        "line": violation.line,
    }


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="XML or JSON; - is standard input.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="A name in .xml or .json; - prints the other format.")],
    edition: EditionOption = DEFAULT_EDITION,
) -> None:
    """Turn a document from XML into JSON, or from JSON into XML. OUT's ending says which; the content of IN does."""
    with outcomes():
        given = _load(source)
        document = _document(given)
        suffix = Path(target).suffix.lower() if target != "-" else (".json" if _is_xml(given) else ".xml")
        if suffix not in (".xml", ".json"):
            print("OUT must end in .xml or .json, or be -", file=sys.stderr)
            raise typer.Exit(Outcome.USAGE)
        made = write(document, edition=edition) if suffix == ".xml" else f"{to_json(document, indent=2)}\n".encode()
        if target == "-":
            show.bytes_out(made)
        else:
            Path(target).write_bytes(made)


def _load(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _is_xml(data: bytes) -> bool:
    """Tell XML from JSON by the first mark; UTF-16, which XML may be in, starts with a byte order mark."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<", b"\xff\xfe<", b"\xfe\xff\x00<"))


def _document(data: bytes) -> Document:
    found = _parse(data)
    if isinstance(found, Draft):
        message = "is a filing, which is a report with files; only a document by itself has both forms"
        raise InvalidReport((Violation(path="", rule="root", message=message),))
    return found


def _parse(data: bytes) -> Document | Draft:
    if _is_xml(data):
        return read(data)
    if data.strip() and not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        raise InvalidReport((Violation(path="", rule="format", message="is neither XML nor JSON"),))
    value = parse_json(data)
    # A filing holds a report below a key of that name; a report itself has no such key.
    if isinstance(value, dict) and "report" in value:
        return read_draft(value)
    return from_json(value) if isinstance(value, dict) else from_json(data)

"""`schema`: the XSD, the table of fields, and what another XSD has different."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cybertip.cli import show
from cybertip.cli.documents import EditionOption, JsonOption
from cybertip.cli.outcome import Outcome, outcomes
from cybertip.errors import InvalidReport
from cybertip.model import DEFAULT_EDITION, Edition
from cybertip.xml import schema
from cybertip.xml.reference import WRITTEN, Row, rows

__all__ = ["schemas"]

schemas = typer.Typer(no_args_is_help=True, help="Print the schema, list its fields, or compare it with another.")


class Subject(StrEnum):
    """The documents that a platform writes."""

    REPORT = "report"
    FILES = "files"


@schemas.command()
def export(
    out: Annotated[str, typer.Argument(metavar="[OUT]", help="A file; - is standard output.")] = "-",
    edition: EditionOption = DEFAULT_EDITION,
) -> None:
    """Print the XSD of an edition."""
    with outcomes():
        printed = schema.exported(edition)
        if out == "-":
            show.bytes_out(printed)
        else:
            Path(out).write_bytes(printed)


@schemas.command()
def fields(
    required: Annotated[
        bool, typer.Option("--required", help="Only what the XSD or the documentation requires.")
    ] = False,
    subject: Annotated[Subject | None, typer.Option("--for", help="Only the fields of one document.")] = None,
    edition: Annotated[Edition, typer.Option(help="Leave out what is newer.")] = DEFAULT_EDITION,
    as_json: JsonOption = False,
) -> None:
    """List every field: its type, limits and edition, and whether the XSD, the documentation or the law asks for it."""
    found = [
        row
        for row in rows(WRITTEN[subject] if subject else None)
        if row.edition <= edition and (not required or row.required_by_xsd or row.required_by_documentation)
    ]
    if as_json:
        show.data([row._asdict() for row in found])
        return
    show.table(
        ("in", "field", "type", "occurs", "required by", "limits", "edition", "named in"),
        (
            (row.owner, row.name, row.type, row.occurs, _required_by(row), row.limits, row.edition, row.law)
            for row in found
        ),
    )
    if show.console.is_terminal:
        show.line("The law requires no field; 18 U.S.C. 2258A(b) leaves what a report contains to the provider.", "dim")


def _required_by(row: Row) -> str:
    found = ["the XSD"] if row.required_by_xsd else []
    if row.required_by_documentation:
        found.append(f"the documentation: {row.required_by_documentation}")
    return "; ".join(found)


@schemas.command()
def compare(
    file: Annotated[Path, typer.Argument(metavar="XSD", help="NCMEC's schema, as GET /xsd gives it.")],
    edition: EditionOption = DEFAULT_EDITION,
    as_json: JsonOption = False,
) -> None:
    """Say what another XSD has different from ours. Exit code 1 if anything is."""
    with outcomes():
        try:
            found = schema.differences(schema.exported(edition), file.read_bytes())
        except InvalidReport as error:
            # Exit code 1 says that NCMEC's schema moved, which this does not.
            print(f"{file}: {error}", file=sys.stderr)
            raise typer.Exit(Outcome.USAGE) from None
        if as_json:
            show.data([one._asdict() for one in found])
        else:
            for one in found:
                show.line(str(one))
            if not found:
                show.line("no differences", "green")
    if found:
        raise typer.Exit(Outcome.INVALID)

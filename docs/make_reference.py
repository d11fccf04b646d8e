"""Write the pages that are made from the code; with --check, only say whether they are up to date."""

import inspect
import re
import sys
from pathlib import Path

import cybertip
from cybertip.cases.assembly import SECTIONS, obstacles, remarks
from cybertip.model.declaration import part_of
from cybertip.model.limits import Limit
from cybertip.rules.documented import UPHELD_BY_THE_XSD
from cybertip.xml.layout import parts
from cybertip.xml.reference import Row, rows

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Return each page's text by its name."""
    return {"assembly.md": _assembly(), "fields.md": _fields(), "names.md": _names(), "rules.md": _rules()}


def main() -> None:
    """Write the pages, or compare them with what is written."""
    stale = []
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    print("\n".join(stale) or "up to date")
    sys.exit(bool(stale) and "--check" in sys.argv)


def _fields() -> str:
    lines = [
        "# Fields",
        "",
        "Every element and attribute of NCMEC's four documents, made from the declaration that the code runs on. The law",
        "requires no field: 18 U.S.C. 2258A(b) leaves the contents of a report to the provider; the last column names the",
        "clause that lists such information. A sensitive field is shown in no repr, error or log.",
        "",
    ]
    owner = ""
    for row in rows():
        if row.owner != owner:
            owner = row.owner
            lines += ["", f"## `{owner}` (`{row.python.split('.')[0]}`)", ""]
            lines += ["| element | Python | type | occurs | required by | limits | since | sensitive | law |"]
            lines += ["|---|---|---|---|---|---|---|---|---|"]
        lines.append(_row(row))
    return "\n".join(lines) + "\n"


def _row(row: Row) -> str:
    required = ["XSD"] * row.required_by_xsd
    if row.required_by_documentation:
        required.append(f"documentation: {row.required_by_documentation}")
    cells = (
        f"`{row.name}`",
        f"`{row.python.split('.')[1]}`",
        row.type,
        row.occurs,
        "; ".join(required),
        row.limits,
        row.edition,
        "yes" if row.sensitive else "",
        row.law.removeprefix("18 U.S.C. "),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _names() -> str:
    lines = [
        "# Public names",
        "",
        "What `import cybertip` offers, and nothing else.",
        "",
        "| name | what it does |",
        "|---|---|",
    ]
    for name in cybertip.__all__:
        lines.append(f"| `{name}` | {_summary(getattr(cybertip, name))} |")
    return "\n".join(lines) + "\n"


_VALUES = {
    "CaseId": "A case's key.",
    "EntryId": "What a list of known material calls an entry.",
    "EvidenceId": "A reference of the `Evidence` port.",
    "ItemId": "What the platform calls an upload that is looked up.",
    "ListName": "What a list of known material is called.",
    "MessageId": "What the platform calls a message.",
    "ReviewerId": "Whoever looked or decided, as the host knows its people.",
    "Signal": "One of the six kinds of signal: a closed union.",
    "SignalId": "What the platform calls a signal: the same one that comes in again is told by it.",
    "ThreadId": "What the platform calls a conversation.",
    "DEFAULT_EDITION": "The newest edition whose XSD NCMEC was seen to serve.",
    "FileId": "A file's identifier at NCMEC: text, even where it looks like a number.",
    "Incident": "One of the eight kinds of incident: a closed union.",
    "ReportId": "A report's number at NCMEC.",
}


def _summary(value: object) -> str:
    name = next(name for name in cybertip.__all__ if getattr(cybertip, name) is value)
    text = _VALUES.get(name) or inspect.getdoc(value) or ""
    return re.sub(r"\s+", " ", text.split("\n\n")[0]).replace("|", "\\|")


def _assembly() -> str:
    lines = [
        "# From a case to a filing",
        "",
        "How each field gets its value, made from the tables that the code runs on (`cybertip.cases.assembly`). `case` is",
        "what signals brought together, `decision` what a reviewer decided, `answer` what the platform said when it was",
        "asked, `profile` what the organisation says of itself, `attachments` transcripts and the files that the platform",
        "added, and `prior_reports` the reports about the same user before.",
        "",
        "Nothing is cut off and nothing is brought into its limits: what breaks one of [NCMEC's rules](rules.md) is",
        "refused, with the place in the decision, and with where its value came from.",
    ]
    for section in SECTIONS:
        part = part_of(section.kind)
        fields = {field.python: field.xml for field in part.fields}
        lines += ["", f"## `{part.name}` (`{section.path}`)", "", section.about, ""]
        lines += ["| element | from | rule |", "|---|---|---|"]
        for rule in section.rules:
            sources = ", ".join(f"`{source}`" for source in rule.source.split(", "))
            lines.append(f"| `{fields.pop(rule.field)}` | {sources} | {rule.text} |")
        if fields:
            rest = "As the reviewer wrote" if section.completes else "Left out"
            lines += ["", f"{rest}: {', '.join(f'`{name}`' for name in fields.values())}."]
    for title, module in (("What keeps a case from being filed", obstacles), ("What a reviewer is told", remarks)):
        lines += ["", f"## {title}", "", inspect.getdoc(module) or ""]
    return "\n".join(lines) + "\n"


def _rules() -> str:
    found: dict[str, tuple[Limit, list[str]]] = {}
    for kind in parts():
        declared = part_of(kind)
        for field in declared.fields:
            for limit in field.limits:
                key = f"{limit.rule} {limit.documented}"
                found.setdefault(key, (limit, []))[1].append(f"`{declared.name}/{field.xml}`")
    lines = [
        "# Documented rules",
        "",
        "What NCMEC's documentation demands beyond the XSD. `cybertip.check` upholds every one, all at once; the ids are",
        "stable. Lengths are counted in characters.",
        "",
        "| rule | demand | upheld by | fields |",
        "|---|---|---|---|",
    ]
    for limit, where in sorted(found.values(), key=lambda one: (one[0].rule, one[0].documented)):
        by = "NCMEC alone" if limit.remote else "the model" if limit.rule in UPHELD_BY_THE_XSD else "`check`"
        lines.append(f"| `{limit.rule}` | {limit.documented} | {by} | {', '.join(dict.fromkeys(where))} |")
    lines += [
        "| `batched-forbidden` | a batched report has no escalation, internet details, law enforcement, recipients, "
        "victims or additional information | `check` | `report` |",
        "| `batched-identifier` | each reported user has an espIdentifier and nothing else | `check` | "
        "`personOrUserReported` |",
        "| `batched-one-file` | one file at the most | `check` | files |",
        "| `batched-annotation` | the file is annotated viral, potentialMeme or both, and nothing else | `check` | "
        "`fileDetails/fileAnnotations` |",
        "| `xml-character` | no character that XML cannot hold | `check`, `write` | all text |",
        "| `edition` | no field that the edition does not have | `write` | all fields |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

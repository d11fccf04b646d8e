"""What the demonstration tells at its end: for a person, and as JSON."""

from cybertip.cli import show
from cybertip.cli.chronicle import passages
from cybertip.cli.demo.crash import Killed
from cybertip.cli.demo.story import Ended
from cybertip.cli.timeline import moments

__all__ = ["print_json", "print_story"]


def print_json(ended: Ended) -> None:
    """Print one object."""
    match = ended.noticed.match
    show.data(
        {
            "case": ended.case.key,
            "signals": [type(one).__name__ for one in ended.noticed.signals],
            "match": {"list": match.list, "hashType": match.query.type, "distance": match.distance, "kind": match.kind},
            "calls": [one.path for one in ended.calls],
            "key": ended.submission,
            "reportId": ended.receipt.report_id,
            "requestId": ended.receipt.observation.request_id,
            "state": ended.held["state"],
            "files": [
                {name: file[name] for name in ("fileId", "filename", "size", "md5")}
                | {"described": file["details"] is not None}
                for file in ended.held["files"]
            ],
            "reports": [{name: one[name] for name in ("reportId", "state")} for one in ended.reports],
            "killed": {"process": ended.killed.process, "reportId": ended.killed.report_id} if ended.killed else None,
            "entries": len(ended.entries),
            "receipt": ended.receipt.observation.raw.decode(),
        }
    )


def print_story(ended: Ended) -> None:
    """Print what the journals say, what NCMEC holds, what the platform was told, and the receipt."""
    show.line("")
    rows = ((show.at(one.at), one.text) for one in passages(ended.case.key, ended.case_entries))
    show.table(("when", "what the case's journal says"), rows)
    show.line("")
    rows = ((show.at(one.at), one.text) for one in moments(ended.submission, ended.entries))
    show.table(("when", "what the submission's journal says"), rows)
    if ended.killed is not None:
        show.line("")
        _explain(ended, ended.killed)
    show.line("")
    show.table(
        ("file", "size", "MD5", "described"),
        (
            (one["filename"], one["size"], one["md5"], "yes" if one["details"] is not None else "no")
            for one in ended.held["files"]
        ),
        title=f"What NCMEC holds: report {ended.receipt.report_id}, finished",
    )
    if ended.calls:
        show.line("")
        show.table(
            ("endpoint", "webhook-id"),
            ((one.path, one.id) for one in ended.calls),
            title="What the platform was asked and told; it verified each signature",
        )
    show.line("")
    request_id = ended.receipt.observation.request_id
    show.line(f"The receipt, which is the legal notice to preserve (Request-ID {request_id}):", "bold")
    show.line(ended.receipt.observation.raw.decode().strip())


def _explain(ended: Ended, killed: Killed) -> None:
    """Say what became of each report."""
    why = {
        "finished": "filed: once, and with exactly its files",
        "retracted": "taken back: nobody could know what it held, and sending a file twice would double it",
    }
    show.table(
        ("report", "state", "files", "why"),
        (
            (one["reportId"], one["state"], len(one["files"]), why.get(one["state"], "an orphan: it deletes itself"))
            for one in ended.reports
        ),
        title=f"Every report that NCMEC opened; worker {killed.process} was killed while it uploaded",
    )

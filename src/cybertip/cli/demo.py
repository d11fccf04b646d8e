"""`demo`: a whole report with files, delivered durably over real HTTP to a NCMEC double that checks it as NCMEC would."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer

from cybertip.cli import show
from cybertip.cli.board import Bars
from cybertip.cli.crash import DemoFailed, Killed, deliver_over_a_dead_worker, reports_at
from cybertip.cli.documents import JsonOption
from cybertip.cli.filing import Draft, example, freeze, read_draft
from cybertip.cli.outcome import outcomes
from cybertip.cli.recording import checked
from cybertip.cli.settings import Settings, make_private
from cybertip.cli.synthetic import make_files
from cybertip.cli.timeline import moments
from cybertip.filing import Entry, Filing, Journal, verify
from cybertip.filing.events import Finished
from cybertip.model import DEFAULT_EDITION
from cybertip.xml.as_json import parse_json

if TYPE_CHECKING:
    from cybertip.adapters.storage.sql import SqlStorage

__all__ = ["demo"]

Say = Callable[[str], None]


@attrs.frozen(kw_only=True)
class _Shown:
    """What the demonstration came to."""

    key: str
    receipt: Finished
    #: The journal, as it was read back.
    entries: Sequence[Entry]
    #: What the double holds, in the order in which the reports were opened.
    reports: Sequence[dict[str, Any]]
    killed: Killed | None


def demo(
    crash: Annotated[
        bool, typer.Option("--crash", help="Kill the worker in the middle of an upload, and start another.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the example, the database, the evidence and the receipt in this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """File a report with three synthetic files with a NCMEC double on this machine, durably, and print the receipt."""
    from cybertip.sandbox import running

    with outcomes(), _folder(keep) as folder:
        say = _silence if as_json else _step
        draft = _make(folder, say)
        with running() as url:
            say(f"Started a NCMEC double at {url}")
            settings = Settings(
                storage=f"sqlite:///{folder / 'cybertip.db'}",
                evidence=str(folder / "evidence"),
                environment=url,
                username="sandbox",
                password="sandbox",  # noqa: S106 - the double's own, known to all
            )
            with settings.open_storage(make=True) as storage:
                key, filing = _record(draft, folder, settings, storage, say)
                killed = None
                if crash:
                    killed = deliver_over_a_dead_worker(url, settings, folder, say)
                else:
                    _deliver(settings, storage, say, quiet=as_json)
                shown = _look(key, filing, storage, reports_at(url), killed)
        say(f"Finished report {shown.receipt.report_id}")
        say(f"Verified the journal: its {len(shown.entries)} entries are what was written, in that order")
        make_private(folder / "receipt.xml")
        (folder / "receipt.xml").write_bytes(shown.receipt.observation.raw)
        _print_json(shown) if as_json else _print(shown)
        if keep is not None:
            say(f"Kept everything in {keep}: there, `cybertip show {key}` tells it once more")


def _step(text: str) -> None:
    show.line(f"✓ {text}" if show.console.is_terminal else text, "green" if show.console.is_terminal else "")


def _silence(_: str) -> None:
    return


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="cybertip-demo-") as folder:
        yield Path(folder)


def _make(folder: Path, say: Say) -> Draft:
    """Write the example into the folder, and check it."""
    (folder / "filing.json").write_text(example(), encoding="utf-8")
    made = make_files(folder)
    say(f"Made {len(made)} synthetic files and a filing that names them")
    draft = read_draft(parse_json(example()))
    checked(draft, folder, edition=DEFAULT_EDITION)
    say("Checked the report and its files: no documented rule is broken")
    return draft


def _record(draft: Draft, folder: Path, settings: Settings, storage: "SqlStorage", say: Say) -> tuple[str, Filing]:
    """Preserve the evidence and record the filing, under a key that is new in this folder."""
    filing = freeze(draft, folder, settings.kept_evidence(), edition=DEFAULT_EDITION)
    say("Preserved the evidence, and read it back")
    number = 1
    while storage.head(f"demo-{number}") is not None:
        number += 1
    key = settings.courier(storage).file(filing, key=f"demo-{number}").key
    say(f"Recorded the filing as {key}: from here on it is delivered, whatever happens to this program")
    return key, filing


def _deliver(settings: Settings, storage: "SqlStorage", say: Say, *, quiet: bool) -> None:
    """Do what a worker does, in this process."""
    with Bars(quiet=quiet) as bars, settings.courier(storage, settings.credentials(), progress=bars.sent) as courier:
        courier.run_until_stopped(threading.Event(), until_idle=True)
    say("Delivered it: each call was recorded before it was made, and its answer after it")


def _look(
    key: str, filing: Filing, storage: "SqlStorage", reports: Sequence[dict[str, Any]], killed: Killed | None
) -> _Shown:
    """Read the journal back, check its chain, and compare what the double holds with what was to be filed."""
    head, entries = storage.head(key), storage.read(key)
    assert head is not None
    wrong = verify(key, entries, version=head.version, digest=head.digest)
    if wrong:
        raise DemoFailed(str(wrong[0]))
    finished = [report for report in reports if report["state"] == "finished"]
    if len(finished) != 1:
        raise DemoFailed(f"the report was filed {len(finished)} times; it should have been once")
    if sorted(file["md5"] for file in finished[0]["files"]) != sorted(file.md5 for file in filing.files):
        raise DemoFailed("the report was not filed with exactly its files")
    receipt = Journal.of(key, entries).submission.receipt
    if receipt is None or receipt.report_id != finished[0]["reportId"]:
        raise DemoFailed("the journal does not have the receipt of the report that was filed")
    return _Shown(key=key, receipt=receipt, entries=entries, reports=reports, killed=killed)


def _held(shown: _Shown) -> dict[str, Any]:
    (held,) = (report for report in shown.reports if report["state"] == "finished")
    return held


def _print_json(shown: _Shown) -> None:
    files = [
        {name: file[name] for name in ("fileId", "filename", "size", "md5")}
        | {"described": file["details"] is not None}
        for file in _held(shown)["files"]
    ]
    show.data(
        {
            "key": shown.key,
            "reportId": shown.receipt.report_id,
            "requestId": shown.receipt.observation.request_id,
            "state": _held(shown)["state"],
            "files": files,
            "reports": [{name: one[name] for name in ("reportId", "state")} for one in shown.reports],
            "killed": {"process": shown.killed.process, "reportId": shown.killed.report_id} if shown.killed else None,
            "entries": len(shown.entries),
            "receipt": shown.receipt.observation.raw.decode(),
        }
    )


def _print(shown: _Shown) -> None:
    show.line("")
    rows = ((show.at(one.at), one.text) for one in moments(shown.key, shown.entries))
    show.table(("when", "what the journal says"), rows)
    if shown.killed is not None:
        show.line("")
        _explain(shown, shown.killed)
    show.line("")
    show.table(
        ("file", "size", "MD5", "described"),
        (
            (one["filename"], one["size"], one["md5"], "yes" if one["details"] is not None else "no")
            for one in _held(shown)["files"]
        ),
        title=f"What NCMEC holds: report {shown.receipt.report_id}, finished",
    )
    show.line("")
    request_id = shown.receipt.observation.request_id
    show.line(f"The receipt, which is the legal notice to preserve (Request-ID {request_id}):", "bold")
    show.line(shown.receipt.observation.raw.decode().strip())


def _explain(shown: _Shown, killed: Killed) -> None:
    """Say what became of each report."""
    why = {
        "finished": "filed: once, and with exactly its files",
        "retracted": "taken back: nobody could know what it held, and sending a file twice would double it",
    }
    show.table(
        ("report", "state", "files", "why"),
        (
            (one["reportId"], one["state"], len(one["files"]), why.get(one["state"], "an orphan: it deletes itself"))
            for one in shown.reports
        ),
        title=f"Every report that NCMEC opened; worker {killed.process} was killed while it uploaded",
    )

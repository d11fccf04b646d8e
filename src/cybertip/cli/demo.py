"""`demo`: a whole report with files, over real HTTP, to a NCMEC double that checks it as NCMEC would."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.request import urlopen

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.filing import Filing, read_filing
from cybertip.cli.outcome import outcomes
from cybertip.cli.synthetic import make_files
from cybertip.errors import InvalidReport
from cybertip.rules import check

if TYPE_CHECKING:
    from cybertip.protocol import Finished

__all__ = ["demo", "example"]

_MEDIA_TYPES = {".png": "image/png", ".jsonl": "application/jsonl"}


def demo(
    keep: Annotated[
        Path | None, typer.Option(help="Keep the example, its files and the receipt in this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """File a report with three synthetic files with a NCMEC double on this machine, and print the receipt."""
    with outcomes(), _folder(keep) as folder:
        (folder / "filing.json").write_text(example(), encoding="utf-8")
        made = make_files(folder)
        say = _silence if as_json else _step
        say(f"Made {len(made)} synthetic files and a filing that names them")
        filing = read_filing(json.loads(example()))
        found = check(filing.report, now=datetime.now(UTC), files=[file.description for file in filing.files])
        if found:
            raise InvalidReport(found)
        say("Checked the report and its files: no documented rule is broken")
        receipt, held = _file(filing, folder, say, quiet=as_json)
        (folder / "receipt.xml").write_bytes(receipt.raw)
        _show(receipt, held, as_json=as_json)
        if keep is not None:
            say(f"Kept everything in {keep}")


def example() -> str:
    """Return the example filing that ships with the package."""
    return resources.files("cybertip.cli").joinpath("example/filing.json").read_text(encoding="utf-8")


def _step(text: str) -> None:
    show.line(f"✓ {text}" if show.console.is_terminal else text, "green" if show.console.is_terminal else "")


def _silence(_: str) -> None:
    return


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="cybertip-demo-") as folder:
        yield Path(folder)


def _file(
    filing: Filing, folder: Path, say: Callable[[str], None], *, quiet: bool
) -> tuple["Finished", dict[str, Any]]:
    """File everything, call by call, and return the receipt and what the double then holds."""
    from cybertip.client import Client
    from cybertip.protocol import Credentials, Environment
    from cybertip.sandbox import running

    with running() as url:
        say(f"Started a NCMEC double at {url}")
        credentials = Credentials(username="sandbox", password="sandbox")  # noqa: S106 - the double's own, known to all
        with Client(Environment.sandbox(url), credentials) as client:
            client.status()
            opened = client.submit(filing.report)
            say(f"Opened report {opened.report_id}")
            for file in filing.files:
                path = folder / file.path
                with _progress(file.path, path.stat().st_size, quiet=quiet) as advance:
                    uploaded = client.upload(
                        opened.report_id,
                        path,
                        name=file.path,
                        media_type=_MEDIA_TYPES[path.suffix],
                        progress=advance,
                    )
                if file.description is not None:
                    client.describe(file.description.named(report_id=opened.report_id, file_id=uploaded.file_id))
                say(f"Uploaded and described {file.path}; NCMEC's MD5 of it is ours")
            finished = client.finish(opened.report_id)
        with urlopen(f"{url}/_sandbox/reports") as answer:  # noqa: S310 - the address is the double's own
            (held,) = json.load(answer)
    say(f"Finished report {finished.report_id}")
    return finished, held


@contextmanager
def _progress(name: str, size: int, *, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar to a person, and nothing to a pipe."""
    if quiet or not show.console.is_terminal:
        yield lambda sent, total: None
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=show.console, transient=True) as bars:
        bar = bars.add_task(name, total=size)
        yield lambda sent, total: bars.update(bar, completed=sent)


def _show(receipt: "Finished", held: dict[str, Any], *, as_json: bool) -> None:
    files = [
        {key: file[key] for key in ("fileId", "filename", "size", "md5")} | {"described": file["details"] is not None}
        for file in held["files"]
    ]
    if as_json:
        show.data(
            {
                "reportId": receipt.report_id,
                "requestId": receipt.request_id,
                "state": held["state"],
                "files": files,
                "receipt": receipt.raw.decode(),
            }
        )
        return
    show.line("")
    show.table(
        ("file", "size", "MD5", "described"),
        ((one["filename"], one["size"], one["md5"], "yes" if one["described"] else "no") for one in files),
        title=f"What NCMEC holds: report {receipt.report_id}, {held['state']}",
    )
    show.line("")
    show.line(f"The receipt, which is the legal notice to preserve (Request-ID {receipt.request_id}):", "bold")
    show.line(receipt.raw.decode().strip())

"""The command's parts, put together."""

import importlib.metadata
from typing import Annotated

import typer

from cybertip.cli.asking import list_
from cybertip.cli.audit import audit
from cybertip.cli.cases import case
from cybertip.cli.deciding import retract, retry
from cybertip.cli.demo import demo
from cybertip.cli.documents import convert, validate
from cybertip.cli.hashes import hashes
from cybertip.cli.hashing import hash_
from cybertip.cli.history import receipt, show
from cybertip.cli.matching import match
from cybertip.cli.profile import profile
from cybertip.cli.recording import file
from cybertip.cli.schemas import schemas
from cybertip.cli.service import sandbox, status
from cybertip.cli.transcript import transcript
from cybertip.cli.upkeep import storage
from cybertip.cli.webhooks import webhooks
from cybertip.cli.working import worker

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a pretty traceback shows local variables, and those hold reports
    help="File CyberTipline reports with NCMEC. Unofficial; no legal advice.",
    epilog="Exit codes: 0 done; 1 invalid or different; 2 usage; 3 refused by NCMEC; 4 no answer that can be relied on, or "
    "something is left for later; 5 a person has to decide; 6 no such submission or case, or it does not stand so; 7 the "
    "storage failed; 8 journals were tampered with.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(importlib.metadata.version("cybertip"))
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command()(demo)
app.command()(validate)
app.command()(convert)
app.add_typer(schemas, name="schema")
app.command()(file)
app.command()(worker)
app.command("list")(list_)
app.command()(show)
app.command()(retry)
app.command()(retract)
app.command()(receipt)
app.add_typer(storage, name="storage")
app.add_typer(audit, name="audit")
app.add_typer(case, name="case")
app.command("hash")(hash_)
app.command()(match)
app.add_typer(hashes, name="hashes")
app.command()(transcript)
app.add_typer(profile, name="profile")
app.add_typer(webhooks, name="webhooks")
app.command()(status)
app.command()(sandbox)

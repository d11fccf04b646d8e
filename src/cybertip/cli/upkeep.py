"""`storage`: the database's tables."""

import typer

from cybertip.cli import show
from cybertip.cli.outcome import outcomes
from cybertip.cli.settings import ConfigOption, load

__all__ = ["storage"]

storage = typer.Typer(no_args_is_help=True, help="Look after the database that CYBERTIP_STORAGE names.")


@storage.callback()
def _group() -> None:
    pass


@storage.command()
def upgrade(config: ConfigOption = None) -> None:
    """Make the tables, or bring them up to date. Of SQLite this happens by itself. It may be said again at any time."""
    with outcomes(), load(config).open_storage(make=True) as database:
        database.upgrade()
        show.line("the tables are up to date")

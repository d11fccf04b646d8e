"""Where things are: from variables, and from a TOML file for what they do not say."""

import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import typer

from cybertip.cli.outcome import Outcome
from cybertip.protocol import Credentials, Environment

if TYPE_CHECKING:
    from cybertip.adapters.storage.sql import SqlStorage
    from cybertip.courier import Courier

__all__ = ["Settings", "load"]

_KEYS = ("storage", "evidence", "environment", "username", "password")


@attrs.frozen(kw_only=True)
class Settings:
    """What the commands of durable filing need; each is asked for when it is used."""

    storage: str | None = None
    evidence: str | None = None
    environment: str | None = None
    username: str | None = attrs.field(default=None, repr=False)
    password: str | None = attrs.field(default=None, repr=False)

    def need(self, name: str) -> str:
        """Return a setting, or stop with a message that says how to give it."""
        value: str | None = getattr(self, name)
        if not value:
            print(
                f"{name} is not set: give it as CYBERTIP_{name.upper()}, or in the configuration file", file=sys.stderr
            )
            raise typer.Exit(Outcome.USAGE)
        return value

    def open_storage(self) -> "SqlStorage":
        """Open the database."""
        from cybertip.adapters.storage.sql import SqlStorage

        return SqlStorage(self.need("storage"))

    def chosen_environment(self) -> Environment:
        """Return the environment, which has no default."""
        try:
            return Environment.named(self.need("environment"))
        except ValueError as error:
            print(error, file=sys.stderr)
            raise typer.Exit(Outcome.USAGE) from None

    def folder(self) -> Path:
        """Return the folder of the evidence."""
        return Path(self.need("evidence"))

    def courier(self, storage: "SqlStorage", **options: object) -> "Courier":
        """Return a courier for these settings. The credentials are read anew whenever they are refused."""
        from cybertip.adapters.evidence import LocalEvidence
        from cybertip.courier import Courier

        credentials = Credentials(username=self.need("username"), password=self.need("password"))
        return Courier(
            self.chosen_environment(),
            credentials,
            storage=storage,
            evidence=LocalEvidence(self.folder()),
            **options,  # type: ignore[arg-type] # the courier's own options
        )


def load() -> Settings:
    """Read the settings: a variable such as CYBERTIP_STORAGE goes before the file that CYBERTIP_CONFIG names."""
    from_file: dict[str, object] = {}
    path = os.environ.get("CYBERTIP_CONFIG")
    if path:
        try:
            from_file = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            print(f"the configuration {path} cannot be read: {type(error).__name__}", file=sys.stderr)
            raise typer.Exit(Outcome.USAGE) from None
        wrong = sorted(key for key in from_file if key not in _KEYS or not isinstance(from_file[key], str))
        if wrong:
            print(
                f"the configuration {path} has keys that are not known or not text: {', '.join(wrong)}", file=sys.stderr
            )
            raise typer.Exit(Outcome.USAGE)
    found = {key: os.environ.get(f"CYBERTIP_{key.upper()}") or from_file.get(key) for key in _KEYS}
    return Settings(**found)  # type: ignore[arg-type] # they were checked to be text

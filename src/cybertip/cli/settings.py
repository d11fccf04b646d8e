"""Where things are: from variables, and from a TOML file for what they do not say.

A database's URL can hold a password, as the settings do: no value but the environment's name, and the name of a database's
file, is ever shown.
"""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import typer

from cybertip.cli.outcome import Misuse
from cybertip.protocol import Credentials, Environment

if TYPE_CHECKING:
    from cybertip.adapters.evidence import LocalEvidence
    from cybertip.adapters.storage.sql import SqlStorage
    from cybertip.courier import Courier
    from cybertip.courier.wire import Provider

__all__ = ["ConfigOption", "Settings", "load", "make_private"]

ConfigOption = Annotated[
    Path | None,
    typer.Option(envvar="CYBERTIP_CONFIG", help="A TOML file of settings; else cybertip.toml here, if there is one."),
]

#: Looked for in the current folder where no other file is named.
_FILE = "cybertip.toml"


@attrs.frozen(kw_only=True)
class Settings:
    """What durable filing needs; each part is looked at when it is used."""

    #: The URL of the database.
    storage: str = attrs.field(default="sqlite:///cybertip.db", repr=False)
    #: The folder of the evidence.
    evidence: str = attrs.field(default="evidence", repr=False)
    environment: str | None = attrs.field(default=None, repr=False)
    username: str | None = attrs.field(default=None, repr=False)
    password: str | None = attrs.field(default=None, repr=False)
    #: The file of the lists of hashes, and the folder of the index that was made of them.
    hashes: str = attrs.field(default="hashes.db", repr=False)
    hashes_index: str | None = attrs.field(default=None, repr=False)
    #: Which of NCMEC's lists is brought here, or its address; what it is called here; and the credentials for it.
    hashes_source: str | None = attrs.field(default=None, repr=False)
    hashes_list: str | None = attrs.field(default=None, repr=False)
    hashes_username: str | None = attrs.field(default=None, repr=False)
    hashes_password: str | None = attrs.field(default=None, repr=False)
    #: Whose cases they are, and the file of how that organisation describes itself.
    organisation: str | None = attrs.field(default=None, repr=False)
    profile: str | None = attrs.field(default=None, repr=False)
    #: Who works on cases here.
    reviewer: str | None = attrs.field(default=None, repr=False)
    #: What the organisation asks of reviewers, in words.
    review: str = attrs.field(default="", repr=False)
    #: Hosts that media may be fetched from, and private networks that the endpoints may be in.
    media_hosts: str = attrs.field(default="", repr=False)
    networks: str = attrs.field(default="", repr=False)
    #: The file of the key that signs what the organisation's endpoints are sent, and the key's password if it has one.
    webhook_key_file: str | None = attrs.field(default=None, repr=False)
    webhook_password: str | None = attrs.field(default=None, repr=False)
    #: The file that was read.
    file: Path | None = attrs.field(default=None, repr=False)

    def need(self, name: str) -> str:
        """Return a setting that has no default."""
        value: str | None = getattr(self, name)
        if not value:
            raise Misuse(
                f"{name} is not set: give it as CYBERTIP_{name.upper()}, or as {name} in the configuration file"
            )
        return value

    def chosen_environment(self) -> Environment:
        """Return the environment, which is always an explicit choice."""
        try:
            return Environment.named(self.need("environment"))
        except ValueError as error:
            raise Misuse(f"environment: {error}") from None

    def credentials(self, of: str = "") -> Credentials:
        """Return the credentials of the environment; or of hash sharing, of which the settings begin with `hashes_`."""
        username, password = self.need(f"{of}username"), self.need(f"{of}password")
        try:
            return Credentials(username=username, password=password)
        except ValueError as error:
            raise Misuse(str(error)) from None

    def kept_evidence(self, *, read_only: bool = False) -> "LocalEvidence":
        """Return the evidence in its folder, which is made unless it is only read."""
        from cybertip.adapters.evidence import LocalEvidence

        if not read_only:
            Path(self.evidence).mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalEvidence(self.evidence, read_only=read_only)

    def open_storage(self, *, make: bool = False) -> "SqlStorage":
        """Open the database. Of SQLite the tables are made or brought up to date, and with `make` the file is made.

        Whole reports stand in that file: what is made can be read by nobody else. An existing file keeps its rights.
        """
        from sqlalchemy import make_url

        from cybertip.adapters.storage.sql import SqlStorage

        try:
            url = make_url(self.storage)
            storage = SqlStorage(url)
        except ImportError as error:
            # The driver's extra; our own words.
            raise Misuse(f"storage: {error}") from None
        except Exception:
            # Others' words may quote the URL.
            raise Misuse(
                "storage is not the URL of a database that can be opened: give sqlite:///FILE, postgresql://HOST/NAME or "
                "mariadb://HOST/NAME as CYBERTIP_STORAGE, or as storage in the configuration file"
            ) from None
        if url.get_backend_name() == "sqlite":
            file = Path(url.database or "")
            if not make and not url.query and not file.exists():
                raise Misuse(f"there is no database {file.absolute()}: `cybertip file` and `cybertip worker` make one")
            if make and not url.query and url.database not in (None, "", ":memory:"):
                make_private(file)
            storage.upgrade()
        return storage

    def courier(self, storage: "SqlStorage", credentials: "Provider" = None, **options: Any) -> "Courier":
        """Return a courier for these settings; one that delivers needs credentials."""
        from cybertip.courier import Courier

        evidence = self.kept_evidence(read_only=True)
        return Courier(self.chosen_environment(), credentials, storage=storage, evidence=evidence, **options)

    def renewable_credentials(self) -> "Provider":
        """Return credentials that are read anew whenever NCMEC refused them, so that new ones need no restart."""
        self.credentials()
        return lambda: load(self.file).credentials()


def make_private(file: Path) -> None:
    """Make an empty file that nobody else can read, unless it is there. What SQLite lays beside it gets the same rights."""
    # Where it cannot be made, whoever writes to it says why.
    with suppress(OSError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


_KEYS = tuple(field.name for field in attrs.fields(Settings) if field.name != "file")


def load(config: Path | None) -> Settings:
    """Read the settings: a variable such as CYBERTIP_STORAGE goes before the file."""
    file = config if config is not None else Path(_FILE) if Path(_FILE).is_file() else None
    given = _read(file) if file is not None else {}
    for key in _KEYS:
        value = os.environ.get(f"CYBERTIP_{key.upper()}")
        if value:
            given[key] = value
    return Settings(**given, file=file)


def _read(file: Path) -> dict[str, str]:
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        # Its words can quote a character or two of the file, and its place is what helps.
        place = str(error).rpartition("(")[2].removesuffix(")")
        raise Misuse(f"the configuration {file} is not TOML {place}".rstrip()) from None
    except UnicodeDecodeError:
        raise Misuse(f"the configuration {file} is not in UTF-8") from None
    except OSError as error:
        raise Misuse(f"the configuration {file} cannot be read: {error.strerror or type(error).__name__}") from None
    unknown = sorted(given.keys() - set(_KEYS))
    if unknown:
        raise Misuse(
            f"the configuration {file} has keys that are not known: {', '.join(unknown)}; known are {', '.join(_KEYS)}"
        )
    wrong = [key for key in _KEYS if key in given and not (isinstance(given[key], str) and given[key])]
    if wrong:
        raise Misuse(f"in the configuration {file} these must be text: {', '.join(wrong)}")
    return given

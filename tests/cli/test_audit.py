"""`audit`: what a person or a script learns of tampering, and how checkpoints are made."""

import json
import re
import sqlite3
import stat
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.cli import show
from cybertip.cli.app import app
from cybertip.testing.simulation import Simulation

WHOLE, INVALID, USAGE, STORAGE, TAMPERED = 0, 1, 2, 7, 8


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with two submissions, which the variables name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYBERTIP_STORAGE", "sqlite:///reports.db")
    with SqlStorage("sqlite:///reports.db") as storage:
        storage.upgrade()
        Simulation(4, storage=storage, submissions=2).run()
    return tmp_path / "reports.db"


def audit(*arguments: str | Path, **variables: str) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)], env=variables)


def alter(database: Path, statement: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def test_a_whole_storage_is_told_so(database: Path) -> None:
    """Exit code 0, how much was looked at, and what cannot be known without a checkpoint."""
    done = audit("verify")
    assert done.exit_code == WHOLE, done.output
    assert "2 submissions" in done.output
    assert "Without a checkpoint nobody can tell whether submissions are missing" in done.output


def test_tampering_is_told_with_its_place(database: Path) -> None:
    """A line for a person and an object for a script name submission and entry; the exit code is its own."""
    alter(database, "UPDATE cybertip_entries SET data = '{}' WHERE key = 'case-1' AND version = 2")
    done = audit("verify")
    assert done.exit_code == TAMPERED
    assert "case-1, entry 2: was altered" in done.output
    assert "one place is not as it was written" in done.output
    done = audit("verify", "--json")
    assert done.exit_code == TAMPERED
    told = json.loads(done.stdout)
    assert not told["whole"]
    assert told["tampering"] == [{"key": "case-1", "version": 2, "what": "was altered"}]
    assert told["submissions"] == 2


def test_a_checkpoint_knows_what_is_missing(database: Path, tmp_path: Path) -> None:
    """Taken, signed, kept and compared: a submission of which no row is left is named."""
    private, public, kept = tmp_path / "private.pem", tmp_path / "public.pem", tmp_path / "checkpoint.jsonl"
    assert audit("keygen", private, public).exit_code == WHOLE
    done = audit("checkpoint", "--sign", private)
    assert done.exit_code == WHOLE
    assert "over 2 journals, signed by 1" in done.stderr
    kept.write_bytes(done.stdout_bytes)
    compared = audit("verify", "--checkpoint", kept, "--key", public)
    assert compared.exit_code == WHOLE
    assert "what the checkpoint has of them" in compared.output
    assert "signatures were not checked" in audit("verify", "--checkpoint", kept).output
    for table in ("entries", "heads"):
        alter(database, f"DELETE FROM cybertip_{table} WHERE key = 'case-0'")
    assert audit("verify").exit_code == WHOLE
    done = audit("verify", "--checkpoint", kept, "--key", public, "--json")
    assert done.exit_code == TAMPERED
    told = json.loads(done.stdout)
    assert [(one["key"], one["version"]) for one in told["tampering"]] == [("case-0", 1)]
    assert told["checkpoint"]["count"] == 2
    assert told["checkpoint"]["trusted"]


def test_checkpoints_chain(tmp_path: Path) -> None:
    """A checkpoint names the root of the one before it."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(audit("checkpoint").stdout_bytes)
    second.write_bytes(audit("checkpoint", "--previous", first).stdout_bytes)
    root = json.loads(first.read_text().splitlines()[-1])["root"]
    assert json.loads(second.read_text().splitlines()[0])["previous"] == root


def test_a_checkpoint_that_cannot_be_relied_on_is_refused(tmp_path: Path) -> None:
    """Cut, altered, unsigned or signed by somebody else: exit code 1, a sentence why, and nothing is compared."""
    whole = audit("checkpoint").stdout_bytes
    audit("keygen", "private.pem", "public.pem")
    audit("keygen", "another.pem", "anothers.pem")
    signed = audit("checkpoint", "--sign", "another.pem").stdout_bytes
    kept = tmp_path / "kept"
    for document, key, why in (
        (whole[:-1], [], "no canonical JSON"),
        (whole.replace(b"case-1", b"case-2"), [], "altered"),
        (b"".join(whole.splitlines(keepends=True)[:-1]), [], "its end is missing"),
        (whole, ["--key", "public.pem"], "by nobody"),
        (signed, ["--key", "public.pem"], "by none that is trusted"),
        (b"", [], "no canonical JSON"),
    ):
        kept.write_bytes(document)
        commands: list[list[str | Path]] = [["verify", "--checkpoint", kept, *key]]
        if not key:
            commands.append(["checkpoint", "--previous", kept])
        for command in commands:
            done = audit(*command)
            assert done.exit_code == INVALID, (why, done.output)
            assert why in done.stderr
            assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["verify", "--checkpoint", "nowhere"], "nowhere: No such file"),
        (["verify", "--key", "kept"], "--checkpoint"),
        (["verify", "--checkpoint", "kept", "--key", "kept"], "kept: this is no public key"),
        (["verify", "--checkpoint", "kept", "--key", "nowhere"], "nowhere: No such file"),
        (["checkpoint", "--sign", "kept"], "kept: this is no private key"),
        (["checkpoint", "--sign", "nowhere"], "nowhere: No such file"),
        (["checkpoint", "--previous", "nowhere"], "nowhere: No such file"),
        (["keygen", "kept", "new"], "kept: File exists"),
    ],
)
def test_what_was_given_wrong_is_named(tmp_path: Path, arguments: list[str], why: str) -> None:
    """A file that is not there or is something else: exit code 2, and which one it is."""
    (tmp_path / "kept").write_bytes(audit("checkpoint").stdout_bytes)
    done = audit(*arguments)
    assert done.exit_code == USAGE, done.output
    assert why in done.stderr
    assert done.stdout == ""


def test_a_private_key_is_nobody_elses(tmp_path: Path) -> None:
    """Only its owner can read it, it is never overwritten, and with a password it signs for nobody without."""
    assert audit("keygen", "private.pem", "public.pem", CYBERTIP_SIGNING_PASSWORD="canary").exit_code == WHOLE
    private = tmp_path / "private.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    assert audit("keygen", "private.pem", "public.pem").exit_code == USAGE
    assert private.read_bytes() == before
    assert audit("keygen", "another.pem", "public.pem").exit_code == USAGE
    assert not (tmp_path / "another.pem").exists(), "half a pair was left behind"
    refused = audit("checkpoint", "--sign", "private.pem")
    assert refused.exit_code == USAGE
    assert "needs its password" in refused.stderr
    refused = audit("checkpoint", "--sign", "private.pem", CYBERTIP_SIGNING_PASSWORD="parrot")
    assert refused.exit_code == USAGE
    assert "parrot" not in refused.output
    assert audit("checkpoint", "--sign", "private.pem", CYBERTIP_SIGNING_PASSWORD="canary").exit_code == WHOLE


def test_a_storage_that_cannot_be_read_is_no_whole_one(database: Path) -> None:
    """When a row cannot be read the exit code says that the storage failed, and the message says over which."""
    alter(database, "UPDATE cybertip_entries SET recorded_at = 'canary' WHERE key = 'case-1'")
    done = audit("verify")
    assert done.exit_code == STORAGE
    assert "the journal of submission 'case-1' cannot be read" in done.stderr
    assert "canary" not in done.output


def test_without_the_extra_the_command_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants signatures and has no `cryptography` learns what to install."""
    for name in [name for name in sys.modules if name.startswith(("cryptography", "cybertip.adapters.signing"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    done = audit("keygen", "private.pem", "public.pem")
    assert done.exit_code == USAGE
    assert "cybertip[signing]" in done.stderr


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who waits for a million submissions sees them counted; what is said in the end stays."""
    terminal = Console(file=StringIO(), force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(show, "console", terminal)
    assert audit("verify").exit_code == WHOLE
    shown = terminal.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO of above
    assert re.search(r"submissions .* 2/", shown)
    assert "all is as it was written" in shown

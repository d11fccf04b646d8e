"""Settings come from variables and a file, are wrong in words that help, and show no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from cybertip.cli.outcome import Misuse
from cybertip.cli.settings import Settings, load

CANARY = "canary-7f3a"


def test_every_setting_can_stand_in_the_file(place: Path) -> None:
    """A file that is named is read, and so is cybertip.toml of the current folder where none is."""
    lines = [f'{name} = "{name}-1"' for name in ("storage", "evidence", "environment", "username", "password")]
    (place / "cybertip.toml").write_text("\n".join(lines))
    (place / "other.toml").write_text("\n".join(lines).replace("-1", "-2"))
    assert load(None).need("environment") == "environment-1"
    other = load(place / "other.toml")
    assert [other.storage, other.evidence, other.username, other.password] == [
        "storage-2", "evidence-2", "username-2", "password-2",
    ]  # fmt: skip


def test_a_variable_goes_before_the_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret store gives variables, and whoever starts the program has the last word; an empty one says nothing."""
    (place / "cybertip.toml").write_text('username = "file"\npassword = "file"\n')
    monkeypatch.setenv("CYBERTIP_PASSWORD", "variable")
    monkeypatch.setenv("CYBERTIP_USERNAME", "")
    assert [load(None).username, load(None).password] == ["file", "variable"]


def test_without_settings_there_is_a_database_and_a_folder_here(place: Path) -> None:
    """Trying it out needs nothing but an environment; that one has no default, for reports are real."""
    assert [load(None).storage, load(None).evidence] == ["sqlite:///cybertip.db", "evidence"]
    with pytest.raises(Misuse, match="environment is not set: give it as CYBERTIP_ENVIRONMENT"):
        load(None).chosen_environment()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("storag = 'x'", "keys that are not known: storag; known are storage, evidence"),
        (f"[database]\npassword = '{CANARY}'", "keys that are not known: database"),
        ("username = 1", "must be text: username"),
        ("password = ''", "must be text: password"),
        (f"password = {CANARY}", "is not TOML at line 1"),
        (f"password = '{CANARY}", "is not TOML at "),
    ],
)
def test_a_file_that_is_wrong_is_told_so(run: Any, place: Path, text: str, said: str) -> None:
    """The person learns which file and which key, and exit code 2 says that it is the usage; no value is shown."""
    (place / "cybertip.toml").write_text(text)
    done = run("list")
    assert done.exit_code == 2
    assert "cybertip.toml" in done.stderr
    assert said in done.stderr
    assert CANARY not in done.output


def test_a_file_that_is_not_there_is_told_so(run: Any, place: Path) -> None:
    """A file that is named and missing is no reason to go on without it, named by option or by variable."""
    for words, variables in ((("--config", "none.toml"), {}), ((), {"CYBERTIP_CONFIG": "none.toml"})):
        done = run("list", *words, **variables)
        assert done.exit_code == 2
        assert "none.toml cannot be read: No such file" in done.stderr
    (place / "none.toml").write_bytes(b"username = '\xff'")
    assert "not in UTF-8" in run("list", "--config", "none.toml").stderr


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"oracle://user:{CANARY}@host/name",
        f"postgresql+nothing://user:{CANARY}@host/name",
        f"postgresql://user:pass@host:{CANARY}/name",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_url_that_leads_to_no_database_is_told_so(run: Any, url: str) -> None:
    """The URL itself, which may hold a password, is not shown: what one looks like is."""
    done = run("list", CYBERTIP_STORAGE=url)
    assert done.exit_code == 2
    assert "postgresql://HOST/NAME" in done.stderr
    assert CANARY not in done.output


def test_a_database_that_does_not_answer_is_the_storage(run: Any) -> None:
    """A server that is away has an exit code of its own, and its password stays where it is."""
    done = run("list", CYBERTIP_STORAGE=f"postgresql://user:{CANARY}@127.0.0.1:1/name")
    assert done.exit_code == 7
    assert "database failed" in done.stderr
    assert CANARY not in done.output


def test_looking_makes_no_database(run: Any, place: Path) -> None:
    """Who looks from the wrong folder learns that there is nothing, rather than leaving an empty database behind."""
    for words in (("list",), ("show", "k"), ("receipt", "k"), ("retry", "k", "--reason", "r")):
        done = run(*words)
        assert done.exit_code == 2
        assert f"there is no database {place / 'cybertip.db'}" in done.stderr
    assert not (place / "cybertip.db").exists()


@pytest.mark.parametrize("environment", ["https://example.com/ispws", "prod", f"http://{CANARY}@127.0.0.1"])
def test_an_environment_is_one_of_ncmecs_or_of_this_machine(run: Any, environment: str) -> None:
    """Nothing is recorded for anywhere else."""
    done = run("file", "filing.json", "--key", "k", CYBERTIP_ENVIRONMENT=environment)
    assert done.exit_code == 2
    assert "environment" in done.stderr
    assert CANARY not in done.output
    assert not Path("cybertip.db").exists()


def test_credentials_that_cannot_be_sent_are_told_so(run: Any, ncmec: Any) -> None:
    """A line end that came along with the password is found before anything is sent, and not shown."""
    Path("evidence").mkdir()
    done = run("worker", "--until-idle", CYBERTIP_PASSWORD=f"{CANARY}\n")
    assert done.exit_code == 2
    assert "password must not" in done.stderr
    assert CANARY not in done.output


def test_settings_show_no_secret() -> None:
    """What the settings are can be logged: neither credentials nor a database's URL come along."""
    settings = Settings(storage=CANARY, evidence=CANARY, environment=CANARY, username=CANARY, password=CANARY)
    assert CANARY not in repr(settings)


def test_json_keeps_apart_from_messages(run: Any, ncmec: Any) -> None:
    """What a script reads from standard output is JSON alone; messages go to standard error."""
    done = run("file", "filing.json", "--key", "k", "--json")
    assert json.loads(done.stdout) == {"key": "k", "status": "waiting", "reportId": None}
    assert done.stderr == ""

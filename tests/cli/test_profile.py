"""`profile check` says what an organisation's settings lack, and for what."""

import json
from pathlib import Path
from typing import Any

import pytest

from cybertip.cases.profile import Profile, Purpose

LEAST = 'company_name = "Example"\nreporter_email = "safety@company.example"\n'
PRODUCTION = LEAST + 'legal_url = "https://company.example/legal"\n'
WHOLE = (
    PRODUCTION
    + """
terms_of_service = "https://company.example/terms"
default_queue = "child-safety"
default_incident = "chat_im"
additional_info_url = "https://hooks.company.example/info?token=canary"
preservation_url = "https://hooks.company.example/preserve?token=canary"

[contact]
last_name = "canary"
phone = "+1 202 555 0100"
"""
)


@pytest.mark.parametrize(
    ("text", "codes"),
    [("", (1, 1, 1)), (LEAST, (0, 1, 1)), (PRODUCTION, (0, 0, 1)), (WHOLE, (0, 0, 0))],
    ids=["nothing", "least", "production", "whole"],
)
def test_the_exit_code_tells_whether_it_is_complete(run: Any, place: Path, text: str, codes: tuple[int, ...]) -> None:
    """A profile is complete for a purpose or it is not, and each purpose includes those before it."""
    (place / "profile.toml").write_text(text)
    purposes = ("test", "production", "good-report")
    done = [run("profile", "check", "profile.toml", "--for", purpose) for purpose in purposes]
    assert tuple(one.exit_code for one in done) == codes
    assert run("profile", "check", "profile.toml").exit_code == codes[-1]
    said = json.loads(done[0].stdout)
    assert said["complete"] == {name: not code for name, code in zip(purposes, codes, strict=True)}
    assert len({one.stdout for one in done}) == 1


def test_all_that_is_missing_is_listed(run: Any, place: Path) -> None:
    """Whatever --for says, the list has every setting that is missing, for what it is missing, and why that matters."""
    (place / "profile.toml").write_text(LEAST)
    said = json.loads(run("profile", "check", "profile.toml", "--for", "test", "--json").stdout)
    expected = Profile.from_toml(LEAST).missing(Purpose.GOOD_REPORT)
    assert [(one["setting"], one["why"]) for one in said["missing"]] == [(one.setting, one.why) for one in expected]
    assert {one["setting"]: one["for"] for one in said["missing"]}["legal_url"] == "production"
    assert {one["for"] for one in said["missing"]} == {"production", "good-report"}


def test_variables_go_before_the_file(run: Any, place: Path) -> None:
    """What the file lacks may come from the environment; without a file all of it does."""
    (place / "profile.toml").write_text(LEAST)
    legal = {"CYBERTIP_PROFILE_LEGAL_URL": "https://company.example/legal"}
    assert run("profile", "check", "profile.toml", "--for", "production", **legal).exit_code == 0
    assert run("profile", "check", "--for", "production", **legal).exit_code == 1
    whole = legal | {
        "CYBERTIP_PROFILE_COMPANY_NAME": "Example",
        "CYBERTIP_PROFILE_REPORTER_EMAIL": "safety@company.example",
    }
    assert run("profile", "check", "--for", "production", **whole).exit_code == 0
    assert run("profile", "check", "--for", "production", CYBERTIP_PROFILE="profile.toml", **legal).exit_code == 0


@pytest.mark.parametrize("setting", ["legal_url", "reporter_email", "preservation_url"])
def test_what_is_wrong_is_named_and_not_repeated(run: Any, place: Path, setting: str) -> None:
    """A setting that cannot be ends the check with exit code 1 and its name, wherever it was given."""
    (place / "profile.toml").write_text(f'{setting} = "canary"\n')
    variable = {f"CYBERTIP_PROFILE_{setting.upper()}": "canary"}
    for done in (run("profile", "check", "profile.toml"), run("profile", "check", **variable)):
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"profile.{setting}: must be" in done.stderr
        assert "canary" not in done.stderr


@pytest.mark.parametrize(
    ("content", "code", "complaint"),
    [(None, 2, "No such file"), (b"\xff", 2, "not in UTF-8"), (b"x = canary", 1, "is not TOML (at line 1")],
)
def test_a_file_that_cannot_be_read_is_named(
    run: Any, place: Path, content: bytes | None, code: int, complaint: str
) -> None:
    """What is no profile is told from a profile that lacks something."""
    if content is not None:
        (place / "profile.toml").write_bytes(content)
    done = run("profile", "check", "profile.toml")
    assert (done.exit_code, done.stdout) == (code, "")
    assert complaint in done.stderr
    assert "canary" not in done.stderr


def test_a_person_reads_a_table(on_a_terminal: Any, place: Path) -> None:
    """On a terminal what is missing is a table, and each purpose has its verdict; no setting's value is shown."""
    (place / "profile.toml").write_text(WHOLE.replace('default_queue = "child-safety"\n', ""))
    code, seen = on_a_terminal("profile", "check", "profile.toml")
    assert code == 1
    assert "default_queue" in seen
    assert "production: complete" in seen
    assert "good-report: 1 setting missing" in seen
    assert "canary" not in seen

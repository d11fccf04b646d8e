"""`case`: what waits is listed, a case is told without whom it is about, and decisions are recorded or refused by path."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CANARY = "canary-7f3a"
ANN = ("--reviewer", "ann")


@pytest.fixture
def organisation(place: Path, ncmec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of an organisation whose cases are for a double of NCMEC's."""
    (place / "profile.toml").write_text(
        'company_name = "Example"\nreporter_email = "safety@example.com"\ndefault_queue = "main"\n'
    )
    monkeypatch.setenv("CYBERTIP_ORGANISATION", "example")
    monkeypatch.setenv("CYBERTIP_PROFILE", "profile.toml")


def notice(run: Any, place: Path, number: int = 1, *, user: str = CANARY, **more: Any) -> str:
    """Take in an escalation about a user, with the example's pictures, and return the case that it is in."""
    evidence = _keep(place)
    data = {
        "id": f"signal-{number}",
        "source": "moderation",
        "at": "2025-06-01T14:00:00+00:00",
        "basis": f"basis {CANARY}",
        "creator": {"id": user, "type_id": "user"},
        "moderator": "mo",
        "media": [
            {
                "ref": {"id": f"{CANARY}-{name}", "type_id": "image"},
                "evidence": reference,
                "uploaded_at": "2025-06-01T13:00:00+00:00",
                "file_name": f"{CANARY}.png",
            }
            for name, reference in evidence.items()
        ],
    }
    (place / "signal.json").write_text(json.dumps({"kind": "escalated/1", "data": data | more}))
    done = run("case", "signal", "signal.json")
    assert done.exit_code == 0, done.output
    return str(json.loads(done.stdout)["case"])


def _keep(place: Path) -> dict[str, str]:
    from cybertip.adapters.evidence import LocalEvidence

    evidence = LocalEvidence(place / "evidence")
    return {name: evidence.keep(place / name) for name in ("noise.png", "shapes.png")}


def decision(place: Path, **more: Any) -> str:
    """Write a decision that reports one of the pictures."""
    made = {
        "incident_type": "Child Pornography (possession, manufacture, and distribution)",
        "media": [
            {"media": {"id": f"{CANARY}-noise.png", "type_id": "image"}, "include": True, "relevance": "Reported"},
            {"media": {"id": f"{CANARY}-shapes.png", "type_id": "image"}, "include": False},
        ],
        "additional_info": f"text {CANARY}",
    }
    (place / "decision.json").write_text(json.dumps(made | more))
    return "decision.json"


def listed(run: Any, *words: str) -> list[Any]:
    """Return what `case list` prints."""
    done = run("case", "list", *ANN, *words)
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout))


def shown(run: Any, case: str, *words: str) -> Any:
    """Return what `case show` prints."""
    done = run("case", "show", case, *ANN, *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.usefixtures("organisation")
def test_a_case_goes_from_a_signal_to_a_report(run: Any, place: Path, ncmec: Any) -> None:
    """Signal, work, view, decision, work: the commands are enough, and `worker` does all that nobody has to decide."""
    case = notice(run, place)
    assert [(one["case"], one["status"], one["queue"]) for one in listed(run)] == [(case, "review", "main")]
    assert run("worker", "--until-idle").exit_code == 0
    assert [one["standing"] for one in shown(run, case)["media"]] == ["kept", "kept"]

    assert run("case", "view", case, f"image:{CANARY}-noise.png", "--wholly", "--no-exif", *ANN).exit_code == 0
    done = run("case", "decide", case, decision(place), *ANN)
    assert json.loads(done.stdout) == {"case": case, "status": "decided", "reportId": None}
    assert listed(run) == []

    done = run("worker", "--until-idle")
    assert done.exit_code == 0, done.output
    (report,) = ncmec.ncmec.reports()
    found = shown(run, case)
    assert (found["status"], found["reportId"]) == ("reported", report["reportId"])
    assert [(one["viewed"] if "viewed" in one else len(one["views"])) for one in found["media"]] == [1, 0]
    assert [one["case"] for one in listed(run, "--all")] == [case]
    assert listed(run, "--status", "review") == []


@pytest.mark.usefixtures("organisation")
def test_nothing_says_whom_a_case_is_about_unasked(run: Any, place: Path) -> None:
    """Neither a list nor a history holds an identifier, a file's name or anybody's words; with permission they do."""
    case = notice(run, place)
    run("worker", "--until-idle")
    assert run("case", "decide", case, decision(place), *ANN).exit_code == 0
    for words in (("list", "--all"), ("show", case)):
        assert CANARY not in run("case", *words, *ANN).output
    refused = run("case", "show", case, "--details", *ANN)
    assert (refused.exit_code, "--child-safety" in refused.stderr) == (2, True)
    told = shown(run, case, "--details", "--child-safety")
    assert told["user"]["id"] == CANARY
    assert told["media"][0]["id"] == f"{CANARY}-noise.png"
    assert len(told["media"][0]["sha256"]) == 64
    assert f"basis {CANARY}" in json.dumps(told["timeline"])


@pytest.mark.usefixtures("organisation")
def test_a_decision_that_does_not_go_is_refused_by_path(run: Any, place: Path) -> None:
    """Everything that is wrong is named at once, nothing is recorded, and nobody has to wait for the claim to lapse."""
    case = notice(run, place)
    run("worker", "--until-idle")
    wrong = {"incident_type": "nothing", "media": [{"media": {"id": CANARY, "type_id": "image"}, "include": "yes"}]}
    (place / "wrong.json").write_text(json.dumps(wrong))
    done = run("case", "decide", case, "wrong.json", *ANN)
    assert done.exit_code == 1
    assert "decision.incident_type: must be one of" in done.stderr
    assert "decision.media[0].include: must be true or false" in done.stderr
    assert CANARY not in done.output

    done = run("case", "decide", case, decision(place, media=[]), *ANN)
    assert done.exit_code == 1
    assert "decision.media: says nothing about 2 files of the case" in done.stderr
    events = [one["event"] for one in shown(run, case)["timeline"]]
    assert "decided" not in events
    assert [one["case"] for one in json.loads(run("case", "list", "--reviewer", "bob").stdout)] == [case]


@pytest.mark.usefixtures("organisation")
def test_a_dry_run_records_nothing(run: Any, place: Path) -> None:
    """What speaks against a decision can be asked without taking it."""
    case = notice(run, place)
    run("worker", "--until-idle")
    before = shown(run, case)
    assert run("case", "decide", case, decision(place, media=[]), "--dry-run", *ANN).exit_code == 1
    assert run("case", "decide", case, decision(place), "--dry-run", *ANN).exit_code == 0
    assert shown(run, case) == before


@pytest.mark.usefixtures("organisation")
def test_a_case_is_dismissed_with_a_reason(run: Any, place: Path) -> None:
    """The reason is recorded, and told to who asks for it."""
    case = notice(run, place)
    (place / "dismissed.json").write_text(json.dumps({"reason": CANARY}))
    done = run("case", "decide", case, "dismissed.json", *ANN)
    assert json.loads(done.stdout)["status"] == "dismissed"
    assert CANARY not in run("case", "show", case, *ANN).output
    assert f"dismissed it: nothing is reported ({CANARY})" in json.dumps(
        shown(run, case, "--details", "--child-safety")["timeline"]
    )


@pytest.mark.usefixtures("organisation")
def test_what_one_may_not_see_looks_as_if_it_were_not_there(
    run: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that is not there, one of another organisation, and one that somebody else decided look the same."""
    case = notice(run, place)
    run("worker", "--until-idle")
    missing = run("case", "show", "case/0/000001", *ANN)
    assert (missing.exit_code, missing.stderr) == (6, "'case/0/000001': there is no such case\n")
    assert run("case", "decide", case, decision(place), *ANN).exit_code == 0
    expected = (6, f"'{case}': there is no such case\n")
    other = run("case", "show", case, "--reviewer", "bob")
    assert (other.exit_code, other.stderr) == expected
    assert json.loads(run("case", "list", "--all", "--reviewer", "bob").stdout) == []
    monkeypatch.setenv("CYBERTIP_ORGANISATION", "another")
    other = run("case", "show", case, *ANN)
    assert (other.exit_code, other.stderr) == expected
    assert listed(run, "--all") == []


@pytest.mark.usefixtures("organisation")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("approve",), "cannot be approved now"),
        (("retry", "--reason", "why"), "cannot be retried now"),
        (("return", "--reason", "why"), "cannot be returned now"),
    ],
)
def test_a_step_that_cannot_be_taken_now_is_refused(run: Any, place: Path, words: tuple[str, ...], said: str) -> None:
    """Exit code 6, and the person learns how the case stands."""
    case = notice(run, place)
    name, *rest = words
    done = run("case", name, case, *rest, *ANN)
    assert done.exit_code == 6
    assert said in done.stderr


@pytest.mark.usefixtures("organisation")
def test_a_decision_is_taken_back_and_taken_anew(run: Any, place: Path) -> None:
    """Until the filing can be under way; the case waits for somebody again then."""
    case = notice(run, place)
    run("worker", "--until-idle")
    run("case", "decide", case, decision(place), *ANN)
    assert run("case", "return", case, "--reason", " ", *ANN).exit_code == 2
    assert json.loads(run("case", "return", case, "--reason", "why", *ANN).stdout)["status"] == "returned"
    assert [one["status"] for one in listed(run)] == ["returned"]
    assert json.loads(run("case", "decide", case, decision(place), *ANN).stdout)["status"] == "decided"


@pytest.mark.parametrize(
    ("name", "said"), [("ORGANISATION", "organisation is not set"), ("REVIEWER", "give --reviewer")]
)
@pytest.mark.usefixtures("organisation")
def test_whose_cases_they_are_and_who_asks_has_no_default(
    run: Any, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    """Nobody works on cases as nobody in particular."""
    monkeypatch.setenv("CYBERTIP_REVIEWER", "ann")
    assert run("case", "signal", "missing.json").exit_code == 2
    monkeypatch.delenv(f"CYBERTIP_{name}")
    done = run("case", "list")
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.usefixtures("organisation")
def test_a_signal_about_nobody_known_waits_for_somebody_who_knows(run: Any, place: Path) -> None:
    """It is listed without whom it could be about, and is in a case once somebody has said so."""
    assert notice(run, place, creator=None) == "None"
    (waits,) = json.loads(run("case", "unresolved", *ANN).stdout)
    assert waits["what"] == "escalation by a moderator, noticed by moderation, 2 files"
    assert CANARY not in str(waits)
    assert run("case", "resolve", waits["signal"], "somebody", *ANN).exit_code == 2
    placed = json.loads(run("case", "resolve", waits["signal"], f"user:{CANARY}", *ANN).stdout)
    assert [one["case"] for one in listed(run)] == [placed["case"]]
    assert json.loads(run("case", "unresolved", *ANN).stdout) == []
    assert run("case", "resolve", "signal/0", "user:1", *ANN).exit_code == 6


@pytest.mark.usefixtures("organisation")
def test_a_file_that_is_no_signal_is_refused(run: Any, place: Path) -> None:
    """Nothing of it is repeated."""
    for wrong in (
        {"kind": "escalated/1"},
        {"kind": "dreamt/1", "data": {}},
        {"kind": "escalated/1", "data": {CANARY: 1}},
    ):
        (place / "signal.json").write_text(json.dumps(wrong))
        done = run("case", "signal", "signal.json")
        assert done.exit_code == 1
        assert done.stderr.startswith("signal: ")
        assert CANARY not in done.output


@pytest.mark.usefixtures("organisation")
def test_a_person_sees_tables(
    run: Any, place: Path, on_a_terminal: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases as a table, and a case as its files with who viewed them, and its history."""
    monkeypatch.setenv("CYBERTIP_REVIEWER", "ann")
    case = notice(run, place)
    run("worker", "--until-idle")
    code, shown = on_a_terminal("case", "list")
    assert (code, "review" in shown, "main" in shown) == (0, True, True)
    code, shown = on_a_terminal("case", "show", case)
    assert code == 0
    assert f"{case}: review" in shown
    assert "by nobody, as far as is known" in shown
    assert "escalation by a moderator" in shown
    assert CANARY not in shown


@pytest.mark.usefixtures("organisation")
def test_what_is_real_is_seen_with_the_permission_alone(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of cases for NCMEC's real system nobody sees that there are any who does not say that they may."""
    monkeypatch.setenv("CYBERTIP_ENVIRONMENT", "production")
    case = notice(run, place)
    assert listed(run) == []
    assert run("case", "show", case, *ANN).exit_code == 6
    assert run("case", "unresolved", *ANN).exit_code == 6
    assert [one["case"] for one in listed(run, "--child-safety")] == [case]
    assert shown(run, case, "--child-safety")["environment"] == "production"


@pytest.mark.usefixtures("organisation")
def test_a_second_person_approves_what_is_real(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the organisation wants it: whoever decided cannot, and somebody else can."""
    monkeypatch.setenv("CYBERTIP_ENVIRONMENT", "production")
    monkeypatch.setenv("CYBERTIP_REVIEW", "second-approval")
    case = notice(run, place, media=[])
    made = decision(place, media=[], incident_at="2025-06-01T13:00:00+00:00")
    done = run("case", "decide", case, made, *ANN, "--child-safety")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["status"] == "approval"
    assert run("case", "approve", case, *ANN, "--child-safety").exit_code == 6
    done = run("case", "approve", case, "--reviewer", "bob", "--child-safety")
    assert json.loads(done.stdout)["status"] == "decided"


@pytest.mark.usefixtures("organisation")
def test_a_part_can_be_decided_where_the_organisation_allows_it(
    run: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that nobody decided on are left out then, and the decision is taken all the same."""
    case = notice(run, place)
    run("worker", "--until-idle")
    part = decision(place, media=[{"media": {"id": f"{CANARY}-noise.png", "type_id": "image"}, "include": True}])
    assert run("case", "decide", case, part, *ANN).exit_code == 1
    monkeypatch.setenv("CYBERTIP_REVIEW", "partial")
    assert json.loads(run("case", "decide", case, part, *ANN).stdout)["status"] == "decided"


@pytest.mark.usefixtures("organisation")
def test_a_case_that_was_claimed_can_be_given_back(run: Any, place: Path) -> None:
    """To give back what one does not have is no fault; there is nothing to send again where nothing is overdue."""
    case = notice(run, place)
    assert json.loads(run("case", "release", case, *ANN).stdout)["status"] == "review"
    done = run("case", "resend", case, *ANN)
    assert (done.exit_code, done.stderr) == (0, "nothing is overdue: nothing to do\n")

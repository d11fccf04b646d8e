"""What the demonstration leaves in its folder: what was filed, in the form that `file` takes, the receipt, and settings."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from cybertip.cases.profile import Profile
from cybertip.cli.settings import Settings, make_private
from cybertip.filing import Filing
from cybertip.filing.events import Finished
from cybertip.xml import to_json

__all__ = ["keep_files", "keep_settings"]


def keep_files(folder: Path, filing: Filing, receipt: Finished, settings: Settings) -> None:
    """Write the receipt, and the filing with its files: one to copy from, for `cybertip file` takes it as it is."""
    make_private(folder / "receipt.xml")
    (folder / "receipt.xml").write_bytes(receipt.observation.raw)
    into = folder / "filed"
    into.mkdir(exist_ok=True)
    evidence = settings.kept_evidence(read_only=True)
    files = []
    for one in filing.files:
        with evidence.open(one.evidence) as source, (into / one.name).open("wb") as copy:
            shutil.copyfileobj(source, copy)
        details = {} if one.description is None else {"details": json.loads(to_json(one.description))}
        files.append({"path": one.name} | details)
    plain = {"report": json.loads(to_json(filing.report)), "files": files}
    (into / "filing.json").write_text(json.dumps(plain, indent=2), encoding="utf-8")


def keep_settings(folder: Path, profile: Profile, settings: Settings, *, organisation: str, reviewer: str) -> None:
    """Write settings with which the commands of cases work in the folder; those that are there stay."""
    config = folder / "cybertip.toml"
    if config.exists():
        return
    (folder / "profile.toml").write_text(
        _toml({name: value for name in _PROFILE if (value := getattr(profile, name)) is not None}), encoding="utf-8"
    )
    given = {"organisation": organisation, "profile": "profile.toml", "reviewer": reviewer}
    config.write_text(_toml({"environment": settings.need("environment"), **given}), encoding="utf-8")


#: The settings that mean something when the platform is not there any more.
_PROFILE = ("company_name", "legal_url", "reporter_email", "terms_of_service", "default_queue", "default_incident")


def _toml(given: Mapping[str, str]) -> str:
    # JSON spells text as TOML does.
    return "".join(f"{name} = {json.dumps(str(value))}\n" for name, value in given.items())

"""`cybertip file`, killed at any moment, has recorded a filing as a whole or not at all."""

import hashlib
import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cybertip.adapters.evidence import LocalEvidence
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.audit import Auditor
from cybertip.filing.events import Filed, decode
from cybertip.ports.evidence import inspect
from cybertip.xml import to_json

RUNS = 16


class Desk:
    """Files one filing over and over, with another key and, where it is a file, into another database each time."""

    def __init__(self, world: Any, kit: Any, kind: str, new_database: Callable[[], str]) -> None:
        self._folder: Path = world.folder
        self._kind, self._new_database, self._shared = kind, new_database, world.database
        # The settings come from files: each run has others.
        self._nursery = world.nursery(CYBERTIP_STORAGE="", CYBERTIP_EVIDENCE="")
        chance = random.Random(1)
        contents = {f"{number}.bin": chance.randbytes(4_000_000) for number in range(2)}
        for name, content in contents.items():
            (self._folder / name).write_bytes(content)
        files = [{"path": name, "details": {"fileViewedByEsp": False}} for name in contents]
        filing = {"report": json.loads(to_json(kit.report("user-1"))), "files": files}
        self._filing = self._folder / "filing.json"
        self._filing.write_text(json.dumps(filing))

    def prepare(self, number: int) -> tuple[Path, SqlStorage, LocalEvidence]:
        """Write the settings of a run; return them, and what they lead to."""
        database = self._new_database() if self._kind == "sqlite" else self._shared
        config, evidence = self._folder / f"{number}.toml", self._folder / f"evidence-{number}"
        config.write_text(f"storage = {json.dumps(database)}\nevidence = {json.dumps(str(evidence))}\n")
        return config, SqlStorage(database), LocalEvidence(evidence)

    def begin(self, number: int, config: Path) -> Any:
        return self._nursery.bear("file", self._filing, "--key", f"case-{number}", "--config", config, "--json")

    def file(self, number: int, config: Path) -> dict[str, Any]:
        """Let the command come to its end, and return what it says."""
        child, said = self.begin(number, config), b""
        while more := child.says():
            said += more
        assert child.bury() == 0, child.errors.read_text()
        told: dict[str, Any] = json.loads(said)
        return told


def test_what_is_killed_while_it_records_has_recorded_all_or_nothing(
    world: Any, kit: Any, kind: str, new_database: Callable[[], str]
) -> None:
    """Whenever it dies, while it makes the database, preserves the files or records the filing: the submission is there
    with its evidence, or there is none; and the same command again gives the same submission."""
    desk, chance = Desk(world, kit, kind, new_database), random.Random(kind)
    times = []
    for number in range(3):
        config, storage, _ = desk.prepare(-1 - number)
        storage.close()
        began_at = time.monotonic()
        desk.file(-1 - number, config)
        times.append(time.monotonic() - began_at)
    killed, recorded = 0, 0
    for number in range(RUNS):
        config, storage, evidence = desk.prepare(number)
        child = desk.begin(number, config)
        if number < RUNS - 1:
            time.sleep(min(times) * (number + chance.random()) / RUNS if number else 0)
        else:
            # The last one lives until it has said that the filing is durable.
            child.says()
        child.signal(signal.SIGKILL)
        killed += child.bury() == -signal.SIGKILL
        with storage:
            storage.upgrade()
            entries = storage.read(f"case-{number}")
            recorded += len(entries)
            for entry in entries:
                filed = decode(entry.kind, entry.data)
                assert isinstance(filed, Filed)
                assert [inspect(evidence, file) for file in filed.filing.files] == [None, None]
            assert whole(evidence), "a file has a name that it does not deserve"
            told = desk.file(number, config)
            assert told == {"key": f"case-{number}", "status": "waiting", "reportId": None}
            again = storage.read(f"case-{number}")
            assert len(again) == 1
            assert not entries or entries == again
            assert list(Auditor(storage).verify()) == []
    assert killed >= RUNS // 4
    assert 1 <= recorded < RUNS


def whole(evidence: LocalEvidence) -> bool:
    """Tell whether every file that has its name is what its name says: the SHA-256 of its bytes."""
    named = [path for path in evidence._folder.glob("*/*") if path.is_file()]
    return all(hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name + path.name for path in named)

"""The cases under `examples/cases` are assembled as they stand, and filed against the double."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cybertip import Environment as Ncmecs
from cybertip.adapters.evidence import MemoryEvidence, keep_transcripts
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.cases.assembly import Assembled, assemble
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case, fold
from cybertip.cases.decisions import Decision
from cybertip.cases.enrichment import AdditionalInfo, Enriched, reconcile, with_addresses
from cybertip.cases.events import Claimed, Decided, Environment, Event, Joined, MediaKept, MediaMissing, Opened
from cybertip.cases.profile import Profile
from cybertip.cases.references import EvidenceId, ReviewerId
from cybertip.cases.signals import Signal, converter
from cybertip.cases.transcripts import read_lines
from cybertip.courier import Courier
from cybertip.desk.questions import question
from cybertip.model import FileDetails, FileRelevance, ReportId
from cybertip.ports.evidence import entry_of
from cybertip.sandbox import Ncmec, VirtualClock
from cybertip.testing.simulation import SandboxWire
from cybertip.xml import read

FOLDER = Path(__file__).parents[3] / "examples/cases"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
NOW = datetime(2026, 1, 3, tzinfo=UTC)
ANN = ReviewerId("reviewer-1")


class Example:
    """A case as an example tells it, up to its filing."""

    def __init__(self, name: str) -> None:
        self.plain: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.evidence = MemoryEvidence({key: text.encode() for key, text in self.plain.get("evidence", {}).items()})
        self.decision = self._read("decision", Decision)
        self.case = self._case()
        self.enrichment = self._enrichment()
        self.attachments = (*self._transcripts(), *self._supplemental())

    def assembled(self) -> Assembled:
        """Assemble it."""
        return assemble(
            self.case,
            self.decision,
            self.enrichment,
            self._read("profile", Profile),
            now=NOW,
            attachments=self.attachments,
            prior_reports=map(ReportId, self.plain.get("prior_reports", ())),
        )

    def _read(self, key: str, kind: Any) -> Any:
        return converter().structure(self.plain[key], kind)

    def _case(self) -> Case:
        kind: Any = Signal
        signals: list[Signal] = [converter().structure(one, kind) for one in self.plain["signals"]]
        user = signals[0].creator
        assert user is not None
        opened = Opened(organisation="o1", user=user, environment=Environment.TEST)
        missing = [converter().structure(one, MediaMissing) for one in self.plain.get("missing", ())]
        kept = [self._kept(media) for signal in signals for media in signal.media if media.evidence is not None]
        claimed = Claimed(reviewer=ANN, until=datetime.max.replace(tzinfo=UTC))
        decided = Decided(reviewer=ANN, decision=self.decision, needs_approval=False)
        joined = [Joined(signal=signal) for signal in signals]
        events: list[Event] = [opened, *joined, *kept, *missing, claimed, decided]
        case = fold("case/0123456789abcdef/0001", [(event, NOW) for event in events])
        assert case is not None
        return case

    def _kept(self, media: Any) -> MediaKept:
        entry = entry_of(self.evidence, media.evidence, name="any")
        return MediaKept(media=media.ref, evidence=media.evidence, sha256=entry.sha256, md5=entry.md5, size=entry.size)

    def _enrichment(self) -> Enriched:
        found = reconcile(question(self.case), AdditionalInfo.from_json(self.plain["answer"]))
        assert isinstance(found, Enriched), found
        return found

    def _transcripts(self) -> list[Attachment]:
        lines = [json.dumps(one).encode() for one in self.plain.get("messages", ())]
        found: list[Attachment] = []
        for thread in self.decision.threads:
            messages = with_addresses(read_lines(lines), self.enrichment.message_addresses)
            found += keep_transcripts(thread, messages, into=self.evidence)
        return found

    def _supplemental(self) -> list[Attachment]:
        found = []
        for file in self.enrichment.additional_files:
            name = file.file_name or "file"
            reference = self.evidence.keep(BytesIO(self.plain["supplemental"][file.url].encode()))
            entry = entry_of(self.evidence, reference, name=name)
            found.append(
                Attachment(
                    kind=AttachmentKind.SUPPLEMENTAL,
                    evidence=EvidenceId(reference),
                    name=name,
                    size=entry.size,
                    sha256=entry.sha256,
                    md5=entry.md5,
                    additional_infos=file.additional_infos,
                )
            )
        return found


@pytest.mark.parametrize("name", NAMES)
def test_each_is_filed(name: str) -> None:
    """One report arrives and is finished: what was assembled, with exactly its files, and what is said of each."""
    example = Example(name)
    made = example.assembled()
    ncmec = Ncmec(clock=VirtualClock(NOW))
    wire = SandboxWire(ncmec)
    courier = Courier(
        Ncmecs.sandbox("http://127.0.0.1:8025"),
        storage=MemoryStorage(),
        evidence=example.evidence,
        clock=ncmec.clock,
        transport=wire,
    )
    courier.file(made.filing, key=f"{example.case.key}/report")
    handle = courier.deliver(f"{example.case.key}/report")
    [report] = ncmec.reports()
    assert (report["state"], report["reportId"]) == ("finished", handle.report_id)
    assert read(report["report"].encode()) == made.filing.report
    assert [file["sha256"] for file in report["files"]] == [file.sha256 for file in made.filing.files]
    for received, filed in zip(report["files"], made.filing.files, strict=True):
        assert filed.description is not None
        details = read(received["details"].encode())
        assert isinstance(details, FileDetails)
        assert details == filed.description.named(report_id=details.report_id, file_id=details.file_id)
        assert (received["filename"], received["mediaType"]) == (filed.name, filed.media_type)


@pytest.fixture
def told() -> Callable[[str], Any]:
    """Return what is filed of an example: the report, what is said of its files, and the findings."""

    def tell(name: str) -> Any:
        made = Example(name).assembled()
        files = [file.description for file in made.filing.files]
        rules = [finding.rule for finding in made.findings]
        return SimpleNamespace(report=made.filing.report, files=files, findings=rules, filing=made.filing)

    return tell


def test_the_names_are_those_that_were_promised() -> None:
    """Text alone, a follow-up, many users, a child who can be told, and files that are gone: one example each."""
    assert NAMES == ["batched", "follow-up", "partly-missing", "text-only", "victim-bearing"]


def test_text_alone(told: Any) -> None:
    """Without any media the transcript is what is reported, and the newest message tells when it happened."""
    one = told("text-only")
    assert [file.file_relevance for file in one.files] == [FileRelevance.REPORTED] * 2
    assert one.report.incident_summary.incident_date_time == datetime(2026, 1, 1, 19, 4, tzinfo=UTC)
    assert one.report.intended_recipients[0].screen_name == "invented_two"
    assert one.findings == []


def test_a_follow_up(told: Any) -> None:
    """The report names those before it, and says of a match that it is one, and of a view that it is one."""
    one = told("follow-up")
    assert one.report.persons_or_users_reported[0].prior_ct_reports == (100_000_001, 100_000_002)
    [file] = one.files
    assert (file.file_viewed_by_esp, file.exif_viewed_by_esp) == (True, True)
    assert "synthetic list" in file.additional_infos[0]
    assert file.ip_capture_event.ip_address == "192.0.2.11"
    assert one.findings == ["several-ip-events"]


def test_many_users(told: Any) -> None:
    """Four users, one file, nothing else."""
    one = told("batched")
    assert [user.esp_identifier for user in one.report.persons_or_users_reported] == [f"user-{n}" for n in (1, 2, 3, 4)]
    assert len(one.files) == 1
    assert one.findings == []


def test_a_child(told: Any) -> None:
    """The child is apart from the user, with what the platform knows; a part of the file was viewed, not all of it."""
    one = told("victim-bearing")
    [child] = one.report.victims
    assert (child.victim_person.age, child.screen_name, child.display_names) == (
        13,
        "invented_five",
        ("Invented Five",),
    )
    assert [file.file_viewed_by_esp for file in one.files] == [False, None, None, None]
    assert "closed on 2 January" in one.report.additional_info
    assert one.findings == []


def test_files_that_are_gone(told: Any) -> None:
    """What is there is filed, what is not is noted, and what was left out is neither."""
    one = told("partly-missing")
    assert [file.evidence for file in one.filing.files] == ["evidence-4"]
    assert "media-5: the platform says that it is gone" in one.report.additional_info
    assert "media-7: its address had expired" in one.report.additional_info
    assert "media-6" not in one.report.additional_info
    assert one.files[0].file_viewed_by_esp is None
    assert one.findings == ["missing"]

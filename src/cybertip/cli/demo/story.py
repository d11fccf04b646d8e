"""The demonstration step by step: each does what a platform's own program would do with the library."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cybertip.cases.case import Case
from cybertip.cases.notices import Preservation
from cybertip.cases.profile import Profile
from cybertip.cases.references import CaseId, ReviewerId
from cybertip.cases.stages import Stage
from cybertip.cli.board import Bars
from cybertip.cli.demo.crash import DemoFailed, Killed, reports_at
from cybertip.cli.demo.keeping import keep_files, keep_settings
from cybertip.cli.demo.noticing import SHAPES, UPLOAD, Noticed, notice
from cybertip.cli.demo.platform import CASE_EVENT, INFO, PRESERVE, Call, Platform
from cybertip.cli.demo.reviewing import decision
from cybertip.cli.settings import Settings
from cybertip.cli.show import count
from cybertip.desk.desks import CaseDesk
from cybertip.desk.visibility import Viewer
from cybertip.filing import Entry, Filing, Journal, verify
from cybertip.filing.events import Finished

if TYPE_CHECKING:
    from cybertip.adapters.storage.sql import SqlStorage
    from cybertip.courier import Courier

__all__ = ["ORGANISATION", "REVIEWER", "Ended", "Story"]

ORGANISATION = "example-chat"
REVIEWER = ReviewerId("reviewer-1")
#: Seconds after which something must be wrong.
_PATIENCE = 30


@attrs.frozen(kw_only=True)
class Ended:
    """What the demonstration came to."""

    noticed: Noticed
    case: Case
    #: The journals, as they were read back.
    case_entries: Sequence[Entry]
    entries: Sequence[Entry]
    receipt: Finished
    #: What the platform was asked and told.
    calls: Sequence[Call]
    #: What the double holds, in the order in which the reports were opened.
    reports: Sequence[Mapping[str, Any]]
    killed: Killed | None

    @property
    def submission(self) -> str:
        """The key that the case was filed with."""
        assert self.case.filed is not None
        return self.case.filed.submission

    @property
    def held(self) -> Mapping[str, Any]:
        """The report that was finished, as the double holds it."""
        (held,) = (report for report in self.reports if report["state"] == "finished")
        return held


class Story:
    """Take a case from its signals to its receipt."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        platform: Platform,
        storage: "SqlStorage",
        courier: "Courier",
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._settings, self._platform = folder, settings, platform
        self._storage, self._say = storage, say
        self._webhooks = platform.webhooks()
        self._profile: Profile = platform.profile()
        self._desk = CaseDesk(
            ORGANISATION,
            courier=courier,
            evidence=settings.kept_evidence(),
            profile=self._profile,
            resolve=platform.creator,
            conversations=platform.conversation,
            webhooks=self._webhooks,
            media=platform.media(),
        )
        self._viewer = Viewer(reviewer=REVIEWER, child_safety=True)
        self._key = CaseId("")
        self._noticed: Noticed | None = None

    def notice(self) -> None:
        """Take in what three ways notice about one user, and keep the files that it is about."""
        noticed = self._noticed = notice(self._folder, self._platform)
        match = noticed.match
        self._say("Put a synthetic picture on a local list; an upload is that picture turned, mirrored, half as large")
        self._say(f"Found the upload on the list by {match.query.type}, {match.distance} bits of 256 apart: it matches")
        cases = [self._desk.signal(one).case for one in noticed.signals]
        (case,) = set(cases)
        if case is None:
            raise DemoFailed("nobody could say whom the signals are about")
        self._key = case
        self._say(f"Took in a hash match, a user report and an escalation: all three are in {case}")
        self._work()
        kept = self._case().kept
        self._say(f"Kept {count(len(kept), 'file')}, fetched from the platform before anybody could take them away")

    def review(self) -> None:
        """Do what a reviewer does; it is the only part that no program may do by itself, and here it is scripted."""
        desk, key, viewer = self._desk, self._key, self._viewer
        desk.claim(key, viewer=viewer)
        desk.view(key, UPLOAD, viewer=viewer, wholly=True, exif=False)
        made = decision(UPLOAD, SHAPES)
        wrong = desk.check(key, made, viewer=viewer)
        if wrong:
            raise DemoFailed(f"the decision does not go: {wrong[0]}")
        desk.decide(key, made, viewer=viewer)
        self._say(
            "A scripted reviewer viewed one file of two, and decided to report both, with a part of the conversation"
        )

    def assemble(self) -> None:
        """Let the desk ask the platform, and hand the filing over."""
        self._work()
        case = self._case()
        if case.stage is not Stage.FILED or case.enriched is None:
            raise DemoFailed(f"the case was not filed: {case.delay or '; '.join(case.reasons) or case.status}")
        attachments = count(len(case.enriched.attachments), "file")
        self._say("Asked the platform what it knows, signed: it answered")
        self._say(f"Kept {attachments} besides: the transcript in two forms, and what the platform added")
        self._say("Assembled the report, checked it by every documented rule, and recorded it for delivery")

    def deliver(self, *, quiet: bool) -> None:
        """Do what a worker does, in this process."""
        settings = self._settings
        with (
            Bars(quiet=quiet) as bars,
            settings.courier(self._storage, settings.credentials(), progress=bars.sent) as courier,
        ):
            courier.run_until_stopped(threading.Event(), until_idle=True)
        self._say("Delivered it: each call was recorded before it was made, and its answer after it")

    def follow(self) -> None:
        """Let the desk see what became of the report, and tell the platform."""
        until = time.monotonic() + _PATIENCE
        while not self._desk_is_done() and time.monotonic() < until:
            self._work()
            time.sleep(0.05)
        case = self._case()
        if not self._desk_is_done() or case.report_id is None:
            raise DemoFailed(f"the platform was not told: {case.delay or case.overdue or case.status}")
        told = "; the desk told the platform, signed, and it heard" if self._platform.endpoints.events else ""
        self._say(f"NCMEC has report {case.report_id}{told}")
        notice = Preservation(user=case.user, reported_media=(UPLOAD, SHAPES), report_id=case.report_id)
        self._webhooks.preserve(notice, id=f"demonstration-{case.report_id}")
        self._say(
            "Called the platform to preserve, signed: a desk does that by itself, of production reports alone; this one is "
            "a test, so the demonstration did"
        )

    def look(self, url: str, killed: Killed | None) -> Ended:
        """Read the journals back, check their chains, and compare what the double holds with what was to be filed."""
        case = self._case()
        assert case.filed is not None
        assert self._noticed is not None
        key = case.filed.submission
        case_entries, entries = self._verified(case.key), self._verified(key)
        self._say(f"Verified the journals: their {len(case_entries)} and {len(entries)} entries are what was written")
        filing = Journal.of(key, entries).submission.filing
        reports = reports_at(url)
        receipt = _compared(filing, Journal.of(key, entries).submission.receipt, reports)
        calls = tuple(self._platform.calls)
        if [one.path for one in calls] != ([INFO, CASE_EVENT, PRESERVE] if self._platform.has_own_endpoints else []):
            raise DemoFailed("the platform was not asked and told what it should have been")
        keep_files(self._folder, filing, receipt, self._settings)
        keep_settings(self._folder, self._profile, self._settings, organisation=ORGANISATION, reviewer=REVIEWER)
        return Ended(
            noticed=self._noticed,
            case=case,
            case_entries=case_entries,
            entries=entries,
            receipt=receipt,
            calls=calls,
            reports=reports,
            killed=killed,
        )

    # -- parts ------------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._desk.run_due():
            pass

    def _case(self) -> Case:
        return self._desk.case(self._key, viewer=self._viewer)

    def _desk_is_done(self) -> bool:
        case = self._case()
        return case.stage is Stage.REPORTED and (bool(case.notified) or not self._platform.endpoints.events)

    def _verified(self, key: str) -> Sequence[Entry]:
        head, entries = self._storage.head(key), self._storage.read(key)
        assert head is not None
        wrong = verify(key, entries, version=head.version, digest=head.digest)
        if wrong:
            raise DemoFailed(str(wrong[0]))
        return entries


def _compared(filing: Filing, receipt: Finished | None, reports: Sequence[Mapping[str, Any]]) -> Finished:
    """Return the receipt, if just what was to be filed was filed, and once."""
    finished = [report for report in reports if report["state"] == "finished"]
    if len(finished) != 1:
        raise DemoFailed(f"the report was filed {len(finished)} times; it should have been once")
    if sorted(file["md5"] for file in finished[0]["files"]) != sorted(file.md5 for file in filing.files):
        raise DemoFailed("the report was not filed with exactly its files")
    if receipt is None or receipt.report_id != finished[0]["reportId"]:
        raise DemoFailed("the journal does not have the receipt of the report that was filed")
    return receipt

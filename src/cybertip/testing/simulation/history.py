"""The history check: what NCMEC has and what the journals say are compared with what was promised."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cybertip.filing import Filing, Policy, Status, Submission, verify
from cybertip.filing.decision import status_of
from cybertip.filing.events import Call, Event, Intended, decode
from cybertip.filing.submission import Stage, apply
from cybertip.ports.storage import Entry, Storage

__all__ = ["Flaw", "check_history"]


class Flaw(AssertionError):
    """A promise was broken; the message says which, and of which submission."""


def _named(key: str, document: str) -> bool:
    """Tell whether a report names a submission's key, as an identifier for example."""
    return f">{key}<" in document


def check_history(
    *,
    storage: Storage,
    reports: Iterable[Mapping[str, Any]],
    filings: Mapping[str, Filing],
    policy: Policy | None = None,
    belongs: Callable[[str, str], bool] = _named,
) -> None:
    """Raise `Flaw` where NCMEC's reports or the journals do not keep the promises of durable filing.

    Nothing may be under way or due any more. Each submission then has exactly one finished report with exactly its files
    and what was to be said of them, or is retracted, or waits for a person who was called; its journal is whole; of its
    other reports none is finished and none is left open but such as NCMEC may have opened without our learning of it; and
    its journal begins no call that was not allowed when it began.

    Args:
        storage: where the journals are.
        reports: all that the double was ever sent, as `Ncmec.reports()` or `GET /_sandbox/reports` list it.
        filings: what was filed, by key.
        policy: the one that was delivered by.
        belongs: tells of a key and a report's document whether they belong together; by default the key stands between
            two tags of the document, such as those of the reported user's identifier.
    """
    listed = list(reports)
    for key, filing in filings.items():
        mine = [report for report in listed if belongs(key, report["report"])]
        _Case(key, filing, mine, storage.read(key), policy or Policy()).check(storage)


class _Case:
    """One submission: what was filed, what NCMEC has of it, and its journal."""

    def __init__(
        self,
        key: str,
        filing: Filing,
        reports: list[Mapping[str, Any]],
        entries: tuple[Entry, ...],
        policy: Policy,
    ) -> None:
        self.key, self.filing, self.reports, self.entries, self.policy = key, filing, reports, entries, policy
        self.finished = [report for report in reports if report["state"] == "finished"]

    def check(self, storage: Storage) -> None:
        head = storage.head(self.key)
        self.demand(head is not None, "was lost: storage does not know it")
        assert head is not None
        found = verify(self.key, self.entries, version=head.version, digest=head.digest)
        self.demand(not found, f"has a journal that is damaged: {found[0] if found else ''}")
        state = self.replay()
        self.demand(state.intent is None, "has a call under way")
        self.demand(len(self.finished) <= 1, f"was filed {len(self.finished)} times")
        self.check_end(state)
        self.check_others(state)

    def demand(self, kept: bool, what: str) -> None:
        if not kept:
            raise Flaw(f"{self.key} {what}")

    def replay(self) -> Submission:
        """Fold the journal, and look at each call when it began."""
        state: Submission | None = None
        for entry in self.entries:
            event = decode(entry.kind, entry.data, key=self.key)
            if state is not None:
                self.check_begun(state, event, entry)
            state = apply(self.key, state, event, entry.recorded_at)
        assert state is not None
        return state

    def check_begun(self, state: Submission, event: Event, entry: Entry) -> None:
        """Nothing is added to a report, and none is opened or finished, that must not be filed or cannot make it in time."""
        if not isinstance(event, Intended) or event.call is Call.RETRACT:
            return
        attempt = state.attempt
        if attempt is not None and attempt.stage is Stage.FINISHING and attempt.in_doubt:
            return
        self.demand(not state.withdrawn, f"was withdrawn, and /{event.call} began all the same")
        self.demand(state.blocked is None, f"waited for a person, and /{event.call} began all the same")
        if attempt is None:
            return
        assert attempt.opened_at is not None
        assert attempt.changed_at is not None
        deleted_at = max(
            attempt.opened_at + self.policy.deleted_after_opening_for,
            attempt.changed_at + self.policy.deleted_after_change_for,
        )
        late = entry.recorded_at + state.skew >= deleted_at - self.policy.margin_for
        self.demand(not late, f"was too late for /{event.call}, and it began all the same")

    def check_end(self, state: Submission) -> None:
        """The journal knows how it ended."""
        status = status_of(state)
        if self.finished:
            self.check_finished(state, status, self.finished[0])
        elif state.withdrawn:
            self.demand(status is Status.RETRACTED, f"was withdrawn, and is {status}")
        else:
            called = status is Status.NEEDS_HUMAN and state.blocked is not None and state.escalated
            self.demand(called, f"was lost: its status is {status}, and NCMEC has no finished report of it")

    def check_finished(self, state: Submission, status: Status, report: Mapping[str, Any]) -> None:
        """What is filed is the whole of it, and the journal says so."""
        self.demand(status is Status.FINISHED, f"is finished, and its journal says {status}")
        self.demand(state.report_id == report["reportId"], "has a receipt that names another report")
        arrived = sorted(file["md5"] for file in report["files"])
        self.demand(
            arrived == sorted(file.md5 for file in self.filing.files), "was filed with other files than its own"
        )
        described = sum(file["details"] is not None for file in report["files"])
        expected = sum(file.description is not None for file in self.filing.files)
        self.demand(described == expected, f"has details of {described} files, and not of {expected}")

    def check_others(self, state: Submission) -> None:
        """What is neither finished nor taken back was left to delete itself: only a lost answer to /submit may do that."""
        known = {attempt.report_id for attempt in state.attempts}
        left = [report for report in self.reports if report["state"] == "open" and report["reportId"] in known]
        self.demand(not left, f"left report {left[0]['reportId'] if left else ''} open, which its journal knows")
        orphans = sum(
            report["state"] in ("open", "deleted") and report["reportId"] not in known for report in self.reports
        )
        doubts = state.possible_orphans
        self.demand(orphans <= doubts, f"left {orphans} orphans after {doubts} submits in doubt")

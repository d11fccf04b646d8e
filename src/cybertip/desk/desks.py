"""The class that most people use between signals and filings, in both colours.

Signals come in and gather in cases, each about one user; people claim and decide them; a worker does the rest: it asks the
platform what it knows, assembles the report, hands it to a courier, and tells the platform to preserve. Everything is a step
recorded in the same storage as the submissions. The two classes differ in colour alone; a test compares them.
"""

import logging
from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, Dismissed
from cybertip.cases.enrichment import Finding
from cybertip.cases.placement import Place, SignalJournal
from cybertip.cases.references import CaseId, EvidenceId, ItemRef, UserRef
from cybertip.cases.routing import Destination
from cybertip.cases.signals import Signal
from cybertip.desk.asking import Summary, Waiting, look, page, pending, told, unresolved
from cybertip.desk.checking import check
from cybertip.desk.following import resend
from cybertip.desk.placing import receive, resolve
from cybertip.desk.reporting import findings
from cybertip.desk.reviewing import approve, claim, decide, keep, miss, release, retry, route, take_back, view
from cybertip.desk.visibility import Viewer
from cybertip.desk.workers import AsyncWorkers, Workers
from cybertip.errors import Violation

__all__ = ["AsyncCaseDesk", "CaseDesk", "Placement"]

T = TypeVar("T")

_log = logging.getLogger("cybertip")


@attrs.frozen(kw_only=True)
class Placement:
    """Where a signal is."""

    #: The signal's own key.
    key: str
    place: Place
    #: The case that it is in; None as long as nobody knows whom it is about.
    case: CaseId | None = None

    @classmethod
    def of(cls, journal: SignalJournal) -> "Placement":
        """Return where a signal is, by its journal."""
        return cls(key=journal.key, place=journal.place, case=journal.case)


class CaseDesk(Workers):
    """Take signals in, let people decide, and see each decision through to its filing.

    Args:
        organisation: whose desk it is. Cases of others look as if they were not there.
        courier: delivers what is filed. Its environment is the desk's, and its storage holds the cases, too.
        evidence: keeps the bytes of media, transcripts and supplemental files. The courier must be able to open them.
        profile: the organisation's settings, which go into each report.
        resolve: says who made what a signal is about, where the signal does not.
        source: says what the platform knows of users and media, before a report is built; by default the endpoint of
            `webhooks`, and where there are none, nothing more is known.
        conversations: returns the messages of a conversation that were decided on.
        webhooks: asks the platform, tells it to preserve, and tells the host what became of cases.
        media: fetches media and supplemental files that signals and answers name by address.
        rules: where signals go.
        review: what the organisation asks of its reviewers.
        policy: pauses, and how many failures call a person.

    Only errors of `cybertip.errors` get out. All methods may be called from several threads, and any number of desks of the
    same organisation may work on the same storage.
    """

    # -- signals --------------------------------------------------------------------------------------------------------

    def signal(self, signal: Signal) -> Placement:
        """Take a signal in; when this returns, it is durable, and in its user's case if it is known who that is.

        The same signal again changes nothing. A signal whose creator cannot be resolved is kept, shown by `unresolved`, and
        brought to its case once somebody knows. Raises `Conflict` where its id stands for another signal.
        """
        return Placement.of(self._run(receive(self._office, signal)))

    def unresolved(self, *, viewer: Viewer, after: str | None = None, limit: int = 100) -> tuple[Waiting, ...]:
        """Return signals of which nobody could say so far whom they are about, in the order of their keys."""
        return self._run(told(self._office, viewer, unresolved(self._office, after=after, limit=limit)))

    def resolve(self, key: str, user: UserRef, *, viewer: Viewer) -> Placement:
        """Say whom a signal is about, by the key that `unresolved` gave. Raises `UnknownCase` for any other."""
        return Placement.of(self._run(told(self._office, viewer, resolve(self._office, key, user))))

    # -- what there is --------------------------------------------------------------------------------------------------

    def pending(self, *, viewer: Viewer, queue: str | None = None, limit: int = 50) -> tuple[Summary, ...]:
        """Return the cases that wait for somebody, the most urgent first, without those that others have just now."""
        return self._run(pending(self._office, viewer, queue=queue, limit=limit))

    def cases(
        self,
        *,
        viewer: Viewer,
        status: str | None = None,
        delayed: bool = False,
        overdue: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[Summary, ...]:
        """Return a page of cases in the order of their keys.

        Args:
            viewer: who asks.
            status: only those that stand so.
            delayed: only those that wait for the platform or for a submission, and go on by themselves.
            overdue: only those of which the host could not be told something, although it was tried time and again.
            after: the last key of the page before.
            limit: how many at the most.
        """
        tag = "overdue" if overdue else "delayed" if delayed else None
        return self._run(page(self._office, viewer, status=status, tag=tag, after=after, limit=limit))

    def case(self, key: str, *, viewer: Viewer) -> Case:
        """Return a case with all that is in it. Raises `UnknownCase`, also for one that the viewer may not see."""
        return self._ask(viewer, key, look(self._office, key))

    # -- review ---------------------------------------------------------------------------------------------------------

    def claim(self, key: str, *, viewer: Viewer, lasting: timedelta = timedelta(minutes=15)) -> Case:
        """Take a case for a time, or for longer. Raises `NotYours` while somebody else has it."""
        return self._ask(viewer, key, claim(self._office, key, reviewer=viewer.reviewer, lasting=lasting))

    def release(self, key: str, *, viewer: Viewer) -> Case:
        """Give a case back."""
        return self._ask(viewer, key, release(self._office, key, reviewer=viewer.reviewer))

    def route(
        self, key: str, *, viewer: Viewer, to: Destination = Destination.REVIEW, queue: str | None = None
    ) -> Case:
        """Send a case to another queue, or from triage to review."""
        return self._ask(viewer, key, route(self._office, key, reviewer=viewer.reviewer, to=to, queue=queue))

    def keep(self, key: str, media: ItemRef, *, evidence: EvidenceId) -> Case:
        """Note that the host has kept a file's bytes, under a reference of the evidence. What was kept first counts.

        It asks for nobody's permission: it is for the host's own jobs.
        """
        return self._run(keep(self._office, key, media, evidence=evidence))

    def miss(self, key: str, media: ItemRef, *, viewer: Viewer, reason: str) -> Case:
        """Note that a file's bytes cannot be had any more. The reason quotes nothing: it is shown and recorded."""
        return self._ask(viewer, key, miss(self._office, key, media, reason=reason))

    def view(
        self, key: str, media: ItemRef, *, viewer: Viewer, wholly: bool, exif: bool, at: datetime | None = None
    ) -> Case:
        """Record that the viewer looked at a file, at how much of it, and whether at its EXIF data; none has a default.

        Raises `NotNow` as long as the bytes are not kept: what was looked at must be what is reported.
        """
        flow = view(self._office, key, media, reviewer=viewer.reviewer, wholly=wholly, exif=exif, at=at)
        return self._ask(viewer, key, flow)

    def check(self, key: str, decision: Decision, *, viewer: Viewer) -> tuple[Violation, ...]:
        """Say what keeps a decision from being filed, as far as that can be told before the platform was asked."""
        return self._ask(viewer, key, check(self._office, key, decision))

    def findings(self, key: str, *, viewer: Viewer) -> tuple[Finding, ...]:
        """Say what a reviewer should know about how a case's filing was made, such as files that were gone, or events that
        went elsewhere. There is none before the platform was asked; none of it keeps a report from being filed.
        """
        return self._ask(viewer, key, findings(self._office, key))

    def decide(self, key: str, decision: Decision | Dismissed, *, viewer: Viewer) -> Case:
        """Decide a case that the viewer has claimed. A worker does the rest.

        Raises `InvalidReport` with all that does not go with the case, `NotYours` and `NotNow`; nothing is recorded then.
        """
        return self._ask(viewer, key, decide(self._office, key, decision, reviewer=viewer.reviewer))

    def approve(self, key: str, *, viewer: Viewer) -> Case:
        """Approve what somebody else decided."""
        return self._ask(viewer, key, approve(self._office, key, reviewer=viewer.reviewer))

    def take_back(self, key: str, *, viewer: Viewer, reason: str) -> Case:
        """Take a decision back, as long as its filing cannot be under way; the case is to be decided again."""
        return self._ask(viewer, key, take_back(self._office, key, reviewer=viewer.reviewer, reason=reason))

    def retry(self, key: str, *, viewer: Viewer, reason: str) -> Case:
        """Try a filing again that could not be made, as it was decided."""
        return self._ask(viewer, key, retry(self._office, key, reviewer=viewer.reviewer, reason=reason))

    def resend(self, key: str, *, viewer: Viewer) -> Case:
        """Try at once to tell the host what it could not be told so far."""
        return self._ask(viewer, key, resend(self._office, key))


class AsyncCaseDesk(AsyncWorkers):
    """Take signals in and see decisions through from asyncio or trio, as `CaseDesk` does; see there for arguments.

    The host's functions are async; the event loop is never blocked.
    """

    # -- signals --------------------------------------------------------------------------------------------------------

    async def signal(self, signal: Signal) -> Placement:
        """As `CaseDesk.signal`."""
        return Placement.of(await self._run(receive(self._office, signal)))

    async def unresolved(self, *, viewer: Viewer, after: str | None = None, limit: int = 100) -> tuple[Waiting, ...]:
        """As `CaseDesk.unresolved`."""
        return await self._run(told(self._office, viewer, unresolved(self._office, after=after, limit=limit)))

    async def resolve(self, key: str, user: UserRef, *, viewer: Viewer) -> Placement:
        """As `CaseDesk.resolve`."""
        return Placement.of(await self._run(told(self._office, viewer, resolve(self._office, key, user))))

    # -- what there is --------------------------------------------------------------------------------------------------

    async def pending(self, *, viewer: Viewer, queue: str | None = None, limit: int = 50) -> tuple[Summary, ...]:
        """As `CaseDesk.pending`."""
        return await self._run(pending(self._office, viewer, queue=queue, limit=limit))

    async def cases(
        self,
        *,
        viewer: Viewer,
        status: str | None = None,
        delayed: bool = False,
        overdue: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[Summary, ...]:
        """As `CaseDesk.cases`."""
        tag = "overdue" if overdue else "delayed" if delayed else None
        return await self._run(page(self._office, viewer, status=status, tag=tag, after=after, limit=limit))

    async def case(self, key: str, *, viewer: Viewer) -> Case:
        """As `CaseDesk.case`."""
        return await self._ask(viewer, key, look(self._office, key))

    # -- review ---------------------------------------------------------------------------------------------------------

    async def claim(self, key: str, *, viewer: Viewer, lasting: timedelta = timedelta(minutes=15)) -> Case:
        """As `CaseDesk.claim`."""
        return await self._ask(viewer, key, claim(self._office, key, reviewer=viewer.reviewer, lasting=lasting))

    async def release(self, key: str, *, viewer: Viewer) -> Case:
        """As `CaseDesk.release`."""
        return await self._ask(viewer, key, release(self._office, key, reviewer=viewer.reviewer))

    async def route(
        self, key: str, *, viewer: Viewer, to: Destination = Destination.REVIEW, queue: str | None = None
    ) -> Case:
        """As `CaseDesk.route`."""
        return await self._ask(viewer, key, route(self._office, key, reviewer=viewer.reviewer, to=to, queue=queue))

    async def keep(self, key: str, media: ItemRef, *, evidence: EvidenceId) -> Case:
        """As `CaseDesk.keep`."""
        return await self._run(keep(self._office, key, media, evidence=evidence))

    async def miss(self, key: str, media: ItemRef, *, viewer: Viewer, reason: str) -> Case:
        """As `CaseDesk.miss`."""
        return await self._ask(viewer, key, miss(self._office, key, media, reason=reason))

    async def view(
        self, key: str, media: ItemRef, *, viewer: Viewer, wholly: bool, exif: bool, at: datetime | None = None
    ) -> Case:
        """As `CaseDesk.view`."""
        flow = view(self._office, key, media, reviewer=viewer.reviewer, wholly=wholly, exif=exif, at=at)
        return await self._ask(viewer, key, flow)

    async def check(self, key: str, decision: Decision, *, viewer: Viewer) -> tuple[Violation, ...]:
        """As `CaseDesk.check`."""
        return await self._ask(viewer, key, check(self._office, key, decision))

    async def findings(self, key: str, *, viewer: Viewer) -> tuple[Finding, ...]:
        """As `CaseDesk.findings`."""
        return await self._ask(viewer, key, findings(self._office, key))

    async def decide(self, key: str, decision: Decision | Dismissed, *, viewer: Viewer) -> Case:
        """As `CaseDesk.decide`."""
        return await self._ask(viewer, key, decide(self._office, key, decision, reviewer=viewer.reviewer))

    async def approve(self, key: str, *, viewer: Viewer) -> Case:
        """As `CaseDesk.approve`."""
        return await self._ask(viewer, key, approve(self._office, key, reviewer=viewer.reviewer))

    async def take_back(self, key: str, *, viewer: Viewer, reason: str) -> Case:
        """As `CaseDesk.take_back`."""
        return await self._ask(viewer, key, take_back(self._office, key, reviewer=viewer.reviewer, reason=reason))

    async def retry(self, key: str, *, viewer: Viewer, reason: str) -> Case:
        """As `CaseDesk.retry`."""
        return await self._ask(viewer, key, retry(self._office, key, reviewer=viewer.reviewer, reason=reason))

    async def resend(self, key: str, *, viewer: Viewer) -> Case:
        """As `CaseDesk.resend`."""
        return await self._ask(viewer, key, resend(self._office, key))

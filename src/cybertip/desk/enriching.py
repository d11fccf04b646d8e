"""What the platform knows, asked for and recorded before there is a filing.

All of it is recorded in one event: the answer, the organisation as it describes itself, the transcripts and files that are
kept by then, and what was reported of the user before. What is assembled from it is the same however often it is assembled.
As long as any of it cannot be had nothing is recorded but why, and the platform is asked again.
"""

import re
from datetime import datetime, timedelta

import attrs

from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case
from cybertip.cases.enrichment import AdditionalFile, AdditionalInfo, AllMissing, Enriched, Uncovered, reconcile
from cybertip.cases.events import Enriched as Recorded
from cybertip.cases.stages import Stage
from cybertip.cases.transcripts import file_name
from cybertip.desk.delaying import block, delay, is_as_before
from cybertip.desk.effects import Ask, Failed, Fetch, Find, Now, Transcribe, Weigh
from cybertip.desk.failures import asked_for, is_for_good, reason_of
from cybertip.desk.keys import user_tag
from cybertip.desk.letters import request_id
from cybertip.desk.office import Office
from cybertip.desk.pauses import PATIENCE, pause
from cybertip.desk.questions import decision_of, question, question_id, written
from cybertip.desk.standing import NOTHING, Happens, Standing, record
from cybertip.errors import InvalidReport
from cybertip.filing.effects import Flow
from cybertip.model import ReportId
from cybertip.webhooks.failures import WebhookError

__all__ = ["enrich"]

_PAGE = 100
#: Where a case stands that has no report yet and gets one by itself.
_BEING_FILED = frozenset(map(str, (Stage.DECIDED, Stage.READY, Stage.FILED)))
_HTML = re.compile(r"\.x?html?", re.IGNORECASE)
_SUFFIX = re.compile(r"(.*?)(\.[A-Za-z0-9]{1,8})?", re.DOTALL)


@attrs.frozen
class _Waits:
    """It cannot be had now."""

    reason: str
    #: How long the answer asked us to wait.
    asked_for: timedelta = timedelta(0)
    #: Whether it will not be had before a person has mended something.
    for_good: bool = False


def enrich(office: Office, standing: Standing) -> Flow[tuple[Standing, datetime | None]]:
    """Find out what a filing is made of, and record it; return when to ask again where it could not be found out."""
    before = standing.case
    found = yield from _find_out(office, before)
    now = yield from Now()
    match found:
        case Recorded():
            happens = Happens((found,))
            standing = yield from record(
                office, standing, lambda case, _: happens if is_as_before(case, before) else NOTHING
            )
            return standing, now
        case AllMissing():
            return (yield from block(office, standing, [str(found)])), now
    assert before.decided_at is not None
    since = None if found.for_good else before.decided_at
    standing = yield from delay(office, standing, found.reason, since=since)
    wait = pause(now - before.decided_at, longest=office.policy.longest_pause_for)
    return standing, now + max(wait, found.asked_for)


def _find_out(office: Office, case: Case) -> Flow[Recorded | AllMissing | _Waits]:
    asked = question(case)
    answer = yield from Ask(
        request=asked,
        id=request_id(question_id(case)),
        is_named=office.profile.additional_info_url is not None,
    )
    if not isinstance(answer, AdditionalInfo):
        return _waits(office, answer)
    try:
        text = written(answer)
        # What is used is what is recorded: a host's function may have given what reads otherwise.
        answer = AdditionalInfo.from_json(text)
    except (TypeError, ValueError) as error:
        more = f": {error}" if isinstance(error, InvalidReport) else ""
        return _Waits(f"the platform's answer cannot be recorded{more}")
    covered = reconcile(asked, answer)
    if isinstance(covered, Uncovered):
        return _Waits(f"the platform's answer is not enough to file with:\n{covered}")
    if isinstance(covered, AllMissing):
        return covered
    attachments = yield from _attachments(office, case, covered)
    if isinstance(attachments, _Waits):
        return attachments
    prior = yield from _prior_reports(office, case)
    if isinstance(prior, _Waits):
        return prior
    return Recorded(answer=text, profile=office.profile, attachments=attachments, prior_reports=prior)


def _waits(office: Office, failure: WebhookError | Failed, where: str = "") -> _Waits:
    return _Waits(
        reason=where + reason_of(failure),
        asked_for=asked_for(failure, longest=office.policy.longest_retry_after_for),
        for_good=is_for_good(failure),
    )


def _attachments(office: Office, case: Case, answer: Enriched) -> Flow[tuple[Attachment, ...] | _Waits]:
    """Keep the conversations that are reported, and the files that the platform adds; a batched report takes neither."""
    decision = decision_of(case)
    found: list[Attachment] = []
    for index, thread in enumerate(decision.threads):
        kept = yield from Transcribe(thread=thread, addresses=answer.message_addresses, index=index)
        if isinstance(kept, Failed):
            return _waits(office, kept)
        found += kept
    for index, file in enumerate(() if decision.batched else answer.additional_files):
        attachment = yield from _supplemental(office, index, file)
        if isinstance(attachment, _Waits):
            return attachment
        found.append(attachment)
    return tuple(found)


def _supplemental(office: Office, index: int, file: AdditionalFile) -> Flow[Attachment | _Waits]:
    where = f"answer.additionalFiles[{index}]: "
    stem, suffix = _named(file)
    fetched = yield from Fetch(url=file.url, html=_HTML.fullmatch(suffix) is not None)
    if isinstance(fetched, Failed | WebhookError):
        return _waits(office, fetched, where)
    weighed = yield from Weigh(fetched.evidence)
    if isinstance(weighed, Failed):
        return _waits(office, weighed, where)
    if not weighed.size:
        return _Waits(f"{where}it is empty")
    return Attachment(
        kind=AttachmentKind.SUPPLEMENTAL,
        evidence=weighed.evidence,
        # By its number no other has the same.
        name=file_name(f"supplemental-{index + 1}{stem}", suffix),
        media_type=fetched.media_type or "application/octet-stream",
        size=weighed.size,
        sha256=weighed.sha256,
        md5=weighed.md5,
        additional_infos=file.additional_infos,
    )


def _named(file: AdditionalFile) -> tuple[str, str]:
    """Return what the platform calls a file, and its suffix."""
    found = _SUFFIX.fullmatch(file.file_name or "")
    assert found is not None
    return f"-{found[1]}" if found[1] else "", (found[2] or "").lower()


def _prior_reports(office: Office, case: Case) -> Flow[tuple[ReportId, ...] | _Waits]:
    """Return what was reported of the user before, by the heads of their cases; this one has no report yet.

    An earlier case that is being filed is waited for, so that this report can name it; but not for so long that this one
    would be held up by what keeps the other.
    """
    now = yield from Now()
    assert case.decided_at is not None
    is_patient = now - case.decided_at < PATIENCE
    tag = user_tag(office.organisation, office.environment.name, case.user)
    found: list[ReportId] = []
    after: str | None = None
    while True:
        page = yield from Find(lane=office.cases, tenant=office.organisation, tag=tag, after=after, limit=_PAGE)
        if is_patient and any(head.key < case.key and head.status in _BEING_FILED for head in page):
            return _Waits("an earlier case of the same user is being filed, and this report is to name it")
        found += [ReportId(head.report_id) for head in page if head.report_id is not None]
        if len(page) < _PAGE:
            return tuple(found)
        after = page[-1].key

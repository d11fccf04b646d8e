"""Make a filing of a case and what was decided about it."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from cybertip.cases.assembly.files import entry_of_attachment, entry_of_file
from cybertip.cases.assembly.known import Known, KnownAttachment
from cybertip.cases.assembly.obstacles import obstacles
from cybertip.cases.assembly.places import placed
from cybertip.cases.assembly.remarks import remarks
from cybertip.cases.assembly.report import REPORT
from cybertip.cases.attachments import Attachment, AttachmentKind
from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision
from cybertip.cases.enrichment import Enriched, Finding
from cybertip.cases.profile import Profile
from cybertip.errors import InvalidReport
from cybertip.filing import FileEntry, Filing
from cybertip.model import DEFAULT_EDITION, Edition, ReportId
from cybertip.rules import check

__all__ = ["Assembled", "assemble"]


@attrs.frozen(kw_only=True)
class Assembled:
    """What is to be filed, and what a reviewer should know about how it was made."""

    filing: Filing
    #: They keep nothing from being filed.
    findings: tuple[Finding, ...] = ()


def assemble(
    case: Case,
    decision: Decision,
    enrichment: Enriched,
    profile: Profile,
    *,
    now: datetime,
    attachments: Iterable[Attachment] = (),
    prior_reports: Iterable[ReportId] = (),
    edition: Edition = DEFAULT_EDITION,
) -> Assembled:
    """Return the filing of a case.

    The same arguments make the same filing, whatever the time: a time only decides whether NCMEC would refuse something
    as lying in the future.

    Args:
        case: whose media is kept.
        decision: what is reported of it.
        enrichment: what the platform answered, reconciled with what it was asked about the case's user, the victims and
            recipients, and the media that is reported.
        profile: who reports.
        now: when it would be read, aware.
        attachments: a transcript at least of each conversation that is reported, and the files that the platform added.
        prior_reports: what was reported of the same user before.
        edition: what it is written in.

    Raises `InvalidReport` with everything that cannot be assembled or, where it can, with everything that NCMEC would
    refuse; each names the decision, the answer or the setting that is to be mended. Nothing is ever made to fit.
    """
    known = Known.of(case, decision, enrichment, profile, attachments, prior_reports)
    if missing := tuple(obstacles(known)):
        raise InvalidReport(missing)
    filing = Filing(report=REPORT.build(known), files=tuple(_entries(known)), edition=edition)
    described = [file.description for file in filing.files]
    if refused := check(filing.report, now=now, files=described, edition=edition):
        raise InvalidReport(tuple(placed(one, known) for one in refused))
    return Assembled(filing=filing, findings=tuple(remarks(known)))


def _entries(known: Known) -> Iterable[FileEntry]:
    yield from map(entry_of_file, known.files)
    for one in known.attachments:
        alone = not known.files and one.kind is AttachmentKind.TRANSCRIPT
        yield entry_of_attachment(KnownAttachment(attachment=one, alone=alone))

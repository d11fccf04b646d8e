"""What NCMEC does at each endpoint: the rules of the exchange, without HTTP."""

from cybertip.model import DoneFiles, FileId, ReportDoneResponse, ReportId, ReportResponse
from cybertip.protocol.codes import Code
from cybertip.sandbox.answers import Refusal
from cybertip.sandbox.behaviour import Behaviour
from cybertip.sandbox.bodies import Form, Multipart
from cybertip.sandbox.clock import Clock
from cybertip.sandbox.documents import Judge
from cybertip.sandbox.state import Identifiers, ReceivedFile, Register, State

__all__ = ["Desk"]


class Desk:
    """Receive documents and files, and answer with NCMEC's reply documents or raise a `Refusal`."""

    def __init__(self, behaviour: Behaviour, clock: Clock, identifiers: Identifiers) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._identifiers = identifiers
        self._judge = Judge(behaviour)
        self.register = Register(clock, identifiers, behaviour.after_deletion)

    def status(self, peer: str) -> ReportResponse:
        """Tell the caller who it is (NCMEC: section 2, /status)."""
        return ReportResponse(
            response_code=Code.SUCCESS,
            response_description=f"Remote User : {self._behaviour.username}, Remote Ip : {peer}",
        )

    def schema(self) -> bytes:
        """Return the XSD that documents are judged by (NCMEC: section 2, /xsd)."""
        return self._judge.schema

    def submit(self, data: bytes) -> ReportResponse:
        """Open a report (NCMEC: section 2, /submit)."""
        report = self.register.open(self._judge.report(data, now=self._clock.now()))
        return self._success(report.report_id)

    def upload(self, form: Multipart) -> ReportResponse:
        """Add a file to an open report; the same bytes again are another file (NCMEC: section 2, /upload)."""
        report_id, upload = form.id(), form.upload()
        report = self.register.opened(report_id)
        file_id = self._identifiers.file()
        report.files[file_id] = ReceivedFile(
            file_id=file_id,
            filename=upload.filename,
            media_type=upload.media_type,
            size=upload.size,
            md5=upload.md5,
            sha256=upload.sha256,
            path=upload.settle(report.report_id, file_id),
        )
        report.changed_at = self._clock.now()
        return self._success(report.report_id, file_id=file_id, hash=upload.md5)

    def file_info(self, data: bytes) -> ReportResponse:
        """Add the details of one file (NCMEC: section 2, /fileinfo)."""
        details = self._judge.details(data)
        report = self.register.opened(details.report_id)
        file = report.files.get(FileId(details.file_id))
        if file is None:
            raise Refusal(Code.FILE_DOES_NOT_EXIST, "File does not exist")
        self._judge.described(details, report.document, now=self._clock.now())
        if file.details is not None and self._behaviour.second_file_details == "refused":
            raise Refusal(Code.INVALID_REQUEST, "File details have already been submitted for this file")
        file.details = details
        report.changed_at = self._clock.now()
        return self._success(report.report_id)

    def finish(self, form: Form) -> ReportDoneResponse:
        """File the report, for ever (NCMEC: section 2, /finish; section 5, batched reports)."""
        report = self.register.opened(form.id())
        now = self._clock.now()
        self._judge.complete(report.document, tuple(file.details for file in report.files.values()), now=now)
        report.state, report.finished_at = State.FINISHED, now
        return ReportDoneResponse(
            response_code=Code.SUCCESS, report_id=report.report_id, files=DoneFiles(file_ids=tuple(report.files))
        )

    def retract(self, form: Form) -> ReportResponse:
        """Take an open report back (NCMEC: section 2, /retract)."""
        report = self.register.opened(form.id())
        report.state = State.RETRACTED
        return self._success(report.report_id)

    def _success(
        self, report_id: ReportId, *, file_id: FileId | None = None, hash: str | None = None
    ) -> ReportResponse:
        return ReportResponse(
            response_code=Code.SUCCESS,
            response_description=self._behaviour.success_description,
            report_id=report_id,
            file_id=file_id,
            hash=hash,
        )

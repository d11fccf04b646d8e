"""The routes below /_sandbox, which NCMEC does not have: look at the reports, move the clock, order faults.

They ask for no credentials; the server listens on loopback.
"""

import json
from collections.abc import MutableSequence
from datetime import datetime, timedelta
from typing import Any

from cybertip.model.identifiers import FileId
from cybertip.sandbox.answers import Answer
from cybertip.sandbox.clock import Clock
from cybertip.sandbox.faults import Fault, fault_from_json
from cybertip.sandbox.state import ReceivedFile, ReceivedReport, Register

__all__ = ["Control", "listed"]

#: The largest body that a control route reads, in bytes.
LIMIT = 1024 * 1024

_JSON = (("Content-Type", "application/json"),)


def listed(register: Register) -> list[dict[str, Any]]:
    """Return the reports as `GET /_sandbox/reports` lists them."""
    return [_report(report) for report in register.all()]


class Control:
    """Answer the control routes."""

    def __init__(self, register: Register, clock: Clock, faults: MutableSequence[Fault]) -> None:
        self._register = register
        self._clock = clock
        self._faults = faults

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request whose body has arrived."""
        try:
            match method, path.split("/")[2:]:
                case "GET", ["reports"]:
                    return _json(200, listed(self._register))
                case "GET", ["reports", report_id, "files", file_id]:
                    return self._file(report_id, file_id)
                case "GET", ["clock"]:
                    return self._now()
                case "POST", ["clock"]:
                    return self._move(_loads(body))
                case "POST", ["faults"]:
                    self._faults.append(fault_from_json(_loads(body)))
                    return _json(200, {"faults": len(self._faults)})
                case "DELETE", ["faults"]:
                    self._faults.clear()
                    return _json(200, {"faults": 0})
        except ValueError as error:
            return _json(400, {"error": str(error)})
        return _json(404, {"error": "there is no such control"})

    def _now(self) -> Answer:
        return _json(200, {"now": self._clock.now().isoformat()})

    def _move(self, given: Any) -> Answer:
        match given:
            case {"advance": int() | float() as seconds, **rest} if not rest and not isinstance(seconds, bool):
                try:
                    self._clock.advance(timedelta(seconds=seconds))
                except OverflowError:
                    raise ValueError("there is no such time") from None
            case {"now": str(text), **rest} if not rest:
                time = datetime.fromisoformat(text)
                if time.utcoffset() is None:
                    raise ValueError("now must have an offset from UTC")
                self._clock.advance(time - self._clock.now())
            case _:
                raise ValueError('give {"advance": seconds} or {"now": an ISO 8601 time with offset}')
        return self._now()

    def _file(self, report_id: str, file_id: str) -> Answer:
        report = self._register.get(int(report_id)) if report_id.isascii() and report_id.isdigit() else None
        file = report.files.get(FileId(file_id)) if report is not None else None
        if file is None or file.path is None:
            return _json(404, {"error": "there is no such file, or the sandbox keeps none"})
        # Never with the type that the uploader claimed: a browser might run it.
        return Answer(200, (("Content-Type", "application/octet-stream"),), path=file.path)


def _report(report: ReceivedReport) -> dict[str, Any]:
    return {
        "reportId": report.report_id,
        "state": report.state.value,
        "openedAt": report.opened_at.isoformat(),
        "changedAt": report.changed_at.isoformat(),
        "finishedAt": report.finished_at.isoformat() if report.finished_at is not None else None,
        "report": report.document.text,
        "files": [_described(file) for file in report.files.values()],
    }


def _described(file: ReceivedFile) -> dict[str, Any]:
    return {
        "fileId": file.file_id,
        "filename": file.filename,
        "mediaType": file.media_type,
        "size": file.size,
        "md5": file.md5,
        "sha256": file.sha256,
        "details": file.details.text if file.details is not None else None,
    }


def _loads(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _json(status: int, value: Any) -> Answer:
    return Answer(status, _JSON, json.dumps(value, allow_nan=False).encode())

"""What came back from a call, as the event to record. The code table decides first, the HTTP status where there is none."""

from datetime import datetime

from cybertip.errors import (
    AlreadyFinished,
    AlreadyRetracted,
    HashMismatch,
    Misunderstanding,
    NcmecError,
    NeverSent,
    NotAllowed,
    NotFound,
    NotUnderstood,
    TransportError,
    Unavailable,
)
from cybertip.filing import events
from cybertip.filing.events import Call, Event, Observation, Verdict
from cybertip.filing.policy import Policy
from cybertip.model import ReportId
from cybertip.protocol import Answer, Code, Request, replies, understand
from cybertip.protocol.headers import ReplyHeaders

__all__ = ["observed", "outcome"]

#: A gateway answers with a page; its first part tells enough.
_LONGEST_RECORD = 256 * 1024


def observed(answer: Answer) -> Observation:
    """Return what is kept of an answer."""
    headers = ReplyHeaders(answer.headers)
    return Observation(
        status=answer.status, request_id=headers.request_id, date=headers.date, raw=answer.body[:_LONGEST_RECORD]
    )


def outcome(
    call: Call,
    file: int | None,
    request: Request[replies.Reply],
    result: Answer | TransportError,
    *,
    now: datetime,
    policy: Policy,
) -> Event:
    """Return the event that a call's result is recorded as."""
    if isinstance(result, NeverSent):
        return events.Unsent(call=call, reason=result.reason)
    if isinstance(result, TransportError):
        return events.Lost(call=call, reason=result.reason)
    observation = observed(result)
    try:
        reply = understand(request, result.status, result.headers, result.body, fault=result.fault)
    except HashMismatch:
        assert file is not None
        return events.Mismatched(file=file, observation=observation)
    except Misunderstanding as error:
        return events.Lost(call=call, reason=error.reason, observation=observation)
    except NcmecError as error:
        return _refusal(call, request.report_id, error, observation, now, policy)
    match reply:
        case replies.Opened():
            return events.Opened(report_id=reply.report_id, observation=observation)
        case replies.Uploaded():
            assert file is not None
            return events.Uploaded(file=file, file_id=reply.file_id, observation=observation)
        case replies.Described():
            assert file is not None
            return events.Described(file=file, observation=observation)
        case replies.Finished():
            return events.Finished(
                report_id=reply.report_id,
                file_ids=reply.file_ids,
                preserve_until=now + policy.preserved_for,
                observation=observation,
            )
        case replies.Retracted():
            return events.Retracted(observation=observation)
        case _:
            raise AssertionError(f"{type(reply).__name__} answers no call of a delivery")


def _refusal(
    call: Call,
    report_id: ReportId | None,
    error: NcmecError,
    observation: Observation,
    now: datetime,
    policy: Policy,
) -> Event:
    if isinstance(error, AlreadyFinished) and report_id is not None:
        # Whoever finished it, it is filed. The list of its files is lost with the first answer.
        return events.Finished(
            report_id=report_id, adopted=True, preserve_until=now + policy.preserved_for, observation=observation
        )
    if call is Call.RETRACT and (isinstance(error, AlreadyRetracted) or error.code == Code.REPORT_DOES_NOT_EXIST):
        return events.Retracted(observation=observation)
    if _is_gateway(error):
        return events.Lost(
            call=call, reason=f"HTTP {error.status} without an answer of NCMEC's", observation=observation
        )
    return events.Refused(
        call=call,
        verdict=_verdict(call, error),
        code=error.code,
        retry_after_for=error.retry_after_for,
        observation=observation,
    )


def _is_gateway(error: NcmecError) -> bool:
    """Tell whether something between us and NCMEC answered, which does not know what NCMEC did.

    429 and 503 are said before a request is passed on; 500, 502 and 504 may be said after NCMEC acted.
    """
    return isinstance(error, Unavailable) and error.code is None and error.status not in (429, 503)


def _verdict(call: Call, error: NcmecError) -> Verdict:
    match error:
        case NotAllowed():
            return Verdict.CREDENTIALS
        case Unavailable():
            return Verdict.LATER
        case NotUnderstood():
            return Verdict.OURS
        case NotFound() if error.code == Code.FILE_DOES_NOT_EXIST:
            return Verdict.FILE_GONE
        case NotFound() | AlreadyRetracted() if call is not Call.SUBMIT:
            return Verdict.GONE
        case _:
            return Verdict.UNKNOWN

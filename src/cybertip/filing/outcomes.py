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
from cybertip.filing.decision import deadline
from cybertip.filing.events import Call, Event, Observation, Suspended, Verdict
from cybertip.filing.policy import Policy
from cybertip.filing.submission import Submission
from cybertip.model import ReportId
from cybertip.protocol import Answer, Code, Request, replies, understand
from cybertip.protocol.headers import ReplyHeaders

__all__ = ["contradicted", "observed", "outcome"]

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
    if _is_gateway(call, error):
        return events.Lost(
            call=call,
            reason=f"HTTP {error.status} without an answer of NCMEC's",
            observation=observation,
        )
    return events.Refused(
        call=call,
        verdict=_verdict(call, error),
        code=error.code,
        retry_after_for=error.retry_after_for,
        observation=observation,
    )


def _is_gateway(call: Call, error: NcmecError) -> bool:
    """Tell whether something between us and NCMEC answered, which does not know what NCMEC did.

    500, 502 and 504 may be said after NCMEC acted, 429 is said before a request is passed on. So should 503 be; but there
    are proxies that say it, without a Retry-After, of a connection that broke after they had passed the request on, and a
    file must not arrive twice.
    """
    if not isinstance(error, Unavailable) or error.code is not None:
        return False
    if error.status == 503 and call in (Call.UPLOAD, Call.DESCRIBE):
        return error.retry_after_for is None
    return error.status not in (429, 503)


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


def contradicted(state: Submission, event: Event, policy: Policy) -> Suspended | None:
    """Return what to record where an answer cannot be, if the journal is whole; `state` is that before the answer.

    A report that nobody of this journal retracted is gone before NCMEC deletes it: somebody retracted it whom the journal
    does not know, such as this very program before the storage was restored from a backup. It may have gone on to file the
    report under another number, so nothing is filed until a person looked.
    """
    attempt = state.attempt
    if attempt is None or attempt.opened_at is None or state.withdrawn:
        return None
    if not isinstance(event, events.Refused) or event.verdict is not Verdict.GONE or event.observation.date is None:
        return None
    if event.call is Call.RETRACT and attempt.retracts > 1:
        # An earlier retract of ours, whose answer was lost, may have done it.
        return None
    if event.observation.date >= deadline(attempt, policy) - policy.margin_for:
        return None
    return Suspended(
        reason="NCMEC says that the report is gone, long before it deletes itself, and nobody retracted it: "
        "was the journal restored from a backup?"
    )

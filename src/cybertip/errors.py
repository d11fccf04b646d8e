"""Every exception of `cybertip`, and what each says we know about the world.

```
CybertipError
├── InvalidReport            we know before sending: a tuple of Violation(path, rule, message)
├── InvalidCheckpoint        it is damaged, forged or signed by nobody we trust: nothing was compared with it
├── NcmecError               they answered: code, description, request_id, endpoint
│   ├── Refused                do not repeat unchanged
│   │   ├── NotAllowed           credentials or rights: stop, tell a person
│   │   ├── NotUnderstood        the document, the file or the address
│   │   ├── NotFound             the report or the file is gone, or never was
│   │   ├── AlreadyRetracted     someone got there first
│   │   └── AlreadyFinished      it was filed
│   └── Unavailable            repeat later
├── TransportError           the wire failed
│   ├── NeverSent              nothing happened
│   └── InDoubt                sent, no answer: nobody knows
├── Misunderstanding         a reply we cannot read
│   └── HashMismatch           they hold other bytes than we sent
├── SubmissionError          durable filing cannot do what was asked
│   ├── Conflict               someone else was first, or the key stands for another filing
│   ├── UnknownSubmission      there is no such key
│   ├── UnknownEvent           a newer program wrote it: held, not guessed
│   └── NeedsHuman             a person has to decide
├── CaseError                a case is not what it would have to be
│   ├── UnknownCase            there is none, or it is not to be seen by who asks
│   ├── NotNow                 it stands elsewhere: look at it again
│   └── NotYours               somebody else has it, or nobody has: claim it first
└── AdapterError             a port broke its promise; the original is its cause
```

No message holds report text, names, addresses, IPs, file names or bytes: they name fields, never values. NCMEC's own
description of a refusal can quote a value, so it is kept on the error (`description`) and left out of its message.
"""

from dataclasses import dataclass

__all__ = [
    "AdapterError",
    "AlreadyFinished",
    "AlreadyRetracted",
    "CaseError",
    "Conflict",
    "CybertipError",
    "HashMismatch",
    "InDoubt",
    "InvalidCheckpoint",
    "InvalidReport",
    "Misunderstanding",
    "NcmecError",
    "NeedsHuman",
    "NeverSent",
    "NotAllowed",
    "NotFound",
    "NotNow",
    "NotUnderstood",
    "NotYours",
    "Refused",
    "SubmissionError",
    "TransportError",
    "Unavailable",
    "UnknownCase",
    "UnknownEvent",
    "UnknownSubmission",
    "Violation",
]


class CybertipError(Exception):
    """Catch everything that this library raises on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """Say which rule a document breaks, and where; never with which value.

    `path` is how Python reaches the field (`report.victims[0].victim_person.age`), `xpath` how XML does
    (`/report/victim[1]/victimPerson/age`), `line` the line in the bytes that were read, when there were any.

    >>> print(Violation(path="report.reporter", xpath="/report/reporter", rule="required", message="is missing"))
    report.reporter: is missing [required]
    """

    path: str
    rule: str
    message: str
    xpath: str = ""
    line: int | None = None

    def __str__(self) -> str:
        at = f" (line {self.line})" if self.line is not None else ""
        return f"{self.path or 'document'}{at}: {self.message} [{self.rule}]"


class InvalidReport(CybertipError, ValueError):
    """A document cannot be what it claims to be. Nothing was sent; mend each of `violations` and try again.

    >>> raise InvalidReport((Violation(path="report.reporter", rule="required", message="is missing"),))
    Traceback (most recent call last):
    cybertip.errors.InvalidReport: report.reporter: is missing [required]
    """

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(violations)
        self.violations = violations

    def __str__(self) -> str:
        return "\n".join(map(str, self.violations))


class InvalidCheckpoint(CybertipError, ValueError):
    """A checkpoint is not as it was written, or nobody who is trusted signed it. Nothing can be learnt from it."""


class NcmecError(CybertipError):
    """NCMEC answered, and the answer is not success.

    `description` is NCMEC's own text. It may quote what was sent: show it to people who may see the report, and keep it
    out of logs.
    """

    #: What to do next, as one sentence for the person on call.
    advice = "Look the code up in NCMEC's documentation."

    def __init__(
        self,
        *,
        endpoint: str,
        code: int | None,
        description: str = "",
        request_id: str | None = None,
        status: int | None = None,
        retry_after_for: float | None = None,
    ) -> None:
        super().__init__(endpoint, code, request_id, status)
        self.endpoint = endpoint
        self.code = code
        self.description = description
        self.request_id = request_id
        self.status = status
        #: Seconds that the answer asked us to wait, from its Retry-After header; None where it named none.
        self.retry_after_for = retry_after_for

    def __str__(self) -> str:
        known = f"code {self.code}" if self.code is not None else f"HTTP {self.status}"
        return f"Request-ID {self.request_id or '(none)'}: {self.endpoint} answered {known}. {self.advice}"

    def __reduce__(self) -> tuple[object, ...]:
        return _remake, (type(self), self.args, dict(self.__dict__))


class Refused(NcmecError):
    """They will not take this; repeating it unchanged cannot help."""

    advice = "Do not repeat it unchanged."


class NotAllowed(Refused):
    """Our credentials or rights do not suffice (HTTP 401 or 403; codes 2000, 3000, 3100, 3300)."""

    advice = "Check the credentials, the environment and the account's rights; stop filing until /status is well."


class NotUnderstood(Refused):
    """The document, the file or the address is wrong (codes 1210, 4000, 4100, 4110, 4200)."""

    advice = (
        "It was refused: mend it first. `cybertip.check` names most faults; NCMEC's own words are in `description`."
    )


class NotFound(Refused):
    """The report (5001) or the file (5002) does not exist: it was deleted, or never was."""

    advice = "The report or file is gone (unfinished reports delete themselves) or never was: start a new one."


class AlreadyRetracted(Refused):
    """The report was retracted before (5101)."""

    advice = "The report was retracted: start a new one if it is still to be filed."


class AlreadyFinished(Refused):
    """The report was finished before (5102): it is filed, and must not be filed again."""

    advice = "The report is filed. Do not file it again."


class Unavailable(NcmecError):
    """They could not take it now (codes 1000 to 1300 but 1210, HTTP 429 and 5xx): repeat later."""

    advice = "They could not take it now: try again later."


class TransportError(CybertipError):
    """The wire failed. The subclasses say what is known."""

    advice = ""

    def __init__(self, *, endpoint: str, reason: str) -> None:
        super().__init__(endpoint, reason)
        self.endpoint = endpoint
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.reason}. {self.advice}"

    def __reduce__(self) -> tuple[object, ...]:
        return _remake, (type(self), self.args, dict(self.__dict__))


class NeverSent(TransportError):
    """The request never left: nothing happened at NCMEC, and it may be sent again."""

    advice = "Nothing was sent; it is safe to try again."


class InDoubt(TransportError):
    """The request left and no whole answer came back: nobody knows whether NCMEC acted on it."""

    advice = "NCMEC may have acted on it: see which calls may be repeated before trying again."

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.reason}. {_MAY_BE_REPEATED.get(self.endpoint, self.advice)}"


#: What is safe after a lost answer, by endpoint (NCMEC: section 6).
_MAY_BE_REPEATED = {
    "/submit": "NCMEC may have opened a report. Repeat it: a report that nobody finishes deletes itself.",
    "/upload": "NCMEC may hold the file. Do not repeat it: retract the report, and start a new one.",
    "/fileinfo": "NCMEC may hold the details. Do not repeat it: retract the report, and start a new one.",
    "/finish": "The report may be filed. Repeat it: 5102 then means filed; open no new report before you know.",
    "/retract": "The report may be gone. Repeat it: 5101 or 5001 then mean gone, 5102 that it was filed.",
}


class Misunderstanding(CybertipError):
    """A reply came that cannot be read. What NCMEC did is as unknown as after a lost answer.

    `body` holds the reply's first bytes for a person; it is in no message and no repr.
    """

    advice = "Treat the call as in doubt, and keep the reply for NCMEC's support."

    def __init__(
        self, *, endpoint: str, reason: str, status: int | None = None, request_id: str | None = None, body: bytes = b""
    ) -> None:
        super().__init__(endpoint, reason, status, request_id)
        self.endpoint = endpoint
        self.reason = reason
        self.status = status
        self.request_id = request_id
        self.body = body

    def __str__(self) -> str:
        return (
            f"Request-ID {self.request_id or '(none)'}: the reply of {self.endpoint} (HTTP {self.status}) "
            f"cannot be read: {self.reason}. {self.advice}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _remake, (type(self), self.args, dict(self.__dict__))


class HashMismatch(Misunderstanding):
    """NCMEC's MD5 of an upload is not ours: they hold other bytes than we meant to send."""

    advice = "Retract the report and start again; if it happens twice, look for corrupted evidence."


class SubmissionError(CybertipError):
    """Durable filing cannot do what was asked of a submission. Nothing was sent for it."""

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(message, key)
        self.message = message
        self.key = key

    def __str__(self) -> str:
        return f"submission {self.key!r}: {self.message}" if self.key else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _remake, (type(self), self.args, dict(self.__dict__))


class Conflict(SubmissionError):
    """Someone else was first: the journal went on, the claim was lost, or the key stands for another filing."""


class UnknownSubmission(SubmissionError):
    """There is no submission with this key."""


class UnknownEvent(SubmissionError):
    """The journal holds an event that this program does not know: a newer one wrote it. It is held, not guessed."""


class NeedsHuman(SubmissionError):
    """The submission waits for a person's decision; `message` says why."""


class CaseError(CybertipError):
    """What was asked of a case cannot be done. Nothing was recorded."""

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(message, key)
        self.message = message
        self.key = key

    def __str__(self) -> str:
        return f"{self.key!r}: {self.message}" if self.key else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _remake, (type(self), self.args, dict(self.__dict__))


class UnknownCase(CaseError):
    """There is no such case, or who asks may not see it: the two look the same."""


class NotNow(CaseError):
    """The case stands where this cannot be done. Look at it again: somebody may have decided meanwhile."""


class NotYours(CaseError):
    """Somebody else has the case, or nobody has, or a second person has to do it."""


class AdapterError(CybertipError):
    """A port broke its promise: a database, a queue or a store of evidence failed. The original is the cause.

    What it was asked to do may or may not have happened; read again before repeating it.
    """


def _remake(kind: type[CybertipError], args: tuple[object, ...], state: dict[str, object]) -> CybertipError:
    """Rebuild an error whose constructor takes keywords, which pickle alone cannot."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error

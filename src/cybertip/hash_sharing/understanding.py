"""What an answer of hash sharing means."""

from typing import NoReturn, TypeVar

import attrs

from cybertip.errors import InvalidReport, Misunderstanding, Refused, Unavailable
from cybertip.hash_sharing.failures import HashSharingNotAllowed
from cybertip.hash_sharing.replies import Identity
from cybertip.hash_sharing.requests import Request
from cybertip.protocol.headers import ReplyHeaders
from cybertip.protocol.replies import Answer
from cybertip.xml.parsing import parse

__all__ = ["LIMIT", "understand"]

R = TypeVar("R")

#: The largest answer that is read, in bytes. A page has about a thousand entries of one or two kilobytes each.
LIMIT = 32 * 1024 * 1024


def understand(request: Request[R], answer: Answer) -> R:
    """Return what was asked for, or raise what the answer means.

    Raises `HashSharingNotAllowed` for HTTP 401 and 403, `Unavailable` for 429 and 5xx, `Refused` for any other status that
    is no success, and `Misunderstanding` for redirects and for documents that are not what was asked for. No error holds
    anything of the document, for hashes are in it.
    """
    headers = ReplyHeaders(answer.headers)

    def misunderstand(reason: str) -> NoReturn:
        raise Misunderstanding(
            endpoint=request.endpoint, reason=reason, status=answer.status, request_id=headers.request_id
        )

    if 300 <= answer.status < 400:
        misunderstand("it is a redirect, and none is followed")
    if not 200 <= answer.status < 300:
        later = answer.status == 429 or answer.status >= 500
        kind = HashSharingNotAllowed if answer.status in (401, 403) else Unavailable if later else Refused
        raise kind(
            endpoint=request.endpoint,
            code=None,
            request_id=headers.request_id,
            status=answer.status,
            retry_after_for=headers.retry_after_for,
        )
    if request.read is None:
        reply: R = request.otherwise
        return reply
    if answer.fault:
        misunderstand(answer.fault)
    try:
        reply = request.read(parse(answer.body, limit=LIMIT))
    except InvalidReport as error:
        misunderstand(f"its body {error.violations[0].message}")
    except ValueError as error:
        misunderstand(str(error))
    if isinstance(reply, Identity):
        return attrs.evolve(reply, date=headers.date)
    return reply

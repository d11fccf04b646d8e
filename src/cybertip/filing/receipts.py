"""The receipt that came too late: read out of what was kept of it, when all that is known is that there is one."""

from collections.abc import Iterable

import attrs

from cybertip.errors import CybertipError
from cybertip.filing.events import Finished, Observation
from cybertip.protocol import finish, understand

__all__ = ["completed"]


def completed(receipt: Finished, late: Iterable[Observation]) -> Finished:
    """Return a receipt with NCMEC's own bytes, where one of the late answers holds them.

    A finish that was answered twice, to two workers, can leave one with "already finished" and the other with the receipt.
    """
    if not receipt.adopted:
        return receipt
    request = finish(receipt.report_id)
    for observation in late:
        try:
            reply = understand(request, observation.status or 0, {}, observation.raw)
        except CybertipError:
            continue
        return attrs.evolve(receipt, adopted=False, file_ids=reply.file_ids, observation=observation)
    return receipt

"""What becomes of a case or a signal that this program cannot go on with: it stays as it is, and comes up again slowly."""

import attrs

from cybertip.desk.effects import Append, Look, Now
from cybertip.desk.office import Office
from cybertip.errors import Conflict
from cybertip.filing.effects import Flow
from cybertip.ports.storage import Head

__all__ = ["hold"]


def hold(office: Office, head: Head) -> Flow[None]:
    """Put it aside for a while, without touching its journal: a newer program may have written it, and can go on."""
    now = yield from Now()
    present = yield from Look(head.key)
    if present is not None and present.due_at is not None:
        later = attrs.evolve(present, due_at=now + office.policy.slow_for)
        try:
            yield from Append(entries=(), head=later, expected=present.version, claimed=True)
        except Conflict:
            # Something happened to it: whoever claims it next looks again.
            return

"""What the flows of a desk know of it, and what neither colour waits for."""

import attrs

from cybertip.cases import events
from cybertip.cases.profile import Profile
from cybertip.cases.review import ReviewPolicy
from cybertip.cases.routing import DEFAULT, Rules
from cybertip.desk.keys import lane
from cybertip.filing import Policy
from cybertip.protocol import Environment

__all__ = ["Office"]


@attrs.frozen(kw_only=True)
class Office:
    """Whose desk it is, for which environment, and by which rules it works."""

    organisation: str
    environment: Environment
    profile: Profile
    rules: Rules = DEFAULT
    review: ReviewPolicy = attrs.Factory(ReviewPolicy)
    #: Pauses and how many failures call a person.
    policy: Policy = attrs.Factory(Policy)

    @property
    def cases(self) -> str:
        """The lane of its cases."""
        return lane("cases", self.organisation, self.environment.name)

    @property
    def signals(self) -> str:
        """The lane of its signals."""
        return lane("signals", self.organisation, self.environment.name)

    @property
    def preserve_topic(self) -> str:
        """The topic of letters that tell the platform to preserve."""
        return lane("webhook.preserve", self.organisation, self.environment.name)

    @property
    def event_topic(self) -> str:
        """The topic of letters that tell the host what became of a case."""
        return lane("webhook.event", self.organisation, self.environment.name)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of its letters."""
        return self.preserve_topic, self.event_topic

    @property
    def purpose(self) -> events.Environment:
        """What its cases are for: everything but NCMEC's real system is a test."""
        is_production = self.environment is Environment.PRODUCTION
        return events.Environment.PRODUCTION if is_production else events.Environment.TEST

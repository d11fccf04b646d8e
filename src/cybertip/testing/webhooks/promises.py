"""What an endpoint promises to whoever calls it, sentence by sentence, and what was found out about each."""

from enum import StrEnum

import attrs

__all__ = ["Promise", "Standing", "Verdict"]


class Promise(StrEnum):
    """Name a sentence of the contract. The names stay, so that scripts can look for them."""

    sentence: str

    def __new__(cls, name: str, sentence: str) -> "Promise":
        """Make a member of its name, and keep its sentence beside it."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.sentence = sentence
        return member

    ACCEPTS_SIGNED = "accepts-signed", "A request that is signed rightly is answered with success (2xx)."
    REFUSES_UNSIGNED = "refuses-unsigned", "A request without a signature is refused (4xx)."
    REFUSES_WRONG_KEY = "refuses-wrong-key", "A request that somebody else signed is refused."
    REFUSES_ALTERED_BODY = "refuses-altered-body", "A body that was changed after it was signed is refused."
    REFUSES_ALTERED_HEAD = "refuses-altered-head", "An id or a time that was changed after it was signed is refused."
    REFUSES_STALE = "refuses-stale", "What was signed ten minutes ago, or is to be in ten minutes, is refused."
    REFUSES_NONSENSE = "refuses-nonsense", "A signature that is none is refused, and breaks nothing."
    TAKES_ROTATED_KEYS = "takes-rotated-keys", "Of several signatures one that is right is enough."
    VERIFIES_BYTES = (
        "verifies-bytes",
        "The signature is verified over the bytes that came, however their JSON is spelled.",
    )
    TAKES_REPETITION = "takes-repetition", "A request that comes again under its id is answered with success again."
    IGNORES_UNKNOWN_KEYS = "ignores-unknown-keys", "Keys that the contract does not have are passed over."
    TAKES_TEXT_ONLY = (
        "takes-text-only",
        "A request without media, about a case of text alone, is answered with success.",
    )
    TAKES_EVERY_KIND = "takes-every-kind", "Each kind of event is answered with success."
    ANSWERS_IN_TIME = "answers-in-time", "The whole answer comes within the limit."
    ANSWERS_WHOLE = "answers-whole", "The answer is sound HTTP, and comes to its end."
    ANSWERS_BOUNDED = "answers-bounded", "The answer is not larger than the limit."
    ANSWERS_JSON = "answers-json", "The answer is JSON, and as it is: not a page of HTML, not packed, not nothing."
    RIGHT_TYPES = "right-types", "Each value of the answer has the type that the contract says."
    RIGHT_TIMES = "right-times", "Each time of the answer is ISO 8601 with an offset from UTC."
    COVERS_USERS = "covers-users", "The answer has an entry for each requested user, by id and typeId."
    COVERS_MEDIA = "covers-media", "The answer has an entry for each requested piece of media, by id and typeId."
    NO_STRANGERS = "no-strangers", "The answer is about no user whom nobody asked about."
    NO_CONTRADICTIONS = "no-contradictions", "No two entries about the same contradict each other."
    NOTHING_FOR_NOTHING = "nothing-for-nothing", "A request about nothing is answered with no entries: none is missing."


class Standing(StrEnum):
    """Say how an endpoint stands to a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    #: Nobody could tell, which is not the same as kept.
    NOT_CHECKED = "not checked"


@attrs.frozen(kw_only=True)
class Verdict:
    """Say whether a promise is kept. Nothing of what was sent or answered is in it, but for statuses and places.

    >>> print(Verdict(promise=Promise.REFUSES_STALE, standing=Standing.KEPT))
    refuses-stale: kept
    """

    promise: Promise
    standing: Standing
    #: What breaks it, or why it was not checked.
    findings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n  ".join([f"{self.promise}: {self.standing}", *self.findings])

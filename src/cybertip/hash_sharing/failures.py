"""What can go wrong with an exchange about hashes, where what to do differs from what an exchange about reports asks for."""

from cybertip.errors import InDoubt, NotAllowed

__all__ = ["HashSharingNotAllowed", "HashSharingUnanswered"]


class HashSharingNotAllowed(NotAllowed):
    """NCMEC's hash sharing does not know our credentials, or not for this list. Filing is not concerned."""

    advice = (
        "Check the credentials and the list's address: hash sharing has credentials of its own, by list. The lists that are "
        "here grow old until it is mended; filing goes on."
    )


class HashSharingUnanswered(InDoubt):
    """A request left and no whole answer came back. Every call of hash sharing may be repeated."""

    advice = "It is safe to try again."

"""What a reviewer should know about how an answer was used."""

import attrs

__all__ = ["Finding"]


@attrs.frozen(kw_only=True)
class Finding:
    """Say what was noticed, and where; never with a value. It keeps nothing from being filed."""

    #: A stable name of what was noticed.
    rule: str
    #: The entry of the answer, such as `media[3]`.
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.rule}]"

"""A user name and a password that show themselves to nobody but the wire."""

import re
from base64 import b64encode
from typing import NoReturn

__all__ = ["Credentials"]


class Credentials:
    """Hold what NCMEC gave the organisation for one environment; test and production have separate credentials.

    Neither part is in any `repr`, `str` or format, and there is no attribute to read them from: only `authorization`
    gives them out, to a transport. They refuse to be pickled, so that they reach no queue, cache or crash report; give a
    worker the credentials where it runs. Clause: NCMEC, section 1 (access).

    >>> Credentials(username="example", password="not-a-real-one")
    Credentials(...)
    """

    __slots__ = ("__password", "__username")

    def __init__(self, *, username: str, password: str) -> None:
        for part, value in (("username", username), ("password", password)):
            if not isinstance(value, str):
                raise TypeError(f"the {part} must be text")
            if not value or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
                raise ValueError(f"the {part} must not be empty or hold control characters (a line end, perhaps)")
        if ":" in username:
            raise ValueError("the username must not hold a colon: HTTP Basic could not tell it from the password")
        self.__username = username
        self.__password = password

    def authorization(self) -> str:
        """Return the value of the Authorization header (RFC 7617, in UTF-8). For transports only: never show it."""
        return "Basic " + b64encode(f"{self.__username}:{self.__password}".encode()).decode("ascii")

    def __repr__(self) -> str:
        return "Credentials(...)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credentials):
            return NotImplemented
        return self.authorization() == other.authorization()

    def __hash__(self) -> int:
        return hash(self.authorization())

    def __copy__(self) -> "Credentials":
        return self

    def __deepcopy__(self, memo: object) -> "Credentials":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials are not pickled: give them to the process that needs them")

"""The seven endpoints as values."""

from enum import Enum

__all__ = ["Endpoint"]


class Endpoint(Enum):
    """Name an endpoint by its path below the environment's address (NCMEC: section 2)."""

    STATUS = "GET", "/status"
    SCHEMA = "GET", "/xsd"
    SUBMIT = "POST", "/submit"
    UPLOAD = "POST", "/upload"
    FILE_INFO = "POST", "/fileinfo"
    FINISH = "POST", "/finish"
    RETRACT = "POST", "/retract"

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path

    def __str__(self) -> str:
        return self.path

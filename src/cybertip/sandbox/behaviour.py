"""What can be chosen about the double: who may use it, what it validates with, and what nobody knows of the original."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cybertip.model.edition import DEFAULT_EDITION, Edition
from cybertip.protocol.codes import Code
from cybertip.xml.parsing import LIMIT

__all__ = ["AfterDeletion", "Behaviour", "SecondFileDetails"]

AfterDeletion = Literal[5001, 5101]
SecondFileDetails = Literal["refused", "replaces"]

#: The HTTP status that goes with a code; every other code is answered with 200, as seen of the original.
_STATUSES: Mapping[int, int] = MappingProxyType(
    {
        Code.RESOURCE_NOT_FOUND: 404,
        Code.AUTHENTICATION_REQUIRED: 401,
        Code.INVALID_REQUEST: 400,
        Code.VALIDATION_FAILED: 400,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """Choose how the double behaves; each default is what was seen of NCMEC, or the likelier guess.

    Clause: NCMEC, sections 3 (replies), 4 (codes) and 6 (what is not known).

    >>> Behaviour(after_deletion=5101).second_file_details
    'refused'
    """

    username: str = "sandbox"
    password: str = field(default="sandbox", repr=False)

    #: The edition of the XSD that documents are judged by and that /xsd serves.
    edition: Edition = DEFAULT_EDITION
    #: Another XSD, such as a newer one of NCMEC's, in the edition's place. It must be in one file.
    xsd: bytes | None = field(default=None, repr=False)
    #: Whether documents must keep the documented rules as well as the XSD.
    check_rules: bool = True
    #: The largest document that is read, in bytes.
    document_limit: int = LIMIT

    #: What /upload, /fileinfo, /finish and /retract answer for a report that deleted itself. Not known of the original.
    after_deletion: AfterDeletion = 5001
    #: Whether a second /fileinfo for one file is refused (code 4000) or replaces the first. Not known of the original.
    second_file_details: SecondFileDetails = "refused"

    #: The description that goes with code 0: "Success", or nothing.
    success_description: str = "Success"
    #: The body that goes with HTTP 401; both were seen.
    unauthorised: Literal["empty", "xml"] = "empty"
    #: The content type of XML replies. The original names a charset that its UTF-8 bodies are not written in.
    content_type: str = "application/xml;charset=ISO-8859-1"
    #: The HTTP status by code, where it is not 200.
    statuses: Mapping[int, int] = field(default_factory=lambda: _STATUSES, hash=False)
    #: The HTTP status of a document that the XSD refuses (code 4100), which the original sends with 200.
    schema_error_status: int = 200

    #: A folder for uploaded files, as `<report id>/<file id>`; without one, files are digested and forgotten.
    #: Identifiers are the same at every run with a seed, so an earlier run's file of the same name is replaced.
    keep: Path | None = None

    #: All identifiers are made from it and from how many were made before: a simulation gets the same ones again.
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "edition", Edition(self.edition))
        if self.after_deletion not in (5001, 5101):
            raise ValueError("after_deletion must be 5001 or 5101")
        if self.second_file_details not in ("refused", "replaces"):
            raise ValueError("second_file_details must be 'refused' or 'replaces'")
        if ":" in self.username:
            raise ValueError("username cannot hold a colon, which ends it in Basic authentication")

"""Mirrors `reportResponse` and `reportDoneResponse`: what NCMEC answers."""

from typing import Annotated

from cybertip.model.declaration import UNKNOWN, Form, Int, Lexical, Name, Simple, part, public
from cybertip.model.identifiers import FileId, ReportId

__all__ = ["DoneFiles", "ReportDoneResponse", "ReportResponse"]

_NumberOfReport = Annotated[ReportId, Simple("xs:long", Lexical.LONG)]
_NameOfFile = Annotated[FileId, Simple("xs:token", Lexical.TOKEN)]
_Token = Annotated[str, Simple("xs:token", Lexical.TOKEN)]


@part("reportResponse", form=Form.ELEMENT, reply=True)
class ReportResponse:
    """Understand NCMEC's answer to every call but a successful finish; code 0 is success."""

    response_code: Annotated[Int, public]
    response_description: str
    report_id: Annotated[_NumberOfReport | None, public] = None
    file_id: Annotated[_NameOfFile | None, public] = None
    hash: Annotated[_Token | None, public] = None
    #: Elements that no edition names, as XML, in their order.
    unknown_elements: Annotated[tuple[str, ...], UNKNOWN] = ()


@part("files", form=Form.INLINE, reply=True)
class DoneFiles:
    """List the files of a finished report."""

    file_ids: Annotated[tuple[FileId, ...], Name("fileId"), public] = ()
    #: Elements that no edition names, as XML, in their order.
    unknown_elements: Annotated[tuple[str, ...], UNKNOWN] = ()


@part("reportDoneResponse", form=Form.ELEMENT, reply=True)
class ReportDoneResponse:
    """Understand NCMEC's receipt for a finished report."""

    response_code: Annotated[Int, public]
    report_id: Annotated[_NumberOfReport, public]
    files: DoneFiles
    #: Elements that no edition names, as XML, in their order.
    unknown_elements: Annotated[tuple[str, ...], UNKNOWN] = ()

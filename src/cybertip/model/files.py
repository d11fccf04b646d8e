"""Mirrors `fileDetails`: what is said of one file."""

from datetime import datetime
from typing import Annotated, Any

from cybertip.model import limits
from cybertip.model.common import DeviceId, IpCaptureEvent
from cybertip.model.declaration import (
    ATTRIBUTE,
    TEXT,
    Flag,
    Form,
    Group,
    Law,
    Lexical,
    Name,
    OneOf,
    Prose,
    Simple,
    part,
    part_of,
    public,
)
from cybertip.model.identifiers import FileId, ReportId
from cybertip.model.limits import max_length
from cybertip.model.vocabulary import FileClassification, FileRelevance, MetadataType

__all__ = ["Details", "FileAnnotations", "FileDescription", "FileDetails", "Hash", "NameValue"]

_NumberOfReport = Annotated[ReportId, Simple("xs:long", Lexical.LONG)]
_NameOfFile = Annotated[FileId, Simple("xs:token", Lexical.TOKEN)]


@part("fileAnnotations", group=Group.ALL)
class FileAnnotations:
    """Tag a file; a tag is present or absent, and cannot be denied."""

    anime_drawing_virtual_hentai: Annotated[Flag, public] = False
    potential_meme: Annotated[Flag, public] = False
    viral: Annotated[Flag, public] = False
    possible_self_production: Annotated[Flag, public] = False
    physical_harm: Annotated[Flag, public] = False
    violence_gore: Annotated[Flag, public] = False
    bestiality: Annotated[Flag, public] = False
    live_streaming: Annotated[Flag, public] = False
    infant: Annotated[Flag, public] = False
    generative_ai: Annotated[Flag, public] = False


@part("hash")
class Hash:
    """Give a digest of the original file and the name of its algorithm."""

    value: Annotated[str, TEXT, Law.DEPICTION]
    hash_type: Annotated[str, ATTRIBUTE, max_length(64)]


@part("nameValue")
class NameValue:
    """Give one name with its value, such as an EXIF tag."""

    name: Annotated[str, max_length(64)]
    value: str


@part("details", form=Form.ELEMENT)
class Details:
    """List names and values of one kind about a file: its EXIF data, or hashes that are not digests of its bytes."""

    name_value_pairs: Annotated[tuple[NameValue, ...], Name("nameValuePair")]
    type: Annotated[MetadataType | None, ATTRIBUTE, public] = None


@part("fileDetails", form=Form.INLINE)
class FileDescription:
    """Say what is known of a file before NCMEC has given it a name; `named` makes it a `FileDetails`.

    Whether a person viewed the file (`file_viewed_by_esp`) is never defaulted: None says nothing.
    """

    file_name: str | None = None
    original_file_name: Annotated[str | None, max_length(2056), Law.DEPICTION] = None
    uploaded_to_esp_timestamp: Annotated[datetime | None, limits.PAST, Law.HISTORY] = None
    location_of_file: Annotated[str | None, limits.URL, limits.URL_LENGTH, Law.HISTORY] = None
    file_viewed_by_esp: Annotated[bool | None, limits.VIEWED_IF_EXIF_VIEWED, public] = None
    exif_viewed_by_esp: Annotated[bool | None, public] = None
    publicly_available: Annotated[bool | None, public] = None
    file_relevance: Annotated[FileRelevance | None, limits.RELEVANCE, public] = None
    potential_meme: Annotated[bool | None, OneOf("annotations"), public] = None
    file_annotations: Annotated[FileAnnotations | None, OneOf("annotations")] = None
    industry_classification: Annotated[FileClassification | None, public] = None
    original_file_hashes: Annotated[tuple[Hash, ...], Name("originalFileHash"), Law.DEPICTION] = ()
    ip_capture_event: Annotated[IpCaptureEvent | None, Law.IDENTITY] = None
    device_ids: Annotated[tuple[DeviceId, ...], Name("deviceId"), Law.IDENTITY] = ()
    details: tuple[Details, ...] = ()
    additional_infos: Annotated[tuple[Prose, ...], Name("additionalInfo")] = ()

    def named(self, *, report_id: ReportId, file_id: FileId) -> "FileDetails":
        """Return the details to send, under the names that NCMEC gave the report and the file.

        >>> FileDescription(publicly_available=True).named(report_id=ReportId(1), file_id=FileId("0a")).report_id
        1
        """
        known: dict[str, Any] = {field.python: getattr(self, field.python) for field in part_of(FileDescription).fields}
        return FileDetails(report_id=report_id, file_id=file_id, **known)


@part("fileDetails", form=Form.ELEMENT, lead=True)
class FileDetails(FileDescription):
    """Say what is known of a file that was uploaded to an open report."""

    report_id: Annotated[_NumberOfReport, limits.REPORT_ID, limits.OURS, public]
    file_id: Annotated[_NameOfFile, limits.NOT_BLANK, limits.FILE_OF_REPORT, public]

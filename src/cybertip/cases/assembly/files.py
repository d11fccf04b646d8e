"""What is said of files: the rules of media, and of what goes with a report besides."""

from collections.abc import Iterator

from cybertip.cases.assembly.known import KnownAttachment
from cybertip.cases.assembly.media import KnownFile, told
from cybertip.cases.assembly.notes import about_match, about_transcript, about_views
from cybertip.cases.assembly.rule import Rule, Section
from cybertip.cases.attachments import AttachmentKind
from cybertip.errors import InvalidReport
from cybertip.filing import FileEntry
from cybertip.model import FileAnnotations, FileDescription, FileRelevance
from cybertip.protocol import FilePart
from cybertip.rules.emptiness import says_nothing

__all__ = ["ATTACHMENT", "FILE", "entry_of_attachment", "entry_of_file", "exif_viewed", "is_media_type"]

#: What a file is where nobody says so in a form that can be sent.
_ANY_BYTES = "application/octet-stream"


def exif_viewed(file: KnownFile) -> bool | None:
    """Tell whether somebody is recorded to have looked at a file's EXIF data.

    NCMEC takes a yes only where the whole file was viewed, too. Where it was not, nothing is said here, but in words.
    """
    exif = any(view.exif for view in file.views)
    return None if file.viewed is None or (exif and not file.viewed) else exif


def _annotations(file: KnownFile) -> FileAnnotations | None:
    said = file.decided.annotations
    return None if said is None or says_nothing(said) else said


def _of_file(file: KnownFile) -> Iterator[str]:
    yield from filter(told, file.info.additional_infos)
    yield from map(about_match, file.matches)
    if exif_viewed(file) is None and file.viewed is not None:
        yield about_views()


def _of_attachment(of: KnownAttachment) -> Iterator[str]:
    if of.attachment.kind is AttachmentKind.TRANSCRIPT:
        yield about_transcript(of.attachment)
    yield from filter(told, of.attachment.additional_infos)


FILE = Section[KnownFile](
    kind=FileDescription,
    path="files[]",
    about="Each file of the case that the decision includes and that is not missing, in the order of the decision. Where "
    "the file is kept (`locationOfFile`) is never said: such addresses carry keys, and do not last.",
    rules=(
        Rule("file_name", "case.media[].ref.id", "what it is sent as: safe to unpack anywhere, each name once",
             lambda file: file.name),
        Rule("original_file_name", "answer.media[].fileName, case.media[].file_name",
             "what its user called it: the platform's answer, else a signal's word", lambda file: file.original_name),
        Rule("uploaded_to_esp_timestamp", "case.media[].uploaded_at", "as the signal says; no other time stands in for it",
             lambda file: file.media.uploaded_at),
        Rule("file_viewed_by_esp", "case.views, decision.media[].views",
             "true where a person is recorded to have viewed all of the bytes that are kept; false where each recorded view "
             "was of a part; left out where nobody is recorded to have viewed it. A match, a score, a classification or a "
             "decision is no view", lambda file: file.viewed),
        Rule("exif_viewed_by_esp", "case.views, decision.media[].views",
             "true or false by the same records. Left out where the EXIF data was viewed and the whole file was not: NCMEC "
             "takes no such yes, so that it is said in words (`additionalInfo`)", exif_viewed),
        Rule("publicly_available", "answer.media[].publiclyAvailable", "left out where the platform says nothing",
             lambda file: file.info.publicly_available),
        Rule("file_relevance", "decision.media[].relevance", "left out where the reviewer says nothing",
             lambda file: file.decided.relevance),
        Rule("file_annotations", "decision.media[].annotations", "left out where none is set", _annotations),
        Rule("industry_classification", "decision.media[].classification", "left out where there is none",
             lambda file: file.decided.classification),
        Rule("original_file_hashes", "answer.media[].fileDetails", "where it is a digest of the bytes (MD5, SHA-1, SHA-2)",
             lambda file: (file.hash.digest,) if file.hash and file.hash.digest else ()),
        Rule("ip_capture_event", "answer.media[].ipCaptureEvent",
             "the upload nearest to the time of upload, else the nearest event; the others go to the user, with a finding",
             lambda file: file.placed.file_event),
        Rule("details", "answer.media[].fileDetails", "where it is a hash of another kind, such as PDQ",
             lambda file: (file.hash.details,) if file.hash and file.hash.details else ()),
        Rule("additional_infos", "answer.media[].additionalInfo, case.matches",
             "the platform's texts; each list of known material that the file matched, apart from any view",
             lambda file: tuple(_of_file(file))),
    ),
)  # fmt: skip

ATTACHMENT = Section[KnownAttachment](
    kind=FileDescription,
    path="attachments[]",
    about="Transcripts, and files that the platform added, after the files of the case. Nobody has viewed what a program "
    "wrote or fetched, and nothing is said of it.",
    rules=(
        Rule("file_name", "attachments[].name", "what it is sent as", lambda of: of.attachment.name),
        Rule("file_relevance", "attachments[].kind",
             "*Reported* for the transcripts of a report without media; else *Supplemental Reported*",
             lambda of: FileRelevance.REPORTED if of.alone else FileRelevance.SUPPLEMENTAL_REPORTED),
        Rule("additional_infos", "attachments[].additional_infos",
             "what a transcript is of, and that a program wrote it; the platform's texts",
             lambda of: tuple(_of_attachment(of))),
    ),
)  # fmt: skip


def is_media_type(text: str) -> bool:
    """Tell whether a file can be sent with a media type."""
    try:
        FilePart(name="file", media_type=text)
    except InvalidReport:
        return False
    return True


def entry_of_file(file: KnownFile) -> FileEntry:
    """Return the entry of a file of the case."""
    given = file.media.media_type
    return FileEntry(
        evidence=file.kept.evidence,
        name=file.name,
        media_type=given if given is not None and is_media_type(given) else _ANY_BYTES,
        size=file.kept.size,
        sha256=file.kept.sha256,
        md5=file.kept.md5,
        description=FILE.build(file),
    )


def entry_of_attachment(of: KnownAttachment) -> FileEntry:
    """Return the entry of what goes with the report."""
    one = of.attachment
    return FileEntry(
        evidence=one.evidence,
        name=one.name,
        media_type=one.media_type if is_media_type(one.media_type) else _ANY_BYTES,
        size=one.size,
        sha256=one.sha256,
        md5=one.md5,
        description=ATTACHMENT.build(of),
    )

"""The identifiers that NCMEC gives out."""

from typing import NewType

__all__ = ["FileId", "ReportId"]

#: A report's number (nine digits today).
ReportId = NewType("ReportId", int)

#: A file's name at NCMEC: 32 hexadecimal digits, and always text, even where it looks like a number.
FileId = NewType("FileId", str)

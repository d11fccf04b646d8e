"""Values to NCMEC's XML and back, from the one declaration; and the XSD of it, and a JSON form."""

from cybertip.xml import schema
from cybertip.xml.as_json import from_json, to_json
from cybertip.xml.layout import Document
from cybertip.xml.reader import read
from cybertip.xml.writer import write

__all__ = ["Document", "from_json", "read", "schema", "to_json", "write"]

"""Bytes to a tree, with nothing that XML can be abused for: no DOCTYPE, no entities, no network, a bound on the size."""

import re
from typing import TYPE_CHECKING

from cybertip.errors import InvalidReport, Violation

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["LIMIT", "parse", "parser"]

#: The largest document that is read, in bytes. NCMEC documents no bound; real reports have a few hundred kilobytes. The
#: parser itself takes no text that is longer.
LIMIT = 10_000_000

_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


def parser() -> "etree.XMLParser[etree._Element]":
    """Return a parser that resolves nothing, fetches nothing and drops comments."""
    from lxml import etree

    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


_parser: "etree.XMLParser[etree._Element] | None" = None


def parse(data: bytes, *, limit: int = LIMIT) -> "etree._Element":
    """Parse bytes, or raise `InvalidReport` with the line where reading stopped."""
    from lxml import etree

    global _parser
    if not isinstance(data, bytes):
        raise InvalidReport((Violation(path="", rule="xml", message="must be bytes"),))
    if len(data) > limit:
        raise InvalidReport((Violation(path="", rule="size", message=f"is larger than {limit} bytes"),))
    if _parser is None:
        _parser = parser()
    try:
        root = etree.fromstring(data, _parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        # The parser's own message can quote the text, so it is left out.
        line = getattr(error, "lineno", None)
        raise InvalidReport(
            (Violation(path="", rule="xml", message="is not well-formed XML", line=line or None),)
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        line = _line_of_doctype(data)
        raise InvalidReport((Violation(path="", rule="doctype", message="must not have a DOCTYPE", line=line),))
    return root


def _line_of_doctype(data: bytes) -> int | None:
    found = _DOCTYPE.search(data)
    return data.count(b"\n", 0, found.start()) + 1 if found else None

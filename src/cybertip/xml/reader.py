"""Bytes to values. The function that reads a part is compiled from its declaration at first use.

Most documents are plain: every element, attribute and text is one that the declaration foresees, in its order and in its
common spelling. Reading such a document accounts for all of it on the way. Where anything is left over or unusual, libxml2
judges the tree against the XSD printed from the same declaration, and either explains what is wrong or vouches for the
tree, which is then read without doubts. NCMEC's replies are read by `cybertip.xml.replies`, which forgives.
"""

from itertools import count
from typing import TYPE_CHECKING

from cybertip.errors import InvalidReport, Violation
from cybertip.model.declaration import part_of
from cybertip.xml.compiled import XSI, Doubt, Unreadable, reader_of
from cybertip.xml.layout import DOCUMENTS, Document, at
from cybertip.xml.memo import memo
from cybertip.xml.parsing import LIMIT, parse
from cybertip.xml.replies import read_reply
from cybertip.xml.schema import NEWEST, explain, is_valid

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["read"]


def read(data: bytes, *, limit: int = LIMIT) -> Document:
    """Read one of NCMEC's four documents, of any edition.

    Raises `InvalidReport`, naming lines and paths, for whatever is not well-formed, larger than `limit` bytes, has a
    DOCTYPE, is refused by the XSD, holds a time without an offset or one that Python cannot hold, or names types of its
    own (`xsi:type`). Only NCMEC's replies may hold unknown elements, which are kept. Clause: NCMEC, sections 3 and 5.

    >>> read(b"<reportResponse><responseCode>0</responseCode><responseDescription/></reportResponse>").response_code
    0
    """
    root = parse(data, limit=limit)
    kind = DOCUMENTS.get(str(root.tag))
    if kind is None:
        message = f"must be one of {', '.join(DOCUMENTS)}"
        raise InvalidReport((Violation(path="", rule="root", message=message, line=root.sourceline),))
    if part_of(kind).reply:
        return read_reply(root, kind)
    document = _read_plain(root, kind)
    return document if document is not None else _read_judged(root, kind)


def _read_plain(root: "etree._Element", kind: type[Document]) -> Document | None:
    """Read a document that is all as we would have written it; None leaves the judgement to libxml2."""
    below: list[int] = []
    asked = count()
    elements = root.iter()
    following = elements.__next__
    try:
        document: Document = reader_of(kind, sure=False)(following(), following, below.append, asked.__next__)
    except (Doubt, StopIteration, LookupError, ValueError):
        return None
    # Every element that was read has children or one text. What the tree holds beyond those texts and the attributes that
    # were asked for, the declaration did not foresee.
    texts = 1 + sum(below) - len(below)
    plain = next(elements, None) is None and _texts_and_attributes()(root) == texts + next(asked)
    return document if plain else None


def _retyped(element: "etree._Element") -> Violation:
    """Refuse what the XSD allows and no declaration foresees: an element that takes another type, with its attributes."""
    return at(
        element.getroottree().getpath(element),
        rule="xsi-type",
        message="names a type of its own (xsi:type), so that something in it could go unread",
        line=element.sourceline,
    )


@memo
def _texts_and_attributes() -> "etree.XPath":
    from lxml import etree

    return etree.XPath("count(//text()) + count(/descendant::*/@*)")


def _read_judged(root: "etree._Element", kind: type[Document]) -> Document:
    """Read a document that may be unusual and must be valid."""
    if not is_valid(root, NEWEST):
        raise InvalidReport(explain(root, NEWEST))
    if retyped := root.xpath("//*[@xsi:type]", namespaces={"xsi": XSI}):
        raise InvalidReport(tuple(map(_retyped, retyped)))
    following = root.iter().__next__
    try:
        document: Document = reader_of(kind, sure=True)(following(), following, abs, int)
    except Unreadable as fault:
        found = at(
            root.getroottree().getpath(fault.element),
            attribute=fault.attribute,
            rule="type",
            message=fault.message,
            line=fault.element.sourceline,
        )
        raise InvalidReport((found,)) from None
    return document

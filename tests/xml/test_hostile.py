"""XML that was made to do harm is refused before it does any."""

import contextlib
import socket
import tracemalloc

import pytest

from cybertip import InvalidReport, read
from cybertip.xml import schema
from cybertip.xml.parsing import LIMIT

REPLY = "<reportResponse><responseCode>0</responseCode><responseDescription>{}</responseDescription></reportResponse>"


def rule(data: bytes, *, limit: int = LIMIT) -> tuple[str, int | None]:
    """Return the rule and the line with which a document is refused, by the reader and by the validator alike."""
    with pytest.raises(InvalidReport) as caught:
        read(data, limit=limit)
    (violation,) = caught.value.violations
    assert schema.validate(data, limit=limit) == (violation,)
    return violation.rule, violation.line


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE reportResponse>",
        "<!DOCTYPE reportResponse []>",
        "<!DOCTYPE reportResponse SYSTEM 'https://example.com/a.dtd'>",
        "<!DOCTYPE reportResponse PUBLIC '-//EXAMPLE//X' 'file:///etc/hostname'>",
        "<!DOCTYPE reportResponse [<!ENTITY e 'x'>]>",
        "<!DOCTYPE reportResponse [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>",
        "<!DOCTYPE reportResponse [<!ENTITY % p SYSTEM 'https://example.com/p'> %p;]>",
        "<!DOCTYPE reportResponse [<!ELEMENT responseCode (#PCDATA)>]>",
        "<!DOCTYPE reportResponse [<!ATTLIST reportResponse x CDATA 'y'>]>",
    ],
)
def test_a_doctype_is_refused_with_its_line(doctype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document type declaration of any form is refused, used or not, and nothing that it names is opened."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("opened a connection")

    monkeypatch.setattr(socket, "socket", never)
    assert rule(f"<?xml version='1.0'?>\n<!-- x -->\n{doctype}\n{REPLY.format('')}".encode()) == ("doctype", 3)
    if "ENTITY e" in doctype:
        with pytest.raises(InvalidReport):
            read(f"{doctype}{REPLY.format('&e;')}".encode())


def test_a_billion_laughs_cost_nothing() -> None:
    """Entities that multiply are refused in little time and memory."""
    entities = "".join(f"<!ENTITY e{i + 1} '{f'&e{i};' * 10}'>" for i in range(12))
    data = f"<!DOCTYPE reportResponse [<!ENTITY e0 'ha'>{entities}]>{REPLY.format('&e12;')}".encode()
    in_attribute = f"<!DOCTYPE report [<!ENTITY e0 'ha'>{entities}]><report x='&e12;'/>".encode()
    tracemalloc.start()
    try:
        for bomb in (data, in_attribute):
            with pytest.raises(InvalidReport) as caught:
                read(bomb)
            assert caught.value.violations[0].rule in ("doctype", "xml")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_an_undeclared_entity_is_refused() -> None:
    """An entity that XML does not have is no entity; the five that it has are characters."""
    assert rule(REPLY.format("\n&nbsp;").encode()) == ("xml", 2)
    document = read(REPLY.format("&lt;&gt;&amp;&quot;&apos;&#65;&#x1F9D2;").encode())
    assert getattr(document, "response_description", None) == "<>&\"'A\U0001f9d2"


@pytest.mark.parametrize("reference", ["&#0;", "&#x0;", "&#8;", "&#xFFFE;", "&#xD800;", "&#x110000;", "&#", "&#x;"])
def test_a_reference_to_a_forbidden_character_is_refused(reference: str) -> None:
    """A number for what is no character of XML is an error, as the character itself is."""
    assert rule(REPLY.format(reference).encode()) == ("xml", 1)


def test_an_oversize_document_is_refused_unparsed() -> None:
    """A document larger than the limit is refused for its size; one of just that size is read."""
    data = REPLY.format("x" * 100).encode()
    assert getattr(read(data, limit=len(data)), "response_description", None) == "x" * 100
    assert rule(data, limit=len(data) - 1) == ("size", None)
    assert rule(b"<" * (LIMIT + 1)) == ("size", None)


@pytest.mark.parametrize("depth", [100, 300, 5_000, 200_000])
def test_deep_nesting_is_refused_without_a_crash(depth: int) -> None:
    """However deep a document is nested, it ends in a refusal, and not in the end of the process."""
    for name in ("report", "personOrUserReported", "reporter"):
        data = (f"<{name}>" * depth + f"</{name}>" * depth).encode()
        with pytest.raises(InvalidReport):
            read(data)
    with pytest.raises(InvalidReport):
        read(b"<report>" * depth)


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
def test_deep_nesting_in_a_reply_does_no_harm(depth: int) -> None:
    """An unknown element of a reply may be nested as deep as the parser goes; deeper, it is refused."""
    data = f"<reportResponse><responseCode>0</responseCode>{'<a>' * depth}{'</a>' * depth}</reportResponse>".encode()
    if depth <= 100:
        assert len(getattr(read(data), "unknown_elements", ())) == 1
        return
    with contextlib.suppress(InvalidReport):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"x",
        b"\x00",
        b"<",
        b"<report",
        b"<report>",
        b"<report></reporter>",
        b"<report/><report/>",
        b"<report/>x",
        b"x<report/>",
        b" <?xml version='1.0'?><report/>",
        b"<?xml version='1.0'?><?xml version='1.0'?><report/>",
        b"<?xml version='1.0' encoding='no-such-encoding'?><report/>",
        b"<report a='1' a='2'/>",
        b"<report a=1/>",
        b"<x:report/>",
        b"<report xmlns:a='b' xmlns:c='b' a:x='1' c:x='2'/>",
        b"<report>\x00</report>",
        b"<report>\x01</report>",
        b"<report>\xff</report>",
        b"<report>\xc0\xaf</report>",
        b"<report>\xed\xa0\x80</report>",
        b"<report>\xef\xbf\xbf</report>",
        b"<report>]]></report>",
        b"<report><![CDATA[</report>",
        b"<report><!-- -- --></report>",
        b"<report>&</report>",
        b"<!DOCTYPE",
        b"<!DOCTYPE report",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"PK\x03\x04",
        b"\x1f\x8b\x08\x00",
        "<report/>".encode("utf-16-le"),
        "<report/>".encode("utf-7") + b"+",
    ],
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    """Anything that is no XML document ends in the reader's own error."""
    with pytest.raises(InvalidReport) as caught:
        read(data)
    assert {violation.rule for violation in caught.value.violations} <= {"xml", "doctype"}


def test_where_a_document_breaks_is_said_by_line() -> None:
    """What is not well-formed is refused with the line on which reading stopped."""
    assert rule(b"<report>\n<reporter>\n</report>") == ("xml", 3)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "utf-8"])
def test_a_document_is_read_in_the_encoding_it_declares(encoding: str) -> None:
    """UTF-16 with its mark, Latin-1 that says so, and UTF-8 with or without a mark all give the same text."""
    name = encoding.removesuffix("-sig")
    text = f"<?xml version='1.0' encoding='{name}'?>{REPLY.format('é')}"
    assert getattr(read(text.encode(encoding)), "response_description", None) == "é"


def test_a_parser_is_not_spoiled_by_what_it_refused() -> None:
    """After a document was refused, the next one is read as if nothing had happened."""
    expected = read(REPLY.format("x").encode())
    for bad in (b"<report>", b"<!DOCTYPE report [<!ENTITY e 'x'>]><report>&e;</report>", b"\xff"):
        with pytest.raises(InvalidReport):
            read(bad)
        assert read(REPLY.format("x").encode()) == expected
        with pytest.raises(InvalidReport):
            read(REPLY.format("&e;").encode())

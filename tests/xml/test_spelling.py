"""XSD allows many spellings of one value; all of them are read as that value."""

import copy
import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from lxml import etree

from cybertip import FileAnnotations, FileDetails, InvalidReport, Report, read, write
from cybertip.model.declaration import Choice, Field, Group, Lexical, Place, Simple, part_of
from cybertip.testing import strategies
from cybertip.xml.layout import DOCUMENTS, members

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def details(content: str, report_id: str = "1", file_id: str = "0a") -> bytes:
    """Return file details with some more elements."""
    ids = f"<reportId>{report_id}</reportId><fileId>{file_id}</fileId>"
    return f"<fileDetails>{ids}{content}</fileDetails>".encode()


def read_details(*args: str) -> FileDetails:
    """Read file details with some more elements."""
    found = read(details(*args))
    assert isinstance(found, FileDetails)
    return found


def refusal(data: bytes) -> tuple[str, str, str]:
    """Return the path, the rule and the message with which a document is refused."""
    with pytest.raises(InvalidReport) as caught:
        read(data)
    (violation,) = caught.value.violations
    return violation.path, violation.rule, violation.message


# -- single values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False), ("\n1 ", True)]
)
def test_a_yes_or_no_has_four_words(text: str, value: bool) -> None:
    """`1` is `true` and `0` is `false`, with white space around them or without."""
    assert read_details(f"<publiclyAvailable>{text}</publiclyAvailable>").publicly_available is value


@pytest.mark.parametrize("text", ["TRUE", "True", "yes", "t", "", " ", "01", "true false", "\u00a0true"])
def test_a_yes_or_no_has_no_other_words(text: str) -> None:
    """What is neither yes nor no to XSD is refused."""
    assert refusal(details(f"<publiclyAvailable>{text}</publiclyAvailable>"))[1] == "xsd-value"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        (" 5 ", 5),
        ("\t\r\n5\n", 5),
        ("007", 7),
        ("-0", 0),
        ("+0000", 0),
        ("999999999", 999999999),
        ("1234567890", 1234567890),
        ("9223372036854775807", (1 << 63) - 1),
        ("-9223372036854775808", -(1 << 63)),
        ("0" * 50 + "1", 1),
    ],
)
def test_a_whole_number_has_signs_zeros_and_space(text: str, value: int) -> None:
    """Leading zeros, a sign and white space around a number change nothing."""
    assert read_details("", text).report_id == value


@pytest.mark.parametrize(
    "text",
    [
        *["", "x", "5.0", "5e0", "1_000", "0x5", "--5", "+", "5 5"],
        *["\u0665", "\uff15", "\u00b2", "9223372036854775808", "9" * 5000],
    ],
)
def test_what_is_no_whole_number_to_xsd_is_refused(text: str) -> None:
    """Spellings that Python takes and XSD does not, such as digits of other scripts and underscores, are refused."""
    assert refusal(details("", text))[1] == "xsd-value"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-0.50", -0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e2", 100.0),
        ("1E+2", 100.0),
        (" 1.5\n", 1.5),
        ("INF", math.inf),
        (" INF\n", math.inf),
        ("NaN ", math.nan),
        ("-INF", -math.inf),
        ("NaN", math.nan),
        ("1e400", math.inf),
    ],
)
def test_a_number_is_read_in_each_of_its_spellings(text: str, value: float) -> None:
    """Points, exponents and XSD's words for what is not finite are read as the number they stand for."""
    found = _latitude(text)
    assert found == value or (math.isnan(found) and math.isnan(value))


@pytest.mark.parametrize(
    "text", ["", ".", "e5", "1e", "inf", "nan", "Infinity", "+INF", "0x1p3", "1,5", "1_0.0", "\u0661.5"]
)
def test_what_is_no_number_to_xsd_is_refused(text: str) -> None:
    """Spellings that Python takes and XSD does not are refused for a number with a point, too."""
    with pytest.raises(InvalidReport):
        _latitude(text)


def _latitude(text: str) -> float:
    phone = f"<internetDetails><cellPhoneIncident><latitude>{text}</latitude></cellPhoneIncident></internetDetails>"
    report = read(
        f"<report><incidentSummary><incidentType>Child Sex Tourism</incidentType>"
        f"<incidentDateTime>2025-01-01T12:00:00Z</incidentDateTime></incidentSummary>{phone}"
        f"<reporter><reportingPerson/></reporter></report>".encode()
    )
    assert isinstance(report, Report)
    found: Any = report.internet_details[0]
    return float(found.latitude)


@pytest.mark.parametrize(
    ("text", "value"), [("0a", "0a"), (" 0a\n", "0a"), ("a \t b", "a b"), ("", ""), ("\u00a0a", "\u00a0a")]
)
def test_white_space_around_and_within_a_token_is_collapsed(text: str, value: str) -> None:
    """A token is the same with more white space; a space that XML does not know is a character of it."""
    assert read_details("", "1", text).file_id == value


@pytest.mark.parametrize("text", ["", " ", " x ", "\n", "a\tb", "a  b", "\u00a0"])
def test_white_space_in_text_is_text(text: str) -> None:
    """Nothing is trimmed from a text: it is what somebody wrote."""
    found = read_details(f"<fileName>{text}</fileName>")
    assert found.file_name == text
    assert read_details(f"<fileName><![CDATA[{text}]]></fileName>") == found


@pytest.mark.parametrize("text", [" US", "US ", "us", "\nUS", "USA"])
def test_a_word_of_a_list_has_one_spelling(text: str) -> None:
    """NCMEC's words are strings to its XSD, which takes no white space around them and no other case."""
    event = f"<ipCaptureEvent><ipAddress>192.0.2.1</ipAddress><eventName>{text}</eventName></ipCaptureEvent>"
    assert refusal(details(event))[1] == "xsd-value"


# -- times ----------------------------------------------------------------------------------------------------------------


def _zone(**offset: int) -> timezone:
    return timezone(timedelta(**offset))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-01-31T13:00:00Z", datetime(2025, 1, 31, 13, tzinfo=UTC)),
        ("2025-01-31T13:00:00+00:00", datetime(2025, 1, 31, 13, tzinfo=UTC)),
        ("2025-01-31T13:00:00-00:00", datetime(2025, 1, 31, 13, tzinfo=UTC)),
        (" 2025-01-31T13:00:00Z\n", datetime(2025, 1, 31, 13, tzinfo=UTC)),
        ("2025-01-31T13:00:00+05:30", datetime(2025, 1, 31, 13, tzinfo=_zone(hours=5, minutes=30))),
        ("2025-01-31T13:00:00-14:00", datetime(2025, 1, 31, 13, tzinfo=_zone(hours=-14))),
        ("2025-01-31T13:00:00+14:00", datetime(2025, 1, 31, 13, tzinfo=_zone(hours=14))),
        ("2025-01-31T13:00:00+13:59", datetime(2025, 1, 31, 13, tzinfo=_zone(hours=13, minutes=59))),
        ("2025-01-31T13:00:00.5Z", datetime(2025, 1, 31, 13, 0, 0, 500_000, tzinfo=UTC)),
        ("2025-01-31T13:00:00.000001Z", datetime(2025, 1, 31, 13, 0, 0, 1, tzinfo=UTC)),
        ("2025-01-31T13:00:00.1234560000Z", datetime(2025, 1, 31, 13, 0, 0, 123_456, tzinfo=UTC)),
        ("2025-01-31T13:00:00.0Z", datetime(2025, 1, 31, 13, tzinfo=UTC)),
        ("2025-01-31T24:00:00Z", datetime(2025, 2, 1, tzinfo=UTC)),
        ("2024-12-31T24:00:00.000-01:00", datetime(2025, 1, 1, tzinfo=_zone(hours=-1))),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=_zone(hours=14))),
        ("9999-12-31T23:59:59.999999-14:00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=_zone(hours=-14))),
    ],
)
def test_a_time_is_read_exactly(text: str, value: datetime) -> None:
    """A time keeps its offset and its fraction, whichever way they are spelt."""
    found = read_details(f"<uploadedToEspTimestamp>{text}</uploadedToEspTimestamp>").uploaded_to_esp_timestamp
    assert found is not None
    assert found.isoformat() == value.isoformat()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2025-01-31T13:00:00", "must have an offset from UTC, such as Z or +01:00"),
        ("2025-01-31T13:00:00.123456", "must have an offset from UTC, such as Z or +01:00"),
        ("2025-01-31T13:00:00.1234567Z", "is finer than a microsecond, which Python cannot hold"),
        ("12025-01-31T13:00:00Z", "is a time that does not exist or that Python cannot hold"),
        ("-0001-01-31T13:00:00Z", "is a time that does not exist or that Python cannot hold"),
        ("9999-12-31T24:00:00Z", "is a time that does not exist or that Python cannot hold"),
    ],
)
def test_a_time_that_nobody_could_place_or_hold_is_refused_by_name(text: str, message: str) -> None:
    """A valid time without an offset, or one that Python cannot hold, is never guessed or rounded: its element is named."""
    for spelling in (text, f" {text}\n"):
        data = details(f"<uploadedToEspTimestamp>{spelling}</uploadedToEspTimestamp>")
        assert refusal(data) == ("fileDetails.uploaded_to_esp_timestamp", "type", message)


@pytest.mark.parametrize(
    "text",
    [
        *["", "now", "2025-01-31", "13:00:00Z", "2025-01-31 13:00:00Z", "2025-01-31t13:00:00z", "20250131T130000Z"],
        *["2025-01-31T13:00Z", "2025-01-31T13Z", "2025-1-31T13:00:00Z", "2025-W05-5T13:00:00Z", "2025-031T13:00:00Z"],
        *["2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "0000-01-01T00:00:00Z"],
        *["2025-01-31T24:00:01Z", "2025-01-31T25:00:00Z", "2025-01-31T13:60:00Z", "2025-01-31T13:00:60Z"],
        *["2025-01-31T13:00:00+14:01", "2025-01-31T13:00:00+15:00", "2025-01-31T13:00:00+24:00"],
        *["2025-01-31T13:00:00+13:60", "2025-01-31T13:00:00+13:99", "2025-01-31T13:00:00-00:60"],
        *["2025-01-31T13:00:00+0100", "2025-01-31T13:00:00+01", "2025-01-31T13:00:00+01:00:00", "2025-01-31T13:00:00z"],
        *["2025-01-31T13:00:00.Z", "2025-01-31T13:00:00,5Z", "2025-01-31T13:00:00 Z", "2025-01-31T13:00:00UTC"],
        *[
            "\u0662025-01-31T13:00:00Z",
            "2025-01-31T13:00:00+0\uff11:00",
            "02025-01-31T13:00:00Z",
            "+2025-01-31T13:00:00Z",
        ],
        *["2025-01-31T13:00:00+\u00b2:00", "2025-01-31T13:00:0 +01:00"],
    ],
)
def test_what_is_no_time_to_xsd_is_refused(text: str) -> None:
    """Spellings that Python or ISO 8601 take and XSD does not, and times that do not exist, are refused."""
    data = details(f"<uploadedToEspTimestamp>{text}</uploadedToEspTimestamp>")
    assert refusal(data)[:2] == ("fileDetails.uploaded_to_esp_timestamp", "xsd-value")


def _birthday(text: str) -> date | None:
    person = f"<person><dateOfBirth>{text}</dateOfBirth></person>".replace("person", "reportingPerson")
    report = read(
        f"<report><incidentSummary><incidentType>Child Sex Tourism</incidentType>"
        f"<incidentDateTime>2025-01-01T12:00:00Z</incidentDateTime></incidentSummary>"
        f"<reporter>{person}</reporter></report>".encode()
    )
    assert isinstance(report, Report)
    return report.reporter.reporting_person.date_of_birth


@pytest.mark.parametrize("text", ["2009-12-31", " 2009-12-31\n", "2009-12-31Z", "2009-12-31+14:00", "2009-12-31-05:00"])
def test_a_date_of_birth_has_no_offset(text: str) -> None:
    """An offset, which XSD allows of a date, says nothing of a birthday and is left out."""
    assert _birthday(text) == date(2009, 12, 31)


@pytest.mark.parametrize("text", ["12009-12-31", "-0009-12-31", "12009-12-31Z"])
def test_a_date_that_python_cannot_hold_is_refused_by_name(text: str) -> None:
    """A valid date that Python cannot hold is an error that names its element."""
    with pytest.raises(InvalidReport, match=r"reporting_person\.date_of_birth \(line 1\): .* cannot hold \[type\]"):
        _birthday(text)


@pytest.mark.parametrize(
    "text",
    [
        *["", "2009-02-29", "31.12.2009", "2009-W53-4", "2009-365", "20091231", "09-12-31"],
        *["2009-12-31+14:01", "2009-1\uff12-31", "\u00a02009-12-31"],
    ],
)
def test_what_is_no_date_to_xsd_is_refused(text: str) -> None:
    """Other ways to write a date, and dates that do not exist, are refused."""
    with pytest.raises(InvalidReport, match="xsd-value"):
        _birthday(text)


# -- whole documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("a<!-- b -->c", "ac"),
        ("<!-- b -->", ""),
        ("<?b c?>a<?b c?>", "a"),
        ("a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"),
        ("<![CDATA[a]]><![CDATA[b]]>", "ab"),
        ("<![CDATA[]]>", ""),
        ("&#97;&#x62;", "ab"),
        ("a\r\nb\rc&#13;d", "a\nb\nc\rd"),
    ],
)
def test_comments_instructions_and_sections_are_spellings(spelling: str, text: str) -> None:
    """A text is the same with comments and instructions in it, in CDATA sections or as numbers of characters."""
    assert read_details(f"<fileName>{spelling}</fileName>").file_name == text


@pytest.mark.parametrize("order", ["viral infant bestiality", "infant bestiality viral", "bestiality viral infant"])
@pytest.mark.parametrize(
    "content",
    [
        "<{0}/>",
        "<{0}></{0}>",
        "<{0}>true</{0}>",
        "<{0}>1</{0}>",
        "<{0}> 1 </{0}>",
        "<{0}><!-- x --></{0}>",
    ],
)
def test_tags_come_in_any_order_and_empty_or_true(order: str, content: str) -> None:
    """Tags are an unordered set to the XSD, and an empty one, a true one and a one are the same."""
    found = read_details(f"<fileAnnotations>{''.join(map(content.format, order.split()))}</fileAnnotations>")
    assert found.file_annotations == FileAnnotations(viral=True, infant=True, bestiality=True)


@given(document=strategies.documents(edition="2026-08"))
def test_a_document_is_the_same_with_indentation(document: Any) -> None:
    """White space between elements, as pretty printers put it, changes nothing; that in texts is kept."""
    root = etree.fromstring(write(document, edition="2026-08"))
    etree.indent(root)
    assert read(etree.tostring(root)) == document


# -- every spelling at once ---------------------------------------------------------------------------------------------


@st.composite
def respelt(draw: st.DrawFn) -> tuple[Any, bytes]:
    """Generate a document and other bytes that say the same."""
    document = draw(strategies.reports(edition="2026-08") | strategies.file_details(edition="2026-08"))
    root = etree.fromstring(write(document, edition="2026-08"))
    if draw(st.booleans()):
        etree.indent(root, space=draw(st.sampled_from(["", " ", "\t"])))
    for element, kind in list(_elements(root, type(document))):
        _respell(draw, element, kind)
    encoding: str = draw(st.sampled_from(["UTF-8", "UTF-16", "US-ASCII"]))
    return document, etree.tostring(root, encoding=encoding, xml_declaration=True)


def _elements(element: Any, kind: Any) -> Any:
    """Yield every element below a document with its field, or the part that it is."""
    yield element, kind
    fields = {field.xml: field for field in part_of(kind).fields if field.place is Place.ELEMENT}
    for child in element:
        field = fields[child.tag]
        if isinstance(field.type, Choice):
            yield from _elements(child[0], next(one for one in field.type.parts if part_of(one).name == child[0].tag))
        elif members(field):
            yield from _elements(child, field.type)
        else:
            yield child, field


def _respell(draw: st.DrawFn, element: Any, kind: Any) -> None:
    if isinstance(kind, Field):
        element.text = _other(draw, kind, element.text or "")
    else:
        for field in part_of(kind).fields:
            if field.place is Place.ATTRIBUTE and field.xml in element.attrib:
                element.set(field.xml, _other(draw, field, element.get(field.xml)))
            elif field.place is Place.TEXT:
                element.text = _other(draw, field, element.text or "")
        if part_of(kind).group is Group.ALL and draw(st.booleans()):
            element[:] = draw(st.permutations(list(element)))
    if draw(st.integers(0, 7)) == 7:
        made = draw(st.sampled_from([etree.Comment("x"), etree.ProcessingInstruction("x", "y")]))
        made.tail, element.text = element.text, None
        element.insert(0, made)
    if draw(st.integers(0, 15)) == 15:
        element.set(f"{{{XSI}}}schemaLocation", "https://example.com/a https://example.com/b")


def _other(draw: st.DrawFn, field: Field, text: str) -> str:
    """Return another spelling of a value."""
    if field.flag:
        return draw(st.sampled_from(["", "true", "1", " true\n"]))
    if not isinstance(field.type, Simple):
        return text
    other: st.SearchStrategy[str]
    match field.type.lexical:
        case Lexical.STRING:
            return text
        case Lexical.BOOLEAN:
            other = st.sampled_from([text, "1" if text == "true" else "0"])
        case Lexical.INT | Lexical.LONG:
            sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
            other = st.sampled_from([text, f"{sign}00{digits}", text if sign else f"+{digits}"])
        case Lexical.DATETIME:
            zero = "Z" if text.endswith("+00:00") else text[-6:]
            fraction = "000" if "." in text else ".0"
            other = st.sampled_from([text, text[:-6] + zero, text[:-6] + fraction + zero])
        case Lexical.DATE:
            other = st.sampled_from([text, f"{text}Z", f"{text}-05:00"])
        case Lexical.DOUBLE if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
            other = st.sampled_from([text, f"{text}00", f"{text}e0"])
        case Lexical.TOKEN:
            other = st.just(text.replace(" ", " \n "))
        case _:
            other = st.just(text)
    return draw(st.sampled_from(["", " ", "\n\t"])) + draw(other) + draw(st.sampled_from(["", " ", "\n"]))


@settings(max_examples=100)
@given(spelling=respelt())
def test_a_document_is_the_same_in_every_spelling(spelling: tuple[Any, bytes]) -> None:
    """However the values of a valid document are spelt, it is read as the same document."""
    document, data = spelling
    assert read(data) == document


@settings(max_examples=100)
@given(spelling=respelt())
def test_what_was_read_is_written_as_the_same_xml(spelling: tuple[Any, bytes]) -> None:
    """Writing what was read gives the same canonical XML, but for the spelling of values and the order of tags."""
    _, data = spelling
    assert canonical(write(read(data), edition="2026-08")) == canonical(data)


def canonical(data: bytes) -> bytes:
    """Return a document as canonical XML in which each value has one spelling; it shares no code with the reader."""
    root = etree.fromstring(data, etree.XMLParser(remove_comments=True, remove_pis=True))
    for element, kind in list(_elements(root, DOCUMENTS[str(root.tag)])):
        for name in [name for name in element.attrib if name.startswith(f"{{{XSI}}}")]:
            del element.attrib[name]
        if isinstance(kind, Field):
            element.text = _one(kind, element.text or "")
            continue
        for field in part_of(kind).fields:
            if field.place is Place.ATTRIBUTE and field.xml in element.attrib:
                element.set(field.xml, _one(field, element.get(field.xml)))
        text = part_of(kind).text
        element.text = None if text is None else _one(text, element.text or "")
        if part_of(kind).group is Group.ALL:
            element[:] = sorted(element, key=lambda child: str(child.tag))
    for element in root.iter():
        element.tail = None
        if len(element):
            element.text = None
    alone = copy.deepcopy(root)
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, method="c14n")


def _one(field: Field, text: str) -> str:
    """Return the one spelling of a value."""
    if field.flag:
        return ""
    if not isinstance(field.type, Simple) or field.type.lexical is Lexical.STRING:
        return text
    text = re.sub("[ \t\r\n]+", " ", text).strip(" ")
    match field.type.lexical:
        case Lexical.BOOLEAN:
            return {"1": "true", "0": "false"}.get(text, text)
        case Lexical.INT | Lexical.LONG:
            return re.sub(r"^\+?(-?)0*(?=[0-9])", r"\1", text)
        case Lexical.DATE:
            return text[:10]
        case Lexical.DATETIME:
            whole, point, rest = text.partition(".")
            fraction = re.match("[0-9]*", rest)
            digits = fraction[0].rstrip("0") if fraction else ""
            text = f"{whole}.{digits}" if digits else whole
            return re.sub("(Z|-00:00)$", "+00:00", text + (rest.lstrip("0123456789") if point else ""))
        case Lexical.DOUBLE:
            return str(float(text))
        case _:
            return text


@pytest.mark.parametrize("text", [" ", "false", "0", "TRUE", "2"])
def test_a_tag_cannot_be_denied_or_doubted(text: str) -> None:
    """A tag with a text that does not say true is refused; white space alone says nothing and is refused as well."""
    assert refusal(details(f"<fileAnnotations><viral>{text}</viral></fileAnnotations>"))[1] == "xsd-value"


def test_canonical_xml_tells_documents_apart() -> None:
    """The comparison of the property above sees a changed text, attribute, order, offset and fraction."""
    time = "<uploadedToEspTimestamp>2025-01-01T00:00:00{}</uploadedToEspTimestamp>"
    different = [
        *(details(f"<fileName>{text}</fileName>") for text in ("", " ", "x", "y")),
        *(details(time.format(end)) for end in ("Z", "+01:00", ".5Z", ".05Z", ".500001Z")),
        *(details(f'<originalFileHash hashType="{text}">0a</originalFileHash>') for text in ("MD5", "SHA1")),
        *(details("".join(f"<additionalInfo>{text}</additionalInfo>" for text in order)) for order in ("ab", "ba")),
        *(details(f"<fileAnnotations>{tags}</fileAnnotations>") for tags in ("", "<viral/>", "<infant/>")),
    ]
    assert len(set(map(canonical, different))) == len(different)
    same = [details(time.format(end)) for end in ("Z", "+00:00", ".0Z", ".000+00:00")]
    assert len(set(map(canonical, same))) == 1

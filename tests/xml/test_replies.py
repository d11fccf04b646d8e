"""NCMEC's replies are read with forgiveness: what is new is kept, and only what nobody could act on is refused."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip import FileId, InvalidReport, ReportDoneResponse, ReportId, ReportResponse, evolve, read, write
from cybertip.model import DoneFiles
from cybertip.testing import strategies

OK = "<responseCode>0</responseCode><responseDescription>Success</responseDescription>"


def answer(content: str) -> ReportResponse:
    """Read the answer to a call."""
    found = read(f"<reportResponse>{content}</reportResponse>".encode())
    assert isinstance(found, ReportResponse)
    return found


def receipt(content: str) -> ReportDoneResponse:
    """Read the answer to a finish."""
    found = read(f"<reportDoneResponse>{content}</reportDoneResponse>".encode())
    assert isinstance(found, ReportDoneResponse)
    return found


def refusals(data: str) -> list[tuple[str, str, int | None]]:
    """Return with which paths, rules and lines a reply is refused."""
    with pytest.raises(InvalidReport) as caught:
        read(data.encode())
    return [(violation.path, violation.rule, violation.line) for violation in caught.value.violations]


def test_an_answer_is_read() -> None:
    """An answer as NCMEC documents it gives the code, the words, the report, the file and the digest."""
    assert answer(
        f"{OK}<reportId>4564654</reportId><fileId>b0754af766b426f2928c02c651ed4b99</fileId>"
        "<hash>fafa5efeaf3cbe3b23b2748d13e629a1</hash>"
    ) == ReportResponse(
        response_code=0,
        response_description="Success",
        report_id=ReportId(4564654),
        file_id=FileId("b0754af766b426f2928c02c651ed4b99"),
        hash="fafa5efeaf3cbe3b23b2748d13e629a1",
    )


def test_a_receipt_is_read() -> None:
    """A receipt gives the report and its files, in their order."""
    files = "<files><fileId>0b</fileId><fileId>0a</fileId></files>"
    assert receipt(f"<responseCode>0</responseCode><reportId>1</reportId>{files}") == ReportDoneResponse(
        response_code=0, report_id=ReportId(1), files=DoneFiles(file_ids=(FileId("0b"), FileId("0a")))
    )


@pytest.mark.parametrize("description", ["", "<responseDescription/>", "<responseDescription></responseDescription>"])
def test_an_empty_or_absent_description_is_understood(description: str) -> None:
    """NCMEC leaves the description of a success empty or out; neither makes the success doubtful."""
    assert answer(f"<responseCode>0</responseCode>{description}").response_description == ""


def test_a_receipt_without_files_is_understood() -> None:
    """A report that was finished without a file is finished."""
    for files in ("", "<files/>", "<files></files>"):
        assert receipt(f"<responseCode>0</responseCode><reportId>1</reportId>{files}").files == DoneFiles()


def test_the_order_of_a_reply_does_not_matter() -> None:
    """What is said in another order is said all the same."""
    expected = answer(f"{OK}<reportId>1</reportId><fileId>0a</fileId>")
    assert answer(f"<fileId>0a</fileId><reportId>1</reportId>{OK}") == expected


def test_codes_and_ids_are_read_as_what_they_are() -> None:
    """A code may be unknown or negative, an id may have white space, and a file's name of digits is text."""
    found = answer(
        "<responseCode> 4711 </responseCode><reportId>\n0009\n</reportId><fileId> 00000000000000000000000000000000 </fileId>"
    )
    assert (found.response_code, found.report_id, found.file_id) == (4711, 9, "0" * 32)
    assert answer("<responseCode>-1</responseCode>").response_code == -1


def test_unknown_elements_are_kept_as_they_came() -> None:
    """Elements that no edition names are kept as XML, in their order, wherever they stood."""
    unknown = ('<new a="&lt;b&gt;">x<y/>z</new>', "<other/>", "<new>second</new>")
    found = answer(f"{unknown[0]}<responseCode>0</responseCode>{unknown[1]}{unknown[2]}")
    assert found.unknown_elements == unknown
    assert read(write(found)) == found


def test_the_namespaces_of_unknown_elements_are_kept() -> None:
    """A prefix that was declared outside an unknown element still means something in what is kept of it."""
    data = (
        '<reportResponse xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:n="https://example.com/n">'
        '<responseCode>0</responseCode><n:new xsi:type="n:kind">x</n:new></reportResponse>'
    )
    found = read(data.encode())
    assert isinstance(found, ReportResponse)
    (kept,) = found.unknown_elements
    for expected in ('xmlns:n="https://example.com/n"', 'xsi:type="n:kind"', 'xmlns:xsi="http', ">x</n:new>"):
        assert expected in kept
    assert read(write(found)) == found


def test_the_namespace_of_schema_hints_is_not_part_of_what_is_kept() -> None:
    """An unknown element is kept as it would be without the hint at a schema that its document happens to have."""
    hint = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="https://example.com/xsd"'
    )
    found = read(f"<reportResponse {hint}><responseCode>0</responseCode><new>x</new></reportResponse>".encode())
    assert getattr(found, "unknown_elements", None) == ("<new>x</new>",)


def test_attributes_and_comments_of_a_reply_are_passed_over() -> None:
    """What is said beside the elements of a reply does not keep it from being understood."""
    found = read(
        b"<!-- a --><reportResponse a='b'><?c d?><responseCode e='f'>0</responseCode>\n"
        b"<responseDescription>x<!-- y -->z</responseDescription></reportResponse>"
    )
    assert found == ReportResponse(response_code=0, response_description="xz")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("<reportResponse/>", [("reportResponse.response_code", "required", 1)]),
        (
            "<reportDoneResponse/>",
            [("reportDoneResponse.response_code", "required", 1), ("reportDoneResponse.report_id", "required", 1)],
        ),
        (
            f"<reportResponse>{OK}\n<responseCode>1</responseCode></reportResponse>",
            [("reportResponse.response_code", "twice", 2)],
        ),
        (
            f"<reportResponse>{OK}<reportId>1</reportId>\n<reportId>2</reportId></reportResponse>",
            [("reportResponse.report_id", "twice", 2)],
        ),
        (
            "<reportResponse>\n<responseCode>x</responseCode>\n<reportId/></reportResponse>",
            [("reportResponse.response_code", "type", 2)],
        ),
        (
            "<reportDoneResponse><responseCode>0</responseCode>\n<reportId>1e3</reportId></reportDoneResponse>",
            [("reportDoneResponse.report_id", "type", 2)],
        ),
    ],
)
def test_a_reply_that_nobody_could_act_on_is_refused(data: str, expected: list[tuple[str, str, int]]) -> None:
    """An absent, doubled or unreadable code or id is refused with its path and line, each of them at once."""
    assert refusals(data) == expected


@pytest.mark.parametrize("code", ["2147483648", "-2147483649", "9" * 30, "\u0661", "0.0", "1_0", ""])
def test_a_code_that_is_no_number_of_32_bits_is_refused(code: str) -> None:
    """A code that cannot be compared with the documented ones is refused, not cut."""
    assert refusals(f"<reportResponse><responseCode>{code}</responseCode></reportResponse>")[0][1] == "type"


@given(
    reply=strategies.report_responses() | strategies.report_done_responses(),
    unknown=st.lists(strategies.unknown_elements(), max_size=3),
)
def test_a_reply_with_unknown_elements_comes_back(reply: Any, unknown: list[str]) -> None:
    """Any reply, with whatever NCMEC may add to it, is the same after it was written and read."""
    reply = evolve(reply, unknown_elements=tuple(unknown))
    assert read(write(reply)) == reply


@pytest.mark.parametrize(
    "fragment",
    [
        *["", " ", "text", "<a>", "<a/><b/>", "<a/>text", " <a/>", "<a/>\n", "</reportResponse><reportResponse>"],
        *["<!-- a -->", "<?a b?>", "<?xml version='1.0'?><a/>", "<!DOCTYPE a><a/>", "&lt;a/>", "<a>&e;</a>", "<n:a/>"],
        *["<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a>\x00</a>", "<a>\ud800</a>"],
        *["<responseCode>1</responseCode>", "<reportId>1</reportId>"],
    ],
)
def test_only_an_unknown_element_can_be_added(fragment: str) -> None:
    """What is not one element, or would be read back as a known one, cannot be smuggled into a reply."""
    reply = ReportResponse(response_code=0, response_description="", unknown_elements=("<fine/>", fragment))
    with pytest.raises(InvalidReport) as caught:
        write(reply)
    assert {violation.path for violation in caught.value.violations} == {"reportResponse.unknown_elements[1]"}

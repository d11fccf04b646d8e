"""A refusal is understood by its code, even where nothing else of it can be relied on; a success is not."""

import pytest

from cybertip import AlreadyFinished, Misunderstanding, NotUnderstood, ReportId
from cybertip.protocol import finish, understand


def ask(body: bytes, status: int = 200) -> object:
    """Understand a body in answer to a finish."""
    return understand(finish(ReportId(7)), status, {}, body)


@pytest.mark.parametrize(
    "body",
    [
        b"<reportResponse><responseCode>5102</responseCode><reportId/></reportResponse>",
        b"<reportResponse><responseCode>5102</responseCode><fileId>a</fileId><fileId>b</fileId></reportResponse>",
        b"<reportResponse><responseCode>5102</responseCode><reportId>x</reportId></reportResponse>",
        b"<reportDoneResponse><responseCode>5102</responseCode></reportDoneResponse>",
        b"\n<?xml version='1.0' encoding='UTF-8'?><reportResponse><responseCode>5102</responseCode></reportResponse>",
    ],
)
def test_a_code_that_can_be_read_decides(body: bytes) -> None:
    """A detail that does not matter cannot turn a definite answer into a doubt."""
    with pytest.raises(AlreadyFinished):
        ask(body)


def test_latin_1_under_the_name_of_utf_8_is_read() -> None:
    """NCMEC labels replies ISO-8859-1 over a body that declares UTF-8; a refusal may quote what was sent."""
    body = (
        "<?xml version='1.0' encoding='UTF-8'?><reportResponse><responseCode>4100</responseCode>"
        "<responseDescription>Jos\u00e9</responseDescription></reportResponse>"
    )
    with pytest.raises(NotUnderstood) as caught:
        ask(body.encode("latin-1"), 400)
    assert caught.value.description == "Jos\u00e9"
    assert "Jos" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"<reportResponse><responseCode>0</responseCode><reportId/><reportId>7</reportId></reportResponse>",
        b"<reportResponse><responseCode>0</responseCode><responseCode>5102</responseCode></reportResponse>",
        b"<reportResponse><responseCode>99999999999</responseCode></reportResponse>",
        b"<?xml version='1.0' encoding='UTF-8'?><reportResponse><responseCode>0</responseCode>"
        b"<responseDescription>\xe9</responseDescription><reportId>7</reportId></reportResponse>",
        b"<html><responseCode>5102</responseCode></html>",
    ],
)
def test_a_success_is_believed_only_as_a_whole(body: bytes) -> None:
    """Whatever could be a success and cannot be read is in doubt."""
    with pytest.raises(Misunderstanding):
        ask(body)


def test_the_reason_names_a_place_and_no_word_of_the_body() -> None:
    """A person learns which field cannot be read, and nothing that somebody else wrote."""
    with pytest.raises(Misunderstanding, match=r"reportResponse.report_id must be a whole number") as caught:
        ask(b"<reportResponse><responseCode>0</responseCode><reportId>canary</reportId></reportResponse>")
    assert "canary" not in str(caught.value)
    with pytest.raises(Misunderstanding, match="its body is not a reply") as caught:
        ask(b"<report canary='canary'/>")
    assert "canary" not in str(caught.value)

"""The bytes around a file."""

import email.parser
import email.policy

import pytest
from hypothesis import given, strategies as st
from python_multipart.multipart import MultipartParser, parse_options_header

from cybertip import InvalidReport, ReportId
from cybertip.protocol import FilePart, frame

BOUNDARY = "0123456789abcdef0123456789abcdef"
REPORT = ReportId(4564654)


def test_the_form_is_exact() -> None:
    """The form is, to the byte, the field `id` and then the field `file`."""
    framed = frame(report_id=REPORT, file=FilePart(name="a b.jpg", media_type="image/jpeg"), boundary=BOUNDARY)
    assert framed.content_type == f"multipart/form-data; boundary={BOUNDARY}"
    assert framed.head == (
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="id"\r\n\r\n'
        "4564654\r\n"
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="a b.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode("ascii")
    assert framed.tail == f"\r\n--{BOUNDARY}--\r\n".encode("ascii")


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ('a".jpg', "a%22.jpg"),
        ("a\r\nX-Forged: 1\r\n\r\n", "a%0D%0AX-Forged: 1%0D%0A%0D%0A"),
        ("a\x00\x1b\x7f\x85", "a%00%1B%7F%C2%85"),
        ("a\\", "a%5C"),
        ("\u00fcber \u65e5\u672c\u8a9e \U0001f4f7.png", "\u00fcber \u65e5\u672c\u8a9e \U0001f4f7.png"),
        ("\u202egpj.exe", "\u202egpj.exe"),
        ("half \ud83d", "half \ufffd"),
        ("whole \ud83d\ude00", "whole \U0001f600"),
        ("100%", "100%"),
        ('x"; name="id', "x%22; name=%22id"),
    ],
)
def test_a_name_is_sent_as_browsers_do(name: str, escaped: str) -> None:
    """Any name is sent in UTF-8, with what could end it escaped, so that it cannot forge a header or a field."""
    head = frame(report_id=REPORT, file=FilePart(name=name), boundary=BOUNDARY).head
    assert f'name="file"; filename="{escaped}"\r\n'.encode() in head
    assert head.count(b"\r\n") == 8


def _parse(data: bytes) -> list[tuple[dict[bytes, bytes], bytes]]:
    """Return headers and content of each part, as a parser sees them that is not ours."""
    parts: list[tuple[dict[bytes, bytes], bytearray]] = []
    name, value = bytearray(), bytearray()

    def end_of_header() -> None:
        parts[-1][0][bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    parser = MultipartParser(
        BOUNDARY,
        {
            "on_part_begin": lambda: parts.append(({}, bytearray())),
            "on_header_field": lambda data, start, end: name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: value.extend(data[start:end]),
            "on_header_end": end_of_header,
            "on_part_data": lambda data, start, end: parts[-1][1].extend(data[start:end]),
        },
    )
    parser.write(data)
    parser.finalize()
    return [(headers, bytes(content)) for headers, content in parts]


@given(name=st.text(st.characters(), min_size=1), content=st.binary(max_size=200))
def test_other_parsers_read_two_parts(name: str, content: bytes) -> None:
    """Whatever the name and the bytes, a strict parser finds the id, one file, its bytes, and nothing else."""
    framed = frame(report_id=REPORT, file=FilePart(name=name), boundary=BOUNDARY)
    (first, number), (second, sent) = _parse(framed.head + content + framed.tail)
    assert parse_options_header(first[b"content-disposition"]) == (b"form-data", {b"name": b"id"})
    assert number == b"4564654"
    kind, options = parse_options_header(second[b"content-disposition"])
    assert (kind, options[b"name"], set(options)) == (b"form-data", b"file", {b"name", b"filename"})
    assert second[b"content-type"] == b"application/octet-stream"
    assert sent == content


def test_the_standard_librarys_parser_agrees() -> None:
    """The form is a MIME message of two parts."""
    framed = frame(report_id=REPORT, file=FilePart(name="a.jpg", media_type="image/jpeg"), boundary=BOUNDARY)
    message = b"Content-Type: " + framed.content_type.encode() + b"\r\n\r\n" + framed.head + b"bytes" + framed.tail
    first, second = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(message).iter_parts()
    assert first.get_payload() == "4564654"
    assert (second.get_content_type(), second.get_filename()) == ("image/jpeg", "a.jpg")


@pytest.mark.parametrize(
    ("settings", "rules"),
    [
        ({"name": ""}, ["file-name"]),
        ({"name": None}, ["file-name"]),
        ({"name": b"a"}, ["file-name"]),
        ({"media_type": "image"}, ["media-type"]),
        ({"media_type": "image/jpeg\r\nX-Forged: 1"}, ["media-type"]),
        ({"media_type": "image/jp\u00e9g"}, ["media-type"]),
        ({"media_type": ""}, ["media-type"]),
        ({"media_type": None}, ["media-type"]),
        ({"size": 0}, ["empty-file"]),
        ({"size": -1}, ["empty-file"]),
        ({"md5": "abc"}, ["md5"]),
        ({"md5": "z" * 32}, ["md5"]),
        ({"md5": ""}, ["md5"]),
        ({"name": "", "media_type": "", "size": 0, "md5": ""}, ["file-name", "media-type", "empty-file", "md5"]),
    ],
)
def test_what_cannot_be_sent_is_refused_before(settings: dict[str, object], rules: list[str]) -> None:
    """A file that could not be sent soundly is refused with every reason, before anything leaves."""
    with pytest.raises(InvalidReport) as raised:
        FilePart(**{"name": "a.jpg", **settings})  # type: ignore[arg-type] # what is tested
    assert [violation.rule for violation in raised.value.violations] == rules


@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/plain; charset=utf-8", 'video/mp4; codecs="avc1, mp4a"'])
def test_media_types_may_have_parameters(media_type: str) -> None:
    """Any sound media type is sent as it is."""
    file = FilePart(name="a", media_type=media_type)
    assert f"Content-Type: {media_type}\r\n".encode() in frame(report_id=REPORT, file=file, boundary=BOUNDARY).head


def test_a_boundary_that_could_be_guessed_is_refused() -> None:
    """A short boundary, or one that needs quotes, is a mistake of the program."""
    for boundary in ("short", "with space in it and more", ""):
        with pytest.raises(ValueError):
            frame(report_id=REPORT, file=FilePart(name="a"), boundary=boundary)


def test_reprs_hide_names_and_digests() -> None:
    """What a file is called, and its digest, are in no repr."""
    file = FilePart(name="canary.jpg", md5="c" * 32, size=3)
    assert "canary" not in repr(file) + repr(frame(report_id=REPORT, file=file, boundary=BOUNDARY))
    assert "c" * 32 not in repr(file)

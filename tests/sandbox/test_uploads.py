"""Files on their way in: any cut of the stream gives the same file, and none of it stays in memory."""

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.sandbox import Behaviour, Ncmec
from cybertip.sandbox.bodies import Multipart
from cybertip.sandbox.uploads import Shelf

#: Bytes that look like the end of a part and are not.
HOSTILE = b"\r\n--synthetic-boundar\r\n--\r\n\r\n-synthetic-boundary--\r--\n--synthetic-boundary"


def received(boundary: str, *chunks: bytes) -> tuple[int, str, int, str | None, str | None]:
    """Read a form that arrives in chunks."""
    form = Multipart(boundary.encode(), Shelf(None))
    for chunk in chunks:
        form.feed(chunk)
    upload = form.upload()
    return form.id(), upload.md5, upload.size, upload.filename, upload.media_type


@pytest.mark.parametrize("file_first", [False, True])
def test_a_form_may_be_cut_anywhere(caller: Any, file_first: bool) -> None:
    """Where the network cuts a form makes no difference to what arrived, at any byte, nor if each comes alone."""
    body = caller.form(123, HOSTILE, filename="größe.bin", file_first=file_first)
    whole = received(caller.boundary, body)
    assert whole == (123, hashlib.md5(HOSTILE).hexdigest(), len(HOSTILE), "größe.bin", "image/png")
    for cut in range(1, len(body)):
        assert received(caller.boundary, body[:cut], body[cut:]) == whole
    assert received(caller.boundary, *(body[place : place + 1] for place in range(len(body)))) == whole


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 600), max_size=6))
def test_any_bytes_arrive_as_they_are(data: bytes, cuts: list[int]) -> None:
    """No byte is lost, added or changed, whatever the file holds; the MD5 and SHA-256 are those of the file."""
    body = (
        b'--x"x\r\nContent-Disposition: form-data; name=id\r\n\r\n7\r\n'
        b'--x"x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n' + data + b'\r\n--x"x--\r\n'
    )
    if b'\r\n--x"x' in data:
        return
    places = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    chunks = [body[start:end] for start, end in pairwise(places)]
    number, md5, size, name, kind = received('x"x', *chunks)
    assert (number, md5, size, name, kind) == (7, hashlib.md5(data).hexdigest(), len(data), "a", None)


def test_the_file_may_come_before_the_id(caller: Any) -> None:
    """A form has no order."""
    report_id = caller.opened()
    reply = caller.call("POST", "/upload", caller.form(report_id, b"abc", file_first=True), kind=caller.multipart)
    assert reply.values["hash"] == "900150983cd24fb0d6963f7d28e17f72"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: b"",
        lambda body: body[:-8],
        lambda body: body[: len(body) // 2],
        lambda body: body.replace(b'name="id"', b'name="other"'),
        lambda body: body.replace(b'name="file"', b'name="other"'),
        lambda body: body.replace(b'name="file"; filename="a.bin"', b'name="id"'),
        lambda body: body[: body.index(b'name="file"')] + b'name="id"\r\n\r\n1\r\n' + body[body.index(b"--synth") :],
        lambda body: body.replace(b"\r\n1\r\n", b"\r\none\r\n"),
        lambda body: body.replace(b"\r\n1\r\n", b"\r\n\r\n"),
        lambda body: body.replace(b"\r\n1\r\n", b"\r\n-1\r\n"),
        lambda body: body.replace(b"\r\n1\r\n", b"\r\n" + b"1" * 10_000 + b"\r\n"),
        lambda body: body.replace(b"\r\n1\r\n", "\r\n１\r\n".encode()),
        lambda body: body.replace(b"--synthetic-boundary\r\n", b"--synthetic-boundary\n"),
        lambda body: body.replace(b"Content-Type", b"Content\x00Type"),
    ],
)
def test_a_form_that_is_not_right_is_refused(caller: Any, spoil: Callable[[bytes], bytes]) -> None:
    """A form without its parts, with too many or cut short adds no file to any report, and is answered with 4000."""
    body = spoil(caller.form(1))
    assert caller.call("POST", "/upload", body, kind=caller.multipart).outcome == (400, 4000)


def test_a_form_with_two_files_is_refused(caller: Any) -> None:
    """An upload is of one file; which of two was meant is not guessed."""
    part = caller.form(1).partition(b'--synthetic-boundary\r\nContent-Disposition: form-data; name="file"')
    body = part[0] + (part[1] + part[2]).replace(b"--synthetic-boundary--\r\n", b"") * 2 + b"--synthetic-boundary--\r\n"
    reply = caller.call("POST", "/upload", body, kind=caller.multipart)
    assert (reply.outcome, reply.description) == ((400, 4000), "Part 'file' is present more than once")


@pytest.mark.parametrize("kind", [None, "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_an_upload_is_a_multipart_form_with_a_boundary(caller: Any, kind: str | None) -> None:
    """Anything else is refused before it is read."""
    assert caller.call("POST", "/upload", caller.form(1), kind=kind).outcome == (415, 4000)


@pytest.mark.parametrize("boundary", ["b" * 70, "b" * 5000])
def test_a_boundary_of_any_length_is_answered(caller: Any, boundary: str) -> None:
    """The longest boundary that RFC 2046 allows is understood, and what is longer is at least no crash."""
    body = caller.form(caller.opened()).replace(b"synthetic-boundary", boundary.encode())
    reply = caller.call("POST", "/upload", body, kind=f"multipart/form-data; boundary={boundary}")
    assert reply.code == 0 if len(boundary) == 70 else reply.code in (0, 4000)


def test_a_form_may_be_finished_in_either_encoding(caller: Any) -> None:
    """/finish and /retract take both encodings of a form."""
    body = b'--synthetic-boundary\r\nContent-Disposition: form-data; name="id"\r\n\r\n%d\r\n--synthetic-boundary--\r\n'
    for path in ("/finish", "/retract"):
        assert caller.call("POST", path, body % caller.opened(), kind=caller.multipart).code == 0
    assert caller.finish(f"{caller.opened()}&other=1").code == 0
    for wrong in ("", "x", "1&id=2", "1" * 10_000, "%FF"):
        assert caller.retract(wrong).code == 4000
    assert caller.call("POST", "/finish", b"id=1", kind="text/plain").outcome == (415, 4000)


def chunks(count: int) -> Iterator[bytes]:
    """Yield so many mebibytes, in chunks as a socket delivers them."""
    block = bytes(range(256)) * 256
    for _ in range(count * 16):
        yield block


@pytest.mark.parametrize("kept", [False, True])
def test_a_large_file_costs_no_memory(caller: Any, tmp_path: Path, kept: bool) -> None:
    """However large the upload, what it takes of memory is a chunk or two, kept or not."""
    ncmec = Ncmec(Behaviour(keep=tmp_path if kept else None))
    head, tail = caller.form(type(caller)(ncmec).opened(), b"|").split(b"|")
    tracemalloc.start()
    try:
        exchange = ncmec.begin("POST", "/ispws/upload", caller.basic() | {"Content-Type": caller.multipart})
        exchange.feed(head)
        for chunk in chunks(64):
            exchange.feed(chunk)
        exchange.feed(tail)
        assert exchange.end().status == 200
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()
    (file,) = ncmec.reports()[0]["files"]
    assert file["size"] == 64 * 1024 * 1024
    assert file["md5"] == hashlib.md5(b"".join(chunks(64))).hexdigest()


@pytest.mark.parametrize(
    ("path", "kind", "head"),
    [
        ("/submit", "text/xml", b"<report>"),
        ("/finish", "application/x-www-form-urlencoded", b"id=1"),
        ("/finish", "multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n1'),
        ("/finish", "multipart/form-data; boundary=x", b"--x\r\n"),
    ],
)
def test_what_is_too_large_costs_no_memory(calling: Callable[..., Any], path: str, kind: str, head: bytes) -> None:
    """A body without end is refused, wherever it does not end, and is not gathered meanwhile."""
    caller = calling(document_limit=100_000)
    exchange = caller.ncmec.begin("POST", f"/ispws{path}", caller.basic() | {"Content-Type": kind})
    tracemalloc.start()
    try:
        exchange.feed(head)
        for _ in range(1000):
            exchange.feed(b"1" * 16_384)
        assert exchange.end().status in (400, 413)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


def test_files_are_kept_where_a_folder_is_given(caller: Any, tmp_path: Path) -> None:
    """A kept file can be fetched, as bytes of no type; what did not become a file leaves nothing behind."""
    folder = tmp_path / "new" / "folder"
    keeping = type(caller)(Ncmec(Behaviour(keep=folder)))
    report_id = keeping.opened()
    file_id = keeping.uploaded(report_id, b"abc")
    assert keeping.upload(999_999_999).code == 5001
    exchange = keeping.ncmec.begin("POST", "/ispws/upload", caller.basic() | {"Content-Type": caller.multipart})
    exchange.feed(caller.form(report_id)[:-10])
    assert len(list(folder.iterdir())) == 2
    exchange.abort()
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == [
        f"{report_id}/{file_id}"
    ]
    answer = keeping.ncmec.handle("GET", f"/_sandbox/reports/{report_id}/files/{file_id}")
    assert answer.header("content-type") == "application/octet-stream"
    assert b"".join(answer.pieces(b"")) == b"abc"


@pytest.mark.parametrize("path", ["1/files/a", "x/files/a", "../files/a", "1/files/..%2f..%2fetc"])
def test_no_path_leads_out_of_the_folder(caller: Any, tmp_path: Path, path: str) -> None:
    """Only files that were uploaded can be fetched, whatever is asked for."""
    keeping = type(caller)(Ncmec(Behaviour(keep=tmp_path)))
    assert keeping.ncmec.handle("GET", f"/_sandbox/reports/{path}").status == 404

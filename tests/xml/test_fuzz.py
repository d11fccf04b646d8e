"""Whatever bytes come, the reader answers with a document or with its own error.

The seeds in `tests/seeds` were made by hand. `fuzz/reader.py` starts from them as well, for as long as it is let.
"""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from cybertip import InvalidReport, read, write
from cybertip.testing import strategies
from cybertip.xml import schema

SEEDS = sorted((Path(__file__).parents[1] / "seeds").iterdir())
CONTENTS = [seed.read_bytes() for seed in SEEDS]
READ = {"report.xml", "file-details.xml", "answer.xml", "receipt.xml", "utf-16.xml"}

#: What is put into a document to break it; some of it is what other documents are made of.
_PIECES = [
    *[b"<", b">", b"/>", b"</", b"&", b";", b"&#0;", b"&#x10FFFF;", b"&e;", b'"', b"'", b"=", b"<!--", b"-->"],
    *[
        b"<?",
        b"?>",
        b"<![CDATA[",
        b"]]>",
        b"<!DOCTYPE a [",
        b"<!ENTITY e 'x'>",
        b"]>",
        b"xmlns='a'",
        b"xsi:type='phone'",
    ],
    *[
        b"\x00",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xc2\xa0",
        b"\xd9\xa1",
        b" ",
        b"\n",
        b"\r",
        b"\t",
    ],
    *[b"1", b"-", b"+", b"T24:00:00Z", b"+14:00", b"+13:99", b"NaN", b"9" * 20, b"<viral/>", b"<report>", b"</report>"],
    *[b"<fileId>", b"</fileId>", b"<victim/>", b' type="Home"'],
]


def survives(data: bytes) -> None:
    """Read bytes; what was read can be written and read again."""
    with contextlib.suppress(InvalidReport):
        document = read(data)
        assert read(write(document, edition="2026-08")) == document
    schema.validate(data)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_every_seed_is_read_or_refused(seed: Path) -> None:
    """Each of the kept documents ends as it is known to: a few are read, and all others are refused."""
    survives(seed.read_bytes())
    with contextlib.nullcontext() if seed.name in READ else pytest.raises(InvalidReport):
        read(seed.read_bytes())


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Generate bytes that were a document before they were cut, doubled, filled and turned."""
    documents: st.SearchStrategy[Any] = strategies.documents(edition="2026-08")
    data = draw(st.sampled_from(CONTENTS) | documents.map(lambda document: write(document, edition="2026-08")))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        piece = draw(st.sampled_from([b"", data[start:end] * 2, *_PIECES]) | st.binary(max_size=4))
        data = data[:start] + piece + data[end:]
    return data


@settings(max_examples=300)
@given(data=broken())
@example(data=b"")
def test_broken_documents_raise_the_readers_own_error_only(data: bytes) -> None:
    """Bytes that were a document once are read or refused, and nothing else happens."""
    survives(data)


@settings(max_examples=50)
@given(data=st.binary())
def test_any_bytes_raise_the_readers_own_error_only(data: bytes) -> None:
    """Bytes that never were a document are refused, and nothing else happens."""
    survives(data)

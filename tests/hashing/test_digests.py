"""Digests are those of the bytes, however the bytes come."""

import hashlib
import io
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from cybertip.hashing.digests import Digests, digest, digest_many
from cybertip.hashing.together import each
from cybertip.hashing.values import MD5, PDQ, SHA1, SHA256, HashType, MediaHash, NotChecked, Variant, worst


def _expected(data: bytes) -> Digests:
    return Digests(
        size=len(data),
        md5=hashlib.md5(data).hexdigest(),
        sha1=hashlib.sha1(data).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )


@given(blocks=st.lists(st.binary(max_size=700)))
def test_the_way_bytes_come_makes_no_difference(blocks: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytes, blocks of them, an open file and a path have the digests of the whole."""
    data = b"".join(blocks)
    path = tmp_path_factory.getbasetemp() / "some.bin"
    path.write_bytes(data)
    assert digest(data) == digest(blocks) == digest(path) == digest(io.BytesIO(data)) == _expected(data)
    assert digest(bytearray(data)) == digest(memoryview(data)) == _expected(data)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3 * 256 * 1024 + 7])
def test_no_byte_is_lost_between_blocks(size: int, tmp_path: Path) -> None:
    """A file of any size is digested to its last byte and none twice."""
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    path = tmp_path / "some.bin"
    path.write_bytes(data)
    assert digest(path) == digest(data) == digest(io.BytesIO(data)) == _expected(data)


def test_an_open_file_is_digested_from_where_it_stands() -> None:
    """What was read before is not digested, and the file stays open."""
    file = io.BytesIO(b"beforeafter")
    file.seek(6)
    assert digest(file) == _expected(b"after")
    assert not file.closed


def test_each_of_many_has_its_answer(tmp_path: Path) -> None:
    """Answers come in the order of the files, with an error for one that cannot be read, and progress after each."""
    paths = [tmp_path / f"{number}.bin" for number in range(20)]
    for number, path in enumerate(paths):
        if number != 7:
            path.write_bytes(bytes([number]) * number)
    done: list[int] = []
    found = list(digest_many(paths, threads=3, progress=done.append))
    assert isinstance(found[7], FileNotFoundError)
    assert [one for number, one in enumerate(found) if number != 7] == [
        _expected(bytes([number]) * number) for number in range(20) if number != 7
    ]
    assert done == list(range(1, 21))


def test_a_name_that_no_file_can_have_is_that_of_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It comes from a stranger like any other, and keeps none of the others waiting."""
    known = tmp_path / "known"
    known.write_bytes(b"synthetic")
    *bad, good = digest_many([tmp_path / "a\0b", tmp_path / "\ud800", known])
    assert [type(one) for one in bad] == [OSError, OSError]
    assert "a\0b" not in repr(bad)
    assert good == _expected(b"synthetic")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_an_endless_number_of_items_is_taken_a_few_at_a_time(threads: int) -> None:
    """No more items are taken ahead than twice the threads; whoever stops early leaves the rest untouched."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            taken.append(number)
            yield number

    answers = each(lambda item: item * item, items(), threads=threads)
    assert [next(answers) for _ in range(10)] == [number * number for number in range(10)]
    assert len(taken) <= 10 + 2 * threads
    answers.close()
    assert len(taken) <= 10 + 2 * threads


def test_work_is_done_in_threads_at_the_same_time() -> None:
    """Two items are worked on at once: each waits here until the other has begun."""
    together = threading.Barrier(2, timeout=30)
    assert len(list(each(lambda _: together.wait(), range(4), threads=2))) == 4


def test_a_failure_of_the_work_reaches_the_caller() -> None:
    """An exception is raised where the answer would have come, after the answers before it."""
    answers = each(lambda item: 1 // item, [1, 1, 0, 1], threads=2)
    assert [next(answers), next(answers)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(answers)


def test_no_repr_shows_a_hash() -> None:
    """Hashes of known material are not for logs."""
    digests = digest(b"synthetic")
    assert digests.md5 not in repr(digests)
    assert digests.sha256 not in repr(digests)
    assert all(one.value not in repr(one) for one in digests.hashes)
    assert [one.type for one in digests.hashes] == [MD5, SHA1, SHA256]


@given(value=st.text("0123456789abcdefABCDEF", min_size=64, max_size=64))
def test_hexadecimal_hashes_have_one_spelling(value: str) -> None:
    """Upper and lower case are the same hash."""
    assert MediaHash(type=PDQ, value=value) == MediaHash(type=PDQ, value=value.lower())
    assert MediaHash(type=SHA256, value=value.upper()).value == value.lower()


@pytest.mark.parametrize("value", ["", "0" * 31, "0" * 33, "g" * 32, "0" * 31 + " ", "٠" * 32, "0" * 32 + "\n"])
def test_what_is_no_hash_is_refused_and_not_quoted(value: str) -> None:
    """A value of the wrong length or with other signs is no MD5, and the message does not repeat it."""
    with pytest.raises(ValueError, match="32 hexadecimal digits") as refused:
        MediaHash(type=MD5, value=value)
    assert not value or value not in str(refused.value)


def test_a_kind_that_nobody_knows_keeps_its_spelling() -> None:
    """Lists have kinds of hashes that this program does not know, and their values stay as they are."""
    assert MediaHash(type=HashType("netclean"), value="AbC=").value == "AbC="
    assert MediaHash(type=PDQ, value="0" * 64).variant is Variant.ORIGINAL


def test_the_worst_reason_leaves_the_least_known() -> None:
    """What was not seen at all outweighs what was seen and found wanting."""
    assert worst(NotChecked.LOW_QUALITY) is NotChecked.LOW_QUALITY
    assert worst(NotChecked.LOW_QUALITY, NotChecked.UNAVAILABLE, NotChecked.UNDECODABLE) is NotChecked.UNAVAILABLE
    assert worst(NotChecked.FIRST_FRAME_ONLY, NotChecked.TOO_SMALL) is NotChecked.FIRST_FRAME_ONLY

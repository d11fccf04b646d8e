"""Lists in files are read whole, or not at all, and their bad lines are named by their numbers."""

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.hashing.listing import Listed, UnreadableList, read_hashes, read_table
from cybertip.hashing.values import MD5, PDQ, PHOTODNA, SHA1, SHA256, HashType, MediaHash


def md5(digit: str) -> MediaHash:
    return MediaHash(type=MD5, value=digit * 32)


def test_a_hash_a_line_is_read() -> None:
    """As it is, in either case, with comments and empty lines, or as md5sum and sha1sum write it; twice is once."""
    found = read_hashes(f"# a comment {'0' * 32}\n\n{'A' * 32}\r\n  {'a' * 32}  a name.png\n{'b' * 40} *x\n")
    assert [one.hashes for one in found] == [(md5("a"),), (MediaHash(type=SHA1, value="b" * 40),)]


@pytest.mark.parametrize("kind", [SHA256, PDQ])
def test_of_64_digits_the_kind_has_to_be_said(kind: HashType) -> None:
    """SHA-256 and PDQ look alike, and the one would never be found as the other."""
    with pytest.raises(UnreadableList, match="line 1: is SHA-256 or PDQ: say which"):
        read_hashes("a" * 64)
    ((one,),) = (found.hashes for found in read_hashes("a" * 64, kind=kind))
    assert one.type == kind


def test_bad_lines_are_named_by_their_numbers() -> None:
    """All of them, each with its reason, and none with what stands in it."""
    text = f"{'a' * 32}\n\ncanary\n{'a' * 31}\n{'g' * 32}\n{'a' * 64}\n"
    with pytest.raises(UnreadableList) as raised:
        read_hashes(text)
    assert [line.number for line in raised.value.lines] == [3, 4, 5, 6]
    assert not re.search("canary|aaaa|gggg", f"{raised.value} {raised.value!r}")
    with pytest.raises(UnreadableList) as raised:
        read_hashes(f"{'a' * 32}\n{'a' * 40}", kind=SHA1)
    assert [line.number for line in raised.value.lines] == [1]


def test_names_of_entries_stay_and_tell_nothing() -> None:
    """The same hash has the same name in each import, and the name is not the hash, nor a part of it."""
    (first,), (second, _) = read_hashes("a" * 32), read_hashes(f"{'A' * 32}\n{'c' * 32}")
    assert first == second
    assert "aaaa" not in first.entry


def test_a_table_is_read() -> None:
    """Columns in any order, hashes of several kinds, entries over several lines, cells in quotes."""
    text = (
        "\ufeffID, PDNA ,md5,Member,classification\r\n"
        f'image1,"1,2,3",{"A" * 32},42,A1\r\n'
        f"image1,,{'b' * 32},42,\r\n"
        ",,,,\r\n"
        f"image1,,{'b' * 32},43,B2\r\n"
        f",,{'c' * 32},,\r\n"
    )
    first, second, third = read_table(text)
    photodna = MediaHash(type=PHOTODNA, value="1,2,3")
    assert first.hashes == (photodna, md5("a"), md5("b"))
    assert (first.entry, first.member, first.classification) == ("image1", "42", "A1")
    assert (second.entry, second.member, second.classification, second.hashes) == ("image1", "43", "B2", (md5("b"),))
    assert third == Listed(entry=third.entry, hashes=(md5("c"),))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", "line 1: no column is of a kind of hash"),
        ("a" * 32, "line 1: the heading of column 1 is not known; known are entry, id, member"),
        ("md5,canary\n", "line 1: the heading of column 2 is not known"),
        ("md5,MD5\n", "line 1: two columns have the same heading"),
        ("pdna,photodna\n", "line 1: two columns have the same heading"),
        ("id,member\n", "line 1: no column is of a kind of hash"),
        (f"md5,id\n{'a' * 32},x\n,y\nzz,canary\n{'a' * 32}\n", "line 3: has no hash\nline 4: a hash of type md5 is 32"),
        (f"md5\n{'a' * 32},{'b' * 32}\n", "line 2: has 2 fields, and the heading has 1"),
        (f'md5,id\n{"a" * 32},"x"y\n{"a" * 32},z\n', "line 2: is not CSV"),
        (f"md5,id,classification\n{'a' * 32},x,A1\n{'b' * 32},x,B2\n", "line 3: has another classification"),
    ],
)
def test_a_table_with_bad_lines_is_not_read(text: str, lines: str) -> None:
    """Each is named by its number; what stands in it is not."""
    with pytest.raises(UnreadableList) as raised:
        read_table(text)
    assert str(raised.value).startswith(lines)
    assert not re.search("canary|aaaa|bbbb|zz", str(raised.value))


ENTRIES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=4),
    st.lists(st.integers(0, 2**128 - 1), min_size=1, max_size=3, unique=True),
    max_size=5,
)


@given(entries=ENTRIES)
def test_what_was_written_is_read(entries: dict[str, list[int]]) -> None:
    """Whatever entries are called: a table that a spreadsheet or program wrote has the same entries when it is read."""
    file = io.StringIO()
    writer: Any = csv.writer(file)
    writer.writerow(["md5", "entry"])
    writer.writerows([f"{one:032X}", name] for name, some in entries.items() for one in some)
    found = {one.entry: [hash.value for hash in one.hashes] for one in read_table(file.getvalue())}
    assert found == {name: [f"{one:032x}" for one in some] for name, some in entries.items()}

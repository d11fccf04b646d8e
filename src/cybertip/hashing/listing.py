"""Lists of hashes in files: one hash a line, or a table in CSV. A list with a line that cannot be read is not read at all.

```csv
entry,md5,pdq,classification
image1,d41d8cd98f00b204e9800998ecf8427e,,A1
```
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from cybertip.hashing.values import MD5, PDQ, PHOTODNA, SHA1, SHA256, HashType, MediaHash

__all__ = ["KINDS", "BadLine", "Listed", "UnreadableList", "read_hashes", "read_table"]

#: What a hash can be told by, where nobody says of which kind it is. 64 digits are SHA-256 or PDQ: that has to be said.
_BY_LENGTH: Final = {32: MD5, 40: SHA1}

#: The kinds of hashes that a list in a file can have, by what they may be called there.
KINDS: Final = {str(kind): kind for kind in (MD5, SHA1, SHA256, PDQ, PHOTODNA)} | {"pdna": PHOTODNA}
_ABOUT: Final = {"entry": "entry", "id": "entry", "member": "member", "classification": "classification"}


@attrs.frozen(kw_only=True)
class Listed:
    """An entry of a list: something known, and its hashes."""

    entry: str
    member: str | None = None
    classification: str | None = None
    hashes: tuple[MediaHash, ...]


@attrs.frozen(kw_only=True)
class BadLine:
    """A line that cannot be read, by its number, and why. What stands in it is not said: hashes are not for logs."""

    number: int
    why: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.why}"


class UnreadableList(ValueError):
    """A list has lines that cannot be read; `lines` are all of them."""

    def __init__(self, lines: Sequence[BadLine]) -> None:
        super().__init__(tuple(lines))
        self.lines = tuple(lines)

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines))


def read_hashes(text: str, *, kind: HashType | None = None) -> tuple[Listed, ...]:
    """Read a list with a hash in each line, as it is or as `md5sum` writes it: what stands after the hash is left out.

    Empty lines, and those that begin with #, are passed over. A hash that stands there twice is one entry, which is called
    after a digest of it, so that the same list makes the same entries each time.

    Args:
        text: the list.
        kind: of all the hashes; else MD5 and SHA-1 are told apart by their lengths.

    Raises:
        UnreadableList: some line is no hash.

    >>> [one.hashes[0].type for one in read_hashes("# ours\\n" + "A" * 32 + "\\n" + "b" * 40 + "  some file")]
    ['md5', 'sha1']
    """
    found: dict[str, Listed] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        value, *_ = line.split() or [""]
        if not value or value.startswith("#"):
            continue
        try:
            hashes = (_hash(value, kind),)
        except ValueError as error:
            bad.append(BadLine(number=number, why=str(error)))
            continue
        found.setdefault(_named(hashes), Listed(entry=_named(hashes), hashes=hashes))
    if bad:
        raise UnreadableList(bad)
    return tuple(found.values())


def read_table(text: str) -> tuple[Listed, ...]:
    """Read a table in CSV whose first line names its columns: kinds of hashes, and `entry`, `member`, `classification`.

    Lines of the same entry and member are one entry with the hashes of all of them. An entry without a name is called after
    a digest of its hashes.

    Raises:
        UnreadableList: a column is not known, or some line has no hash, or something that is none.
    """
    rows = _Rows(text)
    try:
        columns = _columns(next(rows, (1, []))[1])
    except ValueError as error:
        raise UnreadableList([BadLine(number=1, why=str(error))]) from None
    found: dict[tuple[str | None, str], Listed] = {}
    for number, row in rows:
        try:
            one = _listed(columns, row)
            key = (one.member, one.entry)
            found[key] = _together(found[key], one) if key in found else one
        except ValueError as error:
            rows.bad.append(BadLine(number=number, why=str(error)))
    if rows.bad:
        raise UnreadableList(sorted(rows.bad, key=lambda line: line.number))
    return tuple(found.values())


class _Rows(Iterator[tuple[int, list[str]]]):
    """The rows of a table that are not empty, with the numbers of their last lines; those that are no CSV are put aside."""

    def __init__(self, text: str) -> None:
        self._rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        self.bad: list[BadLine] = []

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            try:
                row = next(self._rows)
            except csv.Error:
                self.bad.append(BadLine(number=self._rows.line_num, why="is not CSV"))
                continue
            if any(cell.strip() for cell in row):
                return self._rows.line_num, row


def _columns(heading: Sequence[str]) -> list[str | HashType]:
    """Return what each column is. A name that is not known is not repeated: without a heading it is a hash."""
    names = [cell.strip().lower().removeprefix("\ufeff") for cell in heading]
    known: dict[str, str | HashType] = {**_ABOUT, **KINDS}
    for number, name in enumerate(names, start=1):
        if name not in known:
            choices = ", ".join(known)
            raise ValueError(f"the heading of column {number} is not known; known are {choices}")
    columns = [known[name] for name in names]
    if len(set(columns)) < len(columns):
        raise ValueError("two columns have the same heading")
    if not set(columns) & set(KINDS.values()):
        raise ValueError("no column is of a kind of hash")
    return columns


def _listed(columns: Sequence[str | HashType], row: Sequence[str]) -> Listed:
    if len(row) != len(columns):
        raise ValueError(f"has {len(row)} fields, and the heading has {len(columns)}")
    cells = {column: cell.strip() for column, cell in zip(columns, row, strict=True) if cell.strip()}
    hashes = tuple(_hash(value, HashType(kind)) for kind, value in cells.items() if kind in KINDS.values())
    if not hashes:
        raise ValueError("has no hash")
    return Listed(
        entry=cells.get("entry") or _named(hashes),
        member=cells.get("member"),
        classification=cells.get("classification"),
        hashes=hashes,
    )


def _together(one: Listed, other: Listed) -> Listed:
    """Return two lines of the same entry as one."""
    words = {one.classification, other.classification} - {None}
    if len(words) > 1:
        raise ValueError("has another classification than an earlier line of the same entry")
    hashes = tuple(dict.fromkeys((*one.hashes, *other.hashes)))
    return attrs.evolve(one, classification=next(iter(words), None), hashes=hashes)


def _hash(value: str, kind: HashType | None) -> MediaHash:
    known = kind or _BY_LENGTH.get(len(value))
    if known is None and len(value) == 64:
        raise ValueError("is SHA-256 or PDQ: say which")
    if known is None:
        raise ValueError("is no hash whose kind can be told")
    return MediaHash(type=known, value=value)


def _named(hashes: Sequence[MediaHash]) -> str:
    """Return a name for what has none. It tells nothing of the hashes, for matches are logged by it."""
    text = "\n".join(sorted(f"{one.type}:{one.value}" for one in hashes))
    return hashlib.sha256(text.encode()).hexdigest()[:20]

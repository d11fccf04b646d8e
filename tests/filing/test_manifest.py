"""What is filed is frozen and digested: the same filing has the same digest, and any other has another."""

import json
import random
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, strategies as st

from cybertip.errors import InvalidReport
from cybertip.filing import FileEntry, Filing
from cybertip.filing.manifest import canonical, digest_of
from cybertip.model import Edition, FileDescription
from cybertip.testing import strategies
from cybertip.xml import write

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """Return an equal value whose objects have their keys in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(one, chance)) for key, one in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


@given(value=VALUES, chance=st.randoms())
def test_a_value_has_one_spelling(value: Any, chance: random.Random) -> None:
    """However a value came about, it is spelled in one way: ASCII, without white space, and read back as it was."""
    text = canonical(value)
    assert canonical(shuffled(value, chance)) == text
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text
    assert text.isascii()
    assert len(digest_of(text)) == 64


@given(one=VALUES, other=VALUES)
def test_different_values_have_different_spellings(one: Any, other: Any) -> None:
    """Two values that JSON tells apart are spelled differently, so that a digest stands for one of them only."""
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]], ids=str)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    """A number that other readers of a journal could not read is in none."""
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


@given(data=st.data())
def test_a_filing_survives_its_record(kit: Any, data: st.DataObject) -> None:
    """A filing that was recorded is the same filing when it is read, with the same digest and the same document."""
    filing = data.draw(kit.filings())
    read = Filing.from_json(json.loads(canonical(filing.as_json())))
    assert read == filing
    assert read.digest == filing.digest
    assert write(read.report, edition=Edition.V2026_08) == write(filing.report, edition=Edition.V2026_08)


@given(data=st.data())
def test_a_filing_with_another_report_is_another_filing(kit: Any, data: st.DataObject) -> None:
    """Two reports of which NCMEC would see different documents have different digests."""
    filing, report = data.draw(kit.filings()), data.draw(strategies.reports())
    assume(write(report) != write(filing.report))
    assert attrs.evolve(filing, report=report).digest != filing.digest


#: For each part of a file's entry, another one.
CHANGES: dict[str, Any] = {
    "evidence": lambda entry: entry.evidence + "x",
    "name": lambda entry: "x" + entry.name,
    "media_type": lambda entry: entry.media_type + "x",
    "size": lambda entry: entry.size + 1,
    "sha256": lambda entry: entry.sha256[1:] + ("1" if entry.sha256[0] == "0" else "0"),
    "md5": lambda entry: entry.md5[:-1] + ("1" if entry.md5[-1] == "0" else "0"),
    "description": lambda entry: None if entry.description is not None else FileDescription(),
}


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(FileEntry)])
@given(data=st.data())
def test_any_change_of_a_file_makes_another_filing(kit: Any, field: str, data: st.DataObject) -> None:
    """Whatever is changed of a file, of its bytes or of what is said of it, the filing is another one."""
    entry = data.draw(kit.file_entries())
    filing = Filing(report=kit.report(), files=(entry,))
    changed = attrs.evolve(entry, **{field: CHANGES[field](entry)})
    assume(changed != entry)
    assert attrs.evolve(filing, files=(changed,)).digest != filing.digest


@given(data=st.data())
def test_any_change_of_what_is_said_of_a_file_makes_another_filing(kit: Any, data: st.DataObject) -> None:
    """Two descriptions of one file of which NCMEC would see different documents make two filings."""
    both = [data.draw(strategies.file_descriptions()) for _ in range(2)]
    documents = [write(one.named(report_id=kit.REPORT_ID, file_id=kit.FILE_ID)) for one in both]
    assume(documents[0] != documents[1])
    entries = [attrs.evolve(kit.entry(), description=one) for one in both]
    assert (
        Filing(report=kit.report(), files=(entries[0],)).digest
        != Filing(report=kit.report(), files=(entries[1],)).digest
    )


def test_files_that_are_added_left_out_or_moved_make_another_filing(kit: Any) -> None:
    """Which files there are, and in which order, belongs to the filing; so does the edition that it is written in."""
    filing = kit.filing(False, True)
    first, second = filing.files
    others = [
        attrs.evolve(filing, files=files)
        for files in [(), (first,), (second,), (second, first), (first, first, second)]
    ]
    others.append(attrs.evolve(filing, edition=Edition.V2026_08))
    assert len({one.digest for one in [filing, *others]}) == 7


@given(sizes=st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_files_without_bytes_are_refused(kit: Any, sizes: list[int]) -> None:
    """A file without bytes cannot be sent: a filing names each such file, and cannot be made."""
    files = tuple(attrs.evolve(kit.entry(number), size=size) for number, size in enumerate(sizes))
    empty = [f"files[{number}]" for number, size in enumerate(sizes) if size == 0]
    if not empty:
        assert Filing(report=kit.report(), files=files).files == files
        return
    with pytest.raises(InvalidReport) as caught:
        Filing(report=kit.report(), files=files)
    assert [(one.path, one.rule) for one in caught.value.violations] == [(path, "empty-file") for path in empty]


def test_nothing_sensitive_is_in_a_repr(kit: Any) -> None:
    """Names of files, where they are kept, and what a report says are in no repr of a filing."""
    entry = attrs.evolve(
        kit.entry(),
        evidence="canary/1",
        name="canary.png",
        description=FileDescription(original_file_name="canary.bmp", additional_infos=("canary",)),
    )
    filing = Filing(report=kit.report("canary"), files=(entry,))
    assert "canary" in canonical(filing.as_json())
    assert "canary" not in repr(filing)

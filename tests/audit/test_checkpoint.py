"""A checkpoint is as it was written, signed by whom it must be, or refused."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from cybertip.adapters.signing.ed25519 import Ed25519Signer, Ed25519Verifier, generate
from cybertip.audit import Checkpoint
from cybertip.errors import InvalidCheckpoint
from cybertip.filing.checkpoint import Draft, Mark, Signer, check, marks
from cybertip.filing.manifest import canonical

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [generate() for _ in range(3)]
SIGNERS = [Ed25519Signer.from_pem(private) for private, _ in KEYS]
VERIFIERS = [Ed25519Verifier.from_pem(public) for _, public in KEYS]

keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
lists_of_marks = st.dictionaries(
    keys, st.tuples(st.integers(1, 2**62), st.text("0123456789abcdef", min_size=64, max_size=64)), max_size=6
).map(lambda known: [Mark(key=key, version=version, digest=digest) for key, (version, digest) in sorted(known.items())])


def written(given: list[Mark], *signers: Signer, previous: str | None = None) -> bytes:
    draft = Draft(taken_at=NOW, previous=previous)
    lines = [draft.begin(), *map(draft.add, given), draft.end(), *map(draft.signed, signers)]
    return b"".join(lines)


def some(count: int = 3) -> list[Mark]:
    return [Mark(key=f"case-{number}", version=number + 1, digest=f"{number}" * 64) for number in range(count)]


def lines(document: bytes) -> Iterator[bytes]:
    return iter(document.splitlines(keepends=True))


@given(given=lists_of_marks, previous=st.none() | st.just("5f" * 32))
def test_what_is_written_is_read_back(given: list[Mark], previous: str | None) -> None:
    """Every key comes back as it was, in its order, with the count, the root and the time."""
    document = written(given, SIGNERS[0], previous=previous)
    assert list(marks(lines(document))) == given
    seal = check(lines(document), trusted=VERIFIERS[:1])
    assert (seal.count, seal.previous, seal.taken_at) == (len(given), previous, NOW)
    assert [one.key_id for one in seal.signatures] == [SIGNERS[0].key_id]


def test_one_state_has_one_document() -> None:
    """The same journals at the same time give the same bytes, wherever the clock hangs."""
    draft = Draft(taken_at=NOW.astimezone(timezone(timedelta(hours=5))))
    assert b"".join([draft.begin(), *map(draft.add, some()), draft.end()]) == written(some())


@given(data=st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    """Wherever a byte of an unsigned checkpoint is another, is missing or is too many, the document is refused."""
    document = written(some())
    at = data.draw(st.integers(0, len(document) - 1))
    changed = data.draw(
        st.sampled_from(
            (
                document[:at] + bytes([document[at] ^ (1 << at % 8)]) + document[at + 1 :],
                document[:at] + document[at + 1 :],
                document[:at] + b" " + document[at:],
            )
        )
    )
    with pytest.raises(InvalidCheckpoint):
        check(lines(changed))


def test_it_cannot_be_cut() -> None:
    """Wherever it ends too early, a checkpoint is refused; so is one of which nothing is left."""
    document = written(some())
    for end in range(len(document)):
        with pytest.raises(InvalidCheckpoint):
            check(lines(document[:end]))


@given(data=st.data())
def test_no_line_can_be_moved(data: st.DataObject) -> None:
    """Lines that are missing, doubled or in another order make another document, and that has another root."""
    whole = list(lines(written(some())))
    changed = data.draw(st.lists(st.sampled_from(whole), max_size=6).filter(lambda drawn: drawn != whole))
    with pytest.raises(InvalidCheckpoint):
        check(changed)


def test_keys_come_in_order_and_once() -> None:
    """A checkpoint that has a key twice, or keys in disorder, is none, whatever its root: it could not be compared."""
    one, two, three = some()
    for disorder in ([two, one, three], [one, one, two]):
        with pytest.raises(InvalidCheckpoint, match="line 3 is out of order"):
            check(lines(written(disorder)))


def test_a_new_root_does_not_carry_the_old_signature() -> None:
    """A forger can compute a root; without the private key nobody who trusts it believes the document."""
    signature = written(some(), SIGNERS[0]).splitlines(keepends=True)[-1]
    forged = written(some(2)) + signature
    assert check(lines(forged)).count == 2
    with pytest.raises(InvalidCheckpoint, match="does not match"):
        check(lines(forged), trusted=VERIFIERS)


def test_somebody_who_is_trusted_must_have_signed() -> None:
    """No signature, or others' alone, is none: taking the signature away helps no forger."""
    for document in (written(some()), written(some(), SIGNERS[1])):
        with pytest.raises(InvalidCheckpoint, match="trusted"):
            check(lines(document), trusted=VERIFIERS[:1])


def test_keys_may_be_changed() -> None:
    """While two keys are in use both sign, and whoever has either public key can check."""
    document = written(some(), *SIGNERS[:2])
    for trusted in (VERIFIERS[:1], VERIFIERS[1:2], VERIFIERS[1:], VERIFIERS):
        assert check(lines(document), trusted=trusted).count == 3
    with pytest.raises(InvalidCheckpoint):
        check(lines(document), trusted=VERIFIERS[2:])


def test_one_wrong_signature_is_enough() -> None:
    """A false signature in the name of a trusted key is no accident, whatever else has been signed."""
    value = base64.b64encode(SIGNERS[2].sign(b"something else")).decode()
    false = {"algorithm": "Ed25519", "key": VERIFIERS[0].key_id, "signature": value}
    document = written(some(), SIGNERS[1]) + f"{canonical(false)}\n".encode()
    assert check(lines(document), trusted=VERIFIERS[1:2]).count == 3
    with pytest.raises(InvalidCheckpoint, match="does not match"):
        check(lines(document), trusted=VERIFIERS[:2])


HEADER = {"checkpoint": 1, "previous": None, "taken_at": NOW.isoformat()}


@pytest.mark.parametrize(
    ("first", "what"),
    [
        (HEADER | {"checkpoint": 2}, "a newer one wrote it"),
        (HEADER | {"taken_at": "yesterday"}, "no time"),
        (HEADER | {"taken_at": "2026-01-01T00:00:00"}, "begins"),
        (HEADER | {"previous": 1}, "begins"),
        (HEADER | {"more": 1}, "begins"),
        ({"digest": "0" * 64, "key": "a", "version": 1}, "begins"),
        ([1], "no canonical JSON object"),
    ],
)
def test_what_begins_otherwise_is_refused(first: object, what: str) -> None:
    """A newer form, a time without a zone, or some other document: the error says which."""
    with pytest.raises(InvalidCheckpoint, match=what):
        check([f"{canonical(first)}\n".encode()])


@pytest.mark.parametrize(
    "line",
    [
        b'{"digest":"0","key":"a","version":0}\n',
        b'{"digest":"0","key":"a","version":-1}\n',
        b'{"digest":"0","key":"a","version":"1"}\n',
        b'{"digest":"0","key":1,"version":1}\n',
        b'{"digest":"0","key":"a"}\n',
        b'{"digest":"0","key":"a","more":1,"version":1}\n',
        b'{"key":"a","digest":"0","version":1}\n',
        b'{"digest": "0", "key": "a", "version": 1}\n',
        b'{"digest":"0","key":"a","version":1}\r\n',
        b'{"digest":"0","key":"a","version":NaN}\n',
        b'{"digest":"0","key":"a","key":"b","version":1}\n',
        b'{"digest":"0","key":"a","version":' + b"9" * 5000 + b"}\n",
        b"[" * 50_000 + b"\n",
        b"\n",
        b"\xff\n",
    ],
    ids=lambda line: repr(line[:30]),
)
def test_what_is_no_mark_is_refused(line: bytes) -> None:
    """Nonsense in a line, and what could be read in two ways, is refused with the line's number."""
    with pytest.raises(InvalidCheckpoint, match="line 2 "):
        check([f"{canonical(HEADER)}\n".encode(), line])


def test_a_signature_must_look_like_one() -> None:
    """What follows upon the root is signatures, and nothing else."""
    for more in ({"algorithm": "Ed25519", "key": "a", "signature": "%"}, {"digest": "0", "key": "b", "version": 1}):
        with pytest.raises(InvalidCheckpoint, match="line 6 is no signature"):
            check(lines(written(some()) + f"{canonical(more)}\n".encode()))


def test_no_line_fills_the_memory(tmp_path: Path) -> None:
    """A file that is one endless line is refused after its first part."""
    path = tmp_path / "endless"
    with path.open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(InvalidCheckpoint, match="line 1 "):
        Checkpoint(path)


def test_it_must_not_change_while_it_is_compared(tmp_path: Path) -> None:
    """The marks that are compared are those whose root and signature were checked."""
    path = tmp_path / "checkpoint"
    path.write_bytes(written(some(), SIGNERS[0]))
    checkpoint = Checkpoint(path, trusted=VERIFIERS)
    assert list(checkpoint.marks()) == some()
    path.write_bytes(written(some(2)))
    with pytest.raises(InvalidCheckpoint, match="replaced"):
        list(checkpoint.marks())


def test_checkpoints_chain() -> None:
    """Each names the root of the one before it, and its own root depends on that."""
    first = check(lines(written(some())))
    second = check(lines(written(some(), previous=first.root)))
    assert second.previous == first.root
    assert second.root != first.root


def test_the_root_can_be_computed_without_us() -> None:
    """The root is the SHA-256 of the bytes before its line: any tool will do."""
    import hashlib

    *before, last = lines(written(some()))
    assert json.loads(last)["root"] == hashlib.sha256(b"".join(before)).hexdigest()

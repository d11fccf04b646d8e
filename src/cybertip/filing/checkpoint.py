"""A checkpoint: where every journal stood at one time, as a document that is kept elsewhere and can be signed.

A journal's chain cannot show that its end was cut off, that all of it was written anew, or that it is missing. A checkpoint
can: it holds version and digest of every journal's last entry. It is lines of canonical JSON, so that a million journals
are written and read with no more memory than one:

```
{"checkpoint":1,"previous":null,"taken_at":"2026-01-01T00:00:00+00:00"}
{"digest":"5f70bf18...","key":"decision-1","version":14}                  one for each journal, in the order of the keys
{"checkpoint":1,"count":1,"root":"9c56cc51..."}                           SHA-256 of all the bytes before this line
{"algorithm":"Ed25519","key":"87b2a1...","signature":"..."}               of the line with the root; as many as wanted
```

A checkpoint names the root of the one before it, where there was one: so checkpoints chain as entries do.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Generator, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import attrs

from cybertip.errors import InvalidCheckpoint
from cybertip.filing.manifest import canonical

__all__ = ["Draft", "Mark", "Seal", "Signature", "Signer", "Verifier", "check", "marks"]

_FORMAT = 1


@attrs.frozen(kw_only=True)
class Mark:
    """Where one journal stood: the version and the digest of its last entry."""

    key: str
    version: int
    digest: str


@attrs.frozen(kw_only=True)
class Signature:
    """Somebody's word for a root."""

    algorithm: str
    key_id: str
    value: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Seal:
    """What a whole checkpoint says of itself."""

    taken_at: datetime
    #: The root of the checkpoint before it.
    previous: str | None
    #: How many journals there were.
    count: int
    root: str
    signatures: tuple[Signature, ...] = ()


class Signer(Protocol):
    """Sign bytes with a private key: one in a file, or one that never leaves its device."""

    @property
    def algorithm(self) -> str:
        """The signature's kind, such as `Ed25519`."""
        ...

    @property
    def key_id(self) -> str:
        """The public key's name, the same one that its `Verifier` has."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        ...


class Verifier(Protocol):
    """Check signatures with a public key."""

    @property
    def key_id(self) -> str:
        """The public key's name."""
        ...

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the private key signed just this message."""
        ...


# -- writing --------------------------------------------------------------------------------------------------------------


class Draft:
    """A checkpoint while it is written, line by line.

    Args:
        taken_at: a time before the first head is read: whatever was filed until then is in the checkpoint.
        previous: the root of the checkpoint before it, where there is one.

    >>> draft = Draft(taken_at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> mark = Mark(key="decision-1", version=1, digest="5f" * 32)
    >>> document = [draft.begin(), draft.add(mark), draft.end()]
    >>> check(document).count
    1
    >>> list(marks(document)) == [mark]
    True
    """

    def __init__(self, *, taken_at: datetime, previous: str | None = None) -> None:
        self._head = {"checkpoint": _FORMAT, "previous": previous, "taken_at": taken_at.astimezone(UTC).isoformat()}
        self._sum = hashlib.sha256()
        self._count = 0

    def begin(self) -> bytes:
        """Return the first line."""
        return self._summed(_line(self._head))

    def add(self, mark: Mark) -> bytes:
        """Return the line of a mark. They come in the order of their keys."""
        self._count += 1
        return self._summed(_line({"digest": mark.digest, "key": mark.key, "version": mark.version}))

    def end(self) -> bytes:
        """Return the line with the root."""
        return _root_line(self._count, self._sum.hexdigest())

    def signed(self, signer: Signer) -> bytes:
        """Return a line with a signature, to follow upon the end."""
        value = base64.b64encode(signer.sign(self.end())).decode("ascii")
        return _line({"algorithm": signer.algorithm, "key": signer.key_id, "signature": value})

    def _summed(self, line: bytes) -> bytes:
        self._sum.update(line)
        return line


def _root_line(count: int, root: str) -> bytes:
    return _line({"checkpoint": _FORMAT, "count": count, "root": root})


def _line(value: dict[str, Any]) -> bytes:
    return f"{canonical(value)}\n".encode("ascii")


# -- reading --------------------------------------------------------------------------------------------------------------


def check(lines: Iterable[bytes], *, trusted: Collection[Verifier] = ()) -> Seal:
    """Read a checkpoint to its end and return its seal; raise `InvalidCheckpoint` unless it is whole.

    Without `trusted` it is only known to be as its writer left it, whoever that was. With it, at least one of those keys
    must have signed, and no signature in the name of one of them may be wrong; signatures of other keys do not count.
    """
    seal = _end_of(marks(lines))
    if trusted:
        _trust(seal, {verifier.key_id: verifier for verifier in trusted})
    return seal


def _end_of(reading: Generator[Mark, None, Seal]) -> Seal:
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return cast(Seal, end.value)


def _trust(seal: Seal, trusted: dict[str, Verifier]) -> None:
    root = _root_line(seal.count, seal.root)
    ours = [one for one in seal.signatures if one.key_id in trusted]
    if not ours:
        said = f"by {len(seal.signatures)} other keys" if seal.signatures else "by nobody"
        raise InvalidCheckpoint(f"it is signed {said}, and by none that is trusted: it may be anybody's")
    for one in ours:
        if not trusted[one.key_id].verifies(root, one.value):
            raise InvalidCheckpoint(
                f"the signature of key {one.key_id[:16]} does not match: it is forged or was altered"
            )


def marks(lines: Iterable[bytes]) -> Generator[Mark, None, Seal]:
    """Yield a checkpoint's marks in the order of their keys, and return its seal.

    Raises `InvalidCheckpoint` where it is not what was written, which may only come out at its end: read it to there, as
    `check` does, before believing a mark.
    """
    summed, count, last = hashlib.sha256(), 0, ""
    numbered = enumerate(lines, start=1)
    number, line = next(numbered, (1, b""))
    taken_at, previous = _header(_value(line, number), number)
    summed.update(line)
    for number, line in numbered:
        value = _value(line, number)
        if "root" in value:
            break
        mark = _mark(value, number)
        if count and mark.key <= last:
            raise _wrong(number, "is out of order")
        summed.update(line)
        count, last = count + 1, mark.key
        yield mark
    else:
        raise InvalidCheckpoint("its end is missing: it was cut off, or never written whole")
    if line != _root_line(count, summed.hexdigest()):
        raise _wrong(number, "does not go with the lines before it: the checkpoint was altered")
    signatures = tuple(_signature(_value(line, number), number) for number, line in numbered)
    return Seal(taken_at=taken_at, previous=previous, count=count, root=summed.hexdigest(), signatures=signatures)


def _value(line: bytes, number: int) -> dict[str, Any]:
    """Return a line's object, if it is spelled as we spell it: one document has one root."""
    try:
        value = json.loads(line)
        if isinstance(value, dict) and _line(value) == line:
            return value
    except (ValueError, RecursionError):
        pass
    raise _wrong(number, "is no canonical JSON object: the checkpoint was altered or cut, or is something else")


def _header(value: dict[str, Any], number: int) -> tuple[datetime, str | None]:
    match value:
        case {"checkpoint": int(form)} if form != _FORMAT:
            raise InvalidCheckpoint(f"it has the form {form}, and this program knows {_FORMAT}: a newer one wrote it")
        case {"checkpoint": int(), "previous": str() | None as previous, "taken_at": str(text), **rest} if not rest:
            try:
                taken_at = datetime.fromisoformat(text)
            except ValueError:
                raise _wrong(number, "has no time that can be read") from None
            if taken_at.utcoffset() is not None:
                return taken_at, previous
    raise _wrong(number, "is not how a checkpoint begins")


def _mark(value: dict[str, Any], number: int) -> Mark:
    match value:
        case {"digest": str(digest), "key": str(key), "version": int(version), **rest} if not rest and version > 0:
            return Mark(key=key, version=version, digest=digest)
    raise _wrong(number, "is neither a journal's nor the last one")


def _signature(value: dict[str, Any], number: int) -> Signature:
    match value:
        case {"algorithm": str(algorithm), "key": str(key), "signature": str(text), **rest} if not rest:
            try:
                return Signature(algorithm=algorithm, key_id=key, value=base64.b64decode(text, validate=True))
            except ValueError:
                pass
    raise _wrong(number, "is no signature")


def _wrong(number: int, what: str) -> InvalidCheckpoint:
    return InvalidCheckpoint(f"line {number} {what}")

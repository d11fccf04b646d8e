"""Which hashes are digests of the original bytes, and which only look alike."""

import re
from types import MappingProxyType

import attrs

from cybertip.cases.enrichment.answer import MediaHash
from cybertip.cases.enrichment.findings import Finding
from cybertip.model import Details, Hash, MetadataType, NameValue

__all__ = ["DIGESTS", "PlacedHash", "place_hash"]

#: Digests of the original bytes, by how NCMEC is told their names, with the number of their hexadecimal digits.
DIGESTS = MappingProxyType({"MD5": 32, "SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128})

_SPELLING = re.compile(r"[\s_-]")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")


@attrs.frozen(kw_only=True)
class PlacedHash:
    """Where a hash goes in a file's details: to the digests of the original file, or to the hashes of other kinds."""

    digest: Hash | None = None
    details: Details | None = None
    finding: Finding | None = None


def place_hash(hash: MediaHash, *, path: str) -> PlacedHash:
    """Put a hash in its place.

    A cryptographic digest vouches for the original bytes and becomes an `originalFileHash`. PDQ and every other kind do not:
    they go into `details` of the type HASH, under the name that the platform gave them. So does what calls itself a digest
    and does not have its form, with a finding.

    >>> place_hash(MediaHash(value="ab" * 16, type="md5"), path="media[0]").digest.hash_type
    'MD5'
    >>> place_hash(MediaHash(value="ab" * 32, type="PDQ"), path="media[0]").details.type
    <MetadataType.HASH: 'HASH'>
    """
    name = _SPELLING.sub("", hash.type).upper()
    digits = DIGESTS.get(name)
    value = hash.value.strip()
    if digits is not None and len(value) == digits and _HEXADECIMAL.fullmatch(value):
        return PlacedHash(digest=Hash(value=value, hash_type=name))
    pairs = (NameValue(name=hash.type.strip(), value=value),)
    finding = None
    if digits is not None:
        message = f"calls its hash {name}, which has {digits} hexadecimal digits, and it has not: filed as another kind"
        finding = Finding(rule="no-digest", path=f"{path}.fileDetails", message=message)
    return PlacedHash(details=Details(type=MetadataType.HASH, name_value_pairs=pairs), finding=finding)

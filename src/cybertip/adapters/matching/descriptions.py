"""The hashes of a file, put where a report has them: digests of its bytes apart from hashes of what it looks like."""

from collections.abc import Iterable

from cybertip.cases.enrichment.answer import MediaHash as NamedHash
from cybertip.cases.enrichment.hashes import place_hash
from cybertip.model import Details, FileDescription, MetadataType, NameValue, evolve
from cybertip.ports.matching import MediaHash, Variant

__all__ = ["with_hashes"]


def with_hashes(description: FileDescription, hashes: Iterable[MediaHash]) -> FileDescription:
    """Return a file's description with its hashes, such as a result has them; whatever else it says stays as it is.

    MD5, SHA-1 and SHA-256 vouch for the original bytes and become `originalFileHash`. PDQ, PhotoDNA and every other kind
    only say what a file looks like: they go into `details` of the type HASH. Hashes of the picture's flips and rotations,
    which are there to find it by, are of no file and are left out. That a hash was matched says nothing about who has viewed
    the file, and changes nothing of what the description says about it.

    Args:
        description: what is known of the file.
        hashes: of the original file, and not of a preview or of what it was converted to.

    >>> from cybertip.hashing.digests import digest
    >>> described = with_hashes(FileDescription(), digest(b"synthetic").hashes)
    >>> [one.hash_type for one in described.original_file_hashes], described.file_viewed_by_esp
    (['MD5', 'SHA1', 'SHA256'], None)
    """
    digests = dict.fromkeys(description.original_file_hashes)
    known = {pair for one in description.details if one.type is MetadataType.HASH for pair in one.name_value_pairs}
    pairs: dict[NameValue, None] = {}
    for one in hashes:
        if one.variant is not Variant.ORIGINAL or not (one.type.strip() and one.value.strip()):
            continue
        placed = place_hash(NamedHash(value=one.value, type=one.type), path="hashes")
        if placed.digest is not None:
            digests[placed.digest] = None
        elif placed.details is not None:
            pairs.update(dict.fromkeys(placed.details.name_value_pairs))
    new = tuple(pair for pair in pairs if pair not in known)
    details = (Details(type=MetadataType.HASH, name_value_pairs=new),) if new else ()
    return evolve(description, original_file_hashes=tuple(digests), details=(*description.details, *details))

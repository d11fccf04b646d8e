"""Editions of NCMEC's document, oldest first."""

from enum import StrEnum

__all__ = ["DEFAULT_EDITION", "Edition"]


class Edition(StrEnum):
    """Name a state of NCMEC's schema by the month it was seen in.

    >>> Edition("2025-11") < Edition.V2026_08
    True
    """

    V2025_11 = "2025-11"
    V2026_08 = "2026-08"


#: The newest edition whose XSD NCMEC was seen to serve; a later one is known from its documentation only.
DEFAULT_EDITION = Edition.V2025_11

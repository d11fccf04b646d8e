"""What NCMEC refuses although its XSD allows it."""

from cybertip.rules.documented import check

__all__ = ["check"]

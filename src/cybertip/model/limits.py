"""What NCMEC's documentation demands of a field beyond its XSD, as values.

A limit says what is demanded; `cybertip.rules` knows how to check it. `documented` repeats NCMEC's demand in the shorthand
of the field tables, so that a table of all limits can be printed and compared.
"""

from typing import NamedTuple

__all__ = ["Limit", "after", "at_or_after", "between", "exclusive", "max_length", "stated"]


class Limit(NamedTuple):
    """One documented demand on one field. `rule` is a stable id; `operand` what it compares with."""

    rule: str
    documented: str
    operand: int | str | tuple[int, int] | None = None
    #: The demand makes an otherwise optional field necessary, always or under its condition.
    requires: bool = False
    #: Only NCMEC can tell whether the demand is met.
    remote: bool = False


def stated(rule: str, documented: str | None = None, *, requires: bool = False, remote: bool = False) -> Limit:
    """Declare a demand that needs no operand."""
    return Limit(rule, documented or rule, requires=requires, remote=remote)


def max_length(characters: int) -> Limit:
    """Declare the greatest length, in characters."""
    return Limit("max-length", f"len<={characters}", characters)


def between(least: int, most: int) -> Limit:
    """Declare an inclusive range of whole numbers."""
    return Limit("range", f"{least}..{most}", (least, most))


def at_or_after(sibling: str, xml: str) -> Limit:
    """Declare a time that must not come before another of the same part."""
    return Limit("at-or-after", f">= {xml}", sibling)


def after(sibling: str, xml: str) -> Limit:
    """Declare a time that must come after another of the same part."""
    return Limit("after", f"> {xml}", sibling)


def exclusive(sibling: str, xml: str) -> Limit:
    """Declare that a field must not stand beside another of the same part."""
    return Limit("not-with", f"not with {xml}", sibling)


NOT_BLANK = stated("not-blank")
PAST = stated("past")
URL = stated("url")
URL_LENGTH = max_length(2083)
IP = stated("ip", "ip (v4, v6, v4-mapped v6)")
REPORT_ID = stated("report-id")
OURS = stated("ours", remote=True)
FILE_OF_REPORT = stated("file-of-report", "a file of that report", remote=True)
US_STATE = stated("us-state")
US_STATE_IF_US = stated("us-state-if-us", "us-state if countryCode=US")
REGION_IF_CITY = stated("region-if-us-city", "given if city given and countryCode=US", requires=True)
COUNTRY = stated("iso3166-alpha2")
EMAIL = stated("email")
LOCAL_PART = Limit("local-part", "local_part<=64", 64)
VERIFIED_IF_DATED = stated("verified-if-dated", "true if verificationDate given", requires=True)
CALLING_CODE_ONCE = stated("calling-code-once", "does not repeat countryCallingCode")
CALLING_CODE = stated("pattern", r"re:\+[0-9]{1,3}")
DIGITS = stated("pattern", "re:[0-9]+")
NEEDS_EMAIL = stated("needs-email", "needs an email", requires=True)
EMAIL_OF_A_PERSON = stated("email-of-a-person", "one of the emails of the reported, recipient or victim persons")
ONE_UNLESS_BATCHED = stated("one-unless-batched", "at most one unless batchedReport")
VIEWED_IF_EXIF_VIEWED = stated("viewed-if-exif-viewed", "true if exifViewedByEsp is true", requires=True)
RELEVANCE = stated("relevance", "not Supplemental Reported together with potentialMeme or industryClassification")

"""Hasher-Matcher-Actioner (HMA), Meta's open matching service, as a matcher.

HMA's answers are kind to whoever has a match and unkind to whoever has none: an index that was never built, a bank that is
looked in now and then, and a picture that could not be hashed all answer as if nothing were known. So before anything is
looked up it is asked how it stands, and what it could not look in is *not checked*.
"""

from cybertip.adapters.matching.hma.matcher import AsyncHmaMatcher, HmaMatcher
from cybertip.adapters.matching.hma.settings import PICTURES, VIDEOS, Bounds, HmaSettings, Signal

__all__ = ["PICTURES", "VIDEOS", "AsyncHmaMatcher", "Bounds", "HmaMatcher", "HmaSettings", "Signal"]

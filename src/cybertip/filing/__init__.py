"""Many exchanges over days: the durable delivery of a filing, decided from recorded events alone."""

from cybertip.filing.chain import Entry, Tampering, verify
from cybertip.filing.decision import Status
from cybertip.filing.journal import Journal
from cybertip.filing.manifest import FileEntry, Filing
from cybertip.filing.policy import Policy
from cybertip.filing.submission import Submission

__all__ = ["Entry", "FileEntry", "Filing", "Journal", "Policy", "Status", "Submission", "Tampering", "verify"]

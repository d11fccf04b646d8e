"""Evidence in files and in memory."""

from cybertip.adapters.evidence.local import LocalEvidence
from cybertip.adapters.evidence.memory import MemoryEvidence

__all__ = ["LocalEvidence", "MemoryEvidence"]

"""Evidence in files and in memory, and transcripts on their way into it."""

from cybertip.adapters.evidence.local import LocalEvidence
from cybertip.adapters.evidence.memory import MemoryEvidence
from cybertip.adapters.evidence.transcripts import keep_transcripts

__all__ = ["LocalEvidence", "MemoryEvidence", "keep_transcripts"]

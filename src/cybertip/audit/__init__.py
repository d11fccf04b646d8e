"""Find out whether journals were tampered with: all of a storage, its heads, and what a checkpoint has of them.

```python
auditor = Auditor(storage)
with open("checkpoint.jsonl", "wb") as file:
    file.writelines(auditor.checkpoint(taken_at=datetime.now(UTC)))
...
for tampering in auditor.verify(checkpoint=Checkpoint("checkpoint.jsonl")):
    print(tampering)
```

Heads are read in pages and journals one at a time, so that a million submissions take no more memory than a few hundred.
Others may file and deliver meanwhile: a journal is compared with a head that was read before it, as far as that reaches.
"""

from cybertip.audit.auditor import AsyncAuditor, Auditor
from cybertip.audit.file import Checkpoint
from cybertip.audit.walk import Progress, Tally
from cybertip.filing.chain import Tampering

__all__ = ["AsyncAuditor", "Auditor", "Checkpoint", "Progress", "Tally", "Tampering"]

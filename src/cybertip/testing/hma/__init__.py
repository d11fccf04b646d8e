"""A Hasher-Matcher-Actioner (HMA) of your own: a double of its HTTP interface for tests, on a loopback port.

It gives the answers that were recorded of HMA 1.1.7, its oddities included, and faults to order:

```python
hma = Hma()
hma.bank("SYNTHETIC")
hma.add("SYNTHETIC", pdq=known)
with running(hma) as url:
    matcher = HmaMatcher(url)
```

It needs nothing but the standard library. Only for hashing pictures that are posted to it, which HMA does less well than
`cybertip.hashing`, it needs the extra `[pdq]`.
"""

from cybertip.testing.hma.core import Hma
from cybertip.testing.hma.faults import Fault
from cybertip.testing.hma.server import running

__all__ = ["Fault", "Hma", "running"]

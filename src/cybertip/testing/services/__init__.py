"""Doubles of services that look at media, for tests and examples: no account, no network, and nothing but made-up pictures.

Each is what `httpx.MockTransport` wants, answers as the service's documentation says, and is as small as that allows. None
was compared with the service itself.

```python
client = httpx.Client(transport=httpx.MockTransport(ContentSafety(key="synthetic")))
```
"""

from cybertip.testing.services.arachnid import Shield
from cybertip.testing.services.google import ContentSafety
from cybertip.testing.services.photodna import PhotoDnaCloud

__all__ = ["ContentSafety", "PhotoDnaCloud", "Shield"]

"""Suites that an adapter of a port has to pass, yours as well as ours: one test for each guarantee of the port.

A suite is a class of tests. Inherit from it in your own tests and say how a storage is made:

```python
class TestMyStorage(StorageSuite):
    @pytest.fixture
    def storage(self, tmp_path):
        return MyStorage(tmp_path / "journals")
```

Each test's docstring is the sentence that it tests, so that a failure quotes the promise that was broken.
"""

import pytest

# Before they are imported: failed assertions are to show their values in a stranger's tests, too.
for _port in ("storage", "queue", "matching"):
    pytest.register_assert_rewrite(f"cybertip.testing.conformance.{_port}")

from cybertip.testing.conformance.matching.classifiers import AsyncClassifierSuite, ClassifierSuite  # noqa: E402
from cybertip.testing.conformance.matching.suite import AsyncHashMatcherSuite, HashMatcherSuite  # noqa: E402
from cybertip.testing.conformance.queue.suite import AsyncQueueSuite, QueueSuite  # noqa: E402
from cybertip.testing.conformance.storage.suite import AsyncStorageSuite, StorageSuite  # noqa: E402

__all__ = [
    "AsyncClassifierSuite",
    "AsyncHashMatcherSuite",
    "AsyncQueueSuite",
    "AsyncStorageSuite",
    "ClassifierSuite",
    "HashMatcherSuite",
    "QueueSuite",
    "StorageSuite",
]

"""Google's classifier keeps what the port promises, in both colours, with a double."""

from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from cybertip.adapters.classifying.google import AsyncGoogleClassifier, GoogleClassifier
from cybertip.ports.matching import MediaItem
from cybertip.testing.conformance import AsyncClassifierSuite, ClassifierSuite
from cybertip.testing.services import ContentSafety

KEY = "synthetic-key"
#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9/v1beta1/images:classify"


class TestGoogleClassifier(ClassifierSuite):
    """From threads."""

    @pytest.fixture
    def classifier(self, classifying: Callable[..., GoogleClassifier]) -> GoogleClassifier:
        return classifying()

    @pytest.fixture
    def broken(self) -> Iterator[GoogleClassifier]:
        with GoogleClassifier(KEY, url=NOWHERE) as classifier:
            yield classifier

    @pytest.fixture
    def item(self, item: Callable[..., MediaItem]) -> MediaItem:
        return item()


class TestAsyncGoogleClassifier(AsyncClassifierSuite):
    """On event loops."""

    @pytest.fixture
    def async_classifier(self, google: ContentSafety) -> Any:
        @asynccontextmanager
        async def made() -> Any:
            async with (
                httpx.AsyncClient(transport=httpx.MockTransport(google)) as http,
                AsyncGoogleClassifier(KEY, http=http) as classifier,
            ):
                yield classifier

        return made()

    @pytest.fixture
    def async_broken(self) -> AsyncGoogleClassifier:
        return AsyncGoogleClassifier(KEY, url=NOWHERE)

    @pytest.fixture
    def item(self, item: Callable[..., MediaItem]) -> MediaItem:
        return item()

"""Pictures of every brightness, which a double of the service calls the more urgent the brighter they are."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from cybertip.adapters.classifying.google import GoogleClassifier
from cybertip.ports.matching import ItemId, MediaItem
from cybertip.testing.pictures import picture
from cybertip.testing.services import ContentSafety

KEY = "synthetic-key"

Shaded = Callable[..., bytes]
Handler = Callable[[httpx.Request], httpx.Response]
Classifying = Callable[..., GoogleClassifier]


def shaded(shade: int, *, kind: str = "PNG", rows: int = 48, columns: int = 64, **options: object) -> bytes:
    """Return a picture's file, whose brightness is about a number from 0 to 255."""
    made = (
        Image.fromarray(picture(shade, rows, columns)).convert("L").point(lambda value: value // 16 + shade * 15 // 16)
    )
    file = io.BytesIO()
    made.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def google() -> ContentSafety:
    return ContentSafety(key=KEY)


@pytest.fixture
def classifying(google: ContentSafety) -> Iterator[Classifying]:
    """Return a function that makes a classifier, with the double or with whatever answers instead."""
    clients: list[httpx.Client] = []

    def made(handler: Handler = google, **options: Any) -> GoogleClassifier:
        clients.append(httpx.Client(transport=httpx.MockTransport(handler)))
        return GoogleClassifier(KEY, http=clients[-1], **options)

    yield made
    for client in clients:
        client.close()


@pytest.fixture
def item() -> Callable[..., MediaItem]:
    """Return a function that makes an item of a picture."""

    def made(shade: int = 100, *, id: str = "1", media: bytes | Path | None = None) -> MediaItem:
        return MediaItem(id=ItemId(id), media=shaded(shade) if media is None else media)

    return made


@pytest.fixture
def shaded_file() -> Shaded:
    return shaded

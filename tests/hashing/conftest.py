"""Pictures saved in many ways."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

Saved = Callable[..., bytes]


@pytest.fixture(scope="session")
def saved() -> Saved:
    """Return a function that saves a picture: `saved(image, "PNG", **options)`."""

    def save(image: Image.Image, kind: str, **options: Any) -> bytes:
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    return save

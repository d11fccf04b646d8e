from typing import Any

class ContentType:
    objects: Any

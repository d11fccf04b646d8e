from typing import Any

class LazySettings:
    ROOT_URLCONF: Any
    def configure(self, **options: Any) -> None: ...

settings: LazySettings

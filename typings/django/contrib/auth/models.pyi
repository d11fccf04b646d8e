from typing import Any

class Permission:
    objects: Any

class User:
    objects: Any

from typing import Any

class QueryDict:
    def get(self, key: str, default: str = ...) -> Any: ...
    def getlist(self, key: str) -> list[str]: ...

class HttpRequest:
    GET: QueryDict
    POST: QueryDict
    #: Whatever model of users the site has.
    user: Any

class JsonResponse:
    def __init__(self, data: dict[str, Any], *, status: int = 200) -> None: ...

"""The sync and the async adapters are one text."""

import ast
import inspect
import re
from typing import Any

import pytest

from cybertip.adapters.webhooks import backend, guarded, hooks, media
from cybertip.ports.webhooks import AsyncMedia, AsyncWebhooks, Media, Webhooks

TWINS = [
    (hooks.HttpxWebhooks, hooks.AsyncHttpxWebhooks),
    (media.HttpxMedia, media.AsyncHttpxMedia),
    (guarded.GuardedTransport, guarded.AsyncGuardedTransport),
    (guarded._Body, guarded._AsyncBody),
    (backend.GuardedBackend, backend.AsyncGuardedBackend),
    (backend._Stream, backend._AsyncStream),
]

#: What the libraries below call the same thing in each colour.
_SAME = {
    "SyncByteStream": "ByteStream",
    "AsyncByteStream": "ByteStream",
    "AsyncBaseTransport": "BaseTransport",
    "handle_async_request": "handle_request",
    "AnyIOBackend": "SyncBackend",
    "aclose": "close",
    "aiter": "iter",
    "anext": "next",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration",
}


def plain(kind: type[Any]) -> str:
    """Return a class's code without its docstrings and without the words of its colour."""
    tree = ast.parse(inspect.getsource(kind))
    for node in ast.walk(tree):
        documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    text = re.sub(r"\b(async|await) ", "", ast.unparse(tree))
    text = re.sub(r"\w+", lambda found: _SAME.get(found[0], found[0]), text)
    text = re.sub(r"\b(_?)(?:Async|async_)(?=[A-Za-z])", r"\1", text)
    # The async body's stream needs no cast.
    return text.replace("cast('Iterable[bytes]', response.stream)", "response.stream")


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0].__name__)
def test_twins_differ_in_colour_only(twins: tuple[type[Any], type[Any]]) -> None:
    """Without the words of its colour, each class is the same code as its twin: what is tested of one holds of the other."""
    assert plain(twins[0]) == plain(twins[1])


@pytest.mark.parametrize("twins", [(Webhooks, AsyncWebhooks), (Media, AsyncMedia)], ids=lambda twins: twins[0].__name__)
def test_the_port_has_the_same_methods_in_each_colour(twins: tuple[type[Any], type[Any]]) -> None:
    """What can be asked of one can be asked of the other, with the same arguments."""
    sync, other = (
        {
            name: str(inspect.signature(method))
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }
        for kind in twins
    )
    assert sync == other
    assert sync

"""The sync and the async classes are one text."""

import ast
import inspect
import re
from typing import Any

import pytest

from cybertip import AsyncClient, Client
from cybertip.adapters.transport import exchanges
from cybertip.adapters.transport.httpx_transport import AsyncHttpxTransport, HttpxTransport

TWINS = [
    (Client, AsyncClient),
    (HttpxTransport, AsyncHttpxTransport),
    (exchanges.Sending, exchanges.AsyncSending),
    (exchanges._Pieces, exchanges._AsyncPieces),
]


def plain(kind: type[Any]) -> str:
    """Return a class's code without its docstrings and without the words of its colour."""
    tree = ast.parse(inspect.getsource(kind))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    text = ast.unparse(tree).replace("SyncByteStream", "ByteStream")
    text = re.sub(r"\b(async|await) ", "", text)
    text = re.sub(
        r"\b(_?)Async|\bStopAsync(?=Iteration)", lambda found: found[1] or ("Stop" if "Stop" in found[0] else ""), text
    )
    return re.sub(
        r"\b__a(?=enter|exit|iter|next)|\ba(?=close\b|iter\(|next\(|iter_raw\b)",
        lambda found: "__" * ("_" in found[0]),
        text,
    )


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0].__name__)
def test_twins_differ_in_colour_only(twins: tuple[type[Any], type[Any]]) -> None:
    """Without `async`, `await` and `Async`, both classes are the same code: what is tested of one holds of the other."""
    assert plain(twins[0]) == plain(twins[1])


@pytest.mark.parametrize("twins", TWINS[:1], ids=["Client"])
def test_twins_promise_the_same(twins: tuple[type[Any], type[Any]]) -> None:
    """Each method of the async client says the same first thing as its twin, and names the same clause of NCMEC's."""
    sync, other = twins
    compared = 0
    for name, method in inspect.getmembers(sync, inspect.isfunction):
        if name.startswith("_"):
            continue
        ours, theirs = (inspect.getdoc(one) or "" for one in (method, getattr(other, name, None) or other.aclose))
        assert ours.splitlines()[0] == theirs.splitlines()[0], name
        assert re.findall("NCMEC, section.*", ours) == re.findall("NCMEC, section.*", theirs), name
        compared += 1
    assert compared == 8

"""Sync and async classes are one text: what is tested of one holds of the other.

Every class and function `AsyncX` (or `async_x`) that stands beside an `X` in the same module is compared with it, member by
member, with the words of its colour taken away. What has to differ is listed here with its reason, and must differ.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from functools import partial
from typing import Any, TypeVar

import anyio
import pytest

import cybertip
from cybertip.adapters import bridge
from cybertip.adapters.storage import memory
from cybertip.ports.queue import AsyncQueue
from cybertip.ports.storage import AsyncStorage

N = TypeVar("N", bound=ast.AST)

#: What one colour calls otherwise.
NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "aiter": "iter",
    "aiter_bytes": "iter_bytes",
    "aiter_raw": "iter_raw",
    "anext": "next",
    "create_async_engine": "create_engine",
    "handle_async_request": "handle_request",
    "AnyIOBackend": "SyncBackend",
    "StopAsyncIteration": "StopIteration",
    "SyncByteStream": "ByteStream",
}
PATHS = {
    "anyio.getaddrinfo": "socket.getaddrinfo",
    "anyio.Event": "threading.Event",
    "anyio.Lock": "threading.Lock",
    "asyncio.sleep": "time.sleep",
}

#: Twins that do the same in another way, and why.
DIFFERENT: dict[str, str] = {
    "cybertip.adapters.matching.hma.matcher._each": "threads on the one side, tasks on the other",
    "cybertip.adapters.webhooks.media._kept": "the async one does in a thread what the sync one does",
    "cybertip.adapters.webhooks.media._next_of": "only an iterator of one colour has a default for its end",
    "cybertip.adapters.queue.memory.MemoryQueue": "threads are woken in another way than tasks",
    "cybertip.adapters.storage.driving._execute": "a thread is not cancelled in the middle of a call",
    "cybertip.adapters.storage.memory.MemoryStorage": "the async one passes each call on to a sync one",
    "cybertip.adapters.transport.blocks.Blocks": "one waits for a thread, the other must not",
    "cybertip.courier.crew.Crew": "threads on the one side, tasks on the other",
    "cybertip.courier.deliveries.Deliveries._sleep": "threads and tasks wait for an event in their own ways",
    "cybertip.desk.workers.Workers._sleep": "threads and tasks wait for an event in their own ways",
    "cybertip.desk.driving._each": "a thread takes messages from a task one by one",
}


def plain(name: str) -> str:
    """Return a name without its colour."""
    name = NAMES.get(name, name)
    return re.sub(r"^(_*)(?:Async(?=[A-Z])|async_(?=[a-z])|ASYNC_(?=[A-Z]))", r"\1", name)


class _Plain(ast.NodeTransformer):
    """Take the colour away from code."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit(_made(ast.FunctionDef, node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.generic_visit(node)
        node.name = plain(node.name)
        # Calls are not broken off for a reason that only async calls have.
        node.decorator_list = [one for one in node.decorator_list if ast.unparse(one) != "unbroken"]
        return _undocumented(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.generic_visit(node)
        node.name = plain(node.name)
        return _undocumented(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        return self.visit(_made(ast.For, node))

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        return self.visit(_made(ast.With, node))

    def visit_Await(self, node: ast.Await) -> Any:
        return self.visit(node.value)

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        self.generic_visit(node)
        node.is_async = 0
        return node

    def visit_Name(self, node: ast.Name) -> Any:
        node.id = plain(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if (path := PATHS.get(ast.unparse(node))) is not None:
            return ast.parse(path, mode="eval").body
        if node.attr == "sync_engine":
            # SQLAlchemy's async engine has a sync one inside.
            return self.visit(node.value)
        self.generic_visit(node)
        node.attr = plain(node.attr)
        return node

    def visit_alias(self, node: ast.alias) -> Any:
        node.name = plain(node.name)
        return node

    def visit_Constant(self, node: ast.Constant) -> Any:
        # Annotations in quotes.
        if isinstance(node.value, str):
            node.value = re.sub(r"\b_?Async(?=[A-Z])", lambda found: plain(found[0] + "X")[:-1], node.value)
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        """What is done in a thread, or from one, is done here; what SQLAlchemy does for a function, that function does."""
        path = ast.unparse(node.func)
        if path == "cast":
            # What only the type checker needs to be told.
            return self.visit(node.args[1])
        if path in ("anyio.to_thread.run_sync", "anyio.from_thread.run"):
            return self.visit(ast.Call(node.args[0], node.args[1:], node.keywords))
        if path == "connection.run_sync" and isinstance(node.func, ast.Attribute):
            return self.visit(ast.Call(node.args[0], [node.func.value, *node.args[1:]], node.keywords))
        self.generic_visit(node)
        return node


def _made(kind: type[N], node: ast.AST) -> N:
    return kind(**{field: getattr(node, field) for field in node._fields})


def _undocumented(node: Any) -> Any:
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:] or [ast.Pass()]
    return node


def written(node: ast.AST) -> str:
    """Return code without its colour and its docstrings."""
    return ast.unparse(ast.fix_missing_locations(_Plain().visit(node)))


def twins() -> Iterator[tuple[str, Any, Any]]:
    """Yield each pair by the name of its sync half."""
    for info in pkgutil.walk_packages(cybertip.__path__, "cybertip."):
        # The suites for adapters' authors are no twins: the async ones run in event loops what the sync ones run.
        if re.search(r"__main__$|\.migrations|^cybertip\.testing", info.name):
            continue
        module = importlib.import_module(info.name)
        for name, thing in sorted(vars(module).items()):
            mine = getattr(thing, "__module__", None) == info.name and (
                inspect.isclass(thing) or inspect.isfunction(thing)
            )
            sync = vars(module).get(plain(name))
            if mine and plain(name) != name and sync is not None:
                yield f"{info.name}.{plain(name)}", sync, thing


TWINS = list(twins())
CLASSES = [one for one in TWINS if inspect.isclass(one[1])]
every_twin = pytest.mark.parametrize(("name", "sync", "other"), TWINS, ids=[one[0] for one in TWINS])
every_class = pytest.mark.parametrize(("name", "sync", "other"), CLASSES, ids=[one[0] for one in CLASSES])


def tree_of(thing: Any) -> ast.stmt:
    return ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]


def parts(thing: Any) -> dict[str, str]:
    """Return the code of a class member by member, or of a function as a whole."""
    tree = tree_of(thing)
    if not isinstance(tree, ast.ClassDef):
        return {"": written(tree)}
    found = {"(bases)": ", ".join(written(base) for base in tree.bases)}
    for node in tree.body:
        if not isinstance(node, ast.Expr):
            member = plain(getattr(node, "name", None) or ast.unparse(node).partition(":")[0].partition(" =")[0])
            # A property and its setter are one member.
            found[member] = found.get(member, "") + written(node)
    return found


def calls(kind: type[Any]) -> dict[str, str]:
    """Return how each public method that a class defines is called: its parameters, their types and what it returns."""
    tree = tree_of(kind)
    assert isinstance(tree, ast.ClassDef)
    methods = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        plain(node.name): f"({written(node.args)}) -> {written(node.returns) if node.returns else None}"
        for node in methods
        if not node.name.startswith("_")
    }


def words(thing: Any) -> str:
    """Return what is said of something, without colour."""
    text = re.sub(r"\b_?Async(?=[A-Z])", "", inspect.cleandoc(thing.__doc__ or ""))
    return re.sub(r"\btask(s?)\b", r"thread\1", text)


def method_of(kind: type[Any], name: str) -> Any:
    """Return a method by its name without colour."""
    return next(value for member, value in vars(kind).items() if plain(member) == name)


@every_twin
def test_twins_differ_in_colour_only(name: str, sync: Any, other: Any) -> None:
    """Without `async`, `await` and `Async`, both are the same code; what is not is on the list, with its reason."""
    ours, theirs = parts(sync), parts(other)
    differ = {member for member in ours.keys() | theirs.keys() if ours.get(member) != theirs.get(member)}
    if name in DIFFERENT:
        assert differ, "it needs no place on the list"
    else:
        assert differ == {one.rpartition(".")[2] for one in DIFFERENT if one.rpartition(".")[0] == name}


@every_class
def test_twins_are_called_alike(name: str, sync: type[Any], other: type[Any]) -> None:
    """Both have the same public methods, with the same parameters and the same words about them, or a word that these are
    to be found with the sync one."""
    assert calls(sync) == calls(other)
    for member in calls(sync):
        ours, theirs = words(method_of(sync, member)), words(method_of(other, member))
        assert theirs == ours or f"As `{sync.__name__}.{member}`" in theirs, member


@pytest.mark.parametrize(
    ("name", "sync", "other"),
    [one for one in CLASSES if not re.search(r"\._|\.transport\.|\.webhooks\.", one[0])],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_async_twin_points_to_its_sibling(name: str, sync: type[Any], other: type[Any]) -> None:
    """Whoever reads the async class is told where the promises stand, unless all of them are said again."""
    assert words(sync)
    assert words(other) == words(sync) or f"`{sync.__name__}" in (other.__doc__ or "")


def test_every_listed_difference_is_one_of_a_twin() -> None:
    """The list names nothing that is not there."""
    members = {f"{name}.{member}" for name, *both in TWINS for one in both for member in parts(one)}
    assert DIFFERENT.keys() <= members | {name for name, _, _ in TWINS}


def test_the_twins_that_matter_are_found() -> None:
    """The drivers, the couriers and the clients, the ports and their adapters are among the twins."""
    found = {name.rpartition(".")[2] for name, _, _ in TWINS}
    assert found >= {"Driver", "Courier", "Deliveries", "Records", "Wire", "Client"}
    assert found >= {"Storage", "Queue", "Transport", "MemoryStorage", "SqlStorage", "MemoryQueue", "HttpxTransport"}


class _Recorder:
    """Anything, that notes how its methods are called and answers with what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def method(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, kwargs))
            return self.calls

        return method


@pytest.mark.parametrize(
    ("wrap", "port", "but"),
    [
        (memory.AsyncMemoryStorage, AsyncStorage, ()),
        (bridge.LiftedStorage, AsyncStorage, ()),
        # It waits a little at a time.
        (bridge.LiftedQueue, AsyncQueue, ("take",)),
    ],
    ids=lambda value: value.__name__ if inspect.isclass(value) else "",
)
def test_what_passes_calls_on_passes_on_everything(wrap: type[Any], port: type[Any], but: tuple[str, ...]) -> None:
    """An async adapter around a sync one gives each argument to the method of the same name, and returns its answer."""
    for name in calls(port).keys() - set(but):
        inner = _Recorder()
        parameters = list(inspect.signature(getattr(port, name)).parameters.values())[1:]
        given = {one.name: object() for one in parameters}
        args = [given[one.name] for one in parameters if one.kind is not one.KEYWORD_ONLY]
        kwargs = {one.name: given[one.name] for one in parameters if one.kind is one.KEYWORD_ONLY}
        answer = anyio.run(partial(getattr(wrap(inner), name), *args, **kwargs))
        [(called, got, named)] = inner.calls
        assert called == name
        assert dict(zip([one.name for one in parameters], got, strict=False)) | named == given
        returns = inspect.signature(getattr(port, name)).return_annotation
        assert answer is (None if returns is None else inner.calls)

"""The page on crashes and the tests agree: each fault has a line, and each line a test."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/what_if_we_crash.md"

#: The faults that durable filing is promised to survive.
FAULTS = [
    *(f"F{number:02}" for number in range(1, 14)),
    *(f"F{number}" for number in (15, *range(16, 39), *range(40, 46), 49, 51, 53)),
]
_ROW = re.compile(r"^\| (F[0-9]{2}) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./\.\./(tests/[\w/]+\.py)\)")


def rows() -> dict[str, str]:
    """Return the cell with the tests of each fault."""
    found = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len({number for number, *_ in found}) == len(found)
    return {number: tests for number, _, _, tests in found}


@cache
def named_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_fault_has_its_line_in_order() -> None:
    """The table names every fault, once, in order, and the text below it the numbers that are not in use."""
    assert list(rows()) == FAULTS
    text = PAGE.read_text(encoding="utf-8")
    (said,) = re.findall(r"^The numbers (.+) are not in use\.$", text, re.MULTILINE)
    unused = {number for number in range(1, 54) if f"F{number:02}" not in FAULTS}
    single = {int(number) for number in re.findall(r"F([0-9]{2})", said)}
    ranges = {
        number
        for first, last in re.findall(r"F([0-9]{2}) to F([0-9]{2})", said)
        for number in range(int(first), int(last) + 1)
    }
    assert single | ranges == unused


def test_each_line_leads_to_tests_that_are_there() -> None:
    """Each fault has a test, and each test that is named is where the link says."""
    for number, cell in rows().items():
        links = _LINK.findall(cell)
        assert links, f"{number} has no test"
        assert cell == "<br>".join(f"[`{name}`](../../{path})" for name, path in links)
        for name, path in links:
            assert name in named_in(ROOT / path), f"{number}: {path} has no {name}"
            named = re.match(r"test_(f[0-9]{2})_", name)
            assert named is None or named[1] == number.lower(), f"{number} names a test of another fault: {name}"


def test_each_test_of_a_fault_is_in_the_table() -> None:
    """No test that bears a fault's number is left out of its line."""
    linked = {name for cell in rows().values() for name, _ in _LINK.findall(cell)}
    written = {
        name
        for path in (ROOT / "tests/faults").glob("test_*.py")
        for name in named_in(path)
        if re.match(r"test_f[0-9]{2}_", name)
    }
    assert written <= linked


def test_the_tests_that_the_text_names_are_there() -> None:
    """What the text around the table refers to exists, too."""
    links = _LINK.findall(_ROW.sub("", PAGE.read_text(encoding="utf-8")))
    assert len(links) >= 4
    for name, path in links:
        assert name in named_in(ROOT / path), name

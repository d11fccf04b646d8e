"""The page on what a platform does and the tests agree: each thing that it does, or asks for, has its line, and each line a
test."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/platform_flow.md"

#: What a platform that runs Coop does today, in the order in which it does it.
DONE = ["1", "2a", "2b", "2c", "2d", "3", "4a", "4b", "4c", "5a", "5b", "5c", "5d", "5e", "6", "7", "8"]
#: What its users still ask for, by the numbers of their issues.
ASKED = {27, 196, 313, 341, 481, 482, 491, 517, 592, 661, 839, 843, 844, 846, 851, 856, 867, 1153, 1154, 1208, 1233}

_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./\.\./(tests/[\w/]+\.py)\)")


def rows(heading: str) -> list[tuple[str, str, str]]:
    """Return the lines of the table under a heading: what it is, what is said of it here, and the tests."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = [(row[1].strip(), row[3].strip(), row[4]) for row in _ROW.finditer(text)]
    return [row for row in found if not row[2].startswith(("-", "tests"))]


@cache
def documented_in(path: Path) -> dict[str, str | None]:
    """Return each test of a file with its promise."""
    return {
        node.name: ast.get_docstring(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_thing_that_a_platform_does_has_its_line() -> None:
    """The first table goes through all of it, once, in order."""
    assert [number for number, _, _ in rows("What it does")] == DONE


def test_each_request_is_answered_or_declined_with_a_reason() -> None:
    """The second table has every request once, and says what became of it; declining takes more than a word."""
    asked = rows("What its users ask for")
    numbers = [int(number) for what, _, _ in asked for number in re.findall(r"\d+", what)]
    assert sorted(numbers) == sorted(ASKED)
    for what, said, _ in asked:
        assert said.startswith(("Answered:", "Answered in part:", "Answered, where", "Declined:")), what
        assert all(len(reason.split()) > 10 for reason in said.split("Declined:")[1:]), what


def test_each_line_leads_to_tests_that_are_there() -> None:
    """Every test that is named is where its link says, and says itself what it promises."""
    lines = [*rows("What it does"), *rows("What its users ask for")]
    for what, _, tests in lines:
        links = _LINK.findall(tests)
        assert links, f"{what} has no test"
        assert tests == "<br>".join(f"[`{name}`](../../{path})" for name, path in links), what
    for name, path in _LINK.findall(PAGE.read_text(encoding="utf-8")):
        assert documented_in(ROOT / path).get(name), f"{path} has no {name} that says what it promises"

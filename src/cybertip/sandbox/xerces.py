"""libxml2's complaints in the words of Xerces, which NCMEC's server uses. Unlike ours, they quote what was sent."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["translated"]

_WHERE = re.compile(r"Element '(?P<element>[^']*)'(?:, attribute '(?P<attribute>[^']*)')?: (?P<what>.*)", re.DOTALL)
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<names>[^)]*) \)")
_SET = re.compile(r"The value '(?P<value>.*)' is not an element of the set \{(?P<words>.*)\}", re.DOTALL)
_PATTERN = re.compile(r"The value '(?P<value>.*)' is not accepted by the pattern '(?P<pattern>.*)'", re.DOTALL)
_TYPE = re.compile(
    r"'(?P<value>.*)' is not a valid value of the (?:local )?atomic type '(?:xs:)?(?P<type>[^']*)'", re.DOTALL
)


def translated(entry: "etree._LogEntry") -> str:
    """Return the text that Xerces has for a fault that libxml2 found.

    Clause: NCMEC, section 3 (error texts).
    """
    found = _WHERE.match(entry.message)
    if found is None:
        return entry.message
    element, attribute, what = found["element"], found["attribute"], found["what"]
    match entry.type_name.removeprefix("SCHEMAV_"):
        case "CVC_ELT_1":
            return f"cvc-elt.1: Cannot find the declaration of element '{element}'."
        case "ELEMENT_CONTENT":
            return _content(element, what)
        case "CVC_COMPLEX_TYPE_2_3":
            return (
                f"cvc-complex-type.2.3: Element '{element}' cannot have character [children], "
                "because the type's content type is element-only."
            )
        case "CVC_COMPLEX_TYPE_3_2_1" | "CVC_COMPLEX_TYPE_3_2_2":
            return f"cvc-complex-type.3.2.2: Attribute '{attribute}' is not allowed to appear in element '{element}'."
        case "CVC_COMPLEX_TYPE_4":
            name = re.search(r"'([^']*)'", what)
            return f"cvc-complex-type.4: Attribute '{name[1] if name else ''}' must appear on element '{element}'."
    return _value(what)


def _content(element: str, what: str) -> str:
    expected = _EXPECTED.search(what)
    if expected is None:
        return (
            f"cvc-complex-type.2.4.d: Invalid content was found starting with element '{element}'. "
            "No child element is expected at this point."
        )
    names = f"One of '{{{expected['names']}}}' is expected."
    if what.startswith("Missing"):
        return f"cvc-complex-type.2.4.b: The content of element '{element}' is not complete. {names}"
    return f"cvc-complex-type.2.4.a: Invalid content was found starting with element '{element}'. {names}"


def _value(what: str) -> str:
    if found := _SET.search(what):
        words = ", ".join(re.findall("'([^']*)'", found["words"]))
        return (
            f"cvc-enumeration-valid: Value '{found['value']}' is not facet-valid with respect to enumeration '[{words}]'. "
            "It must be a value from the enumeration."
        )
    if found := _PATTERN.search(what):
        value, pattern = found["value"], found["pattern"]
        return f"cvc-pattern-valid: Value '{value}' is not facet-valid with respect to pattern '{pattern}'."
    if found := _TYPE.search(what):
        return f"cvc-datatype-valid.1.2.1: '{found['value']}' is not a valid value for '{found['type']}'."
    return what

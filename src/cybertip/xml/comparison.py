"""Two schemas compared component by component: what NCMEC changed, or what our declaration has wrong."""

from typing import TYPE_CHECKING, Any, NamedTuple

from cybertip.errors import InvalidReport, Violation
from cybertip.xml.parsing import parse

if TYPE_CHECKING:
    import xmlschema

__all__ = ["Difference", "differences"]


class Difference(NamedTuple):
    """One component that two schemas describe differently; an empty text means that it is absent."""

    component: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.component}: ours {self.ours or 'has none'}, theirs {self.theirs or 'has none'}"


def differences(ours: bytes, theirs: bytes) -> tuple[Difference, ...]:
    """Compare elements, order, cardinality, types, attributes, enumerations and patterns of two schemas.

    Every element is compared at every place where a document can have it, so it does not matter whether a type has a name.
    Annotations are not compared. An empty tuple means that both describe the same documents in the same words. Raises
    `InvalidReport` for bytes that are not a schema.

    >>> from cybertip.xml.schema import exported
    >>> [one.component for one in differences(exported("2025-11"), exported("2026-08")) if one.ours]
    ['type associatedAccount', 'type person', 'type reportAnnotations']
    """
    mine, other = _components(ours), _components(theirs)
    return tuple(
        Difference(component, mine.get(component, ""), other.get(component, ""))
        for component in dict.fromkeys([*mine, *other])
        if mine.get(component, "") != other.get(component, "")
    )


def _components(data: bytes) -> dict[str, str]:
    import xmlschema
    from lxml import etree

    # Parsed with our own parser, whatever its encoding. No reference is followed, not even by accident.
    text = etree.tostring(parse(data), encoding="unicode")
    try:
        schema = xmlschema.XMLSchema10(text, allow="none", defuse="always")
    except xmlschema.XMLSchemaException:
        raise InvalidReport((Violation(path="", rule="schema", message="is not a schema"),)) from None
    found: dict[str, str] = {}
    for kind in ("elements", "types", "attributes", "groups", "attribute_groups", "notations"):
        found[f"global {kind}"] = ", ".join(sorted(getattr(schema, kind)))
    for name, element in schema.elements.items():
        _describe_element(element, name, found)
    for name, one in schema.types.items():
        _describe_type(one, f"type {name}", found)
    return found


def _describe_element(element: "xmlschema.XsdElement", path: str, found: dict[str, str]) -> None:
    fixed = f" fixed={element.fixed!r}" if element.fixed is not None else ""
    default = f" default={element.default!r}" if element.default is not None else ""
    nillable = " nillable" if element.nillable else ""
    ref = " ref" if element.ref is not None else ""
    name = element.type.name or "(anonymous)"
    found[f"{path} element"] = f"type {name}{fixed}{default}{nillable}{ref}"
    if element.type.name is None or not element.type.is_global():
        _describe_type(element.type, path, found)


def _describe_type(kind: Any, path: str, found: dict[str, str]) -> None:
    if kind.is_simple():
        found[path] = _simple(kind)
        return
    attributes = sorted(
        f"@{name} {attribute.type.name} {attribute.use}{f' fixed={attribute.fixed!r}' if attribute.fixed else ''}"
        for name, attribute in kind.attributes.items()
    )
    found[f"{path} attributes"] = ", ".join(attributes)
    found[f"{path} mixed"] = str(kind.mixed)
    if kind.has_simple_content():
        found[path] = _simple(kind.content)
        return
    found[path] = _group(kind.content, path, found)


def _group(group: Any, path: str, found: dict[str, str]) -> str:
    """Return a content model as text; describe its local elements by the way."""
    shown = []
    for particle in group:
        if hasattr(particle, "model"):
            shown.append(_group(particle, path, found))
            continue
        shown.append(f"{particle.name} {_occurs(particle)}")
        if particle.ref is None:
            _describe_element(particle, f"{path}/{particle.name}", found)
    return f"{group.model}({', '.join(shown)}) {_occurs(group)}"


def _occurs(particle: Any) -> str:
    return f"{particle.min_occurs}..{'*' if particle.max_occurs is None else particle.max_occurs}"


def _simple(kind: Any) -> str:
    facets = []
    if kind.enumeration:
        facets.append("enumeration " + " | ".join(map(repr, kind.enumeration)))
    if kind.patterns:
        facets.append("pattern " + " | ".join(kind.patterns.regexps))
    for name, facet in sorted(kind.facets.items(), key=lambda one: str(one[0])):
        if name is not None and "enumeration" not in name and "pattern" not in name and kind.is_restriction():
            facets.append(f"{name.rpartition('}')[2]} {facet.value}")
    base = kind.base_type.name if kind.base_type is not None else ""
    return f"{kind.name if kind.is_global() else ''} of {base}: {'; '.join(facets)}"

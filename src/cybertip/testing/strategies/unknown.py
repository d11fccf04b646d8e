"""Elements that no edition has, as NCMEC may add them to its replies."""

from hypothesis import strategies as st

from cybertip.testing.strategies.values import texts

__all__ = ["unknown_elements"]


def unknown_elements() -> st.SearchStrategy[str]:
    """Generate elements that NCMEC's replies might hold one day, as XML, in the form in which `cybertip.read` keeps them.

    No valid reply has them, so `report_responses` does not; give them to `unknown_elements` of a reply.
    """
    return st.recursive(_leaves(), _branches, max_leaves=3)


_NAMES = st.from_regex(r"new[A-Z][a-z]{0,4}", fullmatch=True)


@st.composite
def _leaves(draw: st.DrawFn) -> str:
    from lxml import etree

    name = draw(_NAMES)
    element = etree.Element(name)
    element.text = draw(st.none() | texts(min_size=1))
    for attribute in draw(st.lists(_NAMES, max_size=2, unique=True)):
        element.set(attribute, draw(texts()))
    return etree.tostring(element, encoding="unicode")


def _branches(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=1, max_size=2).map("".join)
    return st.builds(lambda name, below: f"<{name}>{below}</{name}>", _NAMES, several)

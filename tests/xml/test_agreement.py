"""Reader, our XSD and NCMEC's own XSD accept and refuse the same documents, however a valid one is damaged.

The reader has two ways through a document: a fast one, that must account for all of it, and one that lets libxml2 judge.
These tests attack the fast one: what libxml2 refuses, it must not take.
"""

import copy
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings, strategies as st
from lxml import etree

from cybertip import Edition, FileAnnotations, FileDetails, InvalidReport, Report, evolve, read, write
from cybertip.model.declaration import Field, Lexical, Place, Simple, part_of
from cybertip.testing import strategies
from cybertip.xml import reader, schema
from cybertip.xml.layout import DOCUMENTS, members, parts

#: Rules for what is valid under the XSD and is refused all the same: what Python cannot hold, and what hides attributes.
BEYOND_THE_XSD = {"type", "xsi-type"}

#: Texts that one type or another takes, nearly takes, or takes in a spelling that nobody expects.
TEXTS = [
    *["", " ", "\n", "\u00a0", "x", "&", "]]>"],
    *["true", "false", "1", "0", " true ", "TRUE", "True", "yes", "01"],
    *[
        "5",
        "+5",
        "-5",
        " 5 ",
        "-0",
        "007",
        "5.0",
        "1e3",
        "1_000",
        "\u0663",
        "\u0665\u0665",
        "\uff15",
        "0x10",
        "--5",
        "5 5",
    ],
    *["999999999", "1000000000", "2147483647", "2147483648", "-2147483649", "9223372036854775808", "9" * 30],
    *["INF", "-INF", "+INF", "NaN", "nan", "inf", "infinity", "1.", ".5", ".", "1e400", "-0.0", "1e", "1E5", "1d"],
    *["2025-01-01", "2025-01-01Z", "2025-02-29", "2024-02-29", "2025-1-1", "0000-01-01", "-0001-01-01", "12025-01-01"],
    *["2025-W01-1", "20250101", "2025-001", " 2025-01-01\n", "2025-01-01+14:00", "2025-01-01+15:00", "\uff12025-01-01"],
    *["2025-01-01T00:00:00Z", "2025-01-01T00:00:00", "2025-01-01T00:00:00+00:00", "2025-01-01T00:00:00-14:00"],
    *["2025-01-01T24:00:00Z", "2025-01-01T24:00:00+00:00", "2025-01-01T24:00:01Z", "2025-01-01T25:00:00+00:00"],
    *[
        "2025-01-01T00:00:00+14:01",
        "2025-01-01T00:00:00+15:00",
        "2025-01-01T00:00:00+13:60",
        "2025-01-01T00:00:00+13:99",
    ],
    *[
        "2025-01-01T00:00:60+00:00",
        "2025-01-01T00:60:00+00:00",
        "2025-13-01T00:00:00+00:00",
        "2025-02-30T00:00:00+00:00",
    ],
    *[
        "2025-01-01 00:00:00+00:00",
        "2025-01-01t00:00:00+00:00",
        "2025-W01-1T00:00:00+00:00",
        "2025-01-01T00:00:00+0000",
    ],
    *["2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.1234567Z", "2025-01-01T00:00:00.Z", "2025-01-01T00:00Z"],
    *["2025-01-01T00:00:00,5+00:00", "9999-12-31T24:00:00Z", "0001-01-01T00:00:00+14:00", "12025-01-01T00:00:00Z"],
    *["2025-01-01T00:00:0\uff10+00:00", "0000-01-01T00:00:00+00:00", " 2025-01-01T00:00:00+00:00 "],
    *[
        "US",
        "us",
        " US",
        "IL",
        "Home",
        "home",
        "A1",
        "Login",
        "EXIF",
        "VIRAL_POTENTIAL_MEME",
        "Child Sex Tourism",
        "Other",
    ],
    *["+1", "+999", "+1234", "+", " +1", "+1\n", "123", "12a", "+\u0661"],
]
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
NAMES = sorted({field.xml for kind in parts() for field in part_of(kind).fields if field.place is Place.ELEMENT})
ATTRIBUTES = [
    *sorted({field.xml for kind in parts() for field in part_of(kind).fields if field.place is Place.ATTRIBUTE}),
    *["unforeseen", "{https://example.com/ns}type", "{http://www.w3.org/XML/1998/namespace}lang"],
    *[f"{XSI}{name}" for name in ("type", "nil", "schemaLocation", "noNamespaceSchemaLocation", "unforeseen")],
]

Damage = Callable[[st.DrawFn, Any], None]


def _elements(root: Any) -> list[Any]:
    """Return the elements of a tree without its comments and instructions."""
    return [one for one in root.iter() if isinstance(one.tag, str)]


def _parent(element: Any) -> Any:
    parent = element.getparent()
    # The root has none; what would be done to its parent is done to its last child's.
    return parent if parent is not None else element


def delete(draw: st.DrawFn, element: Any) -> None:
    if element.getparent() is not None:
        _parent(element).remove(element)


def duplicate(draw: st.DrawFn, element: Any) -> None:
    if element.getparent() is not None:
        element.addnext(copy.deepcopy(element))


def swap(draw: st.DrawFn, element: Any) -> None:
    if (other := element.getnext()) is not None:
        element.addprevious(other)


def graft(draw: st.DrawFn, element: Any) -> None:
    """Put a copy of an element anywhere else, below a leaf or between two others."""
    target = draw(st.sampled_from(_elements(element.getroottree().getroot())))
    target.insert(draw(st.integers(0, len(target))), copy.deepcopy(element))


def insert(draw: st.DrawFn, element: Any) -> None:
    """Put a new element into another, with a text that might do."""
    new = etree.Element(draw(st.sampled_from(NAMES)))
    new.text = draw(st.sampled_from(TEXTS))
    element.insert(draw(st.integers(0, len(element))), new)


def rename(draw: st.DrawFn, element: Any) -> None:
    element.tag = draw(st.sampled_from([*NAMES, "unforeseen", "{https://example.com/ns}age"]))


def say(draw: st.DrawFn, element: Any) -> None:
    """Change the text of an element, which may have children."""
    element.text = draw(st.sampled_from(TEXTS) | strategies.texts(max_size=5).filter(lambda text: "\r" not in text))


def stray(draw: st.DrawFn, element: Any) -> None:
    """Put text after an element, where no text belongs."""
    if element.getparent() is not None:
        element.tail = draw(st.sampled_from(["x", " ", "\n", "5", "\u00a0"]))


def hush(draw: st.DrawFn, element: Any) -> None:
    element.text = None


def attach(draw: st.DrawFn, element: Any) -> None:
    element.set(draw(st.sampled_from(ATTRIBUTES)), draw(st.sampled_from([*TEXTS, "phone", "a b"])))


def detach(draw: st.DrawFn, element: Any) -> None:
    if element.attrib:
        del element.attrib[draw(st.sampled_from(sorted(element.attrib)))]


def remark(draw: st.DrawFn, element: Any) -> None:
    """Put a comment or an instruction into an element, which changes nothing."""
    made = draw(st.sampled_from([etree.Comment(" x "), etree.ProcessingInstruction("x", "y")]))
    made.tail, element.text = element.text, None
    element.insert(0, made)


def split(draw: st.DrawFn, element: Any) -> None:
    """Spell the text of an element as a CDATA section, which changes nothing."""
    if element.text and not len(element) and "]]>" not in element.text:
        element.text = etree.CDATA(element.text)


DAMAGES: list[Damage] = [
    *[delete, duplicate, swap, graft, insert, rename, say, say, stray, hush, attach, attach, detach, remark, split]
]


@st.composite
def damaged(draw: st.DrawFn, edition: str) -> bytes:
    """Generate documents that were valid before something happened to them."""
    document = draw(strategies.reports(edition=edition) | strategies.file_details(edition=edition))
    root = etree.fromstring(write(document, edition=edition))
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from(DAMAGES))(draw, draw(st.sampled_from(_elements(root))))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _refusals(data: bytes) -> set[str]:
    try:
        read(data)
    except InvalidReport as error:
        return {violation.rule for violation in error.violations}
    return set()


@settings(max_examples=150)
@given(data=damaged("2026-08"))
def test_the_reader_takes_what_the_xsd_takes(data: bytes) -> None:
    """A damaged document is read if, and only if, the XSD finds it valid; what Python cannot hold is the one exception."""
    refusals = _refusals(data)
    if schema.validate(data, edition="2026-08") == ():
        assert refusals <= BEYOND_THE_XSD
    else:
        assert refusals - BEYOND_THE_XSD


@settings(max_examples=150)
@given(data=damaged("2025-11"))
def test_both_xsds_take_the_same_documents(ncmec_xsd: bytes, data: bytes) -> None:
    """NCMEC's XSD and ours, both as libxml2 reads them, agree on every damaged document."""
    theirs = _compiled(ncmec_xsd)
    tree = etree.parse(io.BytesIO(data))
    assert theirs.validate(tree) == schema.compiled(Edition.V2025_11).validate(tree)


_COMPILED: dict[bytes, etree.XMLSchema] = {}


def _compiled(xsd: bytes) -> etree.XMLSchema:
    if xsd not in _COMPILED:
        _COMPILED[xsd] = etree.XMLSchema(etree.fromstring(xsd))
    return _COMPILED[xsd]


@settings(max_examples=100)
@given(document=strategies.documents())
def test_what_is_written_is_valid_under_both_xsds(ncmec_xsd: bytes, document: Any) -> None:
    """Every document that can be made and written is valid under NCMEC's XSD, as libxml2 reads it."""
    theirs = _compiled(ncmec_xsd)
    assert theirs.validate(etree.fromstring(write(document))), theirs.error_log


@pytest.mark.parametrize("edition", ["2025-11", "2026-08"])
@settings(max_examples=100)
@given(data=st.data())
def test_what_is_written_is_valid_under_our_xsd(edition: str, data: st.DataObject) -> None:
    """Every document that can be made for an edition is valid under that edition's XSD, as we print it."""
    document = data.draw(strategies.documents(edition=edition))
    assert schema.validate(write(document, edition=edition), edition=edition) == ()


# -- the fast way, one step at a time -----------------------------------------------------------------------------------


def _plain(samples: list[Any]) -> list[Any]:
    """Return documents that the reader takes the fast way, and that hold every element but those it never takes so."""
    for root in samples:
        for element in root.xpath("//latitude | //longitude"):
            element.getparent().remove(element)
    return samples


def _put(name: str, text: str | None, *, last: bool) -> Callable[[Any], None]:
    def put(element: Any) -> None:
        new = etree.Element(name)
        new.text = text
        element.insert(len(element) if last else 0, new)

    return put


def _change(name: str, value: object) -> Callable[[Any], None]:
    return lambda element: setattr(element, name, value)


def _append(element: Any) -> None:
    """Put a copy of the first child behind the last one."""
    if len(element):
        element.append(copy.deepcopy(element[0]))


def _behind(element: Any) -> None:
    """Take the text out of a leaf and put it where none belongs."""
    if element.getparent() is not None and not len(element):
        element.text, element.tail = None, "x"


def _before(element: Any) -> None:
    if element.getparent() is not None and not len(element):
        element.text, element.getparent().text = None, "x"


#: What is done to each element in turn: everything that a reader which does not look closely would pass over.
STEPS: dict[str, Callable[[Any], None]] = {
    "an unknown element at the end": _put("unforeseen", "x", last=True),
    "an unknown element in front": _put("unforeseen", "x", last=False),
    "an empty unknown element at the end": _put("unforeseen", None, last=True),
    "a known element at the end": _put("firstName", "x", last=True),
    "an unknown attribute": lambda element: element.set("unforeseen", "x"),
    "an attribute of another element": lambda element: element.set("type", "Home"),
    "text behind": lambda element: setattr(element, "tail", "x" if element.getparent() is not None else None),
    "space behind": lambda element: setattr(element, "tail", " " if element.getparent() is not None else None),
    "text in front": _change("text", "x"),
    "nothing in it": lambda element: element.clear(keep_tail=True),
    # A text too few and a text too many, which nobody must count as all is well.
    "nothing in it and text behind": _behind,
    "nothing in it and text in front of it": _before,
    "another name": _change("tag", "unforeseen"),
    "a name in a namespace": lambda element: setattr(element, "tag", f"{{https://example.com/}}{element.tag}"),
    "twice": lambda element: element.addnext(copy.deepcopy(element)) if element.getparent() is not None else None,
    "missing": lambda element: element.getparent().remove(element) if element.getparent() is not None else None,
    "behind the next": lambda element: (
        element.addprevious(element.getnext()) if element.getnext() is not None else None
    ),
    "first child again at the end": _append,
}


@pytest.mark.parametrize("step", STEPS)
def test_the_fast_way_misses_nothing(step: str, samples: list[Any]) -> None:
    """Whatever is done to any one element of a plain document, the reader takes it only if the XSD does."""
    seen = set()
    for root in _plain(samples):
        _check_that_it_is_plain(root)
        for path in [root.getroottree().getpath(element) for element in root.iter()]:
            changed = copy.deepcopy(root)
            (element,) = changed.xpath(path)
            parent = element.getparent()
            place = (parent.tag if parent is not None else "", element.tag)
            if place in seen:
                continue
            seen.add(place)
            STEPS[step](element)
            data = etree.tostring(changed)
            refused = _is_refused(data)
            assert refused != schema.is_valid(etree.fromstring(data), schema.NEWEST), (path, step)
    assert len(seen) > 150


def _check_that_it_is_plain(root: Any) -> None:
    """Fail where a document would not be read the fast way, so that the test above would test nothing."""
    kind = DOCUMENTS[root.tag]
    assert reader._read_plain(etree.fromstring(etree.tostring(root)), kind) is not None


def _is_refused(data: bytes) -> bool:
    """Tell whether the reader refuses a document; what it says of it, which takes long to find out, does not matter."""
    try:
        with mock.patch.object(reader, "explain", return_value=()):
            read(data)
    except InvalidReport:
        return True
    return False


# -- every type ---------------------------------------------------------------------------------------------------------


def _one_place_for_each_type() -> dict[str, tuple[type[Any], Field]]:
    found: dict[str, tuple[type[Any], Field]] = {}
    for kind in parts():
        for field in part_of(kind).fields:
            if not members(field) and not part_of(kind).reply and field.place is not Place.UNKNOWN:
                simple: Any = field.type
                name = simple.name if isinstance(simple, Simple) else "word"
                flag = " (tag)" if field.flag else ""
                found.setdefault(f"{name}{flag} as {field.place.name.lower()}", (kind, field))
    return found


PLACES = _one_place_for_each_type()


@pytest.mark.parametrize("place", sorted(PLACES))
def test_every_text_in_every_type_is_judged_alike(place: str, samples: list[Any]) -> None:
    """For every type, in an element and in an attribute, the reader and the XSD agree on each text that nearly fits."""
    kind, field = PLACES[place]
    root, element = _find(samples, kind, field)
    for text in TEXTS:
        if field.place is Place.ATTRIBUTE:
            element.set(field.xml, text)
        else:
            element.text = text
        data = etree.tostring(root)
        refusals = _refusals(data)
        valid = schema.is_valid(etree.fromstring(data), schema.NEWEST)
        assert (refusals <= BEYOND_THE_XSD) if valid else (refusals - BEYOND_THE_XSD), text


def _value_of(field: Field) -> Any:
    """Return some plain value of a field's type."""
    kind: Any = field.type
    if not isinstance(kind, Simple):
        return list(kind)[-1]
    if kind.pattern is not None:
        return "+1" if kind.pattern.startswith("\\+") else "1"
    return _PLAIN[kind.lexical]


_PLAIN: dict[Lexical, Any] = {
    Lexical.STRING: "x",
    Lexical.TOKEN: "x",
    Lexical.BOOLEAN: True,
    Lexical.INT: 1,
    Lexical.LONG: 1,
    Lexical.DOUBLE: 1.5,
    Lexical.DATE: date(2025, 1, 1),
    Lexical.DATETIME: datetime(2025, 1, 1, tzinfo=UTC),
}


def _find(samples: list[Any], kind: type[Any], field: Field) -> tuple[Any, Any]:
    """Return a document and the element in it whose text or attribute is a field."""
    names = {part_of(kind).name}
    names |= {one.xml for owner in parts() for one in part_of(owner).fields if kind in members(one)}
    below = {"ELEMENT": f"/{field.xml}", "ATTRIBUTE": f"[@{field.xml}]", "TEXT": "[not(*)]"}[field.place.name]
    (root, element) = next(
        (root, found[0]) for root in samples for name in names if (found := root.xpath(f"//{name}{below}"))
    )
    for other in root.xpath("//latitude | //longitude"):
        # The fast way takes no numbers with a point: without them, it has a document to itself.
        if other is not element:
            other.getparent().remove(other)
    return root, element


@pytest.fixture
def samples(filled: Callable[[type[Any], Callable[[Field], Any]], Any]) -> list[Any]:
    """Return trees that hold every element and attribute between them."""
    documents = [filled(kind, _value_of) for kind in (Report, FileDetails)]
    documents.append(evolve(documents[1], potential_meme=None, file_annotations=filled(FileAnnotations, _value_of)))
    return [etree.fromstring(write(document, edition="2026-08")) for document in documents]

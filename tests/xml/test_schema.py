"""The XSD that is printed from the declaration, and the comparison with another."""

import contextlib
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from cybertip import Edition, InvalidReport
from cybertip.xml.schema import Difference, differences, exported, validate

XS = "{http://www.w3.org/2001/XMLSchema}"


def test_our_xsd_is_ncmecs(ncmec_xsd: bytes) -> None:
    """The exported 2025-11 XSD has NCMEC's elements, order, cardinality, types, attributes, enumerations and patterns."""
    assert differences(exported("2025-11"), ncmec_xsd) == ()


@pytest.mark.parametrize("edition", Edition)
def test_the_xsd_of_every_edition_can_be_compiled(edition: Edition) -> None:
    """What is printed is a schema, the same on every call."""
    etree.XMLSchema(etree.fromstring(exported(edition)))
    assert exported(edition) == exported(str(edition))
    assert differences(exported(edition), exported(edition)) == ()


def test_an_edition_differs_in_what_it_added() -> None:
    """The second edition adds three tags to reports and a remark on ages, and changes nothing else."""
    found = differences(exported("2025-11"), exported("2026-08"))
    added = {one.component.rpartition("/")[2].split()[0] for one in found if not one.ours}
    assert added == {"informational", "potentialAggravatingFactors", "instrumentalUse", "ageAssertionDiscrepancy"}
    changed = [(one.ours, one.theirs) for one in found if one.ours]
    assert changed
    for ours, theirs in changed:
        remaining = iter(re.split("[(), ]+", theirs))
        assert all(word in remaining for word in re.split("[(), ]+", ours))


def test_an_unknown_edition_is_refused() -> None:
    """There is no XSD of an edition that nobody knows."""
    with pytest.raises(ValueError, match="2014"):
        exported("2014")


def _find(root: Any, path: str) -> Any:
    (found,) = root.xpath(path, namespaces={"xs": XS[1:-1]})
    return found


def _drop(path: str) -> Callable[[Any], None]:
    return lambda root: _find(root, path).getparent().remove(_find(root, path))


def _set(path: str, name: str, value: str | None) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        element = _find(root, path)
        assert element.get(name) != value
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)

    return change


def _swap(path: str) -> Callable[[Any], None]:
    return lambda root: _find(root, path).addprevious(_find(root, path).getnext())


def _add(path: str, tag: str, **attributes: str) -> Callable[[Any], None]:
    return lambda root: _find(root, path).append(etree.Element(XS + tag, attributes))


def _rename(path: str, tag: str) -> Callable[[Any], None]:
    return lambda root: setattr(_find(root, path), "tag", XS + tag)


PERSON = "//xs:complexType[@name='person']"
PHONE = "//xs:complexType[@name='phone']"
FLAGS = "//xs:complexType[@name='fileAnnotations']"
SUMMARY = "/xs:schema/xs:element[@name='incidentSummary']"


@pytest.mark.parametrize(
    ("change", "component"),
    [
        (_drop(f"{PERSON}//xs:element[@name='age']"), "person"),
        (_add(f"{PERSON}/xs:sequence", "element", name="nickname", type="xs:string"), "person"),
        (_swap(f"{PERSON}//xs:element[@name='firstName']"), "person"),
        (_set(f"{PERSON}//xs:element[@name='age']", "name", "years"), "person"),
        (_set(f"{PERSON}//xs:element[@name='age']", "minOccurs", None), "person"),
        (_set(f"{PERSON}//xs:element[@name='email']", "maxOccurs", None), "person"),
        (_set(f"{PERSON}//xs:element[@name='age']", "maxOccurs", "2"), "person"),
        (_set(f"{PERSON}//xs:element[@name='age']", "type", "xs:long"), "person"),
        (_set(f"{PERSON}//xs:element[@name='age']", "nillable", "true"), "person"),
        (_set(f"{PERSON}//xs:element[@name='age']", "default", "1"), "person"),
        (_set(PERSON, "mixed", "true"), "person"),
        (_rename(f"{PERSON}/xs:sequence", "choice"), "person"),
        (_set(f"{PERSON}/xs:sequence", "maxOccurs", "2"), "person"),
        (_set(f"{SUMMARY}//xs:element[@name='incidentDateTime']", "minOccurs", "0"), "incidentSummary"),
        (_set(f"{SUMMARY}//xs:element[@name='incidentDateTime']", "type", "xs:date"), "incidentSummary"),
        (_drop("//xs:element[@name='internetDetails']//xs:element[@ref='webPageIncident']"), "internetDetails"),
        (_rename("//xs:element[@name='internetDetails']//xs:choice", "sequence"), "internetDetails"),
        (_drop(f"{PHONE}//xs:attribute[@name='extension']"), "phone"),
        (_set(f"{PHONE}//xs:attribute[@name='extension']", "use", "required"), "phone"),
        (_set(f"{PHONE}//xs:attribute[@name='extension']", "type", "xs:string"), "phone"),
        (_add(f"{PHONE}//xs:extension", "attribute", name="carrier", type="xs:string"), "phone"),
        (_set(f"{PHONE}//xs:extension", "base", "xs:token"), "phone"),
        (_set("//xs:complexType[@name='hash']//xs:attribute", "use", "optional"), "hash"),
        (_set(f"{FLAGS}//xs:element[@name='viral']", "fixed", None), "fileAnnotations"),
        (_set(f"{FLAGS}//xs:element[@name='viral']", "fixed", "false"), "fileAnnotations"),
        (_rename(f"{FLAGS}/xs:all", "sequence"), "fileAnnotations"),
        (_drop("//xs:simpleType[@name='ipCaptureType']//xs:enumeration[@value='Login']"), "ipCaptureType"),
        (_set("//xs:simpleType[@name='ipCaptureType']//xs:enumeration[@value='Login']", "value", "login"), "ipCaptureType"),
        (_add("//xs:simpleType[@name='country']/xs:restriction", "enumeration", value="ZZ"), "country"),
        (_set("//xs:simpleType[@name='country']/xs:restriction", "base", "xs:token"), "country"),
        (_set("//xs:simpleType[@name='phoneExtension']//xs:pattern", "value", "[0-9]*"), "phoneExtension"),
        (_drop("//xs:simpleType[@name='phoneExtension']//xs:pattern"), "phoneExtension"),
        (_add("//xs:simpleType[@name='phoneExtension']/xs:restriction", "maxLength", value="5"), "phoneExtension"),
        (_add("/xs:schema", "element", name="unforeseen", type="xs:string"), "global elements"),
        (_drop("/xs:schema/xs:element[@name='reportDoneResponse']"), "reportDoneResponse"),
        (_drop("//xs:element[@name='files']//xs:element[@name='fileId']"), "files"),
    ],
)  # fmt: skip
def test_no_change_of_a_schema_goes_unseen(change: Callable[[Any], None], component: str) -> None:
    """Whatever of a schema is dropped, added, moved or loosened, the comparison names the component, from either side."""
    root = etree.fromstring(exported("2025-11"))
    change(root)
    changed = etree.tostring(root)
    found = differences(exported("2025-11"), changed)
    assert any(component in one.component for one in found)
    assert {one.component for one in differences(changed, exported("2025-11"))} == {one.component for one in found}
    assert all(one.ours != one.theirs for one in found)


def test_annotations_are_not_compared() -> None:
    """What a schema says to people is no difference."""
    root = etree.fromstring(exported("2025-11"))
    for documentation in root.iter(f"{XS}documentation"):
        documentation.text = "changed"
    assert differences(exported("2025-11"), etree.tostring(root)) == ()


def test_a_difference_is_one_readable_line() -> None:
    """A difference names the component and what either side has, for a person who was called by an alarm."""
    assert str(Difference("report/victim", "0..*", "")) == "report/victim: ours 0..*, theirs has none"


def test_comparing_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that refers to another one makes nobody fetch it."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("opened a connection")

    monkeypatch.setattr(socket, "socket", never)
    root = etree.fromstring(exported("2025-11"))
    root.insert(0, etree.Element(f"{XS}include", schemaLocation="https://example.com/more.xsd"))
    # Refusing such a schema is as good as passing over the reference.
    with contextlib.suppress(InvalidReport):
        differences(exported("2025-11"), etree.tostring(root))


def test_a_valid_document_has_no_violations() -> None:
    """The validator says nothing of a valid document, and which element it expected of an invalid one."""
    sound = b"<reportResponse><responseCode>0</responseCode><responseDescription/></reportResponse>"
    assert validate(sound) == ()
    (violation,) = validate(sound.replace(b"<responseDescription/>", b""))
    assert (violation.rule, violation.path) == ("xsd-content", "reportResponse")
    assert "responseDescription" in violation.message

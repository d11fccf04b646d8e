"""The tables of rules are sound, and say what the code does."""

import re
from pathlib import Path
from typing import Any

import pytest

from cybertip.cases.assembly import SECTIONS, obstacles, remarks
from cybertip.cases.assembly.rule import Section
from cybertip.cases.enrichment import events, hashes
from cybertip.cases.review import faults
from cybertip.model.declaration import part_of

every_section = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.path)


@every_section
def test_a_field_has_one_rule_at_the_most(section: Section[Any]) -> None:
    """Each rule is about a field that NCMEC has, and no field has two."""
    fields = [rule.field for rule in section.rules]
    assert len(set(fields)) == len(fields)
    assert set(fields) <= {field.python for field in part_of(section.kind).fields}


@every_section
def test_rules_stand_in_ncmecs_order(section: Section[Any]) -> None:
    """Whoever reads a table beside NCMEC's documentation finds a field where it is there."""
    order = [field.python for field in part_of(section.kind).fields]
    places = [order.index(rule.field) for rule in section.rules]
    assert places == sorted(places)


@every_section
def test_what_the_xsd_demands_has_a_rule(section: Section[Any]) -> None:
    """No section can lack what NCMEC's schema requires, unless the reviewer wrote it."""
    required = {field.python for field in part_of(section.kind).fields if field.required}
    assert section.completes or required <= {rule.field for rule in section.rules}


@every_section
def test_a_source_is_something_that_is_known(section: Section[Any]) -> None:
    """A rule takes its value from the case, the decision, the answer, the profile or what goes with the report."""
    known = re.compile(r"(case|decision|answer|profile|attachments|prior_reports)(\[\])?(\.\w+(\[\])?)*")
    for rule in section.rules:
        for source in rule.source.split(", "):
            assert known.fullmatch(source), source


@pytest.mark.parametrize(
    ("module", "sources"), [(obstacles, (obstacles, faults)), (remarks, (remarks, events, hashes))]
)
def test_every_rule_of_ours_is_listed(module: Any, sources: Any) -> None:
    """The page lists what can keep a case from being filed, and what a reviewer can be told: all of it, and nothing else."""
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", module.__doc__, re.MULTILINE))
    files = {Path(getattr(one, "__file__", None) or one.__code__.co_filename) for one in sources}
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    # Whether a decision may leave files out is asked when it is made, and the organisation decides.
    said = set(re.findall(r'rule="([a-z-]+)"', text)) - {"partial"}
    assert listed == said

"""From a decided case to a filing: one rule for each field, in the tables of this package.

The reference `docs/reference/assembly.md` is made of the same tables. Nothing is cut off and nothing is brought into its
limits: what does not fit is a violation, which names the decision, the answer or the setting that it came from. Nothing is
ever said to be viewed but by the record of a view.
"""

from cybertip.cases.assembly.assembled import Assembled, assemble
from cybertip.cases.assembly.places import SECTIONS
from cybertip.cases.assembly.rule import Rule, Section

__all__ = ["SECTIONS", "Assembled", "Rule", "Section", "assemble"]

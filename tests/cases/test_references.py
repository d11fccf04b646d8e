"""Identifiers of a platform are kept as they are, and shown to nobody."""

import pytest

from cybertip.cases.references import ItemRef, UserRef
from cybertip.errors import InvalidReport

HALF = "\ud83d"


def test_an_identifier_is_shown_to_nobody() -> None:
    """A reference can stand in a log: it tells the kind of thing, and not which or whose."""
    assert "u-canary" not in repr(UserRef(id="u-canary", type_id="user"))


@pytest.mark.parametrize("kind", [ItemRef, UserRef])
@pytest.mark.parametrize("wrong", ["", HALF, 7, None])
def test_what_names_nothing_is_no_reference(kind: type[ItemRef] | type[UserRef], wrong: str) -> None:
    """An empty identifier, a number and half a character are refused, by the field's name and without the value."""
    for field in ("id", "type_id"):
        with pytest.raises(InvalidReport) as refused:
            kind(**{"id": "1", "type_id": "t", field: wrong})
        assert refused.value.violations[0].path == f"{kind.__name__}.{field}"
        assert HALF not in str(refused.value)


def test_references_are_spelled_as_webhooks_spell_them() -> None:
    """A reference goes out as `id` and `typeId`, and comes back the same."""
    ref = UserRef(id="u1", type_id="user")
    assert ref.as_json() == {"id": "u1", "typeId": "user"}
    assert UserRef.from_json(dict(ref.as_json())) == ref


def test_a_user_is_no_item() -> None:
    """A user and an item of the same name are never taken for each other."""
    assert {UserRef(id="1", type_id="t"): 1, ItemRef(id="1", type_id="t"): 2}[ItemRef(id="1", type_id="t")] == 2

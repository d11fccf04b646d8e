"""Whatever an endpoint does, the verdicts say what it did, and no promise is called kept that was not seen to be."""

import json
from typing import Any

from hypothesis import given, strategies as st

from cybertip.cases.enrichment import AdditionalInfo, AdditionalInfoRequest, Uncovered, reconcile
from cybertip.cases.references import ItemRef, UserRef
from cybertip.errors import InvalidReport
from cybertip.ports.clock import SystemClock
from cybertip.testing.webhooks import Call, Promise, Sample, Scheme, Standing, invented, make_keys
from cybertip.testing.webhooks.answers import faults_of
from cybertip.testing.webhooks.checking import _Check
from cybertip.testing.webhooks.keys import stranger_to
from cybertip.testing.webhooks.wire import Fault, Reply

KEYS = make_keys(Scheme.HMAC)
STRANGER = stranger_to(KEYS.signer)
HUNG_UP = Reply(status=None, fault=Fault(promise=Promise.ANSWERS_WHOLE, what="the connection ended"))

busy = st.sampled_from([408, 429, 503])
wrong = st.sampled_from([301, 500, 502])
statuses = st.one_of(*[st.just(200)] * 3, *[st.just(401)] * 3, busy, wrong)
replies = statuses.map(lambda status: Reply(status=status)) | st.just(HUNG_UP)


class Arbitrary:
    """A wire with an endpoint behind it that does as it likes, and what was posted with what came back."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.posted: list[tuple[Sample, Reply]] = []

    def post(self, sample: Sample, *, read: bool) -> Reply:
        """Answer anything."""
        # More often than not the first is taken: else there is nothing more to see.
        reply: Reply = self._data.draw(
            replies if self.posted else st.one_of(*[st.just(Reply(status=200))] * 4, replies)
        )
        self.posted.append((sample, reply))
        return reply


def expected(promise: Promise, seen: list[Reply]) -> Standing:
    """Say how an endpoint stands to a promise that is about statuses alone."""
    codes = [reply.status for reply in seen]
    is_busy = [code in (408, 429, 503) for code in codes]
    if promise.startswith("refuses-"):
        is_fine = [code is not None and 400 <= code < 500 for code in codes]
    else:
        is_fine = [code is not None and code < 300 for code in codes]
    if not all(one or other for one, other in zip(is_fine, is_busy, strict=True)):
        return Standing.BROKEN
    return Standing.NOT_CHECKED if any(is_busy) or not codes else Standing.KEPT


@given(st.data(), st.sampled_from([Call.PRESERVATION, Call.CASE_EVENT]))
def test_a_verdict_is_what_was_seen(data: st.DataObject, call: Call) -> None:
    """A promise is kept where every request about it was answered so, broken where one was not, and else unchecked."""
    wire: Any = Arbitrary(data)
    verdicts = _Check(wire, KEYS.signer, STRANGER, invented(call), SystemClock()).verdicts()
    assert [one.promise for one in verdicts] == [one for one in Promise if one in {two.promise for two in verdicts}]
    for verdict in verdicts:
        assert bool(verdict.findings) == (verdict.standing is not Standing.KEPT)
        seen = [reply for sample, reply in wire.posted if sample.promise is verdict.promise]
        if verdict.promise is Promise.ACCEPTS_SIGNED and seen == [HUNG_UP]:
            # What is wrong is that the answer was not whole.
            assert verdict.standing is Standing.NOT_CHECKED
        elif verdict.promise not in (Promise.ANSWERS_IN_TIME, Promise.ANSWERS_WHOLE):
            assert verdict.standing is expected(verdict.promise, seen), verdict
    assert len(wire.posted) == 1 or wire.posted[0][1].is_success


USERS = tuple(UserRef(id=str(number), type_id="u") for number in range(2))
MEDIA = tuple(ItemRef(id=str(number), type_id=kind) for number in range(2) for kind in "ab")

times = st.sampled_from(["2025-01-01T00:00:00Z", "2025-01-01T00:00:00", "canary", 7])
events = st.fixed_dictionaries(
    {}, optional={"ipAddress": st.sampled_from(["192.0.2.1", "canary"]), "dateTime": times, "port": st.just(1)}
)


def entries(ids: st.SearchStrategy[Any], kinds: str) -> st.SearchStrategy[Any]:
    """Return strategies for entries, most of them right."""
    more = {"missing": st.booleans(), "ipCaptureEvent": st.lists(events, max_size=1), "x": st.none()}
    return st.fixed_dictionaries({"id": ids, "typeId": st.sampled_from(kinds)}, optional=more)


ids = st.sampled_from(["0", "1", "0", "1", "2", 7])
answers = st.fixed_dictionaries(
    {"users": st.lists(entries(ids, "u"), max_size=4), "media": st.lists(entries(ids, "ab"), max_size=6)}
)
whole = st.just(
    {"users": [one.as_json() for one in USERS], "media": [{**one.as_json(), "missing": True} for one in MEDIA]}
)
asked = st.builds(
    AdditionalInfoRequest,
    users=st.lists(st.sampled_from(USERS), unique=True),
    media=st.lists(st.sampled_from(MEDIA), unique=True),
)


@given(asked, st.one_of(answers, whole, st.just({"users": [], "media": []}), st.text()))
def test_an_answer_is_blamed_where_nothing_would_be_filed(asked: AdditionalInfoRequest, plain: Any) -> None:
    """The check finds fault with an answer where filing would, and only there; and repeats nothing of it."""
    body = json.dumps(plain).encode()
    found = faults_of(asked, body)
    try:
        reconciled = reconcile(asked, AdditionalInfo.from_json(body))
    except InvalidReport:
        is_usable = False
    else:
        # Entries for a request about nothing harm no filing, and are no answer either.
        is_usable = not isinstance(reconciled, Uncovered) and (asked != AdditionalInfoRequest() or not plain["media"])
    assert any(found.values()) == (not is_usable)
    assert "canary" not in str(found)

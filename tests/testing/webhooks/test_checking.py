"""The check passes what keeps the contract, and finds each mistake that somebody makes, and only that."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cybertip.cases.enrichment import AdditionalInfoRequest
from cybertip.cases.references import ItemRef, UserRef
from cybertip.testing.clock import VirtualClock
from cybertip.testing.webhooks import Call, Promise, SampleKeys, Scheme, Standing, Verdict, check_endpoint, make_keys
from cybertip.webhooks.addresses import LOOPBACK, Guard
from cybertip.webhooks.endpoints import Limits
from cybertip.webhooks.failures import WebhookNotSent

Keys = Callable[[Scheme], SampleKeys]

COOP = Path(__file__).parents[2] / "adapters/webhooks/coop_platform.py"
#: What Coop's scheme has not: ids, times, and more than one signature.
NOT_OF_COOP = {Promise.REFUSES_ALTERED_HEAD, Promise.REFUSES_STALE, Promise.TAKES_ROTATED_KEYS}
FORGED = {one for one in Promise if one.startswith("refuses-")}


def standing(verdicts: tuple[Verdict, ...], wanted: Standing) -> set[Promise]:
    """Return the promises that stand so."""
    return {one.promise for one in verdicts if one.standing is wanted}


@pytest.mark.parametrize("scheme", [Scheme.HMAC, Scheme.ED25519])
@pytest.mark.parametrize("call", Call)
def test_an_endpoint_of_somebody_elses_keeps_every_promise(
    keys_of: Keys, somebody: Any, scheme: Scheme, call: Call
) -> None:
    """What was built from the description alone passes whole, with nothing left unchecked."""
    keys = keys_of(scheme)
    with somebody.serving(somebody.Platform(keys.trusted)) as url:
        verdicts = check_endpoint(url, keys.signer, call)
    assert {one.standing for one in verdicts} == {Standing.KEPT}, "\n".join(map(str, verdicts))
    others = {Promise.TAKES_TEXT_ONLY, Promise.TAKES_EVERY_KIND, Promise.NOTHING_FOR_NOTHING, Promise.COVERS_MEDIA}
    assert {one.promise for one in verdicts} & others == {
        Call.ADDITIONAL_INFO: others - {Promise.TAKES_EVERY_KIND},
        Call.PRESERVATION: {Promise.TAKES_TEXT_ONLY},
        Call.CASE_EVENT: {Promise.TAKES_EVERY_KIND},
    }[call]


def test_the_endpoints_have_nothing_of_ours() -> None:
    """What the check is tried with shares no code with it, and so no mistakes."""
    for path in (COOP, Path(__file__).with_name("platform.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in named if "cybertip" in name]


@pytest.fixture(scope="module")
def coop(keys_of: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a platform that has built Coop's endpoints, and believes our keys."""
    key = tmp_path_factory.mktemp("keys") / "public.pem"
    key.write_text(keys_of(Scheme.COOP).trusted)
    with subprocess.Popen([sys.executable, str(COOP), str(key)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


@pytest.mark.parametrize(("call", "path"), [(Call.ADDITIONAL_INFO, "additional-info"), (Call.PRESERVATION, "preserve")])
def test_a_platform_of_coops_passes_unchanged(keys_of: Keys, coop: str, call: Call, path: str) -> None:
    """An endpoint that exists keeps all that its scheme can keep; what the scheme has not is not called kept."""
    verdicts = check_endpoint(f"{coop}/{path}", keys_of(Scheme.COOP).signer, call)
    assert standing(verdicts, Standing.BROKEN) == set()
    assert standing(verdicts, Standing.NOT_CHECKED) == NOT_OF_COOP


MISTAKES = [
    ("LooksAtNothing", FORGED),
    ("LooksOnlyWhereThereIsASignature", {Promise.REFUSES_UNSIGNED}),
    (
        "LooksOnlyAtTheForm",
        {Promise.REFUSES_WRONG_KEY, Promise.REFUSES_ALTERED_BODY, Promise.REFUSES_ALTERED_HEAD},
    ),
    ("ForgetsTheTime", {Promise.REFUSES_STALE}),
    ("TakesTheFuture", {Promise.REFUSES_STALE}),
    ("TakesTheFirstSignature", {Promise.TAKES_ROTATED_KEYS}),
    ("SpellsTheBodyAnew", {Promise.VERIFIES_BYTES}),
    ("BreaksOnNonsense", {Promise.REFUSES_NONSENSE}),
    ("HangsUpOnStrangers", FORGED),
    ("RefusesWhatCameBefore", {Promise.TAKES_REPETITION}),
    ("RefusesUnknownKeys", {Promise.IGNORES_UNKNOWN_KEYS}),
    ("NeedsMedia", {Promise.TAKES_TEXT_ONLY}),
    ("SaysTooMuch", {Promise.ANSWERS_BOUNDED}),
    ("StopsHalfway", {Promise.ANSWERS_WHOLE}),
    ("AnswersWithAPage", {Promise.ANSWERS_JSON}),
    ("AnswersWithNothing", {Promise.ANSWERS_JSON}),
    ("AnswersPacked", {Promise.ANSWERS_JSON}),
    ("AnswersWithAList", {Promise.RIGHT_TYPES}),
    ("SpellsPortsAsText", {Promise.RIGHT_TYPES}),
    ("KnowsNoAddresses", {Promise.RIGHT_TYPES}),
    ("HasLocalTimes", {Promise.RIGHT_TIMES}),
    ("ReadsLatin1", {Promise.COVERS_MEDIA}),
    ("ForgetsAUser", {Promise.COVERS_USERS}),
    ("AnswersAPage", {Promise.COVERS_MEDIA}),
    ("LeavesOutWhatIsGone", {Promise.COVERS_MEDIA}),
    ("KnowsIdsOnly", {Promise.COVERS_MEDIA}),
    ("TellsOfOthers", {Promise.NO_STRANGERS}),
    ("ContradictsItself", {Promise.NO_CONTRADICTIONS}),
    ("TellsOfEverythingUnasked", {Promise.NOTHING_FOR_NOTHING}),
    ("LeavesOutEmptyLists", {Promise.NOTHING_FOR_NOTHING}),
]


@pytest.mark.parametrize(("mistake", "broken"), MISTAKES, ids=[name for name, _ in MISTAKES])
def test_each_mistake_is_found(keys_of: Keys, somebody: Any, mistake: str, broken: set[Promise]) -> None:
    """An endpoint with one mistake breaks just the promises that the mistake is about; nothing that it said is repeated."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(getattr(somebody, mistake)(keys.trusted)) as url:
        verdicts = check_endpoint(url, keys.signer, limits=Limits(answer_bytes=100_000))
    assert standing(verdicts, Standing.BROKEN) == broken, "\n".join(map(str, verdicts))
    assert all(one.findings for one in verdicts if one.standing is not Standing.KEPT)
    shown = f"{verdicts} {' '.join(map(str, verdicts))}"
    assert "canary" not in shown
    assert keys.trusted[8:] not in shown


def test_every_promise_has_a_mistake(somebody: Any) -> None:
    """There is no promise that nobody has seen broken: a check that cannot fail checks nothing."""
    elsewhere = {Promise.ACCEPTS_SIGNED, Promise.ANSWERS_IN_TIME, Promise.TAKES_EVERY_KIND}
    assert set(Promise) - elsewhere == {one for _, broken in MISTAKES for one in broken}


def test_a_slow_endpoint_is_given_up(keys_of: Keys, somebody: Any) -> None:
    """Who does not answer in time is told so, and is not asked twenty times more."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(somebody.IsSlow(keys.trusted)) as url:
        verdicts = check_endpoint(url, keys.signer, limits=Limits(deadline_for=timedelta(seconds=0.2)))
    assert standing(verdicts, Standing.BROKEN) == {Promise.ANSWERS_IN_TIME}
    assert standing(verdicts, Standing.KEPT) == set()


def test_an_endpoint_that_knows_one_kind_of_event_is_found(keys_of: Keys, somebody: Any) -> None:
    """Each kind of event is sent, and each that is not taken is named."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(somebody.KnowsOneKindOfEvent(keys.trusted)) as url:
        verdicts = check_endpoint(url, keys.signer, Call.CASE_EVENT)
    assert standing(verdicts, Standing.BROKEN) == {Promise.TAKES_EVERY_KIND}
    (broken,) = (one for one in verdicts if one.standing is Standing.BROKEN)
    assert [one.partition(":")[0] for one in broken.findings] == [
        "of the kind case.needs_human",
        "of the kind case.preserved",
    ]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("TrustsNobody", "HTTP 401: compare the keys"),
        ("SendsElsewhere", "HTTP 307, a redirect"),
        ("Breaks", "HTTP 500"),
    ],
)
def test_who_takes_nothing_is_not_praised_for_refusing(keys_of: Keys, somebody: Any, mistake: str, words: str) -> None:
    """Where what is signed rightly is not taken, a refusal of something else tells nothing, and nothing is called kept."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(getattr(somebody, mistake)(keys.trusted)) as url:
        first, *others = check_endpoint(url, keys.signer, Call.PRESERVATION)
    assert (first.promise, first.standing) == (Promise.ACCEPTS_SIGNED, Standing.BROKEN)
    assert words in first.findings[0]
    assert {one.standing for one in others} == {Standing.NOT_CHECKED}


def test_who_is_too_busy_is_not_judged(keys_of: Keys, somebody: Any) -> None:
    """A status that says "later" is no verdict on the request."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(somebody.IsBusy(keys.trusted)) as url:
        verdicts = check_endpoint(url, keys.signer)
    assert {one.standing for one in verdicts} == {Standing.NOT_CHECKED}
    assert "HTTP 503: it was too busy" in verdicts[0].findings[0]


def test_a_clock_that_is_wrong_is_told(keys_of: Keys, somebody: Any) -> None:
    """Requests that are signed at a wrong time are not taken, and the finding names the clocks."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(somebody.Platform(keys.trusted)) as url:
        first, *_ = check_endpoint(url, keys.signer, clock=VirtualClock())
    assert "compare the keys, and the clocks" in first.findings[0]


def test_a_check_may_be_repeated(keys_of: Keys, somebody: Any) -> None:
    """An endpoint that remembers names finds new ones in each check."""
    keys = keys_of(Scheme.HMAC)
    with somebody.serving(somebody.RefusesWhatCameBefore(keys.trusted)) as url:
        for _ in range(2):
            verdicts = check_endpoint(url, keys.signer, Call.PRESERVATION)
            assert standing(verdicts, Standing.BROKEN) == {Promise.TAKES_REPETITION}


def test_an_endpoint_may_be_asked_about_its_own(keys_of: Keys, somebody: Any) -> None:
    """A platform that knows only its own users is asked about those."""
    keys = keys_of(Scheme.HMAC)

    class Closed(somebody.Platform):  # type: ignore[misc] # the class comes out of a file
        def answer(self, asked: dict[str, Any]) -> Any:
            known = {key: [one for one in asked[key] if one["id"] in ("u7", "m8")] for key in ("users", "media")}
            return super().answer(known)

    own = AdditionalInfoRequest(users=(UserRef(id="u7", type_id="t"),), media=(ItemRef(id="m8", type_id="t"),))
    with somebody.serving(Closed(keys.trusted)) as url:
        assert standing(check_endpoint(url, keys.signer, own), Standing.KEPT) == {
            one for one in Promise if one is not Promise.TAKES_EVERY_KIND
        }
        assert standing(check_endpoint(url, keys.signer), Standing.BROKEN) == {
            Promise.COVERS_USERS,
            Promise.COVERS_MEDIA,
        }


def test_nobody_there_is_no_verdict(keys_of: Keys, somebody: Any) -> None:
    """Where nothing can be sent, there is an error and no list of broken promises."""
    signer = keys_of(Scheme.HMAC).signer
    with somebody.serving(somebody.Platform(keys_of(Scheme.HMAC).trusted)) as url:
        with pytest.raises(WebhookNotSent, match="a loopback address"):
            check_endpoint(url, signer, guard=Guard(hosts=["127.0.0.1"]))
        with pytest.raises(WebhookNotSent, match="list"):
            check_endpoint(url, signer, guard=Guard(hosts=["platform.example"], networks=LOOPBACK))
    with pytest.raises(WebhookNotSent, match="no connection"):
        check_endpoint(url, signer)
    with pytest.raises(ValueError, match="must be https"):
        check_endpoint("http://platform.example/hook", signer)


def test_a_private_address_behind_a_name_is_not_called(keys_of: Keys) -> None:
    """A name that leads into a network of ours is refused, as it is by whoever sends the real requests."""
    with pytest.raises(WebhookNotSent, match="metadata"):
        check_endpoint(
            "https://platform.example/hook", keys_of(Scheme.HMAC).signer, resolve=lambda *_: ["169.254.169.254"]
        )


def test_keys_of_rotation_are_checked_with_a_stranger_of_each_kind(somebody: Any, keys_of: Keys) -> None:
    """A signer with keys of both kinds, as while one moves from the one to the other, is checked as any other."""
    from cybertip.webhooks.standard import StandardSigner

    trusted = make_keys(Scheme.HMAC).trusted
    private = "whsk_" + "A" * 43
    signer = StandardSigner([private, trusted])
    with somebody.serving(somebody.Platform(trusted)) as url:
        assert {one.standing for one in check_endpoint(url, signer)} == {Standing.KEPT}


def test_the_page_lists_every_promise() -> None:
    """Who reads how to build an endpoint reads the sentences that it is judged by."""
    page = (Path(__file__).parents[3] / "docs/howto/build_the_endpoints.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page, re.MULTILINE) == [
        (str(one), one.sentence) for one in Promise
    ]

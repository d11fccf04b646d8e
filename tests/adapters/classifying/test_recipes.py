"""The recipes of docs/howto/classifiers_and_services.md keep what the port of matchers promises, errors and all."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cybertip.hashing.pictures import PictureHashes, hash_picture
from cybertip.ports.matching import HashMatcher, ItemId, MatchResult, MediaItem, NotChecked, Outcome, Readiness
from cybertip.testing.conformance import HashMatcherSuite
from cybertip.testing.services import PhotoDnaCloud, Shield

PAGE = Path(__file__).parents[3] / "docs/howto/classifiers_and_services.md"

Handler = Callable[[httpx.Request], httpx.Response]
Asking = Callable[[Handler], HashMatcher]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's examples define."""
    names: dict[str, Any] = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
            exec(block, names)
    return names


@pytest.fixture
def asking(page: dict[str, Any], recipe: str) -> Iterator[Asking]:
    """Return a function that makes the recipe's matcher, with whatever answers."""
    clients: list[httpx.Client] = []

    def made(handler: Handler) -> HashMatcher:
        auth = httpx.BasicAuth("synthetic", "synthetic") if recipe == "ArachnidShield" else None
        headers = {} if auth else {"Ocp-Apim-Subscription-Key": "synthetic-key"}
        clients.append(
            httpx.Client(
                transport=httpx.MockTransport(handler), base_url="https://service.example", auth=auth, headers=headers
            )
        )
        matcher: HashMatcher = page[recipe](clients[-1])
        return matcher

    yield made
    for client in clients:
        client.close()


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)


class Recipe(HashMatcherSuite):
    """A recipe with its double. Services are as old as their answers."""

    @pytest.fixture
    def handler(self, page: dict[str, Any]) -> Handler:
        raise AssertionError("override it")

    @pytest.fixture
    def matcher(self, asking: Asking, handler: Handler) -> HashMatcher:
        return asking(handler)

    @pytest.fixture
    def broken(self, asking: Asking) -> HashMatcher:
        return asking(unreachable)

    @pytest.fixture
    def stale(self) -> None:
        return None

    @pytest.fixture
    def known(self, page: dict[str, Any]) -> MediaItem:
        return MediaItem(id=ItemId("known"), media=page["upload"])

    @pytest.fixture
    def unknown(self, page: dict[str, Any]) -> MediaItem:
        return MediaItem(id=ItemId("unknown"), media=page["saved"](page["other"]))


class TestArachnidShield(Recipe):
    """PDQ hashes, many in a request."""

    @pytest.fixture
    def recipe(self) -> str:
        return "ArachnidShield"

    @pytest.fixture
    def handler(self, page: dict[str, Any]) -> Handler:
        found = hash_picture(page["saved"](page["known"]))
        assert isinstance(found, PictureHashes)
        return Shield([found.pdq.variants[0]], username="synthetic", password="synthetic")

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(401, json={"detail": "synthetic"}),
            httpx.Response(500, text="synthetic"),
            httpx.Response(200, text="<html>"),
            httpx.Response(200, json={}),
            httpx.Response(200, json={"scanned_hashes": {}}),
            httpx.Response(200, json={"scanned_hashes": None}),
            httpx.Response(302, headers={"Location": "https://other.example/"}),
        ],
        ids=["credentials", "error", "page", "nothing", "none of the hashes", "null", "redirect"],
    )
    def test_an_answer_that_is_not_understood_checks_nothing(
        self, answer: httpx.Response, asking: Asking, unknown: MediaItem
    ) -> None:
        """Only a word for each hash is an answer."""
        (result,) = asking(lambda request: answer).match([unknown])
        assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNAVAILABLE)
        assert asking(lambda request: answer).health().readiness is Readiness.UNAVAILABLE

    def test_pictures_stay_here(self, asking: Asking, handler: Handler, known: MediaItem) -> None:
        """What is sent is hashes, of all eight positions."""
        sent: list[bytes] = []

        def seen(request: httpx.Request) -> httpx.Response:
            sent.append(request.content)
            return handler(request)

        asking(seen).match([known])
        (body,) = sent
        assert len(body) < 500
        assert body.count(b"=") == 8


class TestPhotoDna(Recipe):
    """Pictures, one a request, and errors inside HTTP 200."""

    @pytest.fixture
    def recipe(self) -> str:
        return "PhotoDna"

    @pytest.fixture
    def handler(self, page: dict[str, Any]) -> Handler:
        return PhotoDnaCloud([page["saved"](page["known"])], key="synthetic-key")

    def answered(self, asking: Asking, item: MediaItem, body: Any) -> MatchResult:
        (result,) = asking(lambda request: httpx.Response(200, json=body)).match([item])
        return result

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (3002, NotChecked.UNAVAILABLE),
            (3004, NotChecked.UNAVAILABLE),
            (3206, NotChecked.UNSUPPORTED_TYPE),
            (3208, NotChecked.TOO_SMALL),
            (9999, NotChecked.UNAVAILABLE),
            (None, NotChecked.UNAVAILABLE),
        ],
    )
    def test_a_code_within_a_success_is_no_answer(
        self, code: int | None, reason: NotChecked, asking: Asking, unknown: MediaItem
    ) -> None:
        """With HTTP 200 and `IsMatch` false, a code that is not 3000 says that nothing was looked up."""
        result = self.answered(asking, unknown, {"Status": {"Code": code}, "IsMatch": False, "MatchDetails": None})
        assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, reason)

    @pytest.mark.parametrize("body", [{}, [], None, {"Status": None}, {"Status": {"Code": 3000}}])
    def test_an_answer_that_is_not_understood_checks_nothing(
        self, body: Any, asking: Asking, unknown: MediaItem
    ) -> None:
        """What has no code, or no word on whether it matches, is no answer."""
        result = self.answered(asking, unknown, body)
        assert (result.outcome, result.reason) == (Outcome.NOT_CHECKED, NotChecked.UNAVAILABLE)

    def test_what_matches_without_a_flag_matches(self, asking: Asking, unknown: MediaItem) -> None:
        """That the service does not say what matched loses no match."""
        body = {"Status": {"Code": 3000}, "IsMatch": True, "MatchDetails": {"MatchFlags": []}}
        assert self.answered(asking, unknown, body).outcome is Outcome.POTENTIAL_MATCH

    def test_a_copy_is_sent(self, asking: Asking, handler: Handler, known: MediaItem) -> None:
        """The file's own bytes stay here."""
        sent: list[bytes] = []

        def seen(request: httpx.Request) -> httpx.Response:
            sent.append(request.content)
            return handler(request)

        asking(seen).match([known])
        assert sent != [known.media]
        assert sent[0].startswith(b"\xff\xd8")

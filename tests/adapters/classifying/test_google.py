"""What Google is sent, and what its answers are taken for: small copies go out, priorities come back, and nothing files."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, strategies as st
from PIL import Image

from cybertip.adapters.classifying import estimates
from cybertip.adapters.classifying.estimates import MOST_IMAGES, batches
from cybertip.adapters.classifying.google import GoogleClassifier
from cybertip.hashing.previews import Preview
from cybertip.ports.matching import Classification, ItemId, MediaItem, NotChecked, Priority
from cybertip.testing.services import ContentSafety

Classifying = Callable[..., GoogleClassifier]
Item = Callable[..., MediaItem]
Shaded = Callable[..., bytes]

SHADES = (10, 70, 130, 180, 245)


def answer(words: Any, **more: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, json={"reviewPriorities": words, **more})


def only(classifier: GoogleClassifier, item: MediaItem) -> Classification:
    (found,) = classifier.classify([item])
    return found


def test_five_priorities_come_back_in_order(classifying: Classifying, item: Item) -> None:
    """Each picture has the priority that Google gave it, Google's own word, and the version of the model."""
    found = classifying().classify([item(shade, id=str(shade)) for shade in SHADES])
    assert [one.priority for one in found] == list(Priority)
    assert [one.label for one in found] == ["VERY_LOW", "LOW", "MEDIUM", "HIGH", "VERY_HIGH"]
    assert {(one.model, one.classifier, one.score) for one in found} == {("synthetic-1", "google content safety", None)}


def test_items_without_a_picture_keep_no_other_from_its_answer(
    classifying: Classifying, item: Item, google: ContentSafety, tmp_path: Path
) -> None:
    """Each item has its own answer or reason, at its own place, and only pictures are sent."""
    given = [
        MediaItem(id=ItemId("nothing")),
        item(245, id="bright"),
        item(media=b"synthetic words", id="words"),
        item(media=tmp_path / "missing", id="missing"),
        item(10, id="dark"),
        item(media=b"\x89PNG\r\n\x1a\n broken", id="broken"),
    ]
    found = classifying().classify(given)
    assert [one.item for one in found] == [one.id for one in given]
    assert [one.priority or one.reason for one in found] == [
        NotChecked.UNREADABLE,
        Priority.VERY_HIGH,
        NotChecked.UNSUPPORTED_TYPE,
        NotChecked.UNREADABLE,
        Priority.VERY_LOW,
        NotChecked.UNDECODABLE,
    ]
    assert google.seen == [[(64, 48), (64, 48)]]


def test_only_small_copies_without_a_trace_of_the_file_are_sent(
    classifying: Classifying, shaded_file: Shaded, google: ContentSafety
) -> None:
    """Google sees 640 pixels a side at most, and nothing that a camera or a person wrote into the file."""
    exif = Image.Exif()
    exif[0x010E] = "canary"
    large = shaded_file(200, kind="JPEG", rows=900, columns=1200, exif=exif, comment=b"canary")
    assert only(classifying(), MediaItem(id=ItemId("canary"), media=large, media_type="image/canary")).reason is None
    assert google.seen == [[(640, 480)]]
    assert google.extras[0].keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_key_is_in_a_header_alone(classifying: Classifying, item: Item) -> None:
    """Addresses and bodies end up in logs: the key is in neither, nor in a repr or an error."""
    sent: list[httpx.Request] = []

    def refusing(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(403)

    classifier = classifying(refusing)
    classifier.classify([item()])
    (request,) = sent
    assert request.headers["X-Goog-Api-Key"] == "synthetic-key"
    assert str(request.url) == "https://contentsafety.googleapis.com/v1beta1/images:classify"
    assert b"synthetic-key" not in request.content
    assert "synthetic-key" not in repr(classifier)
    for key in ("", "two words", "line\nbreak", "\u00fcber"):
        with pytest.raises(ValueError, match="plain characters") as error:
            GoogleClassifier(key)
        assert not key or key not in str(error.value)


def test_no_request_is_larger_than_google_takes(classifying: Classifying, item: Item, google: ContentSafety) -> None:
    """More than 32 pictures go in several requests, and every item has its own answer."""
    found = classifying().classify([item(SHADES[number % 5], id=str(number)) for number in range(70)])
    assert [len(one) for one in google.seen] == [32, 32, 6]
    assert [one.item for one in found] == [str(number) for number in range(70)]
    assert [one.priority for one in found] == [Priority(number % 5 + 1) for number in range(70)]


@given(st.lists(st.none() | st.integers(1, 1_250), max_size=100))
@example([1_248, 1_248])
@example([623, 623, 624, 624])
@example([1] * (MOST_IMAGES + 1))
def test_batches_hold_every_picture_once_within_the_limits(sizes: list[int | None]) -> None:
    """However large pictures are, each is in one request, in order, and no request is too large, or cut off too early."""
    # Of three bytes base64 makes four characters.
    shown = [
        NotChecked.UNDECODABLE if size is None else Preview(data=bytes(3 * size), width=1, height=1, moving=False)
        for size in sizes
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimates, "MOST_BYTES", 10_000)
        made = list(batches(shown))
    assert [position for one in made for position in one.positions] == [
        position for position, size in enumerate(sizes) if size is not None
    ]
    for one in made:
        assert 1 <= len(one.positions) <= MOST_IMAGES
        assert len(one.body) <= 10_000
        expected = [4 * (sizes[position] or 0) for position in one.positions]
        assert [len(image) for image in json.loads(one.body)["images"]] == expected
    # None is cut off early: a batch and what follows would not have fitted into one.
    for one, other in pairwise(made):
        following = len(json.loads(other.body)["images"][0])
        assert len(one.positions) == MOST_IMAGES or len(one.body) + following + 3 > 10_000


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (
            lambda request: httpx.Response(403, json={"error": {"status": "PERMISSION_DENIED"}}),
            "403 (PERMISSION_DENIED)",
        ),
        (lambda request: httpx.Response(429, text="canary"), "HTTP 429:"),
        (lambda request: httpx.Response(400, json={"error": {"status": "canary canary"}}), "HTTP 400:"),
        (lambda request: httpx.Response(500, json=["canary"]), "HTTP 500:"),
        (lambda request: httpx.Response(302, headers={"Location": "https://other.example/"}), "HTTP 302:"),
        (lambda request: httpx.Response(200, text="<html>canary"), "not JSON"),
        (lambda request: httpx.Response(200), "not JSON"),
        (lambda request: httpx.Response(200, json=["HIGH"]), "one priority for each"),
        (lambda request: httpx.Response(200, json={}), "one priority for each"),
        (answer("HIGH"), "one priority for each"),
        (answer(["HIGH", "HIGH"]), "one priority for each"),
        (answer([]), "one priority for each"),
        (lambda request: httpx.Response(200, headers={"Content-Encoding": "br"}, content=b""), "an encoding"),
        (lambda request: httpx.Response(200, content=b" " * 70_000), "more than 65536 bytes"),
    ],
)
def test_an_answer_that_is_not_understood_estimates_nothing(
    handler: Any, said: str, classifying: Classifying, item: Item, caplog: pytest.LogCaptureFixture
) -> None:
    """No part of it is believed; somebody is told what happened, and nothing of what was sent or answered is quoted."""
    with caplog.at_level(logging.WARNING, "cybertip"):
        found = only(classifying(handler), item(id="canary"))
    assert (found.priority, found.reason) == (None, NotChecked.UNAVAILABLE)
    (record,) = caplog.records
    assert said in record.getMessage()
    assert "canary" not in record.getMessage()
    assert "synthetic-key" not in record.getMessage()


@pytest.mark.parametrize("word", ["REVIEW_PRIORITY_UNSPECIFIED", "high", "", None, 3, ["HIGH"]])
def test_a_word_that_nobody_knows_means_nothing(word: Any, classifying: Classifying, item: Item) -> None:
    """One unknown priority leaves its own picture without an estimate, and no other."""
    found = classifying(answer([word, "HIGH"])).classify([item(), item()])
    assert [one.reason for one in found] == [NotChecked.UNAVAILABLE, None]


@pytest.mark.parametrize(
    ("more", "model"),
    [
        ({"model_version": "2"}, "2"),
        ({"modelVersion": "v2.1"}, "v2.1"),
        ({}, None),
        ({"model_version": 2}, None),
        ({"model_version": "x" * 101}, None),
    ],
)
def test_the_models_version_is_noted_where_it_is_one(
    more: Any, model: str | None, classifying: Classifying, item: Item
) -> None:
    """What is recorded with an estimate is short and plain."""
    assert only(classifying(answer(["LOW"], **more)), item()).model == model


@pytest.mark.parametrize(("shade", "stands"), [(245, True), (180, True), (130, False), (10, False)])
def test_of_what_moves_only_urgency_is_said(
    shade: int, stands: bool, classifying: Classifying, shaded_file: Shaded
) -> None:
    """One picture was seen: that it is urgent is true of the whole, and that it is not is not."""
    rest = [Image.new("L", (64, 48), 255)]
    moving = shaded_file(shade, kind="GIF", save_all=True, append_images=rest)
    found = only(classifying(), MediaItem(id=ItemId("1"), media=moving))
    assert (found.reason is None) is stands
    assert stands or found.reason is NotChecked.FIRST_FRAME_ONLY


class _Trickle(httpx.SyncByteStream):
    """An answer that comes byte by byte and never ends."""

    def __init__(self) -> None:
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.001)
            self.sent += 1
            yield b" "


def test_an_answer_that_never_ends_is_not_waited_for(classifying: Classifying, item: Item) -> None:
    """A byte now and then does not prolong the exchange."""
    stream = _Trickle()
    classifier = classifying(lambda request: httpx.Response(200, stream=stream), answer_for=timedelta(milliseconds=20))
    assert only(classifier, item()).reason is NotChecked.UNAVAILABLE
    assert 1 <= stream.sent <= 25


def test_one_batch_that_fails_takes_no_other_with_it(
    classifying: Classifying, item: Item, google: ContentSafety
) -> None:
    """What was answered stands, though something else was not."""

    def second_fails(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if google.seen else google(request)

    found = classifying(second_fails).classify([item(245, id=str(number)) for number in range(33)])
    assert [one.reason for one in found] == [None] * 32 + [NotChecked.UNAVAILABLE]


def test_a_client_of_ours_is_closed_and_anothers_is_not(item: Item) -> None:
    """Whoever made the connections closes them; a closed classifier estimates nothing, and raises nothing."""
    with GoogleClassifier("synthetic-key") as classifier:
        pass
    assert only(classifier, item()).reason is NotChecked.UNAVAILABLE
    with httpx.Client(transport=httpx.MockTransport(ContentSafety(key="synthetic-key"))) as http:
        with GoogleClassifier("synthetic-key", http=http):
            pass
        assert not http.is_closed


def test_plain_http_goes_to_this_machine_alone() -> None:
    """A key is never sent where others can read it."""
    with pytest.raises(ValueError, match="must be https"):
        GoogleClassifier("synthetic-key", url="http://classify.example/v1")

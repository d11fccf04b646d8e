"""What a classifier promises, in both colours."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs
import pytest
from anyio.from_thread import BlockingPortal

from cybertip.ports.matching import Classifier, ItemId, MediaItem, NotChecked
from cybertip.testing.conformance.matching.suite import driven_with_names
from cybertip.testing.conformance.running import OnEventLoops, at_once

__all__ = ["AsyncClassifierSuite", "ClassifierSuite"]


class ClassifierSuite:
    """Test a `Classifier`: one test for each sentence of the port's docstrings.

    Override the fixtures. `classifier` can reach its service; `item` is one that it can estimate; `broken` is a classifier
    whose service cannot be reached.
    """

    @pytest.fixture
    def classifier(self) -> Any:
        """A classifier that can estimate."""
        pytest.fail("override the fixture `classifier` of the suite")

    @pytest.fixture
    def item(self) -> MediaItem:
        """An item that can be estimated."""
        pytest.fail("override the fixture `item` of the suite")

    @pytest.fixture
    def broken(self) -> Any:
        """A classifier that cannot reach its service."""
        pytest.fail("override the fixture `broken` of the suite")

    def test_classify_positional(self, classifier: Classifier, item: MediaItem) -> None:
        """There is one answer for each item, in the order of the items, and it bears the item's id and the classifier's
        name."""
        most = min(classifier.most_items, 5)
        items = [attrs.evolve(item, id=ItemId(str(number))) for number in range(most)]
        answers = classifier.classify(items)
        assert [one.item for one in answers] == [one.id for one in items]
        for one in answers:
            assert one.classifier == classifier.name
            assert one.reason is None
            assert one.priority is not None or one.score is not None
        assert tuple(classifier.classify([])) == ()

    def test_classify_apart(self, classifier: Classifier, item: MediaItem) -> None:
        """An item that cannot be estimated has a reason: nothing is raised for it, and the other items have their
        answers."""
        nothing = MediaItem(id=ItemId("nothing"))
        first, second = classifier.classify([nothing])[0], classifier.classify([item])[0]
        if classifier.most_items > 1:
            first, second = classifier.classify([nothing, item])
        assert (first.item, second.item) == (nothing.id, item.id)
        assert first.reason is not None
        assert second.reason is None

    def test_classify_most(self, classifier: Classifier, item: MediaItem) -> None:
        """With more than `most_items` it raises `ValueError`, and nothing is sent."""
        with pytest.raises(ValueError, match=r"\d"):
            classifier.classify([item] * (classifier.most_items + 1))

    def test_classify_unreachable(self, broken: Classifier, item: MediaItem) -> None:
        """When the service cannot be reached, every item has a reason."""
        for one in broken.classify([item] * min(broken.most_items, 2)):
            assert one.reason is NotChecked.UNAVAILABLE

    def test_classify_at_once(self, classifier: Classifier, item: MediaItem) -> None:
        """It may be called from several threads at once."""
        for outcome in at_once([partial(classifier.classify, [item])] * 4):
            assert not isinstance(outcome, Exception), outcome
            assert [one.reason for one in outcome] == [None]

    def test_classify_answers(self, classifier: Classifier, item: MediaItem) -> None:
        """An answer is neither true nor false."""
        (answer,) = classifier.classify([item])
        with pytest.raises(TypeError, match="priority"):
            bool(answer)


class AsyncClassifierSuite(OnEventLoops, ClassifierSuite):
    """Test an `AsyncClassifier`, on asyncio and trio.

    Override the fixtures `async_classifier` and `async_broken`, which return classifiers, or asynchronous context managers
    that yield them and are entered and left within the event loop; and `item`.
    """

    @pytest.fixture
    def async_classifier(self) -> Any:
        """A classifier that can estimate, or what yields one."""
        pytest.fail("override the fixture `async_classifier` of the suite")

    @pytest.fixture
    def async_broken(self) -> Any:
        """A classifier that cannot reach its service, or what yields one."""
        pytest.fail("override the fixture `async_broken` of the suite")

    @pytest.fixture
    def classifier(self, portal: BlockingPortal, async_classifier: Any) -> Iterator[Any]:
        """The classifier, driven from outside of its event loop."""
        with driven_with_names(portal, async_classifier) as classifier:
            yield classifier

    @pytest.fixture
    def broken(self, portal: BlockingPortal, async_broken: Any) -> Iterator[Any]:
        """The broken one, driven likewise."""
        with driven_with_names(portal, async_broken) as classifier:
            yield classifier

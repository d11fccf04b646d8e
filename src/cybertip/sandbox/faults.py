"""Faults to order: what goes wrong with the next exchange, before or after NCMEC acted on it.

They make testable, in any language, what matters most about filing: an answer that is lost after the report was finished.
"""

import re
from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cybertip.protocol.endpoints import Endpoint
from cybertip.sandbox.answers import Answer, Delivery

__all__ = ["Fault", "FaultAnswer", "fault_from_json", "spoiled", "take"]

FaultAnswer = Answer | Callable[[Answer], Answer] | int | Literal["drop", "truncate", "hang"]
_ENDPOINTS = ("*", *(endpoint.path for endpoint in Endpoint))
_BREAKS = {"drop": Delivery.NOTHING, "truncate": Delivery.HALF, "hang": Delivery.NEVER}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Spoil the next `times` answers of an endpoint.

    Args:
        endpoint: its path below /ispws, such as "/finish"; "*" for any.
        when: "before" NCMEC acts, so that nothing happened there; or "after" it acted, so that only the answer is spoiled.
        answer: a code to answer with; "drop" breaks the connection without an answer, "truncate" breaks it in the middle
            of one, "hang" never answers; an `Answer` is sent as it is; a function receives the answer and returns another.
        times: how many exchanges are spoiled.

    Requests that are refused for their credentials use up no fault.

    >>> Fault(endpoint="/finish", when="after", answer="drop").times
    1
    """

    endpoint: str
    when: Literal["before", "after"]
    answer: FaultAnswer
    times: int = 1

    def __post_init__(self) -> None:
        if self.endpoint not in _ENDPOINTS:
            raise ValueError(f"endpoint must be one of {', '.join(_ENDPOINTS)}")
        if self.when not in ("before", "after"):
            raise ValueError("when must be 'before' or 'after'")
        if isinstance(self.answer, str) and self.answer not in _BREAKS:
            raise ValueError(f"answer must be a code, an answer or one of {', '.join(_BREAKS)}")
        if self.times < 1:
            raise ValueError("times must be at least 1")


def take(faults: MutableSequence[Fault], endpoint: str) -> Fault | None:
    """Return the first fault that matches an endpoint, and count it."""
    for index, fault in enumerate(faults):
        if fault.endpoint in ("*", endpoint):
            if fault.times == 1:
                del faults[index]
            else:
                faults[index] = replace(fault, times=fault.times - 1)
            return fault
    return None


def spoiled(answer: Answer, fault: Fault, code: Callable[[int], Answer]) -> Answer:
    """Return what is sent in an answer's place; `code` makes the answer for a code."""
    match fault.answer:
        case str(word):
            return replace(answer, delivery=_BREAKS[word])
        case int(number):
            return code(number)
        case Answer() as other:
            return other
        case edit:
            return edit(answer)


def fault_from_json(given: Any) -> Fault:
    """Read a fault as `POST /_sandbox/faults` takes it; raise `ValueError` with a sentence where it cannot be one.

    >>> fault_from_json({"endpoint": "/submit", "when": "before", "answer": 1000}).answer
    1000
    """
    if not isinstance(given, dict) or not {"endpoint", "when", "answer"} <= given.keys() <= _KEYS:
        raise ValueError("a fault is an object with endpoint, when, answer and perhaps times")
    endpoint, times, answer = given["endpoint"], given.get("times", 1), given["answer"]
    if not isinstance(endpoint, str) or not isinstance(times, int):
        raise ValueError("endpoint must be a text and times a whole number")
    if isinstance(answer, Mapping):
        answer = _answer_from_json(answer)
    elif isinstance(answer, bool) or not isinstance(answer, str | int):
        raise ValueError("answer must be a code, a word or an object")
    return Fault(endpoint=endpoint, when=given["when"], answer=answer, times=times)


_KEYS = {"endpoint", "when", "answer", "times"}


def _answer_from_json(given: Mapping[str, Any]) -> Answer:
    status, headers, body = given.get("status"), given.get("headers", {}), given.get("body", "")
    if not isinstance(status, int) or not 200 <= status <= 599 or not isinstance(body, str):
        raise ValueError("an answer is an object with status (200 to 599), and perhaps headers and body (a text)")
    if not isinstance(headers, dict) or not all(_is_header(name, value) for name, value in headers.items()):
        raise ValueError("headers must be an object of names and texts that HTTP can send")
    return Answer(status, tuple(headers.items()), body.encode())


def _is_header(name: str, value: object) -> bool:
    sound = isinstance(value, str) and _VALUE.fullmatch(value) is not None
    return sound and _NAME.fullmatch(name) is not None and (name.lower() != "content-length" or str(value).isdecimal())


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?")

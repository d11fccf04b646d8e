"""What HMA answers with: JSON with a newline, words under the type of HTML, pages, and lists of what is wrong."""

import json
from http import HTTPStatus
from typing import Any

from cybertip.sandbox.answers import Answer

__all__ = ["Aborted", "as_json", "message", "missing", "page", "text"]

_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_JSON = (("Content-Type", "application/json"),)

_PAGES = {
    404: (
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try"
        " again."
    ),
    405: "The method is not allowed for the requested URL.",
}

#: What Flask says when a program failed.
FAILED = (
    "The server encountered an internal error and was unable to complete your request. Either the server is overloaded or"
    " there is an error in the application."
)


class Aborted(Exception):
    """HMA's reason to answer with an error; it is an answer, never an error of the double."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(value: Any, status: int = 200) -> Answer:
    """Return JSON as Flask writes it: keys sorted, nothing between, a newline at the end."""
    return Answer(status, _JSON, json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def message(status: int, words: str = FAILED) -> Answer:
    """Return the first of HMA's shapes of errors, that of everything below /h, /m and /c."""
    return as_json({"message": words}, status)


def missing(*names: str) -> Answer:
    """Return the second: what a request's model has to say, a list."""
    about = {
        "type": "missing",
        "msg": "Field required",
        "input": {},
        "url": "https://errors.pydantic.dev/2.14/v/missing",
    }
    return as_json([{**about, "loc": [name]} for name in names], 422)


def page(status: int) -> Answer:
    """Return the third, a page: for what there is no route for, such as a role that is switched off."""
    title = f"{status} {HTTPStatus(status).phrase}"
    words = f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title[4:]}</h1>\n<p>{_PAGES[status]}</p>\n"
    return Answer(status, _HTML, words.encode())


def text(status: int, words: str) -> Answer:
    """Return the fourth: plain words, under the type of HTML."""
    return Answer(status, _HTML, words.encode())

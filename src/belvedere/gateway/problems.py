"""How a refused request is told to a program: `{code, message}` as application/problem+json."""

from __future__ import annotations

import enum
from http import HTTPStatus
from typing import Final

import msgspec

from belvedere.errors import Refusal, StageReason

PROBLEM_TYPE: Final = "application/problem+json"


class ProblemCode(enum.StrEnum):
    """Refusals that belong to HTTP alone; a `Refusal` or a `StageReason` stands in their place where one fits."""

    NO_SESSION = "no_session"
    FOREIGN_ORIGIN = "foreign_origin"
    UNKNOWN_HOST = "unknown_host"
    WRONG_SUBPROTOCOL = "wrong_subprotocol"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BROKEN = "broken"


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not carried out: a word for programs and a sentence for people."""

    code: str
    message: str


STATUS: Final[dict[str, HTTPStatus]] = {
    ProblemCode.NO_SESSION: HTTPStatus.UNAUTHORIZED,
    ProblemCode.FOREIGN_ORIGIN: HTTPStatus.FORBIDDEN,
    ProblemCode.UNKNOWN_HOST: HTTPStatus.MISDIRECTED_REQUEST,
    ProblemCode.WRONG_SUBPROTOCOL: HTTPStatus.BAD_REQUEST,
    ProblemCode.WRONG_CONTENT_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ProblemCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ProblemCode.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ProblemCode.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
    Refusal.BAD_MESSAGE: HTTPStatus.BAD_REQUEST,
    Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.TOO_FAST: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.NOT_READY: HTTPStatus.SERVICE_UNAVAILABLE,
    StageReason.BAD_OFFER: HTTPStatus.BAD_REQUEST,
    StageReason.NO_COMMON_CODEC: HTTPStatus.NOT_ACCEPTABLE,
    StageReason.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StageReason.TOO_MANY_VIEWERS: HTTPStatus.SERVICE_UNAVAILABLE,
    StageReason.NO_PICTURE: HTTPStatus.SERVICE_UNAVAILABLE,
}
RETRY_AFTER_S: Final[dict[str, int]] = {
    StageReason.TOO_MANY_VIEWERS: 10,  # a viewer's place is free some seconds after the tab is closed
    StageReason.NO_PICTURE: 2,  # a camera takes about that long to turn on
    Refusal.TOO_FAST: 1,
    Refusal.NOT_READY: 1,
}


def status_of(code: str) -> HTTPStatus:
    """The HTTP status that says the same; whatever is about who drives and when is a 409."""
    return STATUS.get(code, HTTPStatus.CONFLICT)

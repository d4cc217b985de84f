"""How a refused request is answered: a `{code, message}` for programs (application/problem+json), a page for people."""

from __future__ import annotations

import enum
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.plain_pages import NOT_FOUND, PLAIN_PAGE_POLICY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Request
    from litestar.types import ExceptionHandlersMap, Scope, Send

logger = logging.getLogger(__name__)

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
    NOT_ACCEPTABLE = "not_acceptable"
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
    ProblemCode.NOT_ACCEPTABLE: HTTPStatus.NOT_ACCEPTABLE,
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
_CODES: Final[dict[int, str]] = {
    401: ProblemCode.NO_SESSION,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    406: ProblemCode.NOT_ACCEPTABLE,
    408: Refusal.TOO_LATE,
    409: Refusal.TOO_LATE,  # as 408, for what a client may not repeat by itself
    413: Refusal.TOO_LARGE,
    415: ProblemCode.WRONG_CONTENT_TYPE,
}


def status_of(code: str) -> HTTPStatus:
    """The HTTP status that says the same; whatever is about who drives and when is a 409."""
    return STATUS.get(code, HTTPStatus.CONFLICT)


async def answer_problem(scope: Scope, send: Send, problem: Problem) -> None:
    """Refuse a request or an upgrade with a problem."""
    headers = {"content-type": PROBLEM_TYPE}
    if problem.code in RETRY_AFTER_S:
        headers["retry-after"] = str(RETRY_AFTER_S[problem.code])
    await answer(scope, send, status_of(problem.code), headers, msgspec.json.encode(problem))


async def answer(scope: Scope, send: Send, status: HTTPStatus, headers: dict[str, str], body: bytes) -> None:
    """Answer a request, or an upgrade that has not been accepted, with a whole response."""
    prefix = "websocket.http.response" if scope["type"] == ScopeType.WEBSOCKET else "http.response"
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{prefix}.start", "status": int(status), "headers": raw})  # type: ignore[arg-type,misc]  # litestar's types do not know the websocket.http.response extension of ASGI
    await send({"type": f"{prefix}.body", "body": body, "more_body": False})  # type: ignore[arg-type,misc]  # likewise


def problem_response(
    code: str, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response[Problem]:
    """A problem with the status that belongs to its code."""
    retry = {"retry-after": str(RETRY_AFTER_S[code])} if code in RETRY_AFTER_S else {}
    return Response(
        Problem(code, message),
        status_code=status or status_of(code),
        media_type=PROBLEM_TYPE,
        headers={**retry, **(headers or {})},
    )


def page_response(status: int, page: bytes, policy: str = PLAIN_PAGE_POLICY) -> Response[bytes]:
    """A small page in plain words."""
    headers = {"content-security-policy": policy}
    return Response(page, status_code=status, media_type="text/html", headers=headers)


def _refused(_: Request[Any, Any, Any], error: VisitorError) -> Response[Problem]:
    return problem_response(error.refusal, str(error))


def _no_picture(_: Request[Any, Any, Any], error: StageError) -> Response[Problem]:
    return problem_response(error.reason, str(error))


def _by_status(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own refusals; it words them without repeating what the visitor sent."""
    status = error.status_code
    if status == 404 and not request.scope["path"].startswith(("/api", "/schema")):  # noqa: PLR2004 - it says itself
        return page_response(status, NOT_FOUND)
    code = _CODES.get(status, Refusal.BAD_MESSAGE if status < 500 else ProblemCode.BROKEN)  # noqa: PLR2004 - likewise
    return problem_response(code, _wording(error), status=status, headers=error.headers)


def _wording(error: HTTPException) -> str:
    """What is wrong, and where, as far as that is known."""
    complaints = error.extra if isinstance(error.extra, list) else []
    where = [f"{each['key']}: {each['message']}" for each in complaints if {"key", "message"} <= each.keys()]
    return "; ".join(where) or error.detail


def _server_error(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    logger.error("a request failed", exc_info=error)
    return problem_response(ProblemCode.BROKEN, "something went wrong on our side")


HANDLERS: ExceptionHandlersMap = {
    VisitorError: _refused,
    StageError: _no_picture,
    HTTPException: _by_status,
    Exception: _server_error,
}

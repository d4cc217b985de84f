"""Every error that a handler lets through, as the response that says so. What is our fault is logged, and told bare."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from litestar import Response
from litestar.exceptions import HTTPException

from belvedere.errors import Refusal, StageError, VisitorError
from belvedere.gateway.plain_pages import NOT_FOUND, PLAIN_PAGE_POLICY
from belvedere.gateway.problems import PROBLEM_TYPE, RETRY_AFTER_S, Problem, ProblemCode, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Request
    from litestar.types import ExceptionHandlersMap

logger = logging.getLogger(__name__)

_CODES = {
    401: ProblemCode.NO_SESSION,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    408: Refusal.TOO_LATE,
    409: Refusal.TOO_LATE,  # as 408, for what a client may not repeat by itself
    413: Refusal.TOO_LARGE,
    415: ProblemCode.WRONG_CONTENT_TYPE,
}


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

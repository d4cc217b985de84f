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
from belvedere.gateway.languages import language_for
from belvedere.gateway.plain_pages import NOT_FOUND, PLAIN_PAGE_POLICY, PlainPage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Request, WebSocket
    from litestar.types import ExceptionHandlersMap, Scope, Send

    from belvedere.errors import StoreError

logger = logging.getLogger(__name__)

PROBLEM_TYPE: Final = "application/problem+json"


class ProblemCode(enum.StrEnum):
    """Codes of problems that exist only over HTTP; all others are a `Refusal` or a `StageReason`."""

    NO_SESSION = "no_session"
    NOT_LISTED = "not_listed"
    FOREIGN_ORIGIN = "foreign_origin"
    UNKNOWN_HOST = "unknown_host"
    WRONG_SUBPROTOCOL = "wrong_subprotocol"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    STORE_FAILED = "store_failed"
    BROKEN = "broken"


class Problem(msgspec.Struct, frozen=True):
    """Why a request was refused: a code for programs, and a message for people."""

    code: str
    message: str


STATUS: Final[dict[str, HTTPStatus]] = {
    ProblemCode.NO_SESSION: HTTPStatus.UNAUTHORIZED,
    ProblemCode.NOT_LISTED: HTTPStatus.FORBIDDEN,
    ProblemCode.FOREIGN_ORIGIN: HTTPStatus.FORBIDDEN,
    ProblemCode.UNKNOWN_HOST: HTTPStatus.MISDIRECTED_REQUEST,
    ProblemCode.WRONG_SUBPROTOCOL: HTTPStatus.BAD_REQUEST,
    ProblemCode.WRONG_CONTENT_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ProblemCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ProblemCode.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ProblemCode.NOT_ACCEPTABLE: HTTPStatus.NOT_ACCEPTABLE,
    ProblemCode.STORE_FAILED: HTTPStatus.SERVICE_UNAVAILABLE,
    ProblemCode.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
    Refusal.BAD_MESSAGE: HTTPStatus.BAD_REQUEST,
    Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.TOO_FAST: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.NOT_READY: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.NOT_PERMITTED: HTTPStatus.FORBIDDEN,
    Refusal.NOT_INVITED: HTTPStatus.FORBIDDEN,
    Refusal.CURTAIN_CLOSED: HTTPStatus.FORBIDDEN,
    Refusal.NOT_WELCOMED: HTTPStatus.FORBIDDEN,
    Refusal.QUIET_HOURS: HTTPStatus.FORBIDDEN,
    StageReason.BAD_OFFER: HTTPStatus.BAD_REQUEST,
    StageReason.NO_COMMON_CODEC: HTTPStatus.UNPROCESSABLE_ENTITY,  # in WHEP, 406 means a counter-offer
    StageReason.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StageReason.TOO_MANY_VIEWERS: HTTPStatus.SERVICE_UNAVAILABLE,
    StageReason.NO_PICTURE: HTTPStatus.SERVICE_UNAVAILABLE,
    StageReason.IVS_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    StageReason.IVS_USED_UP: HTTPStatus.SERVICE_UNAVAILABLE,
}
RETRY_AFTER_S: Final[dict[str, int]] = {
    StageReason.TOO_MANY_VIEWERS: 10,  # a viewer's slot is free some seconds after its tab is closed
    StageReason.IVS_UNAVAILABLE: 10,  # AWS may answer again by then
    StageReason.IVS_USED_UP: 3600,  # the month ends, or the owner raises the limit
    StageReason.NO_PICTURE: 2,  # a camera takes about that long to turn on
    ProblemCode.STORE_FAILED: 10,  # a disk that was slow or full may take it by then
    Refusal.TOO_FAST: 1,
    Refusal.NOT_READY: 1,
}
_CODES: Final[dict[int, str]] = {
    401: ProblemCode.NO_SESSION,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    406: ProblemCode.NOT_ACCEPTABLE,
    408: Refusal.TOO_LATE,
    409: Refusal.TOO_LATE,  # as 408, for requests that a client must not repeat by itself
    413: Refusal.TOO_LARGE,
    415: ProblemCode.WRONG_CONTENT_TYPE,
    429: Refusal.TOO_FAST,
    503: ProblemCode.STORE_FAILED,  # of `not_saved`, the only one that is raised as an HTTP error
}


def status_of(code: str) -> HTTPStatus:
    """The HTTP status of a problem's code; codes about who may drive, and when, are a 409."""
    return STATUS.get(code, HTTPStatus.CONFLICT)


async def answer_problem(scope: Scope, send: Send, problem: Problem) -> None:
    """Refuse a request or an upgrade with a problem."""
    headers = {"content-type": PROBLEM_TYPE}
    if problem.code in RETRY_AFTER_S:
        headers["retry-after"] = str(RETRY_AFTER_S[problem.code])
    await answer(scope, send, status_of(problem.code), headers, msgspec.json.encode(problem))


async def accept_subprotocol(socket: WebSocket[Any, Any, Any], subprotocol: str) -> bool:
    """Accept an upgrade that offers this subprotocol, and refuse any other; returns whether it was accepted."""
    if subprotocol not in socket.scope["subprotocols"]:
        problem = Problem(ProblemCode.WRONG_SUBPROTOCOL, f"the WebSocket subprotocol must be {subprotocol}")
        await answer_problem(socket.scope, socket.send, problem)
        return False
    await socket.accept(subprotocols=subprotocol)
    return True


async def answer(scope: Scope, send: Send, status: HTTPStatus, headers: dict[str, str], body: bytes) -> None:
    """Send a whole response to a request, or to an upgrade that has not been accepted."""
    prefix = "websocket.http.response" if scope["type"] == ScopeType.WEBSOCKET else "http.response"
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{prefix}.start", "status": int(status), "headers": raw})  # type: ignore[arg-type,misc]  # litestar's types do not know the websocket.http.response extension of ASGI
    await send({"type": f"{prefix}.body", "body": body, "more_body": False})  # type: ignore[arg-type,misc]  # likewise


def not_saved(
    error: StoreError, problem: str, *, logged: str = "", headers: dict[str, str] | None = None
) -> HTTPException:
    """What to raise (503) where the store fails: logs `logged`, or else the problem that the client is told."""
    logger.warning("%s: %s", logged or problem, error)
    return HTTPException(problem, status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)


def problem_response(
    code: str, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response[Problem]:
    """A problem as a response, with the status of its code unless another is given."""
    retry = {"retry-after": str(RETRY_AFTER_S[code])} if code in RETRY_AFTER_S else {}
    return Response(
        Problem(code, message),
        status_code=status or status_of(code),
        media_type=PROBLEM_TYPE,
        headers={**retry, **(headers or {})},
    )


def page_response(
    request: Request[Any, Any, Any], status: int, page: PlainPage, policy: str = PLAIN_PAGE_POLICY
) -> Response[bytes]:
    """A page of `plain_pages` as a response, in the language of the request."""
    language = language_for(request.headers.get("accept-language", ""))
    headers = {"content-security-policy": policy, "content-language": language, "vary": "accept-language"}
    return Response(page.html(language), status_code=status, media_type="text/html", headers=headers)


def _refused(_: Request[Any, Any, Any], error: VisitorError) -> Response[Problem]:
    return problem_response(error.refusal, str(error))


def _no_picture(_: Request[Any, Any, Any], error: StageError) -> Response[Problem]:
    return problem_response(error.reason, str(error))


def _by_status(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """An HTTPException of Litestar or of a handler; their messages do not repeat what the client sent."""
    status = error.status_code
    if status == 404 and not request.scope["path"].startswith(("/api", "/schema")):  # noqa: PLR2004 - a status is its own name
        return page_response(request, status, NOT_FOUND)
    code = _CODES.get(status, Refusal.BAD_MESSAGE if status < 500 else ProblemCode.BROKEN)  # noqa: PLR2004 - likewise
    return problem_response(code, _wording(error), status=status, headers=error.headers)


def _wording(error: HTTPException) -> str:
    """The error's message, with the invalid parameters where Litestar names them."""
    details = error.extra if isinstance(error.extra, list) else []
    where = [f"{each['key']}: {each['message']}" for each in details if {"key", "message"} <= each.keys()]
    return "; ".join(where) or error.detail


def _server_error(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    logger.error("a handler failed with an unexpected error", exc_info=error)
    return problem_response(ProblemCode.BROKEN, "something went wrong on our side")


HANDLERS: ExceptionHandlersMap = {
    VisitorError: _refused,
    StageError: _no_picture,
    HTTPException: _by_status,
    Exception: _server_error,
}

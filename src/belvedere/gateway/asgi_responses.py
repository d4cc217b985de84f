"""Answers given before any handler is reached, in plain ASGI: a refused request, a refused upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from litestar.enums import ScopeType

from belvedere.gateway.problems import PROBLEM_TYPE, RETRY_AFTER_S, Problem, status_of

if TYPE_CHECKING:
    from http import HTTPStatus

    from litestar.types import Scope, Send


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

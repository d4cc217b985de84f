"""Stands before every route, known or not: checks the house's name, the request's origin and the visitor's session.

It also puts the security headers on every response, and on every 401 what would have been enough.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from litestar.enums import ScopeType

from belvedere.gateway.messages import SUBPROTOCOL, CloseCode
from belvedere.gateway.plain_pages import FOREIGN_ORIGIN, NO_SESSION, PLAIN_PAGE_POLICY, UNKNOWN_HOST
from belvedere.gateway.problems import Problem, ProblemCode, answer, answer_problem, status_of
from belvedere.gateway.security import (
    SAFE_METHODS,
    HostCheck,
    cookie_name,
    is_same_origin,
    read_cookie,
    security_headers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar import Litestar
    from litestar.types import LifeSpanScope, Message, Receive, Scope, Send

    from belvedere.access.invitations import Invitations

logger = logging.getLogger(__name__)

LONGEST_SHOWN = 100
PROBE_PATHS = frozenset({"/healthz", "/readyz"})  # a supervisor asks for these by whatever address it knows
OPEN_PATHS = re.compile(r"/healthz|/readyz|/enter/[^/]+")  # whoever asks for these needs no session
PROGRAM_PATHS = re.compile(r"/(api|schema)(/.*)?")  # whoever asks for these wants no HTML


class AuthMiddleware:
    """An ASGI application around another one; the visitor's session travels as `scope["auth"]` (None where open)."""

    def __init__(self, app: Litestar, invitations: Invitations, hosts: HostCheck) -> None:
        self._app = app
        self._invitations = invitations
        self._hosts = hosts

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in reversed(list(scope["headers"]))}
        host = headers.get(b"host", "")
        send = _with_security_headers(send, host if self._hosts.accepts(host) else "")
        is_probe = scope["path"] in PROBE_PATHS
        problem = None if is_probe else self._rejection(scope, host, headers.get(b"origin"))
        if problem is not None:
            await _refuse(scope, send, problem)
            return
        cookie = read_cookie(headers.get(b"cookie", ""), cookie_name(host))
        scope["auth"] = self._invitations.session(cookie)
        if scope["auth"] is None and not OPEN_PATHS.fullmatch(scope["path"]):
            await _reject(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def session_of(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The session that a request's headers prove, by its name; None for a stranger."""
        known = {name: value.decode("latin-1") for name, value in headers if name in {b"cookie", b"host"}}
        session = self._invitations.session(read_cookie(known.get(b"cookie", ""), cookie_name(known.get(b"host", ""))))
        return None if session is None else session.id

    def _rejection(self, scope: Scope, host: str, origin: str | None) -> Problem | None:
        if scope["type"] == ScopeType.WEBSOCKET:
            _warn_of_refusal(host, origin, is_known=self._hosts.accepts(host))
        if not self._hosts.accepts(host):
            return Problem(ProblemCode.UNKNOWN_HOST, "this house does not go by that name")
        is_safe = scope["type"] == ScopeType.HTTP and scope["method"] in SAFE_METHODS
        if not is_safe and origin is not None and not is_same_origin(origin, host):
            return Problem(ProblemCode.FOREIGN_ORIGIN, "another site's page may not do this")
        return None


def _warn_of_refusal(host: str, origin: str | None, *, is_known: bool) -> None:
    """Tell the owner why an upgrade is refused, if it is, and what to set if it should not be."""
    if not is_known:
        advice = "if the house goes by that Host, add it to server.names"
    elif origin is not None and not is_same_origin(origin, host):
        advice = "if that is the house's own page, its proxy must pass on the browser's Host, and server.names list it"
    else:
        return
    logger.warning("refused a WebSocket: Origin %s, Host %s; %s", _shown(origin or "none"), _shown(host), advice)


def _shown(said: str) -> str:
    """What a stranger said, as a log may hold it."""
    return ascii(said[:LONGEST_SHOWN])


async def _reject(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell whoever has no session, in the words that they understand: a close code, a problem, or a page."""
    if scope["type"] == ScopeType.WEBSOCKET:
        await receive()
        # accepted first, because a browser tells its page nothing about an upgrade that failed
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
        reason = "This visit has ended."  # whoever asks for a socket has a page, and so had a session
        await send({"type": "websocket.close", "code": CloseCode.NO_SESSION, "reason": reason})
    elif PROGRAM_PATHS.fullmatch(scope["path"]):
        await answer_problem(scope, send, Problem(ProblemCode.NO_SESSION, "you need a link to come in"))
    else:
        await _answer_page(scope, send, HTTPStatus.UNAUTHORIZED, NO_SESSION)


async def _refuse(scope: Scope, send: Send, problem: Problem) -> None:
    """Tell a person in a page, and everybody else as a program."""
    if scope["type"] == ScopeType.HTTP and not PROGRAM_PATHS.fullmatch(scope["path"]):
        page = UNKNOWN_HOST if problem.code == ProblemCode.UNKNOWN_HOST else FOREIGN_ORIGIN
        await _answer_page(scope, send, status_of(problem.code), page)
    else:
        await answer_problem(scope, send, problem)


async def _answer_page(scope: Scope, send: Send, status: HTTPStatus, page: bytes) -> None:
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": PLAIN_PAGE_POLICY}
    await answer(scope, send, status, headers, page)


def _with_security_headers(send: Send, host: str) -> Send:
    """Add the security headers to every response; a handler's own header of the same name is kept."""
    defaults = [(name.encode(), value.encode("latin-1")) for name, value in security_headers(host).items()]
    # no browser knows this scheme, and so none asks for a password
    challenge = (b"www-authenticate", f'Cookie realm="Belvedere", cookie-name="{cookie_name(host)}"'.encode())

    async def send_with_headers(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            own = list(message.get("headers", ()))
            known = {name.lower() for name, _ in own}
            added = [header for header in defaults if header[0] not in known]
            if message["status"] == HTTPStatus.UNAUTHORIZED:
                added.append(challenge)
            message = {**message, "headers": [*own, *added]}  # type: ignore[misc,assignment]  # likewise
        await send(message)

    return send_with_headers

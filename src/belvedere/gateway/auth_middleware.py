"""Checks `Host`, `Origin` and the session of every request before any route is looked up.

It also adds the security headers to every response, and to every 401 a challenge that names the cookie. Pages of other
origins are refused unless they are listed (`cross_origin.py`), and from another site a cookie never counts.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from litestar.enums import ScopeType

from belvedere.errors import Refusal
from belvedere.gateway.authentication import SCHEME, AuthenticationRefusedError, AuthenticationUnavailableError
from belvedere.gateway.base_path import path_below
from belvedere.gateway.cross_origin import (
    PREFLIGHT_HEADERS,
    VARY,
    Frontend,
    Frontends,
    is_preflight,
    response_headers,
    set_frontend,
)
from belvedere.gateway.languages import language_for
from belvedere.gateway.messages import SUBPROTOCOL, CloseCode
from belvedere.gateway.plain_pages import (
    FOREIGN_ORIGIN,
    NOT_LISTED,
    PLAIN_PAGE_POLICY,
    TRY_AGAIN,
    UNKNOWN_HOST,
    PlainPage,
)
from belvedere.gateway.problems import Problem, ProblemCode, answer, answer_problem, status_of
from belvedere.gateway.security import (
    SAFE_METHODS,
    HostCheck,
    comes_from_elsewhere,
    cookie_name,
    is_same_origin,
    security_headers,
)
from belvedere.stage.stream.messages import SUBPROTOCOL as VIDEO_SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar import Litestar
    from litestar.types import LifeSpanScope, Message, Receive, Scope, Send

    from belvedere.gateway.authentication import AuthenticatorChain

logger = logging.getLogger(__name__)

SUBPROTOCOLS = (SUBPROTOCOL, VIDEO_SUBPROTOCOL)
MAX_LOGGED_CHARS = 100
PROBE_PATHS = frozenset({"/healthz", "/readyz"})  # a supervisor may probe by any address, so Host is not checked
OPEN_PATHS = re.compile(r"/api/v1/(login/.+|frontend)")  # how those without a session get one
# Refused with a problem, every other path with an HTML page. The router takes several slashes for one.
PROGRAM_PATHS = re.compile(r"/+(api|schema)(/.*)?", re.DOTALL)


_PAGES: Final[dict[str, PlainPage]] = {
    ProblemCode.UNKNOWN_HOST: UNKNOWN_HOST,
    ProblemCode.FOREIGN_ORIGIN: FOREIGN_ORIGIN,
    ProblemCode.NOT_LISTED: NOT_LISTED,
    Refusal.NOT_READY: TRY_AGAIN,
}


def is_open(path: str) -> bool:
    """Whether a path is served without a session: the page's files, which contain nothing private, and the logins."""
    return OPEN_PATHS.fullmatch(path) is not None or PROGRAM_PATHS.fullmatch(path) is None


class AuthMiddleware:
    """ASGI middleware that passes the session on as `scope["auth"]`; on open paths that may be None."""

    def __init__(
        self,
        app: Litestar,
        authenticators: AuthenticatorChain,
        hosts: HostCheck,
        frontends: Frontends | None = None,
        base_path: str = "",
    ) -> None:
        self._app = app
        self._base_path = base_path
        self._authenticators = authenticators
        self._hosts = hosts
        self._frontends = frontends or Frontends()

    @property
    def routes(self) -> Litestar:
        """The application behind this, for requests whose session is known without it (`local_socket.py`)."""
        return self._app

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope["path"] = path_below(self._base_path, scope["path"])
        headers = _first_of_each(scope["headers"])
        headers[SCHEME] = scope["scheme"]
        host = headers.get(b"host", "")
        frontend = self._frontends.sender_of(headers)
        set_frontend(scope, frontend)
        reader = self._frontends.reader_of(scope, headers)
        send = self._with_security_headers(send, scope, host if self._hosts.accepts(host) else "", reader)
        is_probe = scope["path"] in PROBE_PATHS
        problem = (
            None if is_probe else self._rejection(scope, host, headers.get(b"origin") if frontend is None else None)
        )
        if problem is not None:
            await _refuse(scope, send, problem)
            return
        if frontend is not None and scope["type"] == ScopeType.HTTP and is_preflight(scope["method"], headers):
            await answer(scope, send, HTTPStatus.NO_CONTENT, PREFLIGHT_HEADERS, b"")
            return
        _remove_proofs(scope, headers, frontend)
        try:
            # Not for probes: a supervisor must not restart the server because an authenticator fails.
            scope["auth"] = None if is_probe else await self._authenticators.authenticate(headers)
        except AuthenticationRefusedError as error:
            await _refuse(scope, send, error.problem)
            return
        except AuthenticationUnavailableError:
            await _refuse(scope, send, Problem(Refusal.NOT_READY, "your session could not be checked: try again"))
            return
        if scope["auth"] is None and not is_open(scope["path"]):
            await _reject(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def person_of(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Whose live session a request's headers prove; None without one that is known at once."""
        session = self._authenticators.recognise(_first_of_each(headers))
        return None if session is None else session.person

    def _with_security_headers(self, send: Send, scope: Scope, host: str, reader: Frontend | None) -> Send:
        """Add the security headers to every response; a handler's own header of the same name is kept.

        Where there are frontends, caches must tell their requests from ours: the answers have other headers.
        """
        headers = security_headers(host, self._frontends.origins)
        if reader is not None:
            headers |= response_headers(reader)
        varies = [(b"vary", VARY.encode())] if self._frontends.origins or self._frontends.rooms else []
        defaults = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        is_secure = scope["scheme"] in {"https", "wss"}
        # Browsers know neither scheme, so they show no password dialog.
        name = cookie_name(host, is_secure=is_secure, base_path=self._base_path)
        cookie = f'Cookie realm="Belvedere", cookie-name="{name}"'
        challenges = [(b"www-authenticate", each.encode()) for each in (cookie, 'Bearer realm="Belvedere"')]

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                own = list(message.get("headers", ()))
                known = {name.lower() for name, _ in own}
                added = [header for header in defaults if header[0] not in known]
                if message["status"] == HTTPStatus.UNAUTHORIZED:
                    added += challenges
                message = {**message, "headers": [*own, *added, *varies]}  # type: ignore[misc,assignment]  # likewise
            await send(message)

        return send_with_headers

    def _rejection(self, scope: Scope, host: str, origin: str | None) -> Problem | None:
        if scope["type"] == ScopeType.WEBSOCKET:
            _log_refused_upgrade(host, origin, is_known=self._hosts.accepts(host))
        if not self._hosts.accepts(host):
            return Problem(
                ProblemCode.UNKNOWN_HOST,
                "this server is not reachable under that host name",
            )
        is_safe = scope["type"] == ScopeType.HTTP and scope["method"] in SAFE_METHODS
        is_foreign = origin is not None and not is_same_origin(origin, host)
        if not is_safe and (is_foreign or comes_from_elsewhere(scope["headers"])):
            return Problem(ProblemCode.FOREIGN_ORIGIN, "requests from pages of other sites are refused")
        return None


def _first_of_each(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """The first header of each name, as text."""
    return {name: value.decode("latin-1") for name, value in reversed(list(headers))}


def _log_refused_upgrade(host: str, origin: str | None, *, is_known: bool) -> None:
    """Log why an upgrade is refused, if it is, and what to change if it should not be: browsers hide the reason."""
    if not is_known:
        advice = "if visitors use that Host, add it to server.names"
    elif origin is not None and not is_same_origin(origin, host):
        advice = "if that is Belvedere's page, its proxy must forward the browser's Host, and server.names list it"
    else:
        return
    logger.warning("refused a WebSocket: Origin %s, Host %s; %s", _for_log(origin or "none"), _for_log(host), advice)


def _for_log(value: str) -> str:
    """A client's text, shortened and escaped, so that it can neither fill the log nor forge a line."""
    return ascii(value[:MAX_LOGGED_CHARS])


async def _reject(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request without a session: with a close code or a problem, as the client can use it."""
    if scope["type"] == ScopeType.WEBSOCKET:
        await receive()
        # Accepted first: a browser does not tell its page the status of an upgrade that failed.
        subprotocol = next((each for each in scope["subprotocols"] if each in SUBPROTOCOLS), None)
        await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
        reason = "This visit has ended."  # a client that opens a socket has loaded the page, so it had a session
        await send({"type": "websocket.close", "code": CloseCode.NO_SESSION, "reason": reason})
    else:
        await answer_problem(scope, send, Problem(ProblemCode.NO_SESSION, "no session: open an invitation link first"))


async def _refuse(scope: Scope, send: Send, problem: Problem) -> None:
    """Refuse with a page on paths that people open, otherwise with a problem."""
    if scope["type"] == ScopeType.HTTP and not PROGRAM_PATHS.fullmatch(scope["path"]):
        await _answer_page(scope, send, status_of(problem.code), _PAGES.get(problem.code, TRY_AGAIN))
    else:
        await answer_problem(scope, send, problem)


async def _answer_page(scope: Scope, send: Send, status: HTTPStatus, page: PlainPage) -> None:
    language = language_for(_first_of_each(scope["headers"]).get(b"accept-language", ""))
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": PLAIN_PAGE_POLICY,
        "content-language": language,
        "vary": "accept-language",
    }
    await answer(scope, send, status, headers, page.html(language))


def _remove_proofs(scope: Scope, headers: dict[bytes, str], frontend: Frontend | None) -> None:
    """Remove what must not prove a session here: another site's cookies, and tickets where no socket is opened.

    Sockets of other origins take a ticket only: of those, not every browser says whether it is the same site.
    """
    if scope["type"] == ScopeType.HTTP:
        headers.pop(b"sec-websocket-protocol", None)
    if frontend is not None and (scope["type"] == ScopeType.WEBSOCKET or not frontend.is_same_site):
        headers.pop(b"cookie", None)

"""The pages of other origins that may use this house, and what browsers must be told of them (CORS). Pure.

Such a page proves a session in one of two ways. Where it belongs to the same site as the house (`www.example.org` and
`home.example.org`), browsers send the house's cookie, and it counts. From any other site most browsers send none, so
none counts: there the page has a bearer (`access.bearers`). Which of the two it is, the browser itself says in
`Sec-Fetch-Site`, a header that no page can set. Where it says nothing, as over plain http, no cookie counts.

The pages of other rooms on the list of rooms may do one thing: read whether their visitor may enter this room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from belvedere.gateway.security import is_same_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFLIGHT_VALID_S = 600
_EXPOSED = "Accept-Post, Belvedere-Capture-Clock, Content-Disposition, Link, Location, Retry-After"
PREFLIGHT_HEADERS: Final[dict[str, str]] = {
    # PATCH too where it is answered with 405: players that try it can then read that
    "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
    "access-control-allow-headers": "Authorization, Belvedere-Browser, Content-Type, If-Match",
    "access-control-max-age": str(PREFLIGHT_VALID_S),
}
VARY: Final = "Origin, Sec-Fetch-Site"
_FOR_ROOMS: Final = ("GET", "/api/v1/session")
_SCOPE_KEY = "belvedere.frontend"


class Frontend(msgspec.Struct, frozen=True, kw_only=True):
    """A listed page of another origin that sends a request.

    Attributes:
        origin: its origin.
        is_same_site: whether browsers send the house's cookie from there.
    """

    origin: str
    is_same_site: bool


class Frontends:
    """The pages of other origins that may use this house.

    Attributes:
        origins: theirs.
        rooms: the origins of the list of rooms.
    """

    def __init__(self, origins: Iterable[str] = (), rooms: Iterable[str] = ()) -> None:
        self.origins = tuple(dict.fromkeys(origins))
        self.rooms = frozenset(rooms)

    def sender_of(self, headers: Mapping[bytes, str]) -> Frontend | None:
        """The one whose page sends this request; None for our own page, programs and strangers."""
        origin = headers.get(b"origin")
        if origin not in self.origins or is_same_origin(origin, headers.get(b"host", "")):
            return None
        return Frontend(origin=origin, is_same_site=headers.get(b"sec-fetch-site") == "same-site")

    def reader_of(self, scope: Any, headers: Mapping[bytes, str]) -> Frontend | None:  # noqa: ANN401 - an ASGI scope
        """Whose page may read the response: that of a frontend, or of another room that asks about its visitor."""
        frontend, origin = self.sender_of(headers), headers.get(b"origin")
        if frontend is not None or origin not in self.rooms:
            return frontend
        is_same_site = headers.get(b"sec-fetch-site") == "same-site"
        asks = is_same_site and (scope.get("method"), scope["path"]) == _FOR_ROOMS
        return Frontend(origin=origin, is_same_site=True) if asks else None


def set_frontend(scope: Any, frontend: Frontend | None) -> None:  # noqa: ANN401 - an ASGI scope
    """Remember of a request whose page sends it."""
    scope[_SCOPE_KEY] = frontend


def frontend_of(scope: Any) -> Frontend | None:  # noqa: ANN401 - an ASGI scope
    """The page of another origin that sends this request; None for our own page and programs."""
    frontend: Frontend | None = scope.get(_SCOPE_KEY)
    return frontend


def is_preflight(method: str, headers: Mapping[bytes, str]) -> bool:
    """Whether a browser asks if its page may send a request; such a question carries neither token nor cookie."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def response_headers(frontend: Frontend) -> dict[str, str]:
    """The headers that let this page read a response; cookies are allowed within a site only."""
    credentials = {"access-control-allow-credentials": "true"} if frontend.is_same_site else {}
    return {
        "access-control-allow-origin": frontend.origin,
        "access-control-expose-headers": _EXPOSED,
        "cross-origin-resource-policy": "cross-origin",
        **credentials,
    }

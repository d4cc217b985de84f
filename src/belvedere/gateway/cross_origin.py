"""Which pages of other sites may watch here, with a program's token and without cookies (CORS). Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from belvedere.gateway.security import is_same_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PATHS = re.compile(r"/api/v1/stage/whep(/[^/]+)?")
PREFLIGHT_VALID_S = 600
_EXPOSED = "Accept-Post, Belvedere-Capture-Clock, Link, Location, Retry-After"
PREFLIGHT_HEADERS: Final[dict[str, str]] = {
    # PATCH too, which is answered with 405: players that try it can then read that
    "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST",
    "access-control-allow-headers": "Authorization, Content-Type, If-Match",
    "access-control-max-age": str(PREFLIGHT_VALID_S),
}


class Frontends:
    """The pages of other sites that may watch, by their origins."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    def origin_of(self, path: str, headers: Mapping[bytes, str]) -> str | None:
        """The other site whose page sends this request and may; None for our own page, programs and strangers."""
        origin = headers.get(b"origin")
        if origin not in self._origins or PATHS.fullmatch(path) is None:
            return None
        return None if is_same_origin(origin, headers.get(b"host", "")) else origin


def is_preflight(method: str, headers: Mapping[bytes, str]) -> bool:
    """Whether a browser asks if its page may send a request; such a question carries neither token nor cookie."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def response_headers(origin: str) -> dict[str, str]:
    """The headers that let this site's page read a response; without `allow-credentials`, so never with cookies."""
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": _EXPOSED,
        "cross-origin-resource-policy": "cross-origin",
        "vary": "Origin",
    }

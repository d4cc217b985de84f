"""What every request must satisfy, the headers of every response, and the cookies. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?")

FEATURES = (
    "accelerometer=(), autoplay=(self), camera=(), display-capture=(), fullscreen=(self), gamepad=(self), "
    "geolocation=(), gyroscope=(), magnetometer=(), microphone=(self), midi=(), payment=(), "
    "screen-wake-lock=(self), usb=()"
)


class HostCheck:
    """Checks `Host` against the names of this server, as a defence against DNS rebinding.

    A page of an attacker whose host name resolves to this server still has the attacker's name in `Host`. Without
    configured names, a server on loopback accepts loopback's names, and any other accepts every name.
    """

    def __init__(self, listens_on: str, names: Iterable[str] = ()) -> None:
        configured = frozenset(name.lower() for name in names)
        is_loopback = listens_on.strip("[]") in {"localhost", "::1"} or listens_on.startswith("127.")
        bind = f"[{listens_on}]" if ":" in listens_on else listens_on
        self._names = configured | LOOPBACK_NAMES | {bind} if configured or is_loopback else None

    def accepts(self, host: str) -> bool:
        """Whether this `Host` header names this server; an invalid one never does."""
        match = _HOST.fullmatch(host.lower())
        return match is not None and (self._names is None or match["name"] in self._names)


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` header names the site that `Host` names.

    Schemes are not compared: behind a tunnel the browser uses https and the server http.
    """
    scheme, separator, name = origin.lower().partition("://")
    if not separator or scheme not in {"http", "https"}:
        return False
    return _without_default_port(name, scheme) == _without_default_port(host.lower(), scheme)


def comes_from_elsewhere(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a browser says by `Sec-Fetch-Site` alone, without `Origin`, that another site's page sends this.

    Pages cannot set that header. Programs send neither, and may.
    """
    by_name = dict(headers)
    return b"origin" not in by_name and by_name.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}


def security_headers(host: str, embedders: Iterable[str] = (), reaches: Iterable[str] = ()) -> dict[str, str]:
    """The headers of every response.

    `host` is one that HostCheck accepts, or "" where the request has none that is. `embedders` are the origins whose
    pages may have ours in a frame, `reaches` those of other servers that this page may ask.
    """
    # x-frame-options knows no list, so where there is one, only the policy says who may
    ancestors = " ".join(embedders) or "'none'"
    # Safari before 15.4 does not count WebSockets of the same site as 'self'
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host.lower()) else ""
    others = "".join(f" {origin}" for origin in reaches)
    return {
        "content-security-policy": (
            f"default-src 'self'; connect-src 'self'{sockets}{others}; img-src 'self' data:; object-src 'none'; "
            f"base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
        ),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": FEATURES,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        **({"x-frame-options": "DENY"} if ancestors == "'none'" else {}),
        "cache-control": "no-store",
    }


def _without_default_port(host: str, scheme: str) -> str:
    return host.removesuffix(":80" if scheme == "http" else ":443")


_PORT = re.compile(r":([0-9]{1,5})$")


def cookie_name(host: str, *, is_secure: bool = False, base_path: str = "") -> str:
    """The session cookie's name, with the port of `Host`: browsers share cookies between ports, servers must not.

    Over https browsers accept a name that begins with `__Host-` from this host alone, so no page of a sister domain can
    put a cookie of its own in its place. Such a cookie is sent to the whole host, so below a path, where other houses
    may share that, the name begins with `__Secure-`, and the cookie has the path.
    """
    port = _PORT.search(host)
    prefix = ("__Secure-" if base_path else "__Host-") if is_secure else ""
    return f"{prefix}belvedere-{port[1]}" if port else f"{prefix}belvedere"


def read_cookie(header: str, name: str) -> str | None:
    """The value of the first cookie of this name in a `Cookie` header."""
    for pair in header.split(";"):
        key, found, value = pair.strip().partition("=")
        if found and key == name:
            return value
    return None


_BEARER = re.compile(r"bearer +(?P<token>[A-Za-z0-9._~+/-]{1,512}=*)", re.IGNORECASE)


def read_bearer(header: str) -> str | None:
    """The token in an `Authorization` header (RFC 6750, section 2.1); None where it has none."""
    found = _BEARER.fullmatch(header)
    return found["token"] if found else None


def entry_cookie_name(host: str) -> str:
    """The name of the cookie that recognises a browser that asks whom an invitation is for and then redeems it."""
    return f"{cookie_name(host)}-entry"


def write_cookie(name: str, value: str, lifetime_s: float, *, is_secure: bool, path: str = "/") -> str:
    """A `Set-Cookie` value; scripts cannot read the cookie, and other sites' requests do not carry it."""
    secure = "; Secure" if is_secure else ""
    return f"{name}={value}; Path={path}; Max-Age={int(lifetime_s)}; HttpOnly; SameSite=Lax{secure}"


def forget_cookie(name: str, *, is_secure: bool, path: str = "/") -> str:
    """A `Set-Cookie` value that makes the browser delete the cookie of this name and path."""
    return write_cookie(name, "", 0, is_secure=is_secure, path=path)

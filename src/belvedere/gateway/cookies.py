"""The session cookie: its name, reading it, writing it."""

from __future__ import annotations

import re

_PORT = re.compile(r":([0-9]{1,5})$")


def cookie_name(host: str) -> str:
    """The cookie's name on this `Host`: browsers share cookies between the ports of a host, and two houses must not."""
    port = _PORT.search(host)
    return f"belvedere-{port[1]}" if port else "belvedere"


def read_cookie(header: str, name: str) -> str | None:
    """The value of the first cookie of this name in a `Cookie` header."""
    for pair in header.split(";"):
        key, found, value = pair.strip().partition("=")
        if found and key == name:
            return value
    return None


def entry_cookie_name(host: str) -> str:
    """The name of the cookie by which a browser that was shown the button is known again when it presses it."""
    return f"{cookie_name(host)}-entry"


def write_cookie(name: str, value: str, lifetime_s: float, *, is_secure: bool, path: str = "/") -> str:
    """A `Set-Cookie` header that no script can read and that no other site's request carries."""
    secure = "; Secure" if is_secure else ""
    return f"{name}={value}; Path={path}; Max-Age={int(lifetime_s)}; HttpOnly; SameSite=Lax{secure}"


def forget_cookie(name: str, *, is_secure: bool) -> str:
    """A `Set-Cookie` header that makes the browser forget the cookie of this name."""
    return write_cookie(name, "", 0, is_secure=is_secure)

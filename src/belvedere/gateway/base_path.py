"""The path that a house lives below where it shares a host with others, such as `/kitchen`. Pure.

What comes in is taken off once, at the edge, so that routes, rights and limits know one spelling of a path; what goes
out, to browsers, begins with it. A request without it is served too: a proxy may have taken it off, and probes and the
local socket come by no proxy.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

BASE_PATH: Final = "(/[A-Za-z0-9][A-Za-z0-9._~-]{0,63}){0,4}"
OURS: Final = frozenset({"api", "assets", "healthz", "join", "readyz", "room", "rooms", "schema"})

BasePath = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^{BASE_PATH}\Z", max_length=260, description='/kitchen, without a slash at its end; "" for none'
    ),
]


def check_base_path(base_path: str) -> None:
    """Raise ValueError where a path without the base path could be taken for one with it."""
    first = base_path.strip("/").partition("/")[0]
    if first in OURS:
        raise ValueError(f"base_path may not begin with /{first}, which is a path of Belvedere's own")


def path_below(base_path: str, path: str) -> str:
    """A request's path below the base path, such as `/join`; as it is where it does not begin with that."""
    if not base_path or not path.startswith(base_path):
        return path
    rest = path.removeprefix(base_path)
    if rest and not rest.startswith("/"):
        return path  # another path, whose first letters are the same
    return rest or "/"

"""Which STUN and TURN servers a page and our own connections use, with credentials that are valid now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Protocol

from belvedere.secret import Secret
from belvedere.stage.direct.cloudflare_turn import CloudflareCredentials
from belvedere.stage.options import IceServer
from belvedere.stage.turn_options import CoturnOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.options import StageOptions
    from belvedere.stage.turn_options import TurnOptions

NAME_BYTES = 8  # of a user's name in credentials


class TurnCredentials(Protocol):
    """Makes credentials, or gets them."""

    def servers_for(self, user: str) -> tuple[IceServer, ...]:
        """The servers with credentials that are valid now; none if there are none yet. Never waits."""
        ...

    async def wait_ready(self) -> None:
        """Wait, for a bounded time, until there are credentials."""
        ...


class CoturnCredentials:
    """Makes credentials by the scheme of coturn's `use-auth-secret`: time of expiry and user, signed with its secret.

    A user gets the same name every time, so that coturn's `user-quota` counts all relays of a visit. The name says
    nothing about the visit, and another run of the program gives another one.

    Args:
        wall_clock: seconds since 1970, which coturn's computer must agree with.
    """

    def __init__(self, options: CoturnOptions, wall_clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._wall_clock = wall_clock
        self._key = secrets.token_bytes(32)

    def servers_for(self, user: str) -> tuple[IceServer, ...]:
        """The server by each of its URLs, with credentials that expire `lifetime_s` from now."""
        name = hashlib.blake2b(user.encode(), key=self._key, digest_size=NAME_BYTES).hexdigest()
        username = f"{int(self._wall_clock()) + self._options.lifetime_s}:{name}"
        signature = hmac.digest(self._options.secret.reveal().encode(), username.encode(), "sha1")
        password = Secret(base64.b64encode(signature).decode())
        return tuple(IceServer(url=url, username=username, credential=password) for url in self._options.urls)

    async def wait_ready(self) -> None:
        """Return at once."""


class IceServers:
    """All ICE servers: those that the owner named, and the one whose credentials we make."""

    def __init__(self, fixed: tuple[IceServer, ...] = (), made: TurnCredentials | None = None) -> None:
        self._fixed = fixed
        self._made = made

    def newest(self, user: str) -> tuple[IceServer, ...]:
        """The servers for a user, who is a visit or one of our own connections. Never waits."""
        return self._fixed + (self._made.servers_for(user) if self._made is not None else ())

    async def for_page(self, user: str) -> tuple[IceServer, ...]:
        """The same; waits for a bounded time if there are no credentials yet."""
        if self._made is not None:
            await self._made.wait_ready()
        return self.newest(user)


def ice_servers(options: StageOptions, clock: Callable[[], float]) -> IceServers:
    """Create what the settings name."""
    return IceServers(options.ice_servers, _credentials(options.turn, clock))


def _credentials(options: TurnOptions | None, clock: Callable[[], float]) -> TurnCredentials | None:
    if options is None:
        return None
    if isinstance(options, CoturnOptions):
        return CoturnCredentials(options)
    return CloudflareCredentials(options, clock)

"""How often one person, or one address without a session, may ask for what changes something.

These limits are below those of `connection_limits`, which bound every request: what is written to the disk, rung in the
room or guessed at is rarer than what a driver sends. A person's devices share a limit, so that one flood costs that
person alone; whoever has no session is counted by address. Each route that changes something has a row, its own or
`OTHERS`; those of `LIMITED_ELSEWHERE` are limited by what they do.
"""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from litestar.exceptions import HTTPException

from belvedere.access.local_session import LOCAL_SESSION
from belvedere.gateway.connection_limits import client_network
from belvedere.gateway.permissions import row_of
from belvedere.token_bucket import TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler

    from belvedere.access.sessions import Session

logger = logging.getLogger(__name__)


class RateLimit(NamedTuple):
    """So many at once, and then so many a second."""

    burst: float
    per_s: float


CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LOGIN: Final = RateLimit(20, 0.5)  # a household behind one address comes in together; then one each two seconds
INVITATION: Final = RateLimit(20, 1 / 30)  # each takes a place among those that are unused
TICKET: Final = RateLimit(20, 2.0)  # each page that opens or comes back asks for two
STILL: Final = RateLimit(10, 1.0)  # the stage limits them, too, for all together
IVS_TOKEN: Final = RateLimit(10, 0.2)  # each is billed for a moment at least, and put out by a call to AWS
OTHERS: Final = RateLimit(20, 1.0)  # people, passkeys, sessions, the room: done by hand
LIMITS: Final[dict[tuple[str, str], RateLimit]] = {
    ("POST", "/api/v1/login/invitation"): LOGIN,
    ("POST", "/api/v1/login/invitation/peek"): LOGIN,
    ("POST", "/api/v1/login/passkey/options"): LOGIN,
    ("POST", "/api/v1/login/passkey"): LOGIN,
    ("POST", "/api/v1/people/{person_id}/invitations"): INVITATION,
    ("POST", "/api/v1/tickets"): TICKET,
    ("POST", "/api/v1/stage/stills"): STILL,
    ("POST", "/api/v1/stage/ivs/participants"): IVS_TOKEN,
}
LIMITED_ELSEWHERE: Final = frozenset(
    {
        ("POST", "/api/v1/head/velocity"),  # engine.timed_drive: twenty a second
        ("POST", "/api/v1/head/stop"),  # nothing may use it up: connection_limits
        ("POST", "/api/v1/stage/whep"),  # gateway.whep
        ("DELETE", "/api/v1/stage/whep/{viewer}"),  # one for each that was begun
        ("POST", "/api/v1/stage/whip"),  # one program
        ("DELETE", "/api/v1/stage/whip/{publisher}"),
    }
)


def limit_of(row: tuple[str, str]) -> RateLimit | None:
    """The limit of a route; None where it changes nothing, or is limited elsewhere."""
    if row[0] not in CHANGING or row in LIMITED_ELSEWHERE:
        return None
    return LIMITS.get(row, OTHERS)


class RateGuard:
    """Litestar's guard of every route: refuses with 429, and says when the next request would be accepted."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[RateLimit, TokenBuckets] = {}

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        """Count one request; async, because Litestar calls other guards in a thread."""
        session: Session | None = connection.scope["auth"]
        row = row_of(connection.scope)
        limit = limit_of(row)
        if limit is None or session is LOCAL_SESSION:
            return
        who = client_network(connection.client.host if connection.client else "") if session is None else session.person
        now, name = self._clock(), f"{who} {row[0]} {row[1]}"
        buckets = self._buckets.setdefault(limit, TokenBuckets(limit.per_s, limit.burst))
        if buckets.take(now, name):
            return
        whose = "somebody without a session" if session is None else f"session {session.id}"
        logger.warning("refused %s %s of %s: too many in a row", *row, whose)
        wait_s = max(1, math.ceil(buckets.wait_s(now, name)))
        problem = f"too many requests of this kind: try again in {wait_s} s"
        raise HTTPException(problem, status_code=HTTPStatus.TOO_MANY_REQUESTS, headers={"retry-after": str(wait_s)})

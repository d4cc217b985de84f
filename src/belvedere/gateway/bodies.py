"""Reads what a request brings along: in time, and for a visit that is not over by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar.exceptions import ClientException, NotAuthorizedException
from litestar.status_codes import HTTP_408_REQUEST_TIMEOUT

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from litestar import Request

    from belvedere.access.sessions import Session
    from belvedere.gateway.dependencies import Dependencies

BODY_TIMEOUT_S = 10.0  # a few kB; even a bad mobile link delivers them within seconds


async def read_body(
    request: Request[Any, Any, Any],
    dependencies: Dependencies,
    visitor: Session,
    *,
    timeout_s: float = BODY_TIMEOUT_S,
    late_status: int = HTTP_408_REQUEST_TIMEOUT,
) -> bytes:
    """The whole body.

    Raises HTTP errors: `late_status` where it does not come within `timeout_s`, 401 where the visit has ended meanwhile,
    because what a handler began after that nobody would end.
    """
    try:
        async with timeout(timeout_s):
            body = await request.body()
    except TimeoutError as error:
        late = "the request did not come in time"
        raise ClientException(late, status_code=late_status, headers={"connection": "close"}) from error
    require_live(dependencies, visitor)
    return body


def require_live(dependencies: Dependencies, visitor: Session) -> None:
    """Raises an HTTP error (401) where the visit has ended since the request began."""
    if not dependencies.invitations.is_live(visitor):
        raise NotAuthorizedException("your visit is over: ask for a new link")

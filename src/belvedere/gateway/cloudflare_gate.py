"""The authenticator for Cloudflare Access. Where it is configured it is the only one: no cookie and no token counts.

Health checks need no proof (`auth_middleware.PROBE_PATHS`): who supervises the program is no person, and asks from
wherever the supervisor is. Requests from the computer's own shell come by the local socket, not by way of here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from belvedere.access.cloudflare import NotListedError, TokenRefusedError
from belvedere.access.signing_keys import KeysUnavailableError
from belvedere.errors import Refusal
from belvedere.gateway.authentication import AuthenticationRefusedError
from belvedere.gateway.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from belvedere.access.cloudflare import CloudflareSessions
    from belvedere.access.sessions import Session
    from belvedere.gateway.authentication import Headers

# Not the cookie CF_Authorization, which holds the same: Cloudflare replaces this header in every request that passes
# it, while a cookie is what the browser, or another host of the same domain, has put there.
HEADER: Final = b"cf-access-jwt-assertion"

logger = logging.getLogger(__name__)


class CloudflareGate:
    """Refuses every request without a valid token of Cloudflare Access, whose e-mail address names the person."""

    def __init__(self, sessions: CloudflareSessions) -> None:
        self._sessions = sessions

    async def authenticate(self, headers: Headers) -> Session:
        """The session of the person whom the token names. Raises AuthenticationRefusedError in every other case."""
        token = headers.get(HEADER)
        if not token:
            raise _refused(ProblemCode.NO_SESSION, "log in at Cloudflare Access first: this house is behind it")
        try:
            return await self._sessions.session(token)
        except TokenRefusedError as error:
            logger.warning("refused a token of Cloudflare Access: %s", error.fault)
            raise _refused(
                ProblemCode.NO_SESSION, "your login at Cloudflare Access does not count: log in anew"
            ) from error
        except NotListedError as error:
            logger.warning("refused a person whom Cloudflare Access let through: no one here has that e-mail address")
            raise _refused(ProblemCode.NOT_LISTED, "nobody in this house has invited your e-mail address") from error
        except KeysUnavailableError as error:
            logger.warning("refused a token of Cloudflare Access: its keys could not be fetched so far")
            raise _refused(Refusal.NOT_READY, "your login could not be checked: try again") from error

    def recognise(self, headers: Headers) -> Session | None:
        """The session, if this token has opened one before."""
        token = headers.get(HEADER)
        return self._sessions.recognise(token) if token else None


def _refused(code: str, message: str) -> AuthenticationRefusedError:
    return AuthenticationRefusedError(Problem(code, message))

"""Finds out whose session a request belongs to, by asking one authenticator after the other.

The order is part of the rules: the cookie comes first, so whoever has one never waits for the others.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import Refusal
from belvedere.gateway.problems import Problem, ProblemCode
from belvedere.gateway.security import cookie_name, read_bearer, read_cookie
from belvedere.timeouts import timeout
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from belvedere.access.invitations import Invitations
    from belvedere.access.programs import Programs
    from belvedere.access.sessions import Session

    Headers = Mapping[bytes, str]

logger = logging.getLogger(__name__)

SCHEME = b":scheme"  # a header that no client can send, with the scheme of the request where that is known
GUESSES_PER_S = 1.0  # wrong tokens, of all clients together; a right one is always accepted
GUESSES_BURST = 10.0
AUTHENTICATE_TIMEOUT_S = 5.0  # for each authenticator; one may have to fetch a key from another server


class AuthenticationRefusedError(Exception):
    """A request carries a proof that is wrong, so it is refused although another authenticator might accept it.

    Attributes:
        problem: the answer.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class AuthenticationUnavailableError(Exception):
    """An authenticator failed or took too long, so nobody knows whose request it is: it is answered with a 503."""


class Authenticator(Protocol):
    """One way to prove a session: a cookie, a token.

    Headers are those of the request, with names in lower case; of several of one name, the first. SCHEME is added.
    """

    async def authenticate(self, headers: Headers) -> Session | None:
        """The live session that the headers prove; None where they carry no such proof, or an old one.

        Raises AuthenticationRefusedError where they must be refused. May take up to AUTHENTICATE_TIMEOUT_S, and must
        not block the loop.
        """
        ...

    def recognise(self, headers: Headers) -> Session | None:
        """The same, if it is known without waiting; else None, and the connection counts as a stranger's."""
        ...


class CookieAuthenticator:
    """The session cookie, whose name has the port of `Host`, and over https a prefix."""

    def __init__(self, invitations: Invitations, base_path: str = "") -> None:
        self._invitations = invitations
        self._base_path = base_path

    async def authenticate(self, headers: Headers) -> Session | None:
        """The session that the cookie proves."""
        return self.recognise(headers)

    def recognise(self, headers: Headers) -> Session | None:
        """The session that the cookie proves."""
        host, cookies = headers.get(b"host", ""), headers.get(b"cookie", "")
        kinds = {"https": (True,), "wss": (True,), "": (True, False)}.get(headers.get(SCHEME, ""), (False,))
        names = (cookie_name(host, is_secure=is_secure, base_path=self._base_path) for is_secure in kinds)
        found = (read_cookie(cookies, name) for name in names)
        sessions = (self._invitations.session(cookie) for cookie in found if cookie is not None)
        return next((session for session in sessions if session is not None), None)


class BearerAuthenticator:
    """A program's token in `Authorization: Bearer`. Wrong ones are refused, at a limited rate."""

    def __init__(self, programs: Programs, clock: Callable[[], float]) -> None:
        self._programs = programs
        self._clock = clock
        self._guesses = TokenBucket(GUESSES_PER_S, GUESSES_BURST)

    async def authenticate(self, headers: Headers) -> Session | None:
        """The session of the program whose token it is. Raises AuthenticationRefusedError for a wrong token."""
        token = read_bearer(headers.get(b"authorization", ""))
        if token is None or not self._programs:
            return None  # without any program, what a proxy or another server on this host wants of it is not ours
        session = self._programs.find(token)
        if session is not None:
            return session
        if not self._guesses.take(self._clock()):
            raise AuthenticationRefusedError(Problem(Refusal.TOO_FAST, "too many wrong tokens"))
        logger.warning("refused a program whose token is not known")
        raise AuthenticationRefusedError(Problem(ProblemCode.NO_SESSION, "this token is not known here"))

    def recognise(self, headers: Headers) -> Session | None:
        """The session of the program whose token it is."""
        token = read_bearer(headers.get(b"authorization", ""))
        return None if token is None else self._programs.find(token)


class AuthenticatorChain:
    """The authenticators, in the order in which they are asked. The first that knows the session decides."""

    def __init__(self, authenticators: Iterable[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)

    async def authenticate(self, headers: Headers) -> Session | None:
        """The session that the headers prove, or None. Raises what an authenticator refuses, or cannot tell.

        Each has a bounded time. After one that fails the next is not asked: its answer could be a session that the
        failed one would have refused.
        """
        for authenticator in self._authenticators:
            try:
                async with timeout(AUTHENTICATE_TIMEOUT_S):
                    session = await authenticator.authenticate(headers)
            except AuthenticationRefusedError:
                raise
            except Exception as error:
                name = type(authenticator).__name__
                logger.exception("the authenticator %s failed, so a request was answered with 503", name)
                raise AuthenticationUnavailableError from error
            if session is not None:
                return session
        return None

    def recognise(self, headers: Headers) -> Session | None:
        """The session that is known without waiting; None where there is none, or where it takes time to know."""
        known = (authenticator.recognise(headers) for authenticator in self._authenticators)
        return next((session for session in known if session is not None), None)

"""Authenticators are asked in their order, each for a bounded time, and a failure of one proves nothing."""

import asyncio
from collections.abc import Mapping

import pytest
from tests.access.joining import join

from belvedere.access.invitations import Invitations
from belvedere.access.programs import Player, Programs, player_session
from belvedere.access.sessions import EndReason, IssuedSession, Session
from belvedere.gateway.authentication import (
    AUTHENTICATE_TIMEOUT_S,
    GUESSES_BURST,
    AuthenticationRefusedError,
    AuthenticationUnavailableError,
    AuthenticatorChain,
    BearerAuthenticator,
    CookieAuthenticator,
)
from belvedere.gateway.problems import Problem, ProblemCode
from belvedere.secret import Secret
from belvedere.testing.clock import FakeClock

HOST = "127.0.0.1:8080"


class TokenAuthenticator:
    """A second way to prove a session: a token in a header, which takes `delay_s` to be checked."""

    def __init__(self, invitations: Invitations, tokens: Mapping[str, Session], delay_s: float = 1.0) -> None:
        self._invitations = invitations
        self._tokens = tokens
        self._delay_s = delay_s
        self.asked = 0

    async def authenticate(self, headers: Mapping[bytes, str]) -> Session | None:
        self.asked += 1
        if b"x-token" not in headers:
            return None
        await asyncio.sleep(self._delay_s)
        session = self._tokens.get(headers[b"x-token"])
        if session is None:
            raise AuthenticationRefusedError(Problem(ProblemCode.NO_SESSION, "no such token"))
        return session if self._invitations.is_live(session) else None

    def recognise(self, _: Mapping[bytes, str]) -> Session | None:
        return None


class Rig:
    """A chain of the cookie and the token, with a session for each."""

    def __init__(self, delay_s: float = 1.0) -> None:
        self.invitations = Invitations(FakeClock())
        self.ana, self.ben = self.come_in(), self.come_in()
        self.token = TokenAuthenticator(self.invitations, {"bens": self.ben.session}, delay_s)
        self.chain = AuthenticatorChain([CookieAuthenticator(self.invitations), self.token])
        self.anas = {b"host": HOST, b"cookie": f"belvedere-8080={self.ana.cookie}"}
        self.bens = {b"host": HOST, b"x-token": "bens"}

    def come_in(self) -> IssuedSession:
        return join(self.invitations)


async def test_the_first_that_knows_the_session_decides_and_the_next_is_not_asked() -> None:
    rig = Rig()
    assert await rig.chain.authenticate({**rig.anas, b"x-token": "bens"}) == rig.ana.session
    assert rig.token.asked == 0
    assert await rig.chain.authenticate(rig.bens) == rig.ben.session
    assert await rig.chain.authenticate({b"host": HOST}) is None


async def test_a_session_that_ended_is_proven_by_nothing() -> None:
    rig = Rig()
    rig.invitations.end(rig.ana.session.id, EndReason.REVOKED)
    rig.invitations.end(rig.ben.session.id, EndReason.REVOKED)
    assert await rig.chain.authenticate({**rig.anas, **rig.bens}) is None


async def test_a_wrong_proof_is_refused() -> None:
    with pytest.raises(AuthenticationRefusedError, match="no such token"):
        await Rig().chain.authenticate({b"x-token": "a guess"})


async def test_one_that_hangs_is_given_up_in_time_and_proves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(delay_s=1e9)
    began = asyncio.get_running_loop().time()
    with pytest.raises(AuthenticationUnavailableError):
        await rig.chain.authenticate(rig.bens)
    assert asyncio.get_running_loop().time() - began == pytest.approx(AUTHENTICATE_TIMEOUT_S)
    assert "TokenAuthenticator failed" in caplog.text


async def test_after_one_that_failed_the_next_is_not_asked() -> None:
    rig = Rig(delay_s=1e9)
    last = TokenAuthenticator(rig.invitations, {"bens": rig.ben.session}, delay_s=0)
    with pytest.raises(AuthenticationUnavailableError):
        await AuthenticatorChain([rig.token, last]).authenticate(rig.bens)
    assert last.asked == 0


def test_connections_are_told_apart_by_what_is_known_without_waiting() -> None:
    rig = Rig()
    assert rig.chain.recognise(rig.anas) == rig.ana.session
    assert rig.chain.recognise(rig.bens) is None
    assert rig.chain.recognise({}) is None


TOKEN = Secret("a-token-of-the-settings")
TV = player_session(Player(name="tv", token=TOKEN))


def bearer(value: str) -> dict[bytes, str]:
    return {b"authorization": value}


async def test_a_programs_token_proves_its_session() -> None:
    authenticator = BearerAuthenticator(Programs([(TV, TOKEN)]), FakeClock())
    for spelling in ("Bearer", "bearer", "BEARER "):
        headers = bearer(f"{spelling} {TOKEN.reveal()}")
        assert await authenticator.authenticate(headers) is TV
        assert authenticator.recognise(headers) is TV
    for other in ("", "Basic dXNlcjpwYXNz", "Bearer", TOKEN.reveal(), "Bearer two words"):
        assert await authenticator.authenticate(bearer(other)) is None


async def test_wrong_tokens_are_refused_at_a_limited_rate_and_right_ones_always_accepted() -> None:
    clock = FakeClock()
    authenticator = BearerAuthenticator(Programs([(TV, TOKEN)]), clock)
    codes = []
    for _ in range(int(GUESSES_BURST) + 2):
        with pytest.raises(AuthenticationRefusedError) as caught:
            await authenticator.authenticate(bearer("Bearer a-guess-of-a-stranger"))
        codes.append(caught.value.problem.code)
        assert "a-guess" not in caught.value.problem.message
    assert codes == ["no_session"] * int(GUESSES_BURST) + ["too_fast"] * 2
    assert authenticator.recognise(bearer("Bearer a-guess-of-a-stranger")) is None
    assert await authenticator.authenticate(bearer(f"Bearer {TOKEN.reveal()}")) is TV

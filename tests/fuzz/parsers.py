"""Everything of ours that parses what somebody without a session has sent, as functions of bytes.

Each returns whatever it likes, or raises what its caller expects; anything else is a fault, and so is to take long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from tests.support.access_tokens import NOW, OPTIONS, key_set, private_key, published

from belvedere.access.base64url import from_base64url
from belvedere.access.ceremonies import Assertion, Ceremony, Registration, VerifiedKey, relying_party
from belvedere.access.cloudflare import TokenRefusedError
from belvedere.access.invitations import Invitations
from belvedere.access.jwks import KeySetError, read_base64url, read_json_object, read_keys
from belvedere.access.passkey_verification import verify_assertion, verify_registration
from belvedere.access.plain_cbor import require_plain
from belvedere.access.programs import Programs
from belvedere.access.signed_tokens import SignedTokens
from belvedere.access.tickets import Tickets
from belvedere.errors import VisitorError
from belvedere.gateway.authentication import (
    AuthenticationRefusedError,
    BearerAuthenticator,
    CookieAuthenticator,
)
from belvedere.gateway.codec import decode_strictly
from belvedere.gateway.connection_limits import TrustedProxies, client_network
from belvedere.gateway.cross_origin import Frontends
from belvedere.gateway.frontend_authentication import FrontendAuthenticator, TicketAuthenticator
from belvedere.gateway.languages import language_for
from belvedere.gateway.passkeys import LoginBody, RegistrationBody
from belvedere.gateway.security import HostCheck, comes_from_elsewhere, cookie_name, is_same_origin, security_headers
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from belvedere.gateway.authentication import Authenticator

KEYS: Final = read_keys(key_set(published("first", private_key())))
PARTY: Final = relying_party("home.example.org")
ES256_KEY: Final = bytes.fromhex("a5010203262001215820" + "11" * 32 + "225820" + "22" * 32)


class Parser(NamedTuple):
    """One parser, and what it may raise."""

    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()


class _KnownKeys:
    async def find(self, key_id: str) -> Any:  # noqa: ANN401 - as SigningKeys has it
        return KEYS.get(key_id)


def run(coroutine: Coroutine[Any, Any, object]) -> object:
    """The result of a coroutine that does not wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _parts(data: bytes, number: int) -> list[bytes]:
    return (data.split(b"\0") + [b""] * number)[:number]


def _authenticate(data: bytes) -> object:
    """Cookie, bearer, ticket: what every request and upgrade may carry."""
    clock = FakeClock()
    invitations = Invitations(clock)
    frontends = Frontends(["https://family.example.org"])
    ways: list[Authenticator] = [
        CookieAuthenticator(invitations),
        FrontendAuthenticator(invitations, frontends),
        TicketAuthenticator(invitations, Tickets(clock)),
        BearerAuthenticator(Programs(), clock),
    ]
    names = (b"host", b"cookie", b"authorization", b"sec-websocket-protocol", b"origin")
    headers = dict(zip(names, map(_text, _parts(data, len(names))), strict=True))
    return [(way.recognise(headers), run(way.authenticate(headers))) for way in ways]


def _head(data: bytes) -> object:
    """What is looked at before any proof."""
    host, origin, site, language, peer, forwarded = _parts(data, 6)
    proxies = TrustedProxies(["127.0.0.1", "10.0.0.0/8"])
    headers = [(b"origin", origin), (b"sec-fetch-site", site), (b"x-forwarded-for", forwarded)]
    headers.append((b"x-forwarded-proto", forwarded))
    for address in (_text(peer), "127.0.0.1"):
        client_network(proxies.client_of(address, headers))
        proxies.scheme_of(address, headers)
    HostCheck("127.0.0.1", ["home.example.org"]).accepts(_text(host))
    is_same_origin(_text(origin), _text(host))
    comes_from_elsewhere(headers)
    cookie_name(_text(host))
    security_headers(_text(host))
    language_for(_text(language))
    return relying_party(_text(host))


def _passkey_login(data: bytes) -> object:
    assert PARTY is not None
    parts = _parts(data, 4)
    answer = Assertion(
        credential=parts[0], user=b"", client_data=parts[1], authenticator_data=parts[2], signature=parts[3]
    )
    known = VerifiedKey(public_key=ES256_KEY, sign_count=0)
    return verify_assertion(Ceremony(party=PARTY, challenge=b"challenge"), known, answer)


def _passkey_registration(data: bytes) -> object:
    assert PARTY is not None
    parts = _parts(data, 3)
    answer = Registration(credential=parts[0], client_data=parts[1], attestation=parts[2])
    return verify_registration(Ceremony(party=PARTY, challenge=b"challenge"), answer)


def _invitation(data: bytes) -> object:
    invitations = Invitations(FakeClock())
    secret, browser = map(_text, _parts(data, 2))
    return invitations.invited(secret, browser), invitations.redeem(secret, browser)


def _body(kind: type[msgspec.Struct]) -> Callable[[bytes], object]:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
    return lambda data: decode_strictly(decoder, data)


_TOKENS: Final = SignedTokens(OPTIONS, _KnownKeys(), lambda: NOW)  # type: ignore[arg-type]  # a double
PARSERS: Final[dict[str, Parser]] = {
    "signed token": Parser(lambda data: run(_TOKENS.verify(_text(data))), (TokenRefusedError,)),
    "key set": Parser(read_keys, (KeySetError,)),
    "JSON object": Parser(read_json_object, (ValueError,)),
    "base64url of a token": Parser(lambda data: read_base64url(_text(data)), (ValueError,)),
    "base64url of a passkey": Parser(lambda data: from_base64url(_text(data)), (ValueError,)),
    "CBOR": Parser(require_plain, (ValueError,)),
    "passkey login": Parser(_passkey_login, (VisitorError,)),
    "passkey registration": Parser(_passkey_registration, (VisitorError,)),
    "passkey login's body": Parser(_body(LoginBody), (VisitorError,)),
    "passkey registration's body": Parser(_body(RegistrationBody), (VisitorError,)),
    "invitation": Parser(_invitation),
    "cookie, bearer and ticket": Parser(_authenticate, (AuthenticationRefusedError,)),
    "head": Parser(_head),
}

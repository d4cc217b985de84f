"""Verifies the signed tokens (JWT, RFC 7519) of Cloudflare Access; PyJWT checks signature, audience and issuer.

The order of the checks is part of the rules: size before any parsing, form and algorithm before any key is looked up,
the signature before anything in the payload is believed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import jwt

from belvedere.access.cloudflare import AccessClaims, TokenFault, TokenRefusedError
from belvedere.access.jwks import MAX_KEY_ID_CHARS, read_base64url, read_json_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.access.cloudflare import CloudflareOptions
    from belvedere.access.signing_keys import SigningKeys

MAX_TOKEN_CHARS: Final = 8192  # Cloudflare's have one to two thousand; one header line may have no more
MAX_EMAIL_CHARS: Final = 254  # RFC 5321, section 4.5.3.1
ALGORITHM: Final = "RS256"
LEEWAY_S: Final = 60.0  # by which the issuer's clock may be ahead of ours; the end has none: no token lives longer
MAX_TIME_S: Final = float(2**40)  # a float has all seconds up to there
SEGMENTS: Final = 3
_OPTIONS: Final = {
    "require": ["aud", "exp", "iat", "iss", "nbf"],
    # `_claims` does it, by our own clock.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class SignedTokens:
    """Verifies tokens of one application of one team.

    Args:
        keys: the team's keys.
        utc: seconds since 1970, wall-clock time.
    """

    def __init__(self, options: CloudflareOptions, keys: SigningKeys, utc: Callable[[], float] = time.time) -> None:
        self._options = options
        self._keys = keys
        self._utc = utc

    async def verify(self, token: str) -> AccessClaims:
        """What a token says. Raises TokenRefusedError, and KeysUnavailableError where that cannot be known now."""
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenRefusedError(TokenFault.TOO_LARGE)
        head, payload = _segments(token)
        key = await self._keys.find(_key_id(head))
        if key is None:
            raise TokenRefusedError(TokenFault.UNKNOWN_KEY)
        try:
            jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._options.audience,
                issuer=self._options.issuer,
                options=_OPTIONS,  # type: ignore[arg-type]  # PyJWT's type is a TypedDict
            )
        except jwt.PyJWTError as error:
            raise TokenRefusedError(_fault_of(error)) from error
        return self._claims(_object(payload))

    def _claims(self, claims: dict[str, Any]) -> AccessClaims:
        begins, issued, ends = (_seconds(claims, name) for name in ("nbf", "iat", "exp"))
        now = self._utc()
        if now >= ends:
            raise TokenRefusedError(TokenFault.EXPIRED)
        if max(begins, issued) > now + LEEWAY_S:
            raise TokenRefusedError(TokenFault.NOT_YET_VALID)
        email = claims.get("email")
        # ASCII only: lower-casing would make a K of the Kelvin sign, and so another person's address.
        if claims.get("type", "app") != "app" or not isinstance(email, str) or not _is_plain(email):
            raise TokenRefusedError(TokenFault.BAD_CLAIMS)
        return AccessClaims(email.lower(), ends)


def _segments(token: str) -> tuple[bytes, bytes]:
    """Header and payload, decoded. Each of the three segments must have its one valid spelling."""
    segments = token.split(".")
    if len(segments) != SEGMENTS:
        raise TokenRefusedError(TokenFault.MALFORMED)
    if not segments[2]:
        raise TokenRefusedError(TokenFault.BAD_SIGNATURE)
    try:
        head, payload, _ = map(read_base64url, segments)
    except ValueError as error:
        raise TokenRefusedError(TokenFault.MALFORMED) from error
    return head, payload


def _key_id(head: bytes) -> str:
    header = _object(head)
    if header.get("alg") != ALGORITHM:
        raise TokenRefusedError(TokenFault.WRONG_ALGORITHM)
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID_CHARS:
        raise TokenRefusedError(TokenFault.UNKNOWN_KEY)
    if "crit" in header or "b64" in header:  # extensions that would have to be understood (RFC 7515, section 4.1.11)
        raise TokenRefusedError(TokenFault.MALFORMED)
    return key_id


def _object(data: bytes) -> dict[str, Any]:
    try:
        return read_json_object(data)
    except ValueError as error:
        raise TokenRefusedError(TokenFault.MALFORMED) from error


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < MAX_TIME_S:
        raise TokenRefusedError(TokenFault.BAD_CLAIMS)
    return float(value)


def _is_plain(email: str) -> bool:
    return email.isascii() and email.isprintable() and "@" in email and len(email) <= MAX_EMAIL_CHARS


def _fault_of(error: jwt.PyJWTError) -> TokenFault:
    match error:
        case jwt.InvalidSignatureError():
            return TokenFault.BAD_SIGNATURE
        case jwt.InvalidAudienceError():
            return TokenFault.WRONG_AUDIENCE
        case jwt.InvalidIssuerError():
            return TokenFault.WRONG_ISSUER
        case jwt.MissingRequiredClaimError():
            return TokenFault.BAD_CLAIMS
        case _:
            return TokenFault.MALFORMED

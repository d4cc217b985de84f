"""Tokens that are signed here, with a key whose public half AWS has, so that joining needs no call to AWS.

A token is a JWT by ES384, as AWS documents it. Its id is the participant's, under which AWS disconnects it, and under
which there is one connection at a time: a second use of a token ends the first.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Final

from belvedere.errors import InternalError, IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.token_source import CAMERA, JOIN_S, ParticipantToken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from belvedere.stage.ivs_options import IvsOptions

ALGORITHM: Final = "ES384"
CURVE: Final = "secp384r1"
VERSION: Final = "1.0"
ISSUED_BEFORE_S: Final = 30  # that a clock which is a little ahead of AWS's makes no token of the future
FIRST_PLAUSIBLE_UTC_S: Final = 1_764_288_000.0  # when this was written: a clock before it has not been set
BAD_KEY: Final = "the key that signs tokens cannot be used"


class SignedTokens:
    """Signs tokens; implements `token_source.TokenSource`.

    Args:
        options: must have a key.
        utc: seconds since 1970.
    """

    def __init__(self, options: IvsOptions, utc: Callable[[], float] = time.time) -> None:
        self._options = options
        self._utc = utc
        self._sign: Callable[[dict[str, object]], str] | None = None

    def load(self) -> None:
        """Import what signs, and read the key; may be called in a thread. Raises IvsError (BAD_KEY)."""
        import jwt  # noqa: PLC0415 - heavy, and needed only with Amazon IVS

        key, headers = private_key(self._options.key), {"kid": self._options.key_arn, "typ": "JWT"}
        self._sign = lambda claims: jwt.encode(claims, key, algorithm=ALGORITHM, headers=headers)

    async def publish_token(self) -> ParticipantToken:
        """See `TokenSource`. Raises IvsError (BAD_KEY, CLOCK)."""
        return await self._token({"allow_publish": True, "allow_subscribe": False}, CAMERA)

    async def viewer_token(self) -> ParticipantToken:
        """See `TokenSource`. Raises IvsError (BAD_KEY, CLOCK)."""
        return await self._token({"allow_publish": False, "allow_subscribe": True}, {})

    async def _token(self, capabilities: Mapping[str, bool], attributes: Mapping[str, str]) -> ParticipantToken:
        if self._sign is None:
            await asyncio.to_thread(self.load)
        return self.sign(capabilities, attributes)

    def sign(self, capabilities: Mapping[str, bool], attributes: Mapping[str, str]) -> ParticipantToken:
        """A token, within about a millisecond; `load` must have been called. Raises IvsError (CLOCK)."""
        if self._sign is None:
            raise InternalError("a token is to be signed before the key was loaded")
        options, now = self._options, self._utc()
        if now < FIRST_PLAUSIBLE_UTC_S:
            raise IvsError(IvsReason.CLOCK, "signing a token: this computer's clock has not been set")
        participant = secrets.token_urlsafe(16)
        claims: dict[str, object] = {
            "iat": int(now) - ISSUED_BEFORE_S,
            "exp": int(now) + JOIN_S,
            "jti": participant,
            "resource": options.stage_arn,
            "topic": options.stage_id,
            "events_url": options.events_url,
            "whip_url": options.whip_url,
            "capabilities": dict(capabilities),
            "version": VERSION,
        }
        if attributes:
            claims["attributes"] = dict(attributes)
        return ParticipantToken(participant, Secret(self._sign(claims)), options.whip_url, int(now) + JOIN_S)


def private_key(pem: Secret | None) -> EllipticCurvePrivateKey:
    """The key in a PEM. Raises IvsError (BAD_KEY), whose message shows nothing of it."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - heavy, and needed only here
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - likewise

    if pem is None:
        raise IvsError(IvsReason.BAD_KEY, f"{BAD_KEY}: there is none")
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise IvsError(IvsReason.BAD_KEY, f"{BAD_KEY}: it is no private key without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != CURVE:
        raise IvsError(IvsReason.BAD_KEY, f"{BAD_KEY}: it is of another kind")
    return key


def public_pem(key: EllipticCurvePrivateKey) -> str:
    """The public half, as AWS wants it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - likewise

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def new_key_pem() -> str:
    """A new P-384 key, as PEM."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - likewise
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = generate_private_key(SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

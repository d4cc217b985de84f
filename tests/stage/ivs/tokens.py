"""Tokens as IVS takes them, signed by a key of the test, whose addresses are those of a stand-in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from belvedere.secret import Secret
from belvedere.stage.ivs.token_source import CAMERA, ParticipantToken

if TYPE_CHECKING:
    from typing import Protocol

    class Addresses(Protocol):
        """Where a stand-in is."""

        @property
        def whip_url(self) -> str: ...

        @property
        def events_url(self) -> str: ...


STAGE = "arn:aws:ivs:eu-central-1:123456789012:stage/abcdEFGHijkl"
KEY = ec.generate_private_key(ec.SECP384R1())


def signed(stand_in: Addresses, participant: str, *, publishes: bool = False, lasts_s: float = 60) -> str:
    """A token of this participant."""
    claims: dict[str, Any] = {
        "exp": int(time.time() + lasts_s),
        "iat": int(time.time()),
        "jti": participant,
        "resource": STAGE,
        "topic": STAGE.rpartition("/")[2],
        "events_url": stand_in.events_url,
        "whip_url": stand_in.whip_url,
        "capabilities": {"allow_publish": publishes, "allow_subscribe": not publishes},
        "version": "1.0",
        "attributes": CAMERA if publishes else {},
    }
    return jwt.encode(claims, KEY, algorithm="ES384", headers={"kid": "arn:aws:ivs:eu-central-1:1:public-key/a"})


class TokensOfATest:
    """Implements `TokenSource`."""

    def __init__(self, stand_in: Addresses) -> None:
        self._stand_in = stand_in
        self.made = 0
        self.lasts_s = 60.0

    def load(self) -> None:
        """Everything is loaded."""

    async def publish_token(self) -> ParticipantToken:
        return self._token(publishes=True)

    async def viewer_token(self) -> ParticipantToken:
        return self._token(publishes=False)

    def _token(self, *, publishes: bool) -> ParticipantToken:
        self.made += 1
        participant = f"{'camera' if publishes else 'viewer'}-{self.made}"
        token = signed(self._stand_in, participant, publishes=publishes, lasts_s=self.lasts_s)
        return ParticipantToken(participant, Secret(token), self._stand_in.whip_url, time.time() + self.lasts_s)

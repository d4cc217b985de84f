"""Tokens are what AWS documents, byte for byte where that matters, and the key never leaves."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.stage.test_ivs_options import KEY, STAGE

from belvedere.errors import IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.signed_tokens import (
    FIRST_PLAUSIBLE_UTC_S,
    ISSUED_BEFORE_S,
    SignedTokens,
    new_key_pem,
    private_key,
    public_pem,
)
from belvedere.stage.ivs.token_source import JOIN_S
from belvedere.stage.ivs_options import IvsOptions

if TYPE_CHECKING:
    from pathlib import Path

UTC_S = 1_796_083_200.75
PEM = new_key_pem()
EVENTS, WHIP = "wss://global.events.live-video.net", "https://0a1b2c.global-bm.whip.live-video.net"
WATCH = {"allow_publish": False, "allow_subscribe": True}


def tokens(pem: str = PEM, utc_s: float = UTC_S) -> SignedTokens:
    options = IvsOptions(stage_arn=STAGE, key=Secret(pem), key_arn=KEY, events_url=EVENTS, whip_url=WHIP)
    signing = SignedTokens(options, lambda: utc_s)
    signing.load()
    return signing


def parts(token: Secret) -> list[Any]:
    """Header and claims, decoded as the SDK does it, and the signature."""
    header, claims, signature = token.reveal().split(".")
    return [
        *(json.loads(base64.urlsafe_b64decode(each + "==").decode("ascii")) for each in (header, claims)),
        base64.urlsafe_b64decode(signature + "=="),
    ]


async def test_a_viewers_token_is_as_aws_documents_it() -> None:
    token = await tokens().viewer_token()
    header, claims, signature = parts(token.token)
    assert header == {"alg": "ES384", "typ": "JWT", "kid": KEY}
    assert claims == {
        "iat": int(UTC_S) - ISSUED_BEFORE_S,
        "exp": int(UTC_S) + JOIN_S,
        "jti": token.participant,
        "resource": STAGE,
        "topic": "AbCdEfGhIjKl",
        "events_url": EVENTS,
        "whip_url": WHIP,
        "capabilities": WATCH,
        "version": "1.0",
    }
    assert len(signature) == 96  # r and s, as JOSE has it, and no DER
    assert (token.whip_url, token.join_by_utc_s) == (WHIP, int(UTC_S) + JOIN_S)


async def test_the_cameras_token_may_publish_alone_and_says_that_it_is_the_camera() -> None:
    token = await tokens().publish_token()
    _, claims, _ = parts(token.token)
    assert claims["capabilities"] == {"allow_publish": True, "allow_subscribe": False}
    assert claims["attributes"] == {"role": "camera"}


async def test_the_public_half_verifies_it() -> None:
    token = await tokens().viewer_token()
    public = public_pem(private_key(Secret(PEM)))
    claims = jwt.decode(
        token.token.reveal(), public, algorithms=["ES384"], options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["jti"] == token.participant


@pytest.mark.realtime
def test_openssl_takes_the_key_for_what_aws_wants(tmp_path: Path) -> None:
    path = tmp_path / "public.pem"
    path.write_text(public_pem(private_key(Secret(PEM))))
    command = ["openssl", "pkey", "-pubin", "-in", str(path), "-noout", "-text"]
    assert "secp384r1" in subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.realtime
async def test_the_first_token_loads_what_it_needs_in_a_thread() -> None:
    options = IvsOptions(stage_arn=STAGE, key=Secret(PEM), key_arn=KEY, events_url=EVENTS, whip_url=WHIP)
    assert (await SignedTokens(options).viewer_token()).participant


async def test_no_participant_is_used_twice() -> None:
    signing = tokens()
    participants = [(await signing.viewer_token()).participant for _ in range(200)]
    assert len(set(participants)) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", each) for each in participants)


async def test_a_token_ends_within_minutes() -> None:
    _, claims, _ = parts((await tokens().viewer_token()).token)
    assert claims["exp"] - claims["iat"] <= 300


async def test_a_clock_that_was_never_set_signs_nothing() -> None:
    with pytest.raises(IvsError, match="clock") as caught:
        await tokens(utc_s=FIRST_PLAUSIBLE_UTC_S - 1).viewer_token()
    assert caught.value.reason is IvsReason.CLOCK


def other_curve() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "pem", [other_curve(), PEM.replace("MIG", "NIG", 1), PEM[:60]], ids=["of another curve", "damaged", "cut"]
)
def test_another_key_is_refused_with_a_cure_and_not_shown(pem: str) -> None:
    with pytest.raises(IvsError, match="ivs setup") as caught:
        tokens(pem)
    assert caught.value.reason is IvsReason.BAD_KEY
    assert caught.value.__cause__ is None
    assert pem[40:60] not in str(caught.value)


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(IvsError):
        private_key(None)


def test_the_token_is_shown_nowhere() -> None:
    signing = tokens()
    token = signing.sign(WATCH, {})
    assert token.token.reveal() not in repr(token)

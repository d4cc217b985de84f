from __future__ import annotations

import msgspec
import pytest

from belvedere.secret import Secret
from belvedere.stage.turn_options import CloudflareTurnOptions, CoturnOptions, TurnOptions


def decode(kind: type, value: object) -> object:
    assert kind is Secret
    return Secret(str(value))


def read(text: str) -> object:
    return msgspec.convert(msgspec.toml.decode(text), TurnOptions, dec_hook=decode)


COTURN = "kind = 'coturn'\nsecret_file = 'x'\n"
CLOUDFLARE = "kind = 'cloudflare'\nkey_id = '0a1b'\ntoken_file = 'x'\n"


def test_each_kind_has_keys_of_its_own() -> None:
    coturn = read(f"{COTURN}urls = ['turn:a.example.org', 'turns:a.example.org:443?transport=tcp']")
    assert isinstance(coturn, CoturnOptions)
    assert (coturn.secret, coturn.lifetime_s) == (Secret("x"), 3600)
    cloudflare = read(CLOUDFLARE)
    assert isinstance(cloudflare, CloudflareTurnOptions)
    assert (cloudflare.token, cloudflare.lifetime_s) == (Secret("x"), 21_600)


@pytest.mark.parametrize(
    "text",
    [
        COTURN,
        f"{COTURN}urls = []",
        f"{COTURN}urls = ['stun:a']",
        f"{COTURN}urls = ['turn:a\\n']",
        f"{COTURN}urls = ['turn:a']\nlifetime_s = 60",
        f"{COTURN}urls = ['turn:a']\nkey_id = 'x'",
        f"{CLOUDFLARE}lifetime_s = 200000",
        CLOUDFLARE.replace("0a1b", "../keys"),
        "kind = 'other'",
        "lifetime_s = 3600",
    ],
)
def test_what_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(text)


@pytest.mark.parametrize("token", ["a b", "a\r\nHost: x", "grüezi"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ValueError, match="token_file") as caught:
        CloudflareTurnOptions(key_id="0a1b", token=Secret(token))
    assert token not in str(caught.value)

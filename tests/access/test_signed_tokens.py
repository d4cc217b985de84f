"""A token counts only if every part of it is as Cloudflare Access would have signed it for this application, now."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.access_tokens import (
    EMAIL,
    HOUR_S,
    NOW,
    OPTIONS,
    base64url,
    claims,
    key_set,
    private_key,
    published,
    signed,
    token,
)

from belvedere.access.cloudflare import AccessClaims, TokenFault, TokenRefusedError
from belvedere.access.jwks import read_keys
from belvedere.access.signed_tokens import LEEWAY_S, MAX_TOKEN_CHARS, SignedTokens

KEY = private_key()
KEYS = read_keys(key_set(published("first", KEY)))
HEAD = {"alg": "RS256", "typ": "JWT", "kid": "first"}


class KnownKeys:
    """Keys that are there already, and what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, key_id: str) -> Any:  # noqa: ANN401 - as SigningKeys has it
        self.asked.append(key_id)
        return KEYS.get(key_id)


async def verified(text: str, now: float = NOW) -> AccessClaims:
    return await SignedTokens(OPTIONS, KnownKeys(), lambda: now).verify(text)  # type: ignore[arg-type]  # a double


async def fault_of(text: str, now: float = NOW) -> TokenFault:
    with pytest.raises(TokenRefusedError) as caught:
        await verified(text, now)
    return caught.value.fault


def encoded(value: object) -> str:
    return base64url(json.dumps(value).encode())


async def test_a_good_token_says_who_asks_and_until_when() -> None:
    assert await verified(token()) == AccessClaims(EMAIL, int(NOW + HOUR_S))
    assert (await verified(token(claims(email="Ana@Example.ORG", aud=OPTIONS.audience, type=None)))).email == EMAIL


async def test_a_token_for_another_application_or_of_another_issuer_is_refused() -> None:
    for aud in (["cd" * 32], "cd" * 32, [""], [OPTIONS.audience[:-1]], OPTIONS.audience.upper()):
        assert await fault_of(token(claims(aud=aud))) is TokenFault.WRONG_AUDIENCE
    assert await fault_of(token(claims(aud=[]))) is TokenFault.BAD_CLAIMS
    assert await fault_of(token(claims(aud=[7]))) is TokenFault.WRONG_AUDIENCE
    for iss in ("https://other.cloudflareaccess.com", OPTIONS.issuer + "/", OPTIONS.issuer.upper()):
        assert await fault_of(token(claims(iss=iss))) is TokenFault.WRONG_ISSUER


async def test_a_token_counts_from_its_beginning_to_its_end() -> None:
    ends = int(NOW + HOUR_S)
    assert (await verified(token(), ends - 1)).ends_utc_s == ends
    assert await fault_of(token(), ends) is TokenFault.EXPIRED
    for name in ("nbf", "iat"):
        early = token(claims(**{name: int(NOW + LEEWAY_S + 1)}))
        assert await fault_of(early) is TokenFault.NOT_YET_VALID
        assert (await verified(early, NOW + 1)).email == EMAIL


async def test_the_time_is_that_of_the_clock_it_is_given() -> None:
    now = time.time()
    old = token(claims(exp=int(now - 60), iat=int(now - 120), nbf=int(now - 120)))
    assert (await verified(old, now - 90)).email == EMAIL


@pytest.mark.parametrize("name", ["aud", "email", "exp", "iat", "iss", "nbf"])
async def test_a_token_without_a_claim_is_refused(name: str) -> None:
    assert await fault_of(token(claims(**{name: None}))) is TokenFault.BAD_CLAIMS


@pytest.mark.parametrize(
    "bad",
    [
        {"exp": True},
        {"exp": "1900000000"},
        {"exp": 0},
        {"exp": -1},
        {"exp": 10**400},
        {"exp": 1e300},
        {"exp": [1900000000]},
        {"nbf": "now"},
        {"iat": {}},
        {"email": ""},
        {"email": "ana"},
        {"email": ["ana@example.org"]},
        {"email": "ana@example.org\n"},
        {"email": "an\u0430@example.org"},  # a Cyrillic letter
        {"email": "\u212aate@example.org"},  # the Kelvin sign, whose lower case is a k
        {"email": "a" * 250 + "@b.org"},
        {"type": "org"},  # the token of the team's own site, which Access also calls CF_Authorization
        {"type": 7},
    ],
)
async def test_a_claim_that_is_not_as_it_should_be_is_refused(bad: dict[str, object]) -> None:
    text = signed(json.dumps(HEAD).encode(), json.dumps(claims(**bad)).encode())
    assert await fault_of(text) in {TokenFault.BAD_CLAIMS, TokenFault.MALFORMED}


async def test_a_token_without_a_signature_is_refused() -> None:
    for algorithm in ("none", "None", "NONE", "nOnE"):
        bare = f"{encoded({**HEAD, 'alg': algorithm})}.{encoded(claims())}."
        assert await fault_of(bare) is TokenFault.BAD_SIGNATURE
        assert await fault_of(bare + "AAAA") is TokenFault.WRONG_ALGORITHM
    unsigned = ".".join(token().split(".")[:2])
    assert await fault_of(unsigned) is TokenFault.MALFORMED
    assert await fault_of(f"{unsigned}.") is TokenFault.BAD_SIGNATURE
    assert await fault_of(f"{unsigned}.AAAA") is TokenFault.BAD_SIGNATURE


async def test_the_public_key_is_no_secret_to_sign_with() -> None:
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for algorithm in ("HS256", "RS256"):
        text = f"{encoded({**HEAD, 'alg': algorithm})}.{encoded(claims())}"
        mac = hmac.new(public, text.encode(), hashlib.sha256).digest()
        expected = TokenFault.WRONG_ALGORITHM if algorithm == "HS256" else TokenFault.BAD_SIGNATURE
        assert await fault_of(f"{text}.{base64url(mac)}") is expected


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "rs256", "", None, 7, ["RS256"]])
async def test_every_other_algorithm_is_refused_even_with_a_good_signature(algorithm: object) -> None:
    text = signed(json.dumps({**HEAD, "alg": algorithm}).encode(), json.dumps(claims()).encode())
    assert await fault_of(text) is TokenFault.WRONG_ALGORITHM


async def test_a_key_is_looked_up_by_its_id_alone_whatever_else_the_token_says_of_keys() -> None:
    mine = private_key(1)
    elsewhere = {
        "jku": "https://attacker.example/keys",
        "x5u": "https://attacker.example/chain",
        "jwk": published("first", mine),
        "x5c": ["AAAA"],
    }
    assert await fault_of(token(key=mine, head=elsewhere)) is TokenFault.BAD_SIGNATURE
    assert (await verified(token(head=elsewhere))).email == EMAIL


@pytest.mark.parametrize("key_id", ["second", "../first", "first\x00", "https://attacker.example/", "FIRST"])
async def test_a_key_id_that_is_not_known_is_refused(key_id: str) -> None:
    assert await fault_of(token(head={"kid": key_id})) is TokenFault.UNKNOWN_KEY


@pytest.mark.parametrize("key_id", [None, 7, "", ["first"], {"first": 1}, "k" * 129])
async def test_what_is_no_key_id_is_not_even_looked_up(key_id: object) -> None:
    keys = KnownKeys()
    text = signed(json.dumps({**HEAD, "kid": key_id}).encode(), json.dumps(claims()).encode())
    with pytest.raises(TokenRefusedError, match="key that is not known"):
        await SignedTokens(OPTIONS, keys, lambda: NOW).verify(text)  # type: ignore[arg-type]  # a double
    assert keys.asked == []


async def test_a_name_that_is_used_twice_is_refused_though_the_signature_is_good() -> None:
    good = json.dumps(claims())
    twice = good[:-1] + ', "email": "mallory@example.org"}'
    assert await fault_of(signed(json.dumps(HEAD).encode(), twice.encode())) is TokenFault.MALFORMED
    head = b'{"alg": "none", "kid": "first", "alg": "RS256"}'
    assert await fault_of(signed(head, good.encode())) is TokenFault.MALFORMED


async def test_an_extension_that_must_be_understood_is_refused() -> None:
    for more in ({"crit": ["exp"]}, {"b64": False}):
        text = signed(json.dumps({**HEAD, **more}).encode(), json.dumps(claims()).encode())
        assert await fault_of(text) is TokenFault.MALFORMED


async def test_a_token_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    keys = KnownKeys()
    tokens = SignedTokens(OPTIONS, keys, lambda: NOW)  # type: ignore[arg-type]  # a double
    with pytest.raises(TokenRefusedError, match="too large"):
        await tokens.verify("." * (MAX_TOKEN_CHARS + 1))
    assert await fault_of(token(claims(groups=["g" * MAX_TOKEN_CHARS]))) is TokenFault.TOO_LARGE
    assert keys.asked == []


async def test_each_token_has_one_spelling() -> None:
    good = token()
    last = good[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = alphabet[alphabet.index(last) ^ 1]  # 256 bytes leave four bits of the last character unused
    assert await fault_of(good[:-1] + spare) is TokenFault.MALFORMED
    for other in (good + "=", good + "\n", " " + good, good.replace(".", "..", 1), good + ".", "Bearer " + good):
        assert await fault_of(other) is TokenFault.MALFORMED


async def test_every_character_counts() -> None:
    good = token()
    for place in range(0, len(good), 7):
        other = "A" if good[place] != "A" else "B"
        with pytest.raises(TokenRefusedError):
            await verified(good[:place] + other + good[place + 1 :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "jku", "aud", "email", "exp", "iat", "iss", "nbf", "type"])


def run(text: str) -> TokenFault | AccessClaims:
    """Verify without a loop: with keys that are there nothing is waited for."""
    verifying = SignedTokens(OPTIONS, KnownKeys(), lambda: NOW).verify(text)  # type: ignore[arg-type]  # a double
    try:
        verifying.send(None)
    except StopIteration as done:
        result: AccessClaims = done.value
        return result
    except TokenRefusedError as error:
        return error.fault
    raise AssertionError("it waited")


@settings(max_examples=500)
@given(st.text(max_size=200) | st.lists(st.binary(max_size=60).map(base64url), max_size=4).map(".".join))
def test_whatever_text_comes_it_is_refused_and_nothing_else_is_raised(text: str) -> None:
    assert isinstance(run(text), TokenFault)


@settings(max_examples=300)
@given(st.dictionaries(NAMES, JSON, max_size=4), st.dictionaries(NAMES, JSON, max_size=4))
def test_whatever_a_signed_token_says_it_is_refused_or_valid(head: dict[str, Any], said: dict[str, Any]) -> None:
    text = signed(json.dumps({**HEAD, **head}).encode(), json.dumps({**claims(), **said}).encode())
    answer = run(text)
    if isinstance(answer, AccessClaims):
        assert answer.email.isascii()
        assert answer.ends_utc_s > NOW


def test_pyjwt_takes_no_algorithm_but_the_one_it_is_told() -> None:
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token(), KEYS["first"], algorithms=["PS256"], audience=OPTIONS.audience)

"""Only what an authenticator signed for this ceremony is accepted, and whatever else is sent ends as a refusal."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.software_authenticator import (
    HAS_CREDENTIAL,
    HAS_EXTENSIONS,
    PRESENT,
    USUAL,
    VERIFIED,
    SoftwareAuthenticator,
    client_data,
)

from belvedere.access.base64url import to_base64url
from belvedere.access.ceremonies import Algorithm, Assertion, Ceremony, Registration, VerifiedKey, relying_party
from belvedere.access.passkey_verification import verify_assertion, verify_registration
from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from collections.abc import Callable

CHALLENGE = b"c" * 56
PARTY = relying_party("localhost:8080")
assert PARTY is not None
CEREMONY = Ceremony(party=PARTY, challenge=CHALLENGE)
ANA = b"0123456789ab"


def registered(authenticator: SoftwareAuthenticator) -> VerifiedKey:
    return verify_registration(CEREMONY, authenticator.register(CHALLENGE, ANA))


def refusal(verify: Callable[[], object]) -> Refusal | None:
    try:
        verify()
    except VisitorError as error:
        return error.refusal
    return None


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_passkey_of_each_kind_is_registered_and_used(algorithm: Algorithm) -> None:
    authenticator = SoftwareAuthenticator(algorithm=algorithm)
    key = registered(authenticator)
    assert key.sign_count == 0
    assert verify_assertion(CEREMONY, key, authenticator.sign_in(CHALLENGE)) == 0


def test_a_passkey_that_counts_must_count_further() -> None:
    authenticator = SoftwareAuthenticator(counts=True, count=5)
    key = registered(authenticator)
    assert key.sign_count == 5
    assert verify_assertion(CEREMONY, key, authenticator.sign_in(CHALLENGE)) == 6
    copy = msgspec.structs.replace(key, sign_count=7)
    assert refusal(lambda: verify_assertion(CEREMONY, copy, authenticator.sign_in(CHALLENGE))) is Refusal.NOT_PERMITTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:8081"},
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": 0},
    ],
)
def test_another_page_another_host_and_a_user_who_was_not_recognised_are_refused(wrong: dict[str, object]) -> None:
    authenticator = SoftwareAuthenticator()
    key = registered(authenticator)
    for name, value in wrong.items():
        setattr(authenticator, name, value)
    assert refusal(lambda: verify_assertion(CEREMONY, key, authenticator.sign_in(CHALLENGE))) is Refusal.NOT_PERMITTED
    assert refusal(lambda: registered(authenticator)) is Refusal.NOT_PERMITTED


def test_another_challenge_another_kind_and_another_key_are_refused() -> None:
    authenticator = SoftwareAuthenticator()
    key, data = registered(authenticator), authenticator.authenticator_data()
    answers = [
        authenticator.sign_in(b"d" * 56),
        authenticator.signed(client_data("create", CHALLENGE, authenticator.origin), data),
        SoftwareAuthenticator(credential=authenticator.credential).sign_in(CHALLENGE),
        msgspec.structs.replace(authenticator.sign_in(CHALLENGE), signature=b""),
    ]
    for answer in answers:
        assert refusal(lambda answer=answer: verify_assertion(CEREMONY, key, answer)) is Refusal.NOT_PERMITTED  # type: ignore[misc]  # bound in the loop on purpose


def attested(authenticator: SoftwareAuthenticator, **replaced: object) -> Registration:
    answer = authenticator.register(CHALLENGE, ANA)
    return msgspec.structs.replace(answer, attestation=cbor2.dumps({**cbor2.loads(answer.attestation), **replaced}))


@pytest.mark.parametrize(
    "replaced",
    [
        {"fmt": "tpm"},
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"", "x5c": [b"0"]}},
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b""}},
        {"fmt": ["none"]},
        {"attStmt": None},
        {"attStmt": {"sig": b"0"}},
        {"authData": b""},
        {"authData": "text"},
        {"more": cbor2.CBORTag(35, "a++")},
    ],
)
def test_an_attestation_that_was_not_requested_is_refused(replaced: dict[str, object]) -> None:
    answer = attested(SoftwareAuthenticator(), **replaced)
    assert refusal(lambda: verify_registration(CEREMONY, answer)) is Refusal.NOT_PERMITTED


P256 = {1: 2, 3: -7, -1: 1}
KEYS = [
    {**P256, -2: bytes(32), -3: bytes(32)},  # not on the curve
    {**P256, -2: b"", -3: b""},
    {1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\xff" * 255 + b"\x01"},  # slow to verify
    {1: 3, 3: -257, -1: b"\xff" * 513, -2: b"\x01\x00\x01"},
    {1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\x01\x00\x01"},  # SHA-1
    {1: 7, 3: -48, -1: b"0"},
    {1: 2},
    [1],
    {1: 1, 3: -8, -1: 6, -2: cbor2.CBORTag(35, "a++")},
]


@pytest.mark.parametrize("public_key", KEYS, ids=range(len(KEYS)))
def test_a_key_that_could_not_be_used_is_refused_when_it_is_registered(public_key: object) -> None:
    authenticator = SoftwareAuthenticator()
    data = authenticator.authenticator_data(HAS_CREDENTIAL) + authenticator.credential_data(public_key)
    answer = attested(authenticator, authData=data)
    assert refusal(lambda: verify_registration(CEREMONY, answer)) is Refusal.NOT_PERMITTED


def test_extensions_may_follow_if_they_are_plain_and_nothing_else_may() -> None:
    authenticator = SoftwareAuthenticator()
    key = registered(authenticator)

    def answer(more: bytes, flags: int = HAS_EXTENSIONS) -> Assertion:
        data = authenticator.authenticator_data(flags) + more
        return authenticator.signed(client_data("get", CHALLENGE, authenticator.origin), data)

    assert verify_assertion(CEREMONY, key, answer(cbor2.dumps({"credProtect": 2}))) == 0
    for wrong in (
        answer(cbor2.dumps({"a": cbor2.CBORTag(35, "a++")})),
        answer(b""),
        answer(cbor2.dumps({}) + b"0"),
        answer(cbor2.dumps({}), 0),
        answer(authenticator.credential_data(), HAS_CREDENTIAL),
    ):
        assert refusal(lambda wrong=wrong: verify_assertion(CEREMONY, key, wrong)) is Refusal.NOT_PERMITTED  # type: ignore[misc]  # bound in the loop on purpose


def test_the_credential_that_is_named_must_be_the_one_that_was_registered() -> None:
    answer = msgspec.structs.replace(SoftwareAuthenticator().register(CHALLENGE, ANA), credential=b"other")
    assert refusal(lambda: verify_registration(CEREMONY, answer)) is Refusal.NOT_PERMITTED


BROWSER = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {
        "type": st.just("webauthn.get") | BROWSER,
        "challenge": st.just(to_base64url(CHALLENGE)) | BROWSER,
        "origin": st.just("http://localhost:8080") | BROWSER,
        "tokenBinding": BROWSER,
    }
)


@settings(max_examples=60)
@given(
    browser=FIELDS.map(lambda fields: json.dumps(fields).encode()) | st.binary(max_size=60) | st.just(b"[" * 4000),
    data=st.binary(max_size=80) | st.just(hashlib.sha256(b"localhost").digest() + bytes([USUAL]) + bytes(4)),
)
def test_no_answer_ends_in_anything_but_a_refusal_or_a_login(browser: bytes, data: bytes) -> None:
    key = registered(ALICE)
    assert refusal(lambda: verify_assertion(CEREMONY, key, ALICE.signed(browser, data))) in {
        None,
        Refusal.NOT_PERMITTED,
    }
    unasked = Registration(credential=ALICE.credential, client_data=browser, attestation=data)
    assert refusal(lambda: verify_registration(CEREMONY, unasked)) is Refusal.NOT_PERMITTED


ALICE = SoftwareAuthenticator()

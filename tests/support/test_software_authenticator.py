"""The authenticator in software writes what a real one does."""

from __future__ import annotations

import hashlib

import cbor2
from tests.support.software_authenticator import HAS_CREDENTIAL, USUAL, SoftwareAuthenticator


def test_a_registration_names_host_flags_count_and_credential() -> None:
    authenticator = SoftwareAuthenticator(host="home.example.org", count=7)
    data = cbor2.loads(authenticator.register(b"challenge", b"ana").attestation)["authData"]
    assert data[:32] == hashlib.sha256(b"home.example.org").digest()
    assert data[32] == USUAL | HAS_CREDENTIAL
    assert data[33:37] == (7).to_bytes(4, "big")
    assert data[53:55] == (32).to_bytes(2, "big")
    assert data[55:87] == authenticator.credential
    assert cbor2.loads(data[87:])[3] == authenticator.algorithm


def test_only_one_that_counts_counts() -> None:
    counting, silent = SoftwareAuthenticator(counts=True), SoftwareAuthenticator()
    assert [counting.sign_in(b"").authenticator_data[36] for _ in range(2)] == [1, 2]
    assert silent.sign_in(b"").authenticator_data[36] == 0

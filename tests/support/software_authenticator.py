"""An authenticator in software: registers passkeys and signs with them, as a browser and a phone do together.

It can also do what a real one never does: every part of an answer can be replaced before it is signed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from belvedere.access.base64url import to_base64url
from belvedere.access.ceremonies import Algorithm, Assertion, Registration

if TYPE_CHECKING:
    from collections.abc import Callable

PRESENT, VERIFIED, HAS_CREDENTIAL, HAS_EXTENSIONS = 1, 1 << 2, 1 << 6, 1 << 7
USUAL: Final = PRESENT | VERIFIED
MODEL: Final = bytes(16)


def client_data(kind: str, challenge: bytes, origin: str) -> bytes:
    """What a browser signs."""
    fields = {"type": f"webauthn.{kind}", "challenge": to_base64url(challenge), "origin": origin, "crossOrigin": False}
    return json.dumps(fields).encode()


@dataclass
class SoftwareAuthenticator:
    """One passkey. With `counts` it says how often it was used; otherwise always 0, as synchronised ones do."""

    origin: str = "http://localhost:8080"
    host: str = "localhost"
    user: bytes = b""
    algorithm: Algorithm = Algorithm.ECDSA_P256
    counts: bool = False
    flags: int = USUAL
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 0

    def __post_init__(self) -> None:
        """Make the key pair."""
        self._public_key, self._sign = _KEYS[self.algorithm]()

    def register(self, challenge: bytes, user: bytes) -> Registration:
        """Answer a registration's options."""
        self.user = user
        data = self.authenticator_data(HAS_CREDENTIAL) + self.credential_data()
        return Registration(
            credential=self.credential,
            client_data=client_data("create", challenge, self.origin),
            attestation=cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}),
        )

    def sign_in(self, challenge: bytes) -> Assertion:
        """Answer a login's options."""
        self.count += self.counts
        return self.signed(client_data("get", challenge, self.origin), self.authenticator_data())

    def signed(self, browser: bytes, data: bytes) -> Assertion:
        """An answer with these parts, signed."""
        signature = self._sign(data + hashlib.sha256(browser).digest())
        return Assertion(
            credential=self.credential,
            user=self.user,
            client_data=browser,
            authenticator_data=data,
            signature=signature,
        )

    def authenticator_data(self, more_flags: int = 0) -> bytes:
        """Which host, whether somebody was there and recognised, and how often."""
        return (
            hashlib.sha256(self.host.encode()).digest()
            + bytes([self.flags | more_flags])
            + self.count.to_bytes(4, "big")
        )

    def credential_data(self, public_key: object = None) -> bytes:
        """What follows in a registration: the credential's id and its key."""
        key = cbor2.dumps(public_key or self._public_key, canonical=True)
        return MODEL + len(self.credential).to_bytes(2, "big") + self.credential + key


def _ecdsa() -> tuple[dict[int, object], Callable[[bytes], bytes]]:
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    return public, lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def _ed25519() -> tuple[dict[int, object], Callable[[bytes], bytes]]:
    key = ed25519.Ed25519PrivateKey.generate()
    return {1: 1, 3: -8, -1: 6, -2: key.public_key().public_bytes_raw()}, key.sign


def _rsa() -> tuple[dict[int, object], Callable[[bytes], bytes]]:
    key = rsa.generate_private_key(65537, 2048)
    public = {1: 3, 3: -257, -1: key.public_key().public_numbers().n.to_bytes(256, "big"), -2: b"\x01\x00\x01"}
    return public, lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


_KEYS: Final = {Algorithm.ECDSA_P256: _ecdsa, Algorithm.ED25519: _ed25519, Algorithm.RSA_SHA256: _rsa}

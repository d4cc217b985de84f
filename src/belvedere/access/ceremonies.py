"""What passkeys are registered and used for: the host name of the page, and what goes to and fro. Pure."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from belvedere.ip_addresses import is_ip_address

LOCAL: Final = "localhost"  # browsers trust it without https


class Algorithm(enum.IntEnum):
    """How a passkey signs: COSE's numbers, in the order in which we would like them."""

    ED25519 = -8
    ECDSA_P256 = -7
    RSA_SHA256 = -257  # of older Windows computers


class RelyingParty(msgspec.Struct, frozen=True):
    """To whom a passkey belongs: a host name, and the origins of its pages."""

    id: str
    origins: tuple[str, ...]


class Ceremony(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer must be signed for."""

    party: RelyingParty
    challenge: bytes


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser answers to `navigator.credentials.create`."""

    credential: bytes
    client_data: bytes
    attestation: bytes


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser answers to `navigator.credentials.get`; `user` is what the authenticator calls its owner."""

    credential: bytes
    user: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


class VerifiedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey's public key (COSE), and how often it was used; 0 where its authenticator does not count."""

    public_key: bytes
    sign_count: int


def relying_party(host: str) -> RelyingParty | None:
    """The one of a request, by a `Host` that the server accepts; None where browsers allow no passkeys.

    They allow them over https, and on localhost; never on an address. Behind a tunnel the server cannot know whether
    the browser uses https, but the origin that an authenticator signs says so.
    """
    name, _, port = host.lower().partition(":")
    if not name or name.startswith("[") or name.endswith(".") or is_ip_address(name):
        return None
    is_local = name == LOCAL or name.endswith(f".{LOCAL}")
    schemes = {"https": "443", "http": "80"} if is_local else {"https": "443"}
    origins = (
        f"{scheme}://{name}" if port in {"", default} else f"{scheme}://{name}:{port}"
        for scheme, default in schemes.items()
    )
    return RelyingParty(name, tuple(origins))

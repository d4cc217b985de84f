"""Tokens as Cloudflare Access signs them, keys to sign them with, and a server on loopback that publishes the keys."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from belvedere.access.cloudflare import CloudflareOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = CloudflareOptions(team="our-house", audience="ab" * 32)
NOW = 1_800_000_000.0  # wall-clock time, in tests
HOUR_S = 3600.0
EMAIL = "ana@example.org"


@functools.cache
def private_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key for each number, the same one each time within a run: making one takes long."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def published(name: str, key: rsa.RSAPrivateKey, **changes: object) -> dict[str, Any]:
    """A key as a key set has it; None leaves a member out."""
    numbers = key.public_key().public_numbers()
    modulus = base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8))
    entry = {"kid": name, "kty": "RSA", "alg": "RS256", "use": "sig", "e": "AQAB", "n": modulus, **changes}
    return {member: value for member, value in entry.items() if value is not None}


def key_set(*entries: dict[str, Any]) -> bytes:
    """A key set of these keys."""
    return json.dumps({"keys": list(entries), "public_cert": {"kid": "not-looked-at"}}).encode()


def claims(**changes: object) -> dict[str, Any]:
    """What a good token says; None leaves a claim out."""
    good = {
        "aud": [OPTIONS.audience],
        "email": EMAIL,
        "exp": int(NOW + HOUR_S),
        "iat": int(NOW),
        "nbf": int(NOW),
        "iss": OPTIONS.issuer,
        "type": "app",
        "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
        "country": "CN",
        **changes,
    }
    return {name: value for name, value in good.items() if value is not None}


def token(
    said: dict[str, Any] | None = None, key: rsa.RSAPrivateKey | None = None, head: dict[str, Any] | None = None
) -> str:
    """A token, good unless it is given something else."""
    headers = {"kid": "first", **(head or {})}
    return jwt.encode(claims() if said is None else said, key or private_key(), "RS256", headers)


def signed(head: bytes, payload: bytes, key: rsa.RSAPrivateKey | None = None) -> str:
    """A token of just these bytes, with a good signature."""
    text = f"{base64url(head)}.{base64url(payload)}"
    signature = jwt.get_algorithm_by_name("RS256").sign(text.encode(), key or private_key())
    return f"{text}.{base64url(signature)}"


class KeyServer:
    """What the server publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body = key_set(published("first", private_key()))
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.url = ""


@contextmanager
def key_server() -> Iterator[KeyServer]:
    """A server that publishes keys over plain HTTP."""
    state = KeyServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            self.send_response(state.status)
            for name, value in {"content-length": str(len(state.body)), **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/cdn-cgi/access/certs"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()

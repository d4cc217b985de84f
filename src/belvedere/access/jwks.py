"""The public keys with which a login provider signs: reads a JSON Web Key Set (RFC 7517), and fetches it.

Only RSA keys for signatures are taken, of a length that is safe and quick to check with. What a token says about its
own key (`jku`, `x5u`, `jwk`) is never looked at: the address of the keys comes from the settings alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import h11
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

if TYPE_CHECKING:
    from collections.abc import Iterable

FETCH_TIMEOUT_S: Final = 10.0  # from connecting to the last byte; looking the name up comes on top
MAX_SET_BYTES: Final = 64 * 1024  # Cloudflare's has some 6 kB, certificates and all
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_KEYS: Final = 16  # Cloudflare has two
MAX_KEY_ID_CHARS: Final = 128
MIN_KEY_BITS: Final = 2048
MAX_KEY_BITS: Final = 4096  # the time to check a signature grows with the square of it
MIN_EXPONENT: Final = 65537
MAX_EXPONENT_BITS: Final = 32  # likewise, in proportion
HTTP_OK: Final = 200
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")


class KeySetError(Exception):
    """The key set could not be fetched, or holds no usable key; the message is one line for the log."""


def read_json_object(data: bytes) -> dict[str, Any]:
    """A JSON object in which no name is used twice and every number is finite; raises ValueError for anything else.

    Two parsers may each take another of two values of one name, so what was checked would not be what is used.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")  # noqa: TRY004 - for the caller, it is malformed like the rest
    return value


def read_base64url(text: str) -> bytes:
    """What base64url without padding stands for (RFC 7515, section 2); raises ValueError for anything else.

    Each value has one spelling only: a token with spare bits set in its last character would be the same token under
    another digest.
    """
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise ValueError("not the canonical base64url")
    return data


def read_keys(body: bytes) -> dict[str, RSAPublicKey]:
    """The usable keys of a key set by their ids; others are left out. Raises KeySetError if none is left."""
    try:
        entries = read_json_object(body).get("keys")
    except ValueError as error:
        raise KeySetError(f"the answer is not a key set: {error}") from error
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise KeySetError(f"the answer is not a list of at most {MAX_KEYS} keys")
    keys: dict[str, RSAPublicKey] = {}
    for entry in entries:
        named = _usable(entry) if isinstance(entry, dict) else None
        if named is None:
            continue
        name, key = named
        if name in keys:
            raise KeySetError("two keys in the answer have the same id")
        keys[name] = key
    if not keys:
        raise KeySetError("the answer has no RSA key for signatures")
    return keys


def request_keys(url: str, context: ssl.SSLContext | None = None) -> dict[str, RSAPublicKey]:
    """Fetch a key set. Blocks, for a bounded time; follows no redirect. Raises OSError or KeySetError.

    `context` says which certificates are trusted, by default the system's; it is not used for `http`.
    """
    where, until = urlsplit(url), time.monotonic() + FETCH_TIMEOUT_S
    is_secure = where.scheme == "https"
    host, port = where.hostname or "", where.port or (443 if is_secure else 80)
    with socket.create_connection((host, port), timeout=FETCH_TIMEOUT_S) as plain:
        if not is_secure:
            return read_keys(_exchange(plain, where.netloc, where.path, until))
        with (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=host) as secure:
            return read_keys(_exchange(secure, where.netloc, where.path, until))


def _exchange(sock: socket.socket, host: str, path: str, until: float) -> bytes:
    """Send the request, and return the body of the response."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    headers = [("host", host), ("accept", "application/json"), ("accept-encoding", "identity"), ("connection", "close")]
    request = http.send(h11.Request(method="GET", target=path, headers=headers))
    sock.sendall((request or b"") + (http.send(h11.EndOfMessage()) or b""))
    body = b""
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(_receive(sock, until))
            elif isinstance(event, h11.Response) and event.status_code != HTTP_OK:
                raise KeySetError(f"HTTP status {event.status_code}")
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_SET_BYTES:
                    raise KeySetError(f"the answer is longer than {MAX_SET_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage):
                return body
    except h11.RemoteProtocolError as error:
        raise KeySetError(f"the answer is not HTTP: {error}") from error


def _receive(sock: socket.socket, until: float) -> bytes:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise KeySetError(f"the answer took longer than {FETCH_TIMEOUT_S:g} s")
    sock.settimeout(left_s)
    return sock.recv(MAX_HEAD_BYTES)


def _usable(entry: dict[str, Any]) -> tuple[str, RSAPublicKey] | None:
    name = entry.get("kid")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_KEY_ID_CHARS:
        return None
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        modulus, exponent = (int.from_bytes(read_base64url(entry[part])) for part in ("n", "e"))
    except (KeyError, TypeError, ValueError):
        return None
    is_short = exponent.bit_length() <= MAX_EXPONENT_BITS and modulus.bit_length() <= MAX_KEY_BITS
    is_safe = exponent >= MIN_EXPONENT and modulus.bit_length() >= MIN_KEY_BITS and modulus % 2 and exponent % 2
    return (name, RSAPublicNumbers(exponent, modulus).public_key()) if is_short and is_safe else None


def _without_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError("a name is used twice")
        found[name] = value
    return found


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")

"""Of a key set only RSA keys of a safe length are taken, and it is fetched in bounded time and size."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.support.access_tokens import base64url, key_server, key_set, private_key, published

from belvedere.access import jwks
from belvedere.access.jwks import (
    MAX_KEYS,
    MAX_SET_BYTES,
    KeySetError,
    read_base64url,
    read_json_object,
    read_keys,
    request_keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = private_key()
GOOD = published("first", KEY)


def test_rsa_keys_for_signatures_are_taken_by_their_ids() -> None:
    bare = published("second", private_key(1), alg=None, use=None)
    keys = read_keys(key_set(GOOD, bare))
    assert {name: key.public_numbers() for name, key in keys.items()} == {
        "first": KEY.public_key().public_numbers(),
        "second": private_key(1).public_key().public_numbers(),
    }


@pytest.mark.parametrize(
    "bad",
    [
        {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AQ", "y": "AQ"},
        {"kty": "oct", "kid": "x", "k": base64url(b"secret" * 6)},
        published("x", private_key(bits=1024)),
        published("x", KEY, use="enc"),
        published("x", KEY, alg="RS1"),
        published("x", KEY, alg="HS256"),
        published("x", KEY, kid=None),
        published("x", KEY, kid=7),
        published("x" * 129, KEY),
        published("", KEY),
        published("x", KEY, n=None),
        published("x", KEY, n=7),
        published("x", KEY, n="!!"),
        published("x", KEY, n=base64url(b"\xff" * 513)),  # 4104 bits: slow to check with
        published("x", KEY, n=base64url(b"\xff" * 255 + b"\xfe")),  # even
        published("x", KEY, e="AQ"),  # 1: every signature would be right
        published("x", KEY, e="Aw"),  # 3
        published("x", KEY, e=base64url(b"\xff" * 5)),  # slow to check with
        "a text",
        None,
    ],
)
def test_other_keys_are_left_out(bad: dict[str, object]) -> None:
    assert set(read_keys(key_set(bad, GOOD))) == {"first"}
    with pytest.raises(KeySetError, match="no RSA key"):
        read_keys(key_set(bad))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b"<html>",
        b"\xff",
        b"[" * 100_000,
        key_set(),
        key_set(*[published(f"key{number}", KEY) for number in range(MAX_KEYS + 1)]),
        key_set(GOOD, published("first", private_key(1))),
        b'{"keys": [], ' + key_set(GOOD)[1:],
        b'{"x": NaN, ' + key_set(GOOD)[1:],
    ],
)
def test_an_answer_that_is_no_key_set_is_an_error(body: bytes) -> None:
    with pytest.raises(KeySetError):
        read_keys(body)


@given(st.binary(max_size=300))
def test_base64url_has_one_spelling_for_each_value(data: bytes) -> None:
    if data:
        assert read_base64url(base64url(data)) == data
    with pytest.raises(ValueError, match="base64url"):
        read_base64url(base64url(data) + "=")


def test_another_spelling_of_the_same_value_is_refused() -> None:
    assert read_base64url("AQ") == b"\x01"
    with pytest.raises(ValueError, match="canonical"):
        read_base64url("AR")  # also stands for b"\x01"


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_object_or_a_value_error(data: bytes) -> None:
    try:
        found = read_json_object(data)
    except ValueError:
        return
    assert found == json.loads(data)


@pytest.mark.realtime
def test_the_keys_are_fetched() -> None:
    with key_server() as server:
        assert set(request_keys(server.url)) == {"first"}
        assert server.asked == ["/cdn-cgi/access/certs"]


@pytest.mark.realtime
@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
def test_another_status_is_an_error_and_a_redirect_is_not_followed(status: int) -> None:
    with key_server() as server:
        server.status, server.headers = status, {"location": "/elsewhere"}
        with pytest.raises(KeySetError, match=str(status)):
            request_keys(server.url)
        assert server.asked == ["/cdn-cgi/access/certs"]


@pytest.mark.realtime
def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    with key_server() as server:
        server.body = b" " * (MAX_SET_BYTES + 1)
        with pytest.raises(KeySetError, match="longer than"):
            request_keys(server.url)


@contextmanager
def answering(pieces: list[bytes], *, then_closes: bool = True) -> Iterator[str]:
    """A server of bytes; gives its address. Without `then_closes` it keeps the connection open and says no more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                for piece in pieces:
                    peer.sendall(piece)
                if not then_closes:
                    done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            done.set()
            thread.join()


@pytest.mark.realtime
@pytest.mark.parametrize("pieces", [[b"not HTTP\r\n\r\n"], [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"], []])
def test_what_is_no_whole_answer_is_an_error(pieces: list[bytes]) -> None:
    with answering(pieces) as url, pytest.raises((KeySetError, OSError)):
        request_keys(url)


@pytest.mark.realtime
def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_S", 0.05)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
    with answering([head], then_closes=False) as url, pytest.raises(OSError, match="timed out"):
        request_keys(url)


@pytest.mark.realtime
def test_a_server_whose_certificate_is_not_trusted_is_not_asked(tmp_path: Path) -> None:
    known, unknown = (_certificate(tmp_path, number) for number in (0, 1))
    trusted = ssl.create_default_context(cafile=str(known))
    with _tls_server(known) as url:
        assert set(request_keys(url, trusted)) == {"first"}
    with _tls_server(unknown) as url, pytest.raises(ssl.SSLCertVerificationError):
        request_keys(url, trusted)


@contextmanager
def _tls_server(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    body = key_set(GOOD)
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                try:
                    with context.wrap_socket(peer, server_side=True) as secure:
                        secure.recv(4096)
                        secure.sendall(answer)
                except (ssl.SSLError, OSError):
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://localhost:{listening.getsockname()[1]}/"
        finally:
            thread.join()


def _certificate(folder: Path, number: int) -> Path:
    """A file with the private key of this number, and a certificate for localhost that it has signed itself."""
    key = private_key(number)
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"localhost {number}")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(number + 1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{number}.pem"
    plain = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, kind, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from tests.support.self_signed_certificate import SelfSignedCertificate

if TYPE_CHECKING:
    from pathlib import Path


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """The version of TLS that both agree on, in memory. Raises ssl.SSLError where the client does not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    open_sides = list(sides)
    for _round in range(10):
        for side in list(open_sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            open_sides.remove(side)
        if not open_sides:
            return sides[0].version()
    raise AssertionError("the handshake does not end")


@pytest.mark.parametrize("is_authority", [False, True])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_who_trusts_it_accepts_its_names(tmp_path: Path, name: str, *, is_authority: bool) -> None:
    certificate = SelfSignedCertificate(tmp_path, "localhost", is_authority=is_authority)
    assert shake_hands(certificate.server, certificate.client, name) == "TLSv1.3"


def test_several_names_may_be_patterns(tmp_path: Path) -> None:
    certificate = SelfSignedCertificate(tmp_path, "home.localhost", "*.home.localhost")
    assert shake_hands(certificate.server, certificate.client, "kitchen.home.localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
        shake_hands(certificate.server, certificate.client, "127.0.0.1")


def test_one_that_has_ended_is_refused(tmp_path: Path) -> None:
    certificate = SelfSignedCertificate(tmp_path, "localhost", days=-1)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(certificate.server, certificate.client, "localhost")


def test_who_does_not_trust_it_refuses_it(tmp_path: Path) -> None:
    certificate = SelfSignedCertificate(tmp_path, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        shake_hands(certificate.server, ssl.create_default_context(), "localhost")

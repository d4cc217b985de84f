"""What it relays is tested where it is used, in `tests/e2e`."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from tests.support.turn_server import HOST, SECRET, TurnServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.interop, pytest.mark.realtime]


def test_it_listens_by_tcp_and_by_tls_with_its_certificate_until_the_end_of_the_block(tmp_path: Path) -> None:
    with TurnServer(tmp_path) as server:
        assert server.secret_file.read_text(encoding="ascii") == SECRET
        trusting = ssl.create_default_context(cafile=str(server.certificate))
        with (
            socket.create_connection((HOST, server.tls_port)) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            assert secured.version() is not None
        assert server.url("tls") == f"turns:localhost:{server.tls_port}?transport=tcp"
        assert server.log()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, server.port))

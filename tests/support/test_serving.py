from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from tests.support.serving import free_ports, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.realtime
def test_a_server_runs_with_these_settings_until_the_end(tmp_path: Path) -> None:
    with serving(tmp_path, '[stage]\nfps = 10\n[camera]\nkind = "pattern"\n', {"beside": "content"}) as address:
        assert (tmp_path / "beside").read_text(encoding="utf-8") == "content"
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.realtime
def test_a_server_that_does_not_start_fails_the_test_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nonsense"), serving(tmp_path, "nonsense = 1", {}):
        pass


@pytest.mark.realtime
def test_free_ports_are_different_and_can_be_listened_on() -> None:
    first, second = free_ports(2)
    with socket.create_server(("127.0.0.1", first)), socket.create_server(("127.0.0.1", second)):
        assert first != second

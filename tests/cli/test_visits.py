"""`belvedere visits`: what is printed, and that it says in one line where no server runs."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from typing import TYPE_CHECKING, Any

import pytest

from belvedere.cli import main
from belvedere.gateway.local_socket import SOCKET_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.realtime

VISIT: dict[str, Any] = {
    "id": "0123456789ab",
    "person": "ana",
    "name": "Ana",
    "began_utc_s": 1_800_000_000,
    "lasted_s": 59,
}


class Handler(http.server.BaseHTTPRequestHandler):
    """The visit book's routes, with one visit."""

    def do_GET(self) -> None:
        content = b"began,id\r\n" if "csv" in self.path else b"[]"
        page = json.dumps({"visits": [VISIT], "more": False, "kept": True}).encode()
        self._answer(200, content if "export" in self.path else page)

    def do_DELETE(self) -> None:
        if self.path.endswith(VISIT["id"]):
            self._answer(204, b"")
        else:
            self._answer(404, b'{"code": "not_found", "message": "there is no such visit"}')

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write nothing."""

    def address_string(self) -> str:
        return "local"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "mine.toml"
    path.write_text("", encoding="utf-8")
    with socketserver.UnixStreamServer(str(tmp_path / SOCKET_NAME), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield str(path)
        server.shutdown()
        thread.join()


def run(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["visits", *arguments])
    output = capfdbinary.readouterr()
    return caught.value.code, output.out.decode(), output.err.decode()


def test_the_visits_are_listed_as_lines_and_as_json(config: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    status, lines, _ = run(capfdbinary, "list", "--config", config)
    assert status == 0
    assert "Ana: came" in lines
    _, document, _ = run(capfdbinary, "list", "--config", config, "--json")
    assert json.loads(document)[0]["name"] == "Ana"


def test_a_visit_is_deleted_and_one_that_does_not_exist_is_said(
    config: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    status, out, _ = run(capfdbinary, "delete", VISIT["id"], "--config", config, "--json")
    assert (status, json.loads(out)) == (0, {"deleted": [VISIT["id"]]})
    status, _, err = run(capfdbinary, "delete", "none", "--config", config)
    assert status == 2
    assert "there is no such visit" in err


def test_the_book_is_exported(config: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(capfdbinary, "export", "--config", config)[:2] == (0, "[]")
    assert run(capfdbinary, "export", "--csv", "--config", config)[:2] == (0, "began,id\r\n")
    assert run(capfdbinary, "export", "--csv", "--json", "--config", config)[0] == 2


def test_without_a_server_that_is_said(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("", encoding="utf-8")
    status, _, err = run(capfdbinary, "list", "--config", str(path))
    assert status == 2
    assert "no server runs here" in err

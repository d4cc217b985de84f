"""`belvedere tokens`: the secret alone on standard output, and JSON where it is asked for."""

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

TOKEN: dict[str, Any] = {
    "id": "0123456789ab",
    "name": "robot",
    "scope": "drive",
    "created_utc_s": 1_800_000_000,
    "ends_utc_s": None,
    "is_valid": True,
}
LINE = "0123456789ab  robot: may drive, until it is revoked"


class Handler(http.server.BaseHTTPRequestHandler):
    """The routes of tokens, with one token."""

    def do_GET(self) -> None:
        self._answer(200, {"tokens": [TOKEN]})

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if wanted["name"] == "robot":
            self._answer(201, {"token": TOKEN, "secret": "open sesame"})
        else:
            self._answer(409, {"code": "too_many", "message": "there is a token of this name already"})

    def do_DELETE(self) -> None:
        self._answer(204, None)

    def _answer(self, status: int, answer: object) -> None:
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def config(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "belvedere.toml"
    file.write_text("", encoding="utf-8")
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / SOCKET_NAME), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(file)
        server.shutdown()
        thread.join()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["tokens", *arguments])
    return int(ended.value.code or 0)


def test_the_tokens_are_listed_as_lines_or_json(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--config", config) == 0
    assert capsys.readouterr().out == f"{LINE}\n"
    assert run("list", "--config", config, "--json") == 0
    assert json.loads(capsys.readouterr().out) == [TOKEN]


def test_the_secret_alone_is_printed_so_that_a_script_can_take_it(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("create", "robot", "--scope", "drive", "--days", "1", "--config", config) == 0
    printed = capsys.readouterr()
    assert printed.out == "open sesame\n"
    assert LINE in printed.err
    assert run("create", "robot", "--scope", "look", "--config", config, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"token": TOKEN, "secret": "open sesame"}


def test_a_token_is_revoked_by_its_name(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("revoke", "robot", "--config", config) == 0
    assert run("revoke", "robot", "--config", config, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"revoked": TOKEN["id"]}
    assert run("revoke", "else", "--config", config) == 2


def test_what_the_server_refuses_is_one_line(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("create", "taken", "--scope", "drive", "--config", config) == 2
    assert "there is a token of this name already" in capsys.readouterr().err

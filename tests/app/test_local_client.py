"""Commands ask the running server over its socket, in a bounded time, and say in one line why they could not."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from belvedere.app import local_client
from belvedere.app.local_client import LocalClient, NoServerError, RefusedError
from belvedere.errors import OwnerError
from belvedere.gateway.local_socket import local_listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.realtime


@contextlib.contextmanager
def answering(folder: Path, answer: bytes) -> Iterator[list[bytes]]:
    """A server that reads one request and sends these bytes."""
    requests: list[bytes] = []
    with local_listener(folder) as listener:
        listener.setblocking(True)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as reader:
                head = b"".join(iter(reader.readline, b"\r\n"))
                found = re.search(rb"(?i)content-length: (\d+)", head)
                requests.append(head + reader.read(int(found[1]) if found else 0))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield requests
        thread.join()


def response(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


def test_a_request_carries_json_and_the_answer_is_decoded(tmp_path: Path) -> None:
    with answering(tmp_path, response("200 OK", '{"name": "Ana"}')) as requests:
        assert LocalClient(tmp_path).request("POST", "/api/v1/people", {"name": "Ana"}) == {"name": "Ana"}
    assert requests[0].startswith(b"POST /api/v1/people HTTP/1.1\r\n")
    assert b"content-type: application/json" in requests[0]


def test_an_empty_answer_is_none(tmp_path: Path) -> None:
    with answering(tmp_path, response("204 No Content", "")):
        assert LocalClient(tmp_path).request("DELETE", "/api/v1/people/0") is None


def test_content_is_fetched_as_it_is(tmp_path: Path) -> None:
    with answering(tmp_path, response("200 OK", "a,b\n")):
        assert LocalClient(tmp_path).fetch("/export") == b"a,b\n"
    with answering(tmp_path, response("404 Not Found", "")), pytest.raises(RefusedError, match="404"):
        LocalClient(tmp_path).fetch("/export")


def test_a_refusal_says_what_the_server_says(tmp_path: Path) -> None:
    body = '{"code": "too_many", "message": "there are 256 people already"}'
    with (
        answering(tmp_path, response("409 Conflict", body)),
        pytest.raises(RefusedError, match="256 people already") as caught,
    ):
        LocalClient(tmp_path).request("POST", "/api/v1/people", {})
    assert caught.value.code == "too_many"


def test_without_a_server_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoServerError, match="no server runs here"):
        LocalClient(tmp_path).request("GET", "/api/v1/people")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "belvedere.sock"))
    with pytest.raises(NoServerError, match="no server runs here"):
        LocalClient(tmp_path).request("GET", "/api/v1/people")


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_client, "TIMEOUT_S", 0.05)
    with local_listener(tmp_path), pytest.raises(NoServerError, match=r"did not answer within 0\.05 s"):
        LocalClient(tmp_path).request("GET", "/api/v1/people")


def test_an_answer_that_is_no_json_or_no_http_is_an_error(tmp_path: Path) -> None:
    with answering(tmp_path, response("200 OK", "hello")), pytest.raises(OwnerError, match="no JSON"):
        LocalClient(tmp_path).request("GET", "/")
    with answering(tmp_path, b"hello\r\n"), pytest.raises(NoServerError, match="could not ask"):
        LocalClient(tmp_path).request("GET", "/")

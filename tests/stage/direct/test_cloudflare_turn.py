"""The requests are real; the API is a server on loopback that answers what a test says."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from belvedere.secret import Secret
from belvedere.stage.direct import cloudflare_turn
from belvedere.stage.direct.cloudflare_turn import (
    MAX_ANSWER_BYTES,
    PAGE_WAIT_S,
    ApiError,
    CloudflareCredentials,
    read_answer,
    request_servers,
)
from belvedere.stage.turn_options import CloudflareTurnOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPTIONS = CloudflareTurnOptions(key_id="0a1b", token=Secret("s3cret"), lifetime_s=1200)
PASSWORD = "bb5fd4f8"  # noqa: S105 (of no server)
ANSWER = {
    "iceServers": [
        {"urls": ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"]},
        {
            "urls": [
                "turn:turn.cloudflare.com:3478?transport=udp",
                "turn:turn.cloudflare.com:53?transport=udp",
                "turn:turn.cloudflare.com:80?transport=tcp",
                "turns:turn.cloudflare.com:443?transport=tcp",
            ],
            "username": "aa",
            "credential": PASSWORD,
        },
    ]
}
URLS = [
    "stun:stun.cloudflare.com:3478",
    "turn:turn.cloudflare.com:3478?transport=udp",
    "turn:turn.cloudflare.com:80?transport=tcp",
    "turns:turn.cloudflare.com:443?transport=tcp",
]


class Api:
    """What the API answers, and what it was asked."""

    def __init__(self) -> None:
        self.status = 201
        self.pieces = [json.dumps(ANSWER).encode()]
        self.requests: list[tuple[str, str, Any]] = []
        self.address = ""


@contextmanager
def serving() -> Iterator[Api]:
    api = Api()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            api.requests.append((self.path, self.headers["authorization"], json.loads(body)))
            self.send_response(api.status)
            self.end_headers()
            try:
                for piece in api.pieces:
                    self.wfile.write(piece)
            except OSError:  # the other side had enough
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        api.address = f"http://127.0.0.1:{server.server_port}"
        yield api
        server.shutdown()
        thread.join()


def test_credentials_are_requested_with_the_token_for_the_whole_lifetime() -> None:
    with serving() as api:
        servers = request_servers(OPTIONS, api.address)
    assert api.requests == [("/v1/turn/keys/0a1b/credentials/generate-ice-servers", "Bearer s3cret", {"ttl": 1200})]
    assert [server.url for server in servers] == URLS  # without port 53, which browsers block
    assert [(server.username, server.credential) for server in servers[1:]] == [("aa", Secret(PASSWORD))] * 3
    assert servers[0].username is None


@pytest.mark.parametrize(
    ("status", "text"), [(401, "key_id"), (404, "key_id"), (429, "429"), (500, "500"), (302, "302")]
)
def test_a_refusal_is_an_error_that_says_what_to_check_and_shows_no_token(status: int, text: str) -> None:
    with serving() as api:
        api.status = status
        with pytest.raises(ApiError, match=text) as caught:
            request_servers(OPTIONS, api.address)
    assert "s3cret" not in str(caught.value)


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as api:
        api.pieces = [bytes(1024)] * (2 * MAX_ANSWER_BYTES // 1024)
        with pytest.raises(ApiError, match="longer than"):
            request_servers(OPTIONS, api.address)
        monkeypatch.setattr(cloudflare_turn, "ANSWER_TIMEOUT_S", -1.0)
        api.pieces = [b"{"]
        with pytest.raises(ApiError, match="took longer"):
            request_servers(OPTIONS, api.address)


def test_an_api_that_cannot_be_reached_is_an_os_error() -> None:
    with serving() as api:
        pass
    with pytest.raises(OSError, match="refused"):
        request_servers(OPTIONS, api.address)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[]",
        b"{}",
        b'{"iceServers": []}',
        b'{"iceServers": [{"urls": "stun:a"}]}',
        b'{"iceServers": [{"urls": "turn:a", "username": "a"}]}',
        b'{"iceServers": [{"urls": "javascript:a", "username": "a", "credential": "b"}]}',
        b'{"iceServers": [{"urls": "turn:a", "username": "a\\nb", "credential": "b"}]}',
        b'{"iceServers": [{"urls": "turn:a:53", "username": "a", "credential": "b"}]}',
        b'{"iceServers": [' + b'{"urls": "turn:a"},' * 99 + b"{}]}",
    ],
)
def test_an_answer_without_a_usable_turn_server_is_an_error(body: bytes) -> None:
    with pytest.raises(ApiError):
        read_answer(body)


def test_one_url_may_stand_without_a_list() -> None:
    (server,) = read_answer(b'{"iceServers": [{"urls": "turn:a", "username": "a", "credential": "b", "more": 1}]}')
    assert server.url == "turn:a"


def credentials(api: str, now: Callable[[], float], threads: list[Callable[[], None]]) -> CloudflareCredentials:
    return CloudflareCredentials(OPTIONS, now, api=api, start=threads.append)


async def test_all_visits_share_credentials_that_are_renewed_at_half_of_their_lifetime() -> None:
    now_s = 0.0
    threads: list[Callable[[], None]] = []
    with serving() as api:
        made = credentials(api.address, lambda: now_s, threads)
        assert made.servers_for("a") == ()
        threads.pop()()
        await asyncio.sleep(0)
        assert [server.url for server in made.servers_for("a")] == URLS
        assert made.servers_for("a") == made.servers_for("b")
        assert len(api.requests) == 1
        now_s = OPTIONS.lifetime_s / 2
        api.status = 500
        assert made.servers_for("a")
        threads.pop()()
        await asyncio.sleep(0)
        assert made.servers_for("a")  # still valid, though they could not be renewed
        now_s = OPTIONS.lifetime_s
        assert made.servers_for("a") == ()


async def test_an_api_that_does_not_answer_delays_a_page_by_a_bounded_time() -> None:
    made = credentials("http://127.0.0.1:1", time.monotonic, [])
    began_at = asyncio.get_running_loop().time()
    await made.wait_ready()
    assert asyncio.get_running_loop().time() - began_at == pytest.approx(PAGE_WAIT_S)

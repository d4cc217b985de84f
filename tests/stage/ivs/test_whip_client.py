"""The requests are real; the server is one on loopback that answers what a test says."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from belvedere.secret import Secret
from belvedere.stage.ivs import whip_client
from belvedere.stage.ivs.whip_client import MAX_ANSWER_BYTES, MAX_REDIRECTS, WhipError, WhipSession, end, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = Secret("a-token")
BEARER = "Bearer a-token"


@dataclass
class Reply:
    status: int = 201
    location: str | None = "/sessions/1"
    body: bytes = b"v=0\r\n"


@dataclass
class WhipServer:
    """Answers by path; keeps what it was asked: method, path, authorization and body."""

    address: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[WhipServer]:
    server = WhipServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
            server.asked.append((str(self.command), self.path, self.headers["authorization"], body))
            reply = server.replies.get(self.path, Reply())
            self.send_response(reply.status)
            if reply.location is not None:
                self.send_header("location", reply.location)
            self.end_headers()
            self.wfile.write(reply.body)

        do_DELETE = do_POST  # noqa: N815 (as the library has it)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.address = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def test_an_offer_is_answered_and_its_session_can_be_ended() -> None:
    with serving() as server:
        session = publish(f"{server.address}/in?a=b", TOKEN, "the offer")
        assert session == WhipSession(f"{server.address}/sessions/1", "v=0\r\n")
        server.replies["/sessions/1"] = Reply(200)
        end(session, TOKEN)
        assert server.asked == [
            ("POST", "/in?a=b", BEARER, "the offer"),
            ("DELETE", "/sessions/1", BEARER, ""),
        ]


def test_a_redirect_is_followed_with_the_token_and_the_offer() -> None:
    with serving() as server:
        server.replies["/"] = Reply(307, f"{server.address}/near?x=1")
        assert publish(server.address, TOKEN, "the offer").url == f"{server.address}/sessions/1"
        assert server.asked == [("POST", "/", BEARER, "the offer"), ("POST", "/near?x=1", BEARER, "the offer")]


def test_redirects_have_an_end() -> None:
    with serving() as server:
        server.replies["/"] = Reply(307, "/")
        with pytest.raises(WhipError, match="redirects"):
            publish(server.address, TOKEN, "")
        assert len(server.asked) == 1 + MAX_REDIRECTS


@pytest.mark.parametrize(
    "location", ["http://example.org/in", "ftp://127.0.0.1/", "//[", "http://127.0.0.1:99999/", "/\x7f", None]
)
def test_the_token_is_sent_to_no_address_where_it_could_be_read(location: str | None) -> None:
    with serving() as server:
        server.replies["/"] = Reply(307, location)
        with pytest.raises(WhipError):
            publish(server.address, TOKEN, "")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "words"), [(401, "not accepted"), (403, "not permit"), (429, "too many"), (500, "500"), (200, "200")]
)
def test_a_refusal_says_why_and_not_the_token(status: int, words: str) -> None:
    with serving() as server:
        server.replies["/"] = Reply(status)
        with pytest.raises(WhipError, match=words) as caught:
            publish(server.address, TOKEN, "")
        assert caught.value.status == status
        assert TOKEN.reveal() not in str(caught.value)


def test_an_answer_without_an_address_or_an_end_or_that_is_no_text_is_refused() -> None:
    with serving() as server:
        for reply in (Reply(location=None), Reply(body=b"x" * (MAX_ANSWER_BYTES + 1)), Reply(body=b"\xff")):
            server.replies["/"] = reply
            with pytest.raises(WhipError):
                publish(server.address, TOKEN, "")


def test_an_answer_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whip_client, "ANSWER_TIMEOUT_S", -1.0)
    with serving() as server, pytest.raises(WhipError, match="took longer"):
        publish(server.address, TOKEN, "")


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_has_ended_already_can_be_ended(status: int) -> None:
    with serving() as server:
        server.replies["/sessions/1"] = Reply(status)
        end(WhipSession(f"{server.address}/sessions/1", ""), TOKEN)
        server.replies["/sessions/1"] = Reply(403)
        with pytest.raises(WhipError):
            end(WhipSession(f"{server.address}/sessions/1", ""), TOKEN)


def test_a_server_that_cannot_be_reached_is_an_error_of_the_network() -> None:
    with serving() as server:
        address = server.address
    with pytest.raises(OSError, match="refused"):
        publish(address, TOKEN, "")

"""Answers without a handler are whole responses, to a request and to an upgrade."""

from typing import Any

import msgspec
import pytest

from belvedere.gateway.asgi_responses import answer_problem
from belvedere.gateway.problems import Problem


@pytest.mark.parametrize(("kind", "prefix"), [("http", "http.response"), ("websocket", "websocket.http.response")])
async def test_a_problem_is_a_whole_response(kind: str, prefix: str) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401 - whatever ASGI sends
        sent.append(message)

    scope: Any = {"type": kind}
    await answer_problem(scope, send, Problem("too_fast", "slowly"))
    start, body = sent
    headers = dict(start["headers"])
    assert (start["type"], start["status"]) == (f"{prefix}.start", 429)
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"retry-after"] == b"1"
    assert body["type"] == f"{prefix}.body"
    assert msgspec.json.decode(body["body"]) == {"code": "too_fast", "message": "slowly"}
    assert int(headers[b"content-length"]) == len(body["body"])

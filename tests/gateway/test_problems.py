"""Every refusal has a status and a whole response; unexpected errors are logged and not described to the client."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, get
from litestar.exceptions import HTTPException

from belvedere.errors import Refusal, StageError, StageReason, StoreError, VisitorError
from belvedere.gateway.problems import (
    HANDLERS,
    RETRY_AFTER_S,
    Problem,
    ProblemCode,
    answer_problem,
    not_saved,
    status_of,
)

MakeClient = Callable[..., httpx.AsyncClient]


def app_that_raises(error: Exception) -> Litestar:
    @get(["/api/x", "/x"])
    async def fail() -> None:
        raise error

    return Litestar([fail], exception_handlers=HANDLERS, logging_config=None, openapi_config=None)


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (VisitorError(Refusal.OLD_EPOCH, "too old"), 409, "old_epoch", "too old"),
        (VisitorError(Refusal.TOO_FAST, "slowly"), 429, "too_fast", "slowly"),
        (StageError(StageReason.NO_PICTURE), 503, "no_picture", "no_picture"),
        (HTTPException("no", status_code=400), 400, "bad_message", "no"),
        (HTTPException("no", status_code=413), 413, "too_large", "no"),
        (HTTPException("no", status_code=500), 500, "broken", "no"),
        (not_saved(StoreError("full"), "nothing was done"), 503, "store_failed", "nothing was done"),
    ],
)
async def test_an_error_becomes_a_problem(
    make_client: MakeClient, error: Exception, status: int, code: str, message: str
) -> None:
    async with make_client(app_that_raises(error)) as client:
        response = await client.get("/api/x")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {"code": code, "message": message}
    assert ("retry-after" in response.headers) == (status in {429, 503})


async def test_an_unexpected_error_is_logged_and_not_described(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_client(app_that_raises(RuntimeError("the password is 1234"))) as client:
        response = await client.get("/x")
    assert response.status_code == 500
    assert response.json()["code"] == "broken"
    assert "1234" not in response.text
    assert "1234" in caplog.text


async def test_an_unknown_path_is_a_page_for_people_and_a_problem_for_programs(make_client: MakeClient) -> None:
    async with make_client(app_that_raises(RuntimeError())) as client:
        page, problem = await client.get("/nowhere"), await client.get("/api/nowhere")
        chinese = await client.get("/nowhere", headers={"accept-language": "zh-CN"})
    assert page.status_code == problem.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert problem.json()["code"] == "not_found"
    assert "There is nothing here" in page.text
    assert "这里什么也没有" in chinese.text
    assert (chinese.headers["content-language"], chinese.headers["vary"]) == ("zh-Hans", "accept-language")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Refusal.SOMEONE_ELSE_DRIVES, 409),
        (Refusal.HOLD_ENDED, 409),
        (Refusal.BAD_MESSAGE, 400),
        (Refusal.TOO_LARGE, 413),
        (Refusal.TOO_FAST, 429),
        (Refusal.NOT_READY, 503),
        (StageReason.BAD_OFFER, 400),
        (StageReason.NO_COMMON_CODEC, 422),
        (StageReason.NOT_FOUND, 404),
        (StageReason.TOO_MANY_VIEWERS, 503),
        (StageReason.NO_PICTURE, 503),
        (ProblemCode.NO_SESSION, 401),
        (ProblemCode.FOREIGN_ORIGIN, 403),
        (ProblemCode.UNKNOWN_HOST, 421),
        (ProblemCode.BROKEN, 500),
    ],
)
def test_each_code_has_its_status(code: str, status: int) -> None:
    assert status_of(code) == status


@pytest.mark.parametrize("code", [*Refusal, *StageReason, *ProblemCode])
def test_temporary_refusals_say_when_to_retry(code: str) -> None:
    assert (code in RETRY_AFTER_S) == (status_of(code) in {429, 503})


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


@pytest.mark.parametrize(("logged", "line"), [("", "nothing was done: full"), ("token 1", "token 1: full")])
def test_a_store_that_fails_is_logged_with_its_reason_and_answered_with_503(
    logged: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    raised = not_saved(StoreError("full"), "nothing was done", logged=logged, headers={"x": "y"})
    assert (raised.status_code, raised.detail, raised.headers) == (503, "nothing was done", {"x": "y"})
    assert caplog.messages == [line]

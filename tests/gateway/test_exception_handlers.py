"""Errors become the responses that say so; what is our fault is logged and told bare."""

from collections.abc import Callable

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import HTTPException

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.exception_handlers import HANDLERS

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
    ],
)
async def test_an_error_is_told(
    make_client: MakeClient, error: Exception, status: int, code: str, message: str
) -> None:
    async with make_client(app_that_raises(error)) as client:
        response = await client.get("/api/x")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {"code": code, "message": message}
    assert ("retry-after" in response.headers) == (status in {429, 503})


async def test_a_bug_is_logged_and_told_bare(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    async with make_client(app_that_raises(RuntimeError("the password is 1234"))) as client:
        response = await client.get("/x")
    assert response.status_code == 500
    assert response.json()["code"] == "broken"
    assert "1234" not in response.text
    assert "1234" in caplog.text


async def test_a_wrong_address_is_told_in_the_askers_words(make_client: MakeClient) -> None:
    async with make_client(app_that_raises(RuntimeError())) as client:
        page, problem = await client.get("/nowhere"), await client.get("/api/nowhere")
    assert page.status_code == problem.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert problem.json()["code"] == "not_found"

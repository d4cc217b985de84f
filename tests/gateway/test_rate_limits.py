"""What changes something may be asked for at a limited rate, by each person and each address apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.rights import Role
from belvedere.gateway.app import create_app
from belvedere.gateway.local_socket import LocalApp
from belvedere.gateway.permissions import ROUTES
from belvedere.gateway.rate_limits import CHANGING, LIMITED_ELSEWHERE, LIMITS, LOGIN, OTHERS, STILL, limit_of

if TYPE_CHECKING:
    from belvedere.gateway.auth_middleware import AuthMiddleware
    from belvedere.gateway.dependencies import Dependencies

HOST = "127.0.0.1:8080"
MakeParts = Callable[..., "Dependencies"]
MakeClient = Callable[..., httpx.AsyncClient]
STILLS = "/api/v1/stage/stills"
PASSKEY = "/api/v1/login/passkey"


def from_address(app: object, address: str) -> httpx.AsyncClient:
    """A client without a session, at this address."""
    transport = httpx.ASGITransport(app=app, client=(address, 50_000))  # type: ignore[arg-type]  # it is one
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}")


async def accepted(client: httpx.AsyncClient, path: str, times: int) -> int:
    """How many of so many requests in a row are not refused for their rate."""
    answers = [await client.post(path, json={}) for _ in range(times)]
    return sum(answer.status_code != 429 for answer in answers)


def cookie_of(rig: EngineRig, person: str) -> str:
    return rig.invitations.open_session(person).cookie


async def test_a_person_who_floods_is_refused_with_all_devices_and_others_are_not(
    make_parts: MakeParts, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_rig() as rig:
        ana, ben = (rig.invitations.people.add(name, Role.VISITOR).id for name in ("Ana", "Ben"))
        app = create_app(make_parts(rig))
        async with make_client(app, cookie_of(rig, ana)) as phone, make_client(app, cookie_of(rig, ana)) as laptop:
            assert await accepted(phone, STILLS, int(STILL.burst) + 5) == STILL.burst
            refused = await laptop.post(STILLS)
            assert refused.status_code == 429
            assert refused.json()["code"] == "too_fast"
            assert refused.headers["retry-after"] == "1"
            assert "refused POST /api/v1/stage/stills" in caplog.text
            assert (await laptop.post("/api/v1/head/stop")).status_code == 200
        async with make_client(app, cookie_of(rig, ben)) as other:
            assert await accepted(other, STILLS, int(STILL.burst)) == STILL.burst


async def test_strangers_are_counted_by_address(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        app: AuthMiddleware = create_app(make_parts(rig))
        async with from_address(app, "198.51.100.1") as stranger:
            assert await accepted(stranger, PASSKEY, int(LOGIN.burst) + 5) == LOGIN.burst
            refused = await stranger.post(PASSKEY, json={})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        async with from_address(app, "198.51.100.2") as neighbour:
            assert await accepted(neighbour, PASSKEY, 1) == 1
        async with from_address(app, "2001:db8::1") as first, from_address(app, "2001:db8::2") as same_network:
            assert await accepted(first, PASSKEY, int(LOGIN.burst)) == LOGIN.burst
            assert await accepted(same_network, PASSKEY, 1) == 0


async def test_the_computers_own_shell_is_not_limited(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig))
        async with from_address(LocalApp(app.routes), "127.0.0.1") as shell:
            assert await accepted(shell, STILLS, int(STILL.burst) + 5) == STILL.burst + 5


@pytest.mark.parametrize("row", ROUTES)
def test_each_route_that_changes_something_has_a_limit(row: tuple[str, str]) -> None:
    limit = limit_of(row)
    if row[0] not in CHANGING or row in LIMITED_ELSEWHERE:
        assert limit is None
    else:
        assert limit is not None
        assert limit.per_s <= OTHERS.per_s * 2


def test_what_is_limited_elsewhere_is_a_route() -> None:
    assert set(ROUTES) >= LIMITED_ELSEWHERE
    assert not LIMITED_ELSEWHERE & set(LIMITS)

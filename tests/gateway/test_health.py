"""Probes learn the state of the process, and nothing about visitors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.health import readiness_of
from belvedere.guardian.process import GuardianState
from belvedere.head.axes import Axis

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]


async def test_alive_needs_no_session(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        response = await client.get("/healthz")
        assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("is_running", [True, False])
async def test_head_is_answered_as_get_without_a_body(
    make_parts: MakeParts, make_client: MakeClient, path: str, *, is_running: bool
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        rig.engine.is_running = is_running
        got, headed = await client.get(path), await client.head(path)
        assert headed.status_code == got.status_code
        assert headed.headers == got.headers
        assert headed.content == b""


async def test_ready_shows_the_state_of_each_part(
    make_parts: MakeParts, make_client: MakeClient, tmp_path: Path
) -> None:
    (tmp_path / "index.html").touch()
    async with open_rig() as rig, make_client(create_app(make_parts(rig, tmp_path))) as client:
        rig.lose(Axis.TILT)
        response = await client.get("/readyz")
        assert response.status_code == 200
        assert response.json() == {
            "ready": True,
            "parts": {
                "engine": "running",
                "pan": "ready",
                "tilt": "searching",
                "guardian": "not needed",
                "page": "built",
                "positions": "not kept",
            },
        }


@pytest.mark.parametrize(("is_saving", "word"), [(True, "saved"), (False, "unsaved")])
async def test_ready_shows_whether_the_heads_position_is_being_saved(
    make_parts: MakeParts, *, is_saving: bool, word: str
) -> None:
    async with open_rig() as rig:
        dependencies = replace(make_parts(rig), is_saving_positions=lambda: is_saving)
        assert readiness_of(dependencies).parts.positions == word
        assert readiness_of(dependencies).ready


async def test_a_missing_guardian_is_shown_and_does_not_make_the_server_unready(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        dependencies = replace(make_parts(rig), guardian=lambda: GuardianState.MISSING)
        async with make_client(create_app(dependencies)) as client:
            response = await client.get("/readyz")
            assert (response.status_code, response.json()["parts"]["guardian"]) == (200, "missing")


async def test_a_server_without_a_running_engine_is_not_ready(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        rig.engine.is_running = False
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["parts"]["engine"] == "stopped"


async def test_it_does_not_reveal_whether_anyone_watches_or_drives(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        dependencies = make_parts(rig)
        before = readiness_of(dependencies)
        rig.stage.viewers = 3
        assert readiness_of(dependencies) == before

"""The local socket serves the house's own user, and nobody else; what a killed program left is replaced."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.local_session import LOCAL_SESSION
from belvedere.access.rights import Right
from belvedere.app.local_client import LocalClient
from belvedere.errors import OwnerError
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.local_socket import SOCKET_NAME, local_listener, serve_locally
from belvedere.store.instance_lock import state_lock

MakeParts = Callable[..., Dependencies]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@asynccontextmanager
async def open_local(make_parts: MakeParts, folder: Path) -> AsyncIterator[EngineRig]:
    async with open_rig() as rig:
        with state_lock(folder), local_listener(folder) as listener:
            serving = asyncio.create_task(serve_locally(create_app(make_parts(rig)).routes, listener))
            try:
                yield rig
            finally:
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving


@pytest.mark.realtime
async def test_a_request_over_the_socket_has_the_session_of_the_house_itself(
    make_parts: MakeParts, folder: Path
) -> None:
    async with open_local(make_parts, folder) as rig:
        stopped = await asyncio.to_thread(LocalClient(folder).request, "POST", "/api/v1/head/stop")
        assert stopped["stopped"] is True
        assert rig.invitations.is_live(LOCAL_SESSION)
        assert {Right.MANAGE, Right.ROOM} < rig.invitations.rights_of(LOCAL_SESSION)
        rig.invitations.withhold(lambda _: frozenset({Right.LOOK}))
        assert Right.LOOK not in rig.invitations.rights_of(LOCAL_SESSION)


@pytest.mark.realtime
async def test_only_the_user_may_connect_and_the_socket_is_removed_at_the_end(
    make_parts: MakeParts, folder: Path
) -> None:
    path = folder / SOCKET_NAME
    async with open_local(make_parts, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "belvedere.lock").stat().st_mode) == 0o600
    assert not path.exists()


def test_a_socket_that_a_killed_program_left_is_replaced(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / SOCKET_NAME))
    with state_lock(folder), local_listener(folder) as listener:
        assert listener.getsockname() == str(folder / SOCKET_NAME)


def test_a_place_where_no_socket_can_be_is_an_error_that_names_it(folder: Path) -> None:
    long = folder / ("x" * 120)
    long.mkdir()
    with pytest.raises(OwnerError, match="cannot be made"), local_listener(long):
        pass

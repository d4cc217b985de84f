"""Every row of the table is enforced, for sessions with each set of rights, and nothing is without a row."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, get_args

import httpx
import pytest
from litestar import Litestar, get
from tests.gateway.session_client import STOP, SessionClient, Start, a_lease, codes
from tests.support.asgi import open_socket
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.programs import Player, Programs, player_session, publisher_session
from belvedere.access.rights import ALL_RIGHTS, NO_RIGHTS, Right, Rights, Role
from belvedere.access.sessions import EndReason, IssuedSession
from belvedere.errors import InternalError
from belvedere.gateway.app import create_app
from belvedere.gateway.auth_middleware import is_open
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.messages import Incoming
from belvedere.gateway.permissions import MESSAGES, PROGRAM_ROUTES, RANKS, ROUTES, SOCKET, require_rows
from belvedere.head.axes import Axis
from belvedere.secret import Secret

HOST = "127.0.0.1:8080"
MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
ROWS = [(method, path, right) for (method, path), right in ROUTES.items() if method != SOCKET]
WITHOUT = {right: ALL_RIGHTS - {right} for right in Right}
BARE = {"/", "/join", "/room", "/rooms", "/readyz"}  # not ready without a page, or on a bare rig
CONTENT: Mapping[str, Mapping[str, Any]] = {
    "/api/v1/stage/whep": {"content": "v=0", "headers": {"content-type": "application/sdp"}},
    "/api/v1/head/velocity": {"json": {"pan": 1}},
}


def plain(path: str) -> str:
    """A path of the route, with its parameters' names as their values."""
    return path.replace("{", "").replace("}", "")


def having(client: SessionClient, rights: Rights) -> SessionClient:
    client.rig.invitations.change_rights(client.session._visitor.id, rights)
    return client


@pytest.mark.parametrize("address", ["/{path}", "//{path}", "{path}%0A", "{path}/%0A"])
async def test_no_spelling_of_a_path_is_served_without_a_session(
    make_parts: MakeParts, make_client: MakeClient, address: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        rig.open_session()
        for method, path in (row[:2] for row in ROWS if not is_open(row[1])):
            url = f"http://{HOST}{address.format(path=plain(path))}"
            response = await client.request(method, url, **CONTENT.get(path, {}))
            assert response.status_code in {401, 404, 405}, (method, url)


@pytest.mark.parametrize(("method", "path", "right"), ROWS)
async def test_each_route_needs_the_right_of_its_row_and_no_other(
    make_parts: MakeParts, make_client: MakeClient, method: str, path: str, right: Right | None
) -> None:
    having_all = frozenset({right}) if right else ALL_RIGHTS
    async with open_rig() as rig:
        app = create_app(make_parts(rig))
        for rights in (NO_RIGHTS, WITHOUT[right or Right.TALK], having_all):  # who is refused has changed nothing
            async with make_client(app, rig.open_session(rights=rights).cookie) as client:
                response = await client.request(method, plain(path), **CONTENT.get(path, {}))
            is_refused = response.status_code == 403 and response.json()["code"] == "not_permitted"
            assert is_refused == (right is not None and right not in rights)
            if is_refused:
                assert "ask the household" in response.json()["message"]
                assert not rig.stage.offers
                assert rig.units[Axis.PAN].velocity == 0
            else:
                assert response.status_code != 401
                assert response.status_code < 500 or path in BARE


TOKENS = {
    Right.LOOK: Secret("a-token-of-a-television"),
    Right.PUBLISH: Secret("a-token-of-a-publisher"),
}
PROGRAMS = [
    (player_session(Player(name="tv", token=TOKENS[Right.LOOK])), TOKENS[Right.LOOK]),
    (publisher_session(), TOKENS[Right.PUBLISH]),
]
OPEN = {"/healthz", "/readyz"}  # open even to strangers, so nobody's token is looked at


@pytest.mark.parametrize(("method", "path", "right"), ROWS)
async def test_a_programs_token_opens_only_what_its_right_is_for(
    make_parts: MakeParts, make_client: MakeClient, method: str, path: str, right: Right | None
) -> None:
    async with open_rig() as rig:
        rig.invitations.programs = Programs(PROGRAMS)
        app = create_app(make_parts(rig))
        for has in sorted(TOKENS, key=lambda each: each is right):  # who is refused has changed nothing
            async with make_client(app) as client:
                client.headers["authorization"] = f"Bearer {TOKENS[has].reveal()}"
                response = await client.request(method, plain(path), **CONTENT.get(path, {}))
            is_let_through = response.status_code not in {401, 403}
            assert is_let_through == (right is has or (method, path) in PROGRAM_ROUTES or path in OPEN)
            assert rig.units[Axis.PAN].velocity == 0
            assert rig.engine.status.lease.session is None


async def test_a_programs_token_opens_no_control_socket(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        rig.invitations.programs = Programs(PROGRAMS)
        headers = {"host": HOST, "authorization": f"Bearer {TOKENS[Right.LOOK].reveal()}"}
        async with open_socket(create_app(make_parts(rig)), "/api/v1/control", headers) as peer:
            await peer.over()
            assert peer.close_code is not None
            assert not peer.is_accepted.is_set()


def test_each_message_has_a_row() -> None:
    assert set(MESSAGES) == set(get_args(Incoming))


def test_each_role_has_a_rank_and_residents_are_above_visitors() -> None:
    assert set(RANKS) == set(Role)
    assert RANKS[Role.RESIDENT] > RANKS[Role.VISITOR]


def test_a_route_without_a_row_is_found_when_the_application_is_made() -> None:
    @get("/api/v1/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(InternalError, match="GET /api/v1/forgotten has no row"):
        require_rows(Litestar([forgotten], openapi_config=None, logging_config=None))


@pytest.mark.parametrize("message", [{"type": "lease.acquire"}, {"type": "lease.take"}])
async def test_without_the_right_to_drive_there_is_no_lease_but_the_socket_lives_on(
    start_session: Start, message: object
) -> None:
    async with open_rig() as rig:
        ana = start_session(rig, rights=WITHOUT[Right.DRIVE]).greeted()
        assert codes(ana.send(message)) == ["not_permitted"]
        assert rig.engine.status.lease.session is None
        assert ana.session.ending is None
        assert codes(ana.drive(seq=1)) == ["not_permitted"]
        assert codes(ana.send({"type": "ping", "clock": 1})) == []


async def test_without_the_right_to_drive_the_lease_cannot_be_taken_and_the_page_is_told(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig, rights=WITHOUT[Right.DRIVE])
        _, lease, *_ = ana.send({"type": "hello", "clock": 1})
        assert lease == a_lease(0, "nobody", can_take=False)


async def test_a_session_without_any_right_may_stop_whoever_drives(start_session: Start) -> None:
    async with open_rig() as rig:
        start_session(rig).driving().drive(seq=1)
        ben = start_session(rig, rights=NO_RIGHTS).greeted()
        assert codes(ben.send(STOP)) == []
        assert rig.units[Axis.PAN].velocity == 0


async def test_losing_the_right_to_drive_stops_the_head_and_frees_the_lease_within_the_call(
    start_session: Start, make_parts: MakeParts
) -> None:
    async with open_rig() as rig:
        app, ana = create_app(make_parts(rig)), rig.open_session()
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": f"belvedere-8080={ana.cookie}"}
        async with open_socket(app, "/api/v1/control", headers) as peer:
            peer.send_json({"type": "hello", "clock": 1})
            peer.send_json({"type": "lease.acquire"})
            while (await peer.receive("lease"))["holder"] != "you":
                pass
            clock = rig.clock() * 1000
            drive = {"type": "drive", "epoch": 1, "hold": 1, "seq": 1, "pan": 1, "tilt": 0, "clock": clock}
            peer.send_json({**drive, "heard": clock})
            await peer.receive("ack")
            assert rig.units[Axis.PAN].velocity > 0
            rig.invitations.change_rights(ana.session.id, WITHOUT[Right.DRIVE])
            assert rig.units[Axis.PAN].velocities[-1] == (rig.clock(), 0.0)
            assert rig.engine.status.lease.session is None
            lease = await peer.receive("lease")
            assert (lease["holder"], lease["can_take"]) == ("nobody", False)
            peer.send_json({**drive, "seq": 2, "heard": rig.clock() * 1000})
            assert (await peer.receive("error"))["code"] == "not_permitted"
            assert rig.units[Axis.PAN].velocity == 0
            assert peer.close_code is None
        assert codes(start_session(rig).driving().drive(seq=1)) == []  # the lease is free for others at once


async def test_getting_the_right_to_drive_back_is_told_without_a_new_hello(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig, rights=NO_RIGHTS).greeted()
        changes: list[object] = []
        rig.invitations.events.subscribe(lambda change: changes.extend(ana.session.receive_session_change(change)))
        having(ana, ALL_RIGHTS)
        assert changes[0] == a_lease(0, "nobody")
        assert codes(ana.send({"type": "lease.acquire"})) == []


async def driving_over_http(rig: EngineRig, client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/head/velocity", json={"pan": 1})).status_code == 200
    assert rig.units[Axis.PAN].velocity > 0


async def test_losing_the_right_to_drive_stops_a_program_within_the_call(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            await driving_over_http(rig, client)
            rig.invitations.change_rights(ana.session.id, WITHOUT[Right.DRIVE])
            assert rig.units[Axis.PAN].velocity == 0
            assert rig.engine.status.lease.session is None
            assert (await client.post("/api/v1/head/velocity", json={"pan": 1})).status_code == 403
            assert (await client.post("/api/v1/head/stop")).status_code == 200


async def test_losing_the_right_to_look_ends_the_pictures_and_not_the_driving(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana, ben = rig.open_session(), rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            await rig.stage.answer("v=0", ana.session.id)
            await rig.stage.answer("v=0", ben.session.id)
            await driving_over_http(rig, client)
            rig.invitations.change_rights(ana.session.id, WITHOUT[Right.LOOK])
            await asyncio.sleep(0.01)
            assert [owner for owner, _ in rig.stage.offers.values()] == [ben.session.id]
            assert rig.units[Axis.PAN].velocity > 0


async def parts_of(text: bytes) -> AsyncIterator[bytes]:
    yield text
    await asyncio.sleep(0.2)
    yield b" "


def end(rig: EngineRig, issued: IssuedSession) -> None:
    rig.invitations.end(issued.session.id, EndReason.REVOKED)


def lose_rights(rig: EngineRig, issued: IssuedSession) -> None:
    rig.invitations.change_rights(issued.session.id, NO_RIGHTS)


@pytest.mark.parametrize("path", CONTENT)
@pytest.mark.parametrize(("lose", "status"), [(end, 401), (lose_rights, 403)])
async def test_a_right_that_is_lost_while_a_request_arrives_counts(
    make_parts: MakeParts,
    make_client: MakeClient,
    path: str,
    lose: Callable[[EngineRig, IssuedSession], None],
    status: int,
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            is_json = "json" in CONTENT[path]
            headers = {"content-type": "application/json" if is_json else "application/sdp"}
            body = parts_of(b'{"pan":1}' if is_json else b"v=0")
            asking = asyncio.create_task(client.post(path, content=body, headers=headers))
            await asyncio.sleep(0.1)
            lose(rig, ana)
            assert (await asking).status_code == status
        assert not rig.stage.offers
        assert rig.engine.status.lease.session is None
        assert rig.units[Axis.PAN].velocity == 0

"""Walks every route and message as everybody, in every state of the room, from our page and from other sites'."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import httpx
import msgspec
import pytest
from tests.support.asgi import open_socket
from tests.support.engine_rig import EngineRig, open_rig
from tests.table.expectations import (
    FOREIGN,
    MESSAGES,
    NO_SESSION,
    NOT_PERMITTED,
    PASSES,
    PROGRAMS,
    ROLES,
    ROUTES,
    SOCKET,
    WITHHELD,
    WITHOUT_SESSION,
    Origin,
    State,
    Who,
    expected,
)

from belvedere.access.invitations import AccessOptions
from belvedere.access.programs import Player, Programs, player_session, publisher_session
from belvedere.access.rights import Right, Role
from belvedere.access.sessions import EndReason
from belvedere.gateway.app import create_app
from belvedere.gateway.messages import CloseCode, Incoming
from belvedere.gateway.options import GatewayOptions
from belvedere.privacy.hours import QuietSpan
from belvedere.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from litestar import Litestar

    from belvedere.gateway.auth_middleware import AuthMiddleware

HOST = "127.0.0.1:8080"
OWN_ORIGIN = f"http://{HOST}"
ORIGINS = {Origin.OWN: OWN_ORIGIN, Origin.FOREIGN: "https://evil.example"}
TOKENS = {Who.PLAYER: Secret("a-token-of-the-player"), Who.PUBLISHER: Secret("a-token-of-the-publisher")}
TOKENS[Who.SCRIPT] = Secret("a-token-of-the-script")
SUBPROTOCOLS = {"/api/v1/control": "belvedere.v1", "/api/v1/stage/stream": "belvedere.video.v1"}
SESSION_S = 3600.0
EXAMPLES = Path(__file__).parents[2] / "contract/examples/client.valid.json"
MAY_TAKE_STILLS = ROLES.keys() | {Who.PLAYER, Who.SCRIPT}


class House:
    """An application whose room is in one state, and whom to send requests as."""

    def __init__(self, rig: EngineRig, app: AuthMiddleware, base_path: str) -> None:
        self.rig, self.app, self._base_path = rig, app, base_path
        self.expired = ""
        self._numbers = itertools.count()

    def proof(self, who: Who) -> dict[str, str]:
        """The headers that prove somebody new of this kind, whom no rate limit knows yet."""
        if who in TOKENS:
            return {"authorization": f"Bearer {TOKENS[who].reveal()}"}
        if who is Who.NOBODY:
            return {}
        if who is Who.EXPIRED:
            return {"cookie": f"belvedere-8080={self.expired}"}
        person = self.rig.invitations.people.add(f"Somebody {next(self._numbers)}", ROLES.get(who, Role.OWNER))
        issued = self.rig.invitations.open_session(person.id)
        if who is Who.REVOKED:
            self.rig.invitations.end(issued.session.id, EndReason.REVOKED)
        return {"cookie": f"belvedere-8080={issued.cookie}"}

    def forget_people(self) -> None:
        """Remove everybody, as there may be only so many."""
        for person in self.rig.invitations.people.all():
            self.rig.invitations.remove(person.id)

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """Send a request from an address of its own; returns PASSES, or why it was refused."""
        address = self._base_path + path.replace("{", "").replace("}", "").partition(":")[0]
        if method == SOCKET:
            return await self._open(address, SUBPROTOCOLS[path], headers)
        client = (f"198.51.{next(self._numbers) % 250}.{next(self._numbers) % 250}", 50_000)
        transport = httpx.ASGITransport(app=self.app, client=client, raise_app_exceptions=False)  # type: ignore[arg-type]  # it is one
        async with httpx.AsyncClient(transport=transport, base_url=OWN_ORIGIN) as asking:
            answer = await asking.request(method, address, headers=headers)
        assert answer.status_code != 429, (method, path)
        if answer.status_code not in {401, 403}:
            return PASSES
        if "json" in answer.headers["content-type"]:
            return refusal(answer.json()["code"])
        if answer.status_code == 401:
            return NO_SESSION
        return FOREIGN if "came from another page" in answer.text else PASSES

    async def _open(self, path: str, subprotocol: str, headers: Mapping[str, str]) -> str:
        async with open_socket(self.app, path, {"host": HOST, **headers}, (subprotocol,)) as peer:
            await asyncio.sleep(0.1)  # a refusal is there by then
            peer.leave()
            await peer.over()
        if peer.close_code in SOCKET_REFUSALS:
            return SOCKET_REFUSALS[peer.close_code]
        if peer.status in {401, 403}:
            return refusal(json.loads(peer.body)["code"])
        return PASSES if peer.is_accepted.is_set() else REFUSED


REFUSED = "refused"  # a socket
SOCKET_REFUSALS: dict[int | None, str] = {
    CloseCode.NO_SESSION: NO_SESSION,
    CloseCode.NOT_PERMITTED: NOT_PERMITTED,
    CloseCode.WITHHELD: REFUSED,
}
REFUSALS = {NO_SESSION, FOREIGN, NOT_PERMITTED, *WITHHELD.values()}


def refusal(code: str) -> str:
    """What a code says; those that do not concern who may are PASSES."""
    return code if code in REFUSALS else PASSES


@asynccontextmanager
async def a_house(state: State, base_path: str = "") -> AsyncIterator[House]:
    """A house whose room is in this state, and which is asked below this path."""
    async with open_rig(invitations=AccessOptions(session_s=SESSION_S), ask_first=state is State.KNOCK) as rig:
        player = player_session(Player(name="tv", token=TOKENS[Who.PLAYER]))
        script = msgspec.structs.replace(player, id="script", rights=frozenset({Right.LOOK, Right.DRIVE}))
        sessions = {Who.PLAYER: player, Who.PUBLISHER: publisher_session(), Who.SCRIPT: script}
        rig.invitations.programs = Programs([(sessions[who], known) for who, known in TOKENS.items()])
        house = House(rig, create_app(rig.dependencies(options=GatewayOptions(base_path=base_path))), base_path)
        late = rig.invitations.people.add("Late", Role.VISITOR)
        house.expired = rig.invitations.open_session(late.id, lifetime_s=1.0).cookie
        await asyncio.sleep(2)
        if state is State.CURTAIN:
            rig.room.receive_curtain("local", is_closed=True)
        if state is State.QUIET:
            rig.room.receive_quiet([QuietSpan(weekday, 0, 0) for weekday in range(7)])
        yield house


def agrees(wanted: str, got: str) -> bool:
    """Whether this is the outcome that the table has; a socket that is refused need not say why."""
    return got == wanted or (got == REFUSED and wanted in {NOT_PERMITTED, *WITHHELD.values()})


@pytest.mark.parametrize(("state", "base_path"), [*((state, "") for state in State), (State.CURTAIN, "/kitchen")])
@pytest.mark.parametrize("who", Who)
async def test_each_route_lets_in_whom_the_table_says_in_each_state_and_from_each_origin(
    who: Who, state: State, base_path: str
) -> None:
    wrong = []
    async with a_house(state, base_path) as house:
        for (method, path), origin in itertools.product(ROUTES, Origin):
            got = await house.ask(method, path, {**house.proof(who), "origin": ORIGINS[origin]})
            wanted = expected(ROUTES[method, path], who, state, origin, method)
            if not agrees(wanted, got):
                wrong.append(f"{method} {path}, {origin}: {got} instead of {wanted}")
            house.forget_people()
        assert house.rig.stage.stills == [] or (who in MAY_TAKE_STILLS and state is State.OPEN)
        assert house.rig.stage.offers == {} or (who in MAY_TAKE_STILLS and state is State.OPEN)
    assert not wrong


@pytest.mark.parametrize("state", State)
async def test_each_message_is_obeyed_from_whom_the_table_says_in_each_state(state: State) -> None:
    wrong = []
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))["examples"]
    messages = {example["message"]["type"]: example["message"] for example in examples}
    for who in ROLES:
        async with a_house(state) as house:
            for kind, row in MESSAGES.items():  # those that change the state are the last
                got = await _answer_to(house, who, messages[kind])
                wanted = expected(row, who, state)
                if not agrees(wanted, got):
                    wrong.append(f"{kind} of {who}: {got} instead of {wanted}")
    assert not wrong


async def _answer_to(house: House, who: Who, message: object) -> str:
    headers = {"host": HOST, "origin": OWN_ORIGIN, **house.proof(who)}
    async with open_socket(house.app, "/api/v1/control", headers) as peer:
        peer.send_json({"type": "hello", "clock": 1})
        peer.send_json(message)
        peer.send_json({"type": "ping", "clock": 2})
        refused = PASSES
        while (answer := await peer.receive("error", "pong"))["type"] == "error":
            if refused == PASSES:
                refused = refusal(answer["code"])
        return refused


def test_every_route_of_the_application_has_a_row_and_no_row_is_left_over() -> None:
    app: Litestar = asyncio.run(_routes())
    served = {
        (method, route.path_format)
        for route in app.routes
        for method in getattr(route, "methods", ()) or {SOCKET}
        if method not in {"HEAD", "OPTIONS"} or ("OPTIONS", route.path_format) in ROUTES
    }
    assert {row for row in served if row[0] != "HEAD"} == set(ROUTES)


async def _routes() -> Litestar:
    async with open_rig() as rig:
        return create_app(rig.dependencies()).routes


def test_every_message_role_and_refusal_of_the_room_is_in_the_table() -> None:
    assert set(MESSAGES) == {str(each.__struct_config__.tag) for each in get_args(Incoming)}
    assert set(ROLES.values()) | {Role.PROGRAM} == set(Role)
    assert set(ROLES) | PROGRAMS | WITHOUT_SESSION == set(Who)

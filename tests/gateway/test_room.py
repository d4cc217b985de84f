"""`/api/v1/room` and the socket: the room speaks, and visitors are told why they see nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.gateway.session_client import HELLO, OpenSockets, SessionClient, codes
from tests.support.engine_rig import EngineRig, open_rig
from tests.support.fake_room_store import FakeRoomStore

from belvedere.access.rights import Role
from belvedere.errors import Refusal
from belvedere.gateway.app import create_app
from belvedere.gateway.control_session import ControlSession
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.messages import Access, Outgoing, Room, TalkEnded, Voice
from belvedere.gateway.room import ROUTES
from belvedere.privacy.floor import CHIME_S
from belvedere.privacy.words import AccessState, Fault
from belvedere.room.runtime import TOPIC
from belvedere.room.voice_runtime import TalkRefused

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
ROOM = "/api/v1/room"
STILLS = "/api/v1/stage/stills"
OFFER = {"content": "v=0", "headers": {"content-type": "application/sdp"}}


@dataclass
class House:
    """A resident and a visitor of one house."""

    rig: EngineRig
    store: FakeRoomStore
    resident: httpx.AsyncClient
    visitor: httpx.AsyncClient
    ann: str

    async def put(self, path: str, body: object) -> httpx.Response:
        return await self.resident.put(f"{ROOM}{path}", json=body)


MakeHouse = Callable[..., Any]


@pytest.fixture
def make_house(make_parts: MakeParts, make_client: MakeClient) -> MakeHouse:
    @asynccontextmanager
    async def make(*, ask_first: bool = False) -> AsyncIterator[House]:
        store = FakeRoomStore()
        async with open_rig(room_store=store, ask_first=ask_first) as rig:
            app = create_app(make_parts(rig))
            mei = rig.invitations.people.add("Mei", Role.RESIDENT)
            ann = rig.invitations.people.add("Ann", Role.VISITOR)
            async with (
                make_client(app, rig.invitations.open_session(mei.id).cookie) as resident,
                make_client(app, rig.invitations.open_session(ann.id).cookie) as visitor,
            ):
                yield House(rig, store, resident, visitor, ann.id)

    return make


async def test_the_curtain_closes_and_opens_for_everybody_and_says_who_did_it(make_house: MakeHouse) -> None:
    async with make_house() as house:
        closed = await house.put("/curtain", {"closed": True})
        assert closed.status_code == 200
        assert closed.json()["closed"] is True
        assert closed.json()["by"] == "Mei"
        assert closed.json()["saved"] is True
        assert house.store.saved.is_closed
        assert house.rig.stage.is_covered
        for client in (house.visitor, house.resident):
            for refused in (await client.post(STILLS), await client.post("/api/v1/stage/whep", **OFFER)):
                assert refused.status_code == 403
                assert refused.json()["code"] == "curtain_closed"
        moved = await house.visitor.post("/api/v1/head/velocity", json={"pan": 1})
        assert moved.json()["code"] == "curtain_closed"
        assert (await house.resident.get(ROOM)).json()["room"]["curtain"]["closed"] is True
        opened = await house.put("/curtain", {"closed": False})
        assert opened.json()["closed"] is False
        assert (await house.visitor.post(STILLS)).status_code == 200


async def test_a_curtain_that_cannot_be_saved_is_closed_and_says_so_and_does_not_open(make_house: MakeHouse) -> None:
    async with make_house() as house:
        house.store.failure = "the disk is full"
        closed = await house.put("/curtain", {"closed": True})
        assert closed.status_code == 200
        assert (closed.json()["closed"], closed.json()["saved"]) == (True, False)
        assert (await house.resident.get(ROOM)).json()["room"]["faults"] == ["store"]
        opened = await house.put("/curtain", {"closed": False})
        assert opened.status_code == 503
        assert "stays closed" in opened.json()["message"]
        assert (await house.visitor.post(STILLS)).json()["code"] == "curtain_closed"


async def test_who_must_knock_is_refused_until_the_room_says_yes(make_house: MakeHouse) -> None:
    async with make_house(ask_first=True) as house:
        refused = await house.visitor.post(STILLS)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_welcomed")
        view = (await house.resident.post(f"{ROOM}/knocks/{house.ann}", json={"answer": "yes"})).json()
        assert {each["name"]: each["state"] for each in view["people"]} == {"Mei": "knock", "Ann": "open"}
        assert (await house.visitor.post(STILLS)).status_code == 200
        view = (await house.resident.post(f"{ROOM}/knocks/{house.ann}", json={"answer": "no"})).json()
        assert {each["name"]: each["state"] for each in view["people"]} == {"Mei": "knock", "Ann": "refused"}
        assert (await house.visitor.post(STILLS)).json()["code"] == "not_welcomed"


async def test_the_microphone_is_off_at_once_and_on_once_that_is_saved(make_house: MakeHouse) -> None:
    async with make_house() as house:
        off = (await house.put("/microphone", {"off": True})).json()
        assert off == {"exists": False, "off": True, "open": False, "saved": True}
        assert house.store.saved.is_muted
        assert (await house.visitor.post(STILLS)).status_code == 200, "the picture stays"
        house.store.failure = "the disk is full"
        refused = await house.put("/microphone", {"off": False})
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert (await house.resident.get(ROOM)).json()["room"]["microphone"]["off"]
        house.store.failure = None
        assert not (await house.put("/microphone", {"off": False})).json()["off"]
        house.store.failure = "the disk is full"
        off = (await house.put("/microphone", {"off": True})).json()
        assert (off["off"], off["saved"]) == (True, False)


async def test_whether_guests_hear_the_room_is_set_and_shown(make_house: MakeHouse) -> None:
    async with make_house() as house:
        assert not (await house.resident.get(ROOM)).json()["guests_hear"]
        assert (await house.put("/guests", {"hear": True})).json()["guests_hear"]
        assert house.store.saved.guests_hear
        assert not (await house.put("/guests", {"hear": False})).json()["guests_hear"]


async def test_a_welcome_is_set_for_one_person(make_house: MakeHouse) -> None:
    async with make_house() as house:
        view = (await house.put(f"/welcome/{house.ann}", {"welcome": "asked"})).json()
        assert {each["name"]: each["welcome"] for each in view["people"]} == {"Mei": "always", "Ann": "asked"}
        assert (await house.visitor.post(STILLS)).json()["code"] == "not_welcomed"
        assert house.store.saved.welcomes == {house.ann: "asked"}


async def test_quiet_hours_are_set_and_shown_as_they_were_said(make_house: MakeHouse) -> None:
    async with make_house() as house:  # it is Monday noon
        hours = [{"weekday": 0, "from": "11:30", "until": "07:05"}, {"weekday": 6, "from": "00:00", "until": "23:59"}]
        assert (await house.put("/hours", {"hours": hours})).json()["hours"] == hours
        assert (await house.resident.get(ROOM)).json()["hours"] == hours
        assert (await house.visitor.post(STILLS)).json()["code"] == "quiet_hours"
        await house.put("/hours", {"hours": []})
        assert (await house.visitor.post(STILLS)).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/curtain", {}),
        ("/microphone", {}),
        ("/microphone", {"off": 1}),
        ("/guests", {"hear": None}),
        ("/guests", {"hear": True, "talk": True}),
        ("/curtain", {"closed": "yes"}),
        ("/curtain", {"closed": True, "by": "Ann"}),
        ("/welcome/0123456789ab", {"welcome": "always"}),
        ("/welcome/0123456789ab", {"welcome": "perhaps"}),
        ("/hours", {"hours": [{"weekday": 7, "from": "00:00", "until": "00:00"}]}),
        ("/hours", {"hours": [{"weekday": 0, "from": "24:00", "until": "00:00"}]}),
        ("/hours", {"hours": [{"weekday": 0, "from": "00:00", "until": "0:00"}]}),
        ("/hours", {"hours": [{"weekday": 0, "from": "00:00", "until": "00:00"}] * 29}),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    make_house: MakeHouse, path: str, body: object
) -> None:
    async with make_house() as house:
        before = (await house.resident.get(ROOM)).json()
        refused = await house.put(path, body)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_message")
        assert (await house.resident.get(ROOM)).json() == before


async def test_only_json_is_read(make_house: MakeHouse) -> None:
    async with make_house() as house:
        refused = await house.resident.put(f"{ROOM}/curtain", content=b"closed=true")
        assert refused.status_code == 415


async def test_a_visitor_cannot_speak_for_the_room(make_house: MakeHouse) -> None:
    async with make_house() as house:
        for route in ROUTES:
            (path,) = route.paths
            (method,) = route.http_methods - {"HEAD"} if hasattr(route, "http_methods") else {"GET"}
            response = await house.visitor.request(method, path.replace("{person:str}", house.ann), json={})
            assert (response.status_code, response.json()["code"]) == (403, "not_permitted")
        assert not house.rig.stage.is_covered


# the socket


def published(client: SessionClient) -> list[Outgoing]:
    """What a socket is sent about the room when that has changed."""
    return [each for each in client.session.receive_published(TOPIC, None) if isinstance(each, Access | Room)]


def socket_of(rig: EngineRig, parts: Dependencies, role: Role) -> SessionClient:
    person = rig.invitations.people.add(f"The {role}", role)
    session = rig.invitations.open_session(person.id).session
    name, connected = f"{session.id}-1", OpenSockets()
    connected.sessions[name] = session
    return SessionClient(rig, ControlSession(name, session, parts, rig.clock(), connected), connected)


async def test_the_socket_tells_everybody_and_shows_the_room_only_to_the_room(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        parts = make_parts(rig)
        visitor, owner, resident = (socket_of(rig, parts, role) for role in (Role.VISITOR, Role.OWNER, Role.RESIDENT))
        shown = [[type(each) for each in client.send(HELLO)] for client in (visitor, owner, resident)]
        assert [Room in each for each in shown] == [False, False, True]
        assert all(Access in each for each in shown)
        resident.send({"type": "room.curtain", "closed": True})
        (access,) = published(visitor)
        assert access == Access(state=AccessState.CURTAIN, until=None, rights=[])
        assert published(visitor) == []
        (_, room) = published(resident)
        assert isinstance(room, Room)
        assert room.curtain.closed
        assert codes(visitor.send({"type": "lease.acquire"})) == ["curtain_closed"]
        assert codes(visitor.send({"type": "knock"})) == ["curtain_closed"]
        assert codes(visitor.send({"type": "room.curtain", "closed": False})) == ["not_permitted"]
        assert codes(owner.send({"type": "room.curtain", "closed": False})) == ["not_permitted"]


async def test_a_knock_on_the_socket_is_answered_on_the_socket(make_parts: MakeParts) -> None:
    async with open_rig(ask_first=True) as rig:
        parts = make_parts(rig)
        visitor, resident = (socket_of(rig, parts, role).greeted() for role in (Role.VISITOR, Role.RESIDENT))
        visitor.send({"type": "knock"})
        assert [each.state for each in published(visitor) if isinstance(each, Access)] == ["waiting"]
        (room,) = published(resident)
        assert isinstance(room, Room)
        (knock,) = room.knocks
        assert knock.name == "The visitor"
        resident.send({"type": "room.answer", "person": knock.person, "answer": "yes"})
        assert [each.state for each in published(visitor) if isinstance(each, Access)] == ["open"]
        assert codes(resident.send({"type": "room.answer", "person": "nobody", "answer": "yes"})) == ["bad_message"]


async def test_the_curtain_is_exempt_from_the_limit_of_messages(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        resident = socket_of(rig, make_parts(rig), Role.RESIDENT).greeted()
        for _ in range(300):
            resident.send({"type": "ping", "clock": 1})
        assert codes(resident.send({"type": "room.curtain", "closed": True})) == []
        assert rig.stage.is_covered


async def test_faults_are_shown_to_the_room(make_parts: MakeParts) -> None:
    store = FakeRoomStore()
    async with open_rig(room_store=store) as rig:
        resident = socket_of(rig, make_parts(rig), Role.RESIDENT).greeted()
        store.failure = "the disk is full"
        await rig.room.saved(rig.room.receive_curtain("local", is_closed=True))
        room = published(resident)[-1]
        assert isinstance(room, Room)
        assert room.faults == [Fault.STORE]
        assert not room.curtain.saved


def of_voice(messages: list[Outgoing]) -> list[Outgoing]:
    return [each for each in messages if isinstance(each, Voice | TalkEnded)]


async def test_a_visitor_talks_by_the_socket_and_everybody_is_told(make_parts: MakeParts) -> None:
    async with open_rig(has_voice=True) as rig:
        parts = make_parts(rig)
        visitor, other, resident = (socket_of(rig, parts, role) for role in (Role.VISITOR, Role.OWNER, Role.RESIDENT))
        assert len(of_voice(visitor.send(HELLO))) == 1
        other.send(HELLO)
        resident.send(HELLO)
        rig.voice.connect(visitor.session._visitor.id)
        assert visitor.send({"type": "talk", "mode": "hold"}) == []
        await asyncio.sleep(CHIME_S + 0.1)
        (voice,) = of_voice(visitor.session.receive_published(TOPIC, None))
        assert isinstance(voice, Voice)
        assert (voice.heard, voice.talking) == (True, [])
        (voice,) = of_voice(other.session.receive_published(TOPIC, None))
        assert isinstance(voice, Voice)
        assert (voice.heard, voice.talking) == (False, ["The visitor"])
        (room,) = published(resident)
        assert isinstance(room, Room)
        assert [(each.name, each.talks, each.heard) for each in room.here] == [("The visitor", True, True)]
        visitor.send({"type": "talk.end"})
        (voice,) = of_voice(visitor.session.receive_published(TOPIC, None))
        assert isinstance(voice, Voice)
        assert not voice.heard


async def test_who_may_not_talk_is_told_why_and_an_end_of_a_talk_too(make_parts: MakeParts) -> None:
    async with open_rig(has_voice=True) as rig:
        parts = make_parts(rig)
        guest, visitor = (socket_of(rig, parts, role).greeted() for role in (Role.GUEST, Role.VISITOR))
        refused = guest.send({"type": "talk", "mode": "hold"})
        assert codes(refused) == ["not_permitted"]
        assert of_voice(refused) == [TalkEnded(reason="not_permitted")]
        assert of_voice(visitor.send({"type": "talk", "mode": "open"})) == [TalkEnded(reason="not_permitted")]
        ended = visitor.session.receive_published("talk:it", TalkRefused(Refusal.TOO_LATE))
        assert ended == [TalkEnded(reason="too_late")]
        rig.room.receive_curtain("mei", is_closed=True)
        assert of_voice(visitor.send({"type": "talk", "mode": "hold"})) == [TalkEnded(reason="curtain_closed")]


async def test_whoever_closes_the_socket_is_mute(make_parts: MakeParts) -> None:
    async with open_rig(has_voice=True) as rig:
        visitor = socket_of(rig, make_parts(rig), Role.VISITOR).greeted()
        rig.voice.connect(visitor.session._visitor.id)
        visitor.send({"type": "talk", "mode": "hold"})
        await asyncio.sleep(CHIME_S + 0.1)
        assert rig.voice.allowed
        visitor.session.receive_closed()
        assert not rig.voice.allowed


async def test_the_room_switches_its_microphone_by_the_socket_and_nobody_else_does(make_parts: MakeParts) -> None:
    async with open_rig(has_voice=True) as rig:
        parts = make_parts(rig)
        visitor, owner, resident = (
            socket_of(rig, parts, role).greeted() for role in (Role.VISITOR, Role.OWNER, Role.RESIDENT)
        )
        for off in (True, False):
            for client in (visitor, owner):
                assert codes(client.send({"type": "room.microphone", "off": off})) == ["not_permitted"]
        resident.send({"type": "room.microphone", "off": True})
        (voice,) = of_voice(visitor.session.receive_published(TOPIC, None))
        assert isinstance(voice, Voice)
        assert (voice.microphone, voice.hears) == ("off", False)


async def test_a_flood_does_not_keep_the_microphone_open(make_parts: MakeParts) -> None:
    async with open_rig(has_voice=True) as rig:
        resident = socket_of(rig, make_parts(rig), Role.RESIDENT).greeted()
        for _ in range(300):
            resident.send({"type": "ping", "clock": 1})
        assert codes(resident.send({"type": "ping", "clock": 1})) == ["too_fast"]
        assert codes(resident.send({"type": "room.microphone", "off": True})) == []
        assert rig.room.rules.state.is_muted

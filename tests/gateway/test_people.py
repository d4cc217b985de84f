"""Those who run the house decide who may come in; what they change closes what is open, and is saved first."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.people import MAX_PEOPLE
from belvedere.access.rights import Right, Role
from belvedere.errors import StoreError
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.local_socket import LocalApp

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
PEOPLE = "/api/v1/people"
SITE = "https://family.example"


class Disk:
    """What people are saved on."""

    def __init__(self) -> None:
        self.is_full = False

    async def save(self) -> None:
        if self.is_full:
            raise StoreError("the disk is full")


class House(NamedTuple):
    """A house with an owner who manages it over the network, and its own computer."""

    rig: EngineRig
    disk: Disk
    owner: httpx.AsyncClient
    local: httpx.AsyncClient


Enter = Callable[[], Any]


@pytest.fixture
def enter(make_parts: MakeParts, make_client: MakeClient) -> Enter:
    @asynccontextmanager
    async def house() -> AsyncIterator[House]:
        async with open_rig() as rig:
            disk = Disk()
            parts = make_parts(rig)
            app = create_app(
                replace(parts, save_access=disk.save, address=lambda: "https://home.example", frontends=(SITE,))
            )
            owner = rig.open_session("Olga", Role.OWNER)
            local = LocalApp(app.routes)
            async with make_client(app, owner.cookie) as client, make_client(local) as shell:
                yield House(rig, disk, client, shell)

    return house


async def test_a_person_is_added_listed_invited_and_comes_in(enter: Enter) -> None:
    async with enter() as house:
        added = await house.owner.post(PEOPLE, json={"name": "Ana", "role": "visitor", "email": "Ana@example.org"})
        assert added.status_code == 201
        ana = added.json()
        invited = await house.owner.post(f"{PEOPLE}/{ana['id']}/invitations")
        assert invited.status_code == 201
        invitation = invited.json()
        assert invitation["link"] == f"http://127.0.0.1:8080/join#{invitation['secret']}"
        assert invitation["qr_svg"].startswith("<svg")
        assert (invitation["name"], invitation["role"], invitation["ends_in_s"]) == ("Ana", "visitor", 72 * 3600)
        listed = (await house.owner.get(PEOPLE)).json()
        assert listed[1] == {**ana, "email": "ana@example.org", "invitations": 1}
        house.rig.invitations.redeem(invitation["secret"])
        listed = (await house.owner.get(PEOPLE)).json()
        assert (listed[1]["has_joined"], listed[1]["sessions"], listed[1]["invitations"]) == (True, 1, 0)


async def test_from_the_houses_computer_a_link_has_the_address_of_the_settings(enter: Enter) -> None:
    async with enter() as house:
        invited = await house.local.post(f"{PEOPLE}/{house.rig.person('Ana').id}/invitations")
        assert invited.json()["link"].startswith("https://home.example/join#")


async def test_another_role_or_a_removal_is_in_force_at_once(enter: Enter) -> None:
    async with enter() as house:
        ana = house.rig.open_session("Ana").session
        changed = await house.owner.patch(f"{PEOPLE}/{ana.person}", json={"role": "guest", "name": "Anna"})
        assert (changed.status_code, changed.json()["name"], changed.json()["role"]) == (200, "Anna", "guest")
        assert house.rig.invitations.rights_of(ana) == {"look"}
        assert (await house.owner.delete(f"{PEOPLE}/{ana.person}")).status_code == 204
        assert not house.rig.invitations.is_live(ana)
        assert (await house.owner.delete(f"{PEOPLE}/{ana.person}")).status_code == 404


async def test_nobody_far_away_can_make_a_resident_but_the_house_itself_can(enter: Enter) -> None:
    async with enter() as house:
        rosa = {"name": "Rosa", "role": "resident"}
        ana = house.rig.person("Ana").id
        refused = [
            await house.owner.post(PEOPLE, json=rosa),
            await house.owner.patch(f"{PEOPLE}/{ana}", json={"role": "resident"}),
            await house.owner.post(f"{PEOPLE}/{house.rig.person('Rosa', Role.RESIDENT).id}/invitations"),
        ]
        assert [answer.json()["code"] for answer in refused] == ["not_permitted"] * 3
        made = await house.local.post(PEOPLE, json=rosa)
        assert made.status_code == 201
        assert (await house.local.post(f"{PEOPLE}/{made.json()['id']}/invitations")).status_code == 201


async def test_nobody_far_away_can_shut_out_who_could_close_the_curtain(enter: Enter) -> None:
    async with enter() as house:
        rosa = house.rig.open_session("Rosa", Role.RESIDENT).session
        one = f"{PEOPLE}/{rosa.person}"
        refused = [
            await house.owner.delete(one),
            await house.owner.patch(one, json={"role": "visitor"}),
            await house.owner.delete(f"/api/v1/sessions/{rosa.id}"),
        ]
        assert [answer.json()["code"] for answer in refused] == ["not_permitted"] * 3
        assert Right.ROOM in house.rig.invitations.rights_of(rosa)
        assert (await house.local.delete(one)).status_code == 204
        assert not house.rig.invitations.is_live(rosa)


@pytest.mark.parametrize("role", [Role.OWNER, Role.RESIDENT])
async def test_who_may_manage_the_house_or_its_room_is_not_invited_by_another_sites_page(
    enter: Enter, role: Role
) -> None:
    async with enter() as house:
        path = f"{PEOPLE}/{house.rig.person('Rosa', role).id}/invitations"
        refused = await house.local.post(path, params={"for_page": f"{SITE}/view"})
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_message")
        assert (await house.local.post(path)).status_code == 201


async def test_nobody_far_away_can_log_in_as_a_resident_by_an_e_mail_address(enter: Enter) -> None:
    async with enter() as house:
        rosa = f"{PEOPLE}/{house.rig.person('Rosa', Role.RESIDENT).id}"
        mine = {"email": "olga@example.org"}
        refused = await house.owner.patch(rosa, json=mine)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
        assert house.rig.invitations.people.find_by_email("olga@example.org") is None
        assert (await house.owner.patch(rosa, json={"name": "Rosa B."})).status_code == 200
        assert (await house.owner.patch(rosa, json={"email": ""})).status_code == 200  # as it is
        assert (await house.local.patch(rosa, json=mine)).status_code == 200


async def test_the_only_owner_cannot_lock_everybody_out_from_afar(enter: Enter) -> None:
    async with enter() as house:
        olga = house.rig.person("Olga", Role.OWNER).id
        for answer in (
            await house.owner.delete(f"{PEOPLE}/{olga}"),
            await house.owner.patch(f"{PEOPLE}/{olga}", json={"role": "guest"}),
        ):
            assert answer.json()["code"] == "not_permitted"
        assert (await house.local.delete(f"{PEOPLE}/{olga}")).status_code == 204


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.VISITOR, Role.GUEST])
async def test_only_those_who_run_the_house_may_do_any_of_it(
    make_parts: MakeParts, make_client: MakeClient, role: Role
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session("Ana", role).cookie) as ana:
        person = rig.person("Ben").id
        for method, path in (
            ("GET", PEOPLE),
            ("POST", PEOPLE),
            ("PATCH", f"{PEOPLE}/{person}"),
            ("DELETE", f"{PEOPLE}/{person}"),
            ("POST", f"{PEOPLE}/{person}/invitations"),
        ):
            answer = await ana.request(method, path, json={})
            assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        assert rig.invitations.people.find(person) is not None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "Ana"},
        {"name": "Ana", "role": "king"},
        {"name": "Ana", "role": "program"},
        {"name": "", "role": "guest"},
        {"name": "x" * 65, "role": "guest"},
        {"name": "a\nb", "role": "guest"},
        {"name": "Ana", "role": "guest", "email": "x"},
        {"name": "Ana", "role": "guest", "id": "0123456789ab"},
        [],
    ],
)
async def test_what_is_no_person_is_refused(enter: Enter, body: object) -> None:
    async with enter() as house:
        answer = await house.owner.post(PEOPLE, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
        assert len(house.rig.invitations.people) == 1


async def test_there_are_only_so_many_people(enter: Enter) -> None:
    async with enter() as house:
        for number in range(MAX_PEOPLE - 1):
            house.rig.person(f"Person {number}")
        answer = await house.owner.post(PEOPLE, json={"name": "Ana", "role": "guest"})
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many")


async def test_where_the_disk_fails_nothing_is_opened_and_what_is_closed_stays_closed(enter: Enter) -> None:
    async with enter() as house:
        ana = house.rig.open_session("Ana").session
        house.disk.is_full = True
        assert (await house.owner.post(PEOPLE, json={"name": "Ben", "role": "guest"})).status_code == 503
        assert (await house.owner.post(f"{PEOPLE}/{ana.person}/invitations")).status_code == 503
        assert [person.name for person in house.rig.invitations.people.all()] == ["Olga", "Ana"]
        assert house.rig.invitations.count_invitations_of(ana.person) == 0
        removed = await house.owner.delete(f"{PEOPLE}/{ana.person}")
        assert (removed.status_code, house.rig.invitations.is_live(ana)) == (503, False)
        assert "could not be saved" in removed.json()["message"]


async def test_a_residents_link_leads_to_the_rooms_page(enter: Enter) -> None:
    async with enter() as house:
        path = f"{PEOPLE}/{house.rig.person('Rosa', Role.RESIDENT).id}/invitations"
        invited = (await house.local.post(path)).json()
        assert invited["link"] == f"https://home.example/room#{invited['secret']}"


async def test_a_link_may_lead_to_a_listed_page_and_to_no_other(enter: Enter) -> None:
    async with enter() as house:
        path = f"{PEOPLE}/{house.rig.person('Ana').id}/invitations"
        invited = (await house.owner.post(path, params={"for_page": f"{SITE}/our/view?tab=2"})).json()
        assert invited["link"] == f"{SITE}/our/view?tab=2#belvedere={invited['secret']}&house=127.0.0.1:8080"
        for page in ("https://other.example/view", f"{SITE}.evil.example/view", f"{SITE}/view#top", "family.example"):
            refused = await house.owner.post(path, params={"for_page": page})
            assert (refused.status_code, refused.json()["code"]) == (400, "bad_message")

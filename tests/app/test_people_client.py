"""Commands change people in the store where no server runs, and in the server where one does; nothing is lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from belvedere.access.invitations import AccessOptions, Invitations
from belvedere.access.rights import Role
from belvedere.app.people_client import (
    PeopleClient,
    ServedPeople,
    StoredPeople,
    find_person,
    invite_person,
    open_people,
)
from belvedere.app.settings import Config, Settings, resolve
from belvedere.errors import OwnerError
from belvedere.store.access import load_access
from belvedere.store.instance_lock import state_lock
from belvedere.store.sqlite_file import SqliteFile
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.app.local_client import LocalClient


SITE = "https://family.example"


def config_in(folder: Path, frontends: tuple[str, ...] = ()) -> Config:
    return resolve(Settings(access=AccessOptions(frontends=frontends)), folder=folder)


def stored(folder: Path) -> Invitations:
    """What a server would find."""
    invitations = Invitations(FakeClock())
    with contextlib.closing(SqliteFile(folder / "belvedere.sqlite3")) as file:
        invitations.restore(file.read(lambda connection: load_access(connection, file.path)))
    return invitations


def test_a_person_who_is_invited_while_no_server_runs_can_come_in_later(tmp_path: Path) -> None:
    with open_people(config_in(tmp_path)) as client:
        invitation = invite_person(client, "Ana", Role.GUEST)
    assert invitation.link == f"http://127.0.0.1:8080/join#{invitation.secret}"
    redemption = stored(tmp_path).redeem(invitation.secret)
    assert redemption is not None
    assert redemption.issued.session.role is Role.GUEST


def test_what_is_changed_and_ended_in_the_store_is_so_at_the_next_start(tmp_path: Path) -> None:
    with open_people(config_in(tmp_path)) as client:
        ana, ben = client.add("Ana", Role.VISITOR), client.add("Ben", Role.VISITOR)
        assert isinstance(client, StoredPeople)
        first, second = (client._invitations.open_session(ana.id).session for _ in range(2))
        client._invitations.open_session(ben.id)
        assert {each.id for each in client.sessions()} >= {first.id, second.id}
        client.end_session(first.id)
        with pytest.raises(OwnerError, match="no such session"):
            client.end_session(first.id)
        assert client.change_role(ana.id, Role.GUEST).role is Role.GUEST
        client.remove(ben.id)
    later = stored(tmp_path)
    assert [(each.name, each.role) for each in later.people.all()] == [("Ana", Role.GUEST)]
    assert [session.id for session, _ in later.sessions()] == [second.id]


def test_without_a_name_the_owner_is_invited_until_there_is_one(tmp_path: Path) -> None:
    with open_people(config_in(tmp_path)) as client:
        first, second = (invite_person(client, None, None) for _ in range(2))
        assert (first.person, first.role) == (second.person, Role.OWNER)
        assert isinstance(client, StoredPeople)
        client._invitations.redeem(second.secret)
        with pytest.raises(OwnerError, match="an owner already"):
            invite_person(client, None, None)
        room = invite_person(client, None, Role.RESIDENT)
        assert (room.name, room.link.partition("#")[0].rpartition("/")[2]) == ("Room", "room")


def test_a_link_leads_to_a_listed_page_of_another_origin_and_who_is_refused_one_is_not_added(tmp_path: Path) -> None:
    with open_people(config_in(tmp_path, frontends=(SITE,))) as client:
        invitation = invite_person(client, "Ana", None, f"{SITE}/view")
        assert invitation.link.startswith(f"{SITE}/view#belvedere={invitation.secret}&house=")
        with pytest.raises(OwnerError, match="under frontends"):
            invite_person(client, "Ben", None, "https://other.example")
        with pytest.raises(OwnerError, match="own page only"):
            invite_person(client, "Rosa", Role.RESIDENT, SITE)
        assert [each.name for each in client.people()] == ["Ana"]


def test_a_name_that_is_known_is_invited_again_in_the_same_role_only(tmp_path: Path) -> None:
    with open_people(config_in(tmp_path)) as client:
        ana = client.add("Ana", Role.VISITOR)
        assert invite_person(client, "Ana", None).person == invite_person(client, ana.id, Role.VISITOR).person == ana.id
        with pytest.raises(OwnerError, match="Ana is visitor"):
            invite_person(client, "Ana", Role.OWNER)
        client.add("Ana", Role.GUEST)
        with pytest.raises(OwnerError, match="several people"):
            invite_person(client, "Ana", None)
        with pytest.raises(OwnerError, match="nobody with the name"):
            find_person(client.people(), "Ben")
        with pytest.raises(OwnerError, match="no person can have"):
            client.add("a\nb", Role.GUEST)


def test_without_a_store_nobody_can_be_asked(tmp_path: Path) -> None:
    config = Config(Settings(), config_in(tmp_path).profile)
    with pytest.raises(OwnerError, match="nothing is saved"), open_people(config):
        pass


def test_a_store_that_another_command_is_changing_is_left_alone(tmp_path: Path) -> None:
    with state_lock(tmp_path), pytest.raises(OwnerError, match="another Belvedere"), open_people(config_in(tmp_path)):
        pass


class Server:
    """Answers like the server's routes, and records what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, object]] = []

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        self.asked.append((method, path, body))
        person = {"id": "0123456789ab", "name": "Ana", "role": "guest"}
        listed = {**person, "email": "", "has_joined": True, "sessions": 1, "invitations": 0}
        device = {"person": person["id"], "label": "", "opened_utc_s": 1, "seen_utc_s": 1, "is_current": False}
        answers: dict[tuple[str, str], object] = {
            ("GET", "/api/v1/people"): [listed],
            ("POST", "/api/v1/people/0123456789ab/invitations"): {
                "person": person["id"],
                "name": "Ana",
                "role": "guest",
                "secret": "s",
                "link": "l",
                "ends_in_s": 1.0,
                "qr_svg": "",
            },
            ("GET", "/api/v1/sessions"): [{**person, **device, "id": "ba9876543210"}],
        }
        return answers.get((method, path.partition("?")[0]), None if method == "DELETE" else listed)


def test_a_running_server_is_asked_by_its_rest_interface() -> None:
    server = Server()
    client: LocalClient = server  # type: ignore[assignment]  # a double
    people: PeopleClient = ServedPeople(client)
    assert people.people()[0].name == "Ana"
    assert people.add("Ana", Role.GUEST).role is Role.GUEST
    assert people.invite("0123456789ab").link == people.invite("0123456789ab", "https://a.example/?b#c").link == "l"
    people.change_role("0123456789ab", Role.GUEST)
    assert people.sessions()[0].id == "ba9876543210"
    people.end_session("ba9876543210")
    people.remove("0123456789ab")
    assert server.asked[1] == ("POST", "/api/v1/people", {"name": "Ana", "role": "guest"})
    assert server.asked[3][1].endswith("/invitations?for_page=https%3A%2F%2Fa.example%2F%3Fb%23c")
    assert server.asked[4] == ("PATCH", "/api/v1/people/0123456789ab", {"role": "guest"})
    assert server.asked[6:] == [
        ("DELETE", "/api/v1/sessions/ba9876543210", None),
        ("DELETE", "/api/v1/people/0123456789ab", None),
    ]

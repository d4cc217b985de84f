"""Who may come in, for commands on the house's computer: asked of the running server, or else of the store itself."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import msgspec

from belvedere.access.invitations import Invitations
from belvedere.access.links import link_to, require_frontend
from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason
from belvedere.app.local_client import LocalClient, NoServerError
from belvedere.app.opening import NAMES, public_address
from belvedere.errors import OwnerError, VisitorError
from belvedere.gateway.views import Device, Invitation, Listed, device, listed, shown_once
from belvedere.store.access import load_access, save_access
from belvedere.store.instance_lock import state_lock
from belvedere.store.ownership import as_owner_of
from belvedere.store.sqlite_file import open_migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.access.people import Person
    from belvedere.app.settings import Config
    from belvedere.store.sqlite_file import SqliteFile

PEOPLE = "/api/v1/people"


class PeopleClient(Protocol):
    """The people and their sessions. Everything raises OwnerError where it cannot be done."""

    def people(self) -> list[Listed]:
        """Everyone."""
        ...

    def add(self, name: str, role: Role) -> Listed:
        """Add a person."""
        ...

    def invite(self, person_id: str, frontend: str = "") -> Invitation:
        """A new invitation of a person; its link may lead to a page of another origin, which the settings list."""
        ...

    def change_role(self, person_id: str, role: Role) -> Listed:
        """Give a person another role."""
        ...

    def remove(self, person_id: str) -> None:
        """Remove a person, with all sessions and invitations."""
        ...

    def sessions(self) -> list[Device]:
        """Everybody's sessions."""
        ...

    def end_session(self, session_id: str) -> None:
        """End a session."""
        ...


@contextlib.contextmanager
def open_people(config: Config) -> Iterator[PeopleClient]:
    """The people of these settings. Raises OwnerError where neither a server nor a store can be asked."""
    if config.store is None:
        raise OwnerError('nothing is saved with these settings: give [store] a file, instead of file = ""')
    client = LocalClient(config.store.parent)
    try:
        client.request("GET", PEOPLE)
    except NoServerError:
        folder = config.store.parent
        with state_lock(folder), as_owner_of(folder), open_migrated(config.store) as file:
            yield StoredPeople(file, _address(config), config.settings.access.frontends)
    else:
        yield ServedPeople(client)


def _address(config: Config) -> str:
    server = config.settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    return public_address(server, f"http://{host}:{server.port}")


def find_person(people: list[Listed], wanted: str) -> Listed:
    """The person with this id or name. Raises OwnerError where there is none, or several have the name."""
    found = [each for each in people if wanted in {each.id, each.name}]
    if not found:
        raise OwnerError(f"there is nobody with the name or id {wanted!r}: see belvedere people list")
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise OwnerError(f"several people are called {wanted!r}: give the id of one ({ids})")
    return found[0]


def invite_person(client: PeopleClient, name: str | None, role: Role | None, frontend: str = "") -> Invitation:
    """Invite a person by name, who is added if need be; without a name, an owner where none has come in yet.

    `frontend` is the page of another origin that the link leads to. Raises OwnerError where the person has another
    role, or where the link may not lead there.
    """
    people = client.people()
    if name is None:
        role = role or Role.OWNER
        if role is Role.OWNER and any(each.role is Role.OWNER and each.has_joined for each in people):
            raise OwnerError("the house has an owner already: say whom to invite, as in belvedere people invite Ana")
        name = NAMES.get(role, role.value)
    if not any(name in {each.id, each.name} for each in people):
        return _add_and_invite(client, name, role or Role.VISITOR, frontend)
    person = find_person(people, name)
    if role is not None and role is not person.role:
        raise OwnerError(f"{person.name} is {person.role.value}: to change that, use belvedere people role")
    return client.invite(person.id, frontend)


def _add_and_invite(client: PeopleClient, name: str, role: Role, frontend: str) -> Invitation:
    """Where the invitation is refused, nobody is added."""
    person = client.add(name, role)
    try:
        return client.invite(person.id, frontend)
    except OwnerError:
        client.remove(person.id)
        raise


class ServedPeople:
    """The people as the running server has them."""

    def __init__(self, client: LocalClient) -> None:
        self._client = client

    def people(self) -> list[Listed]:
        """Everyone."""
        return msgspec.convert(self._client.request("GET", PEOPLE), list[Listed])

    def add(self, name: str, role: Role) -> Listed:
        """Add a person."""
        return msgspec.convert(self._client.request("POST", PEOPLE, {"name": name, "role": role.value}), Listed)

    def invite(self, person_id: str, frontend: str = "") -> Invitation:
        """A new invitation of a person."""
        query = f"?for_page={quote(frontend, safe='')}" if frontend else ""
        return msgspec.convert(self._client.request("POST", f"{PEOPLE}/{person_id}/invitations{query}"), Invitation)

    def change_role(self, person_id: str, role: Role) -> Listed:
        """Give a person another role."""
        return msgspec.convert(self._client.request("PATCH", f"{PEOPLE}/{person_id}", {"role": role.value}), Listed)

    def remove(self, person_id: str) -> None:
        """Remove a person, with all sessions and invitations."""
        self._client.request("DELETE", f"{PEOPLE}/{person_id}")

    def sessions(self) -> list[Device]:
        """Everybody's sessions."""
        return msgspec.convert(self._client.request("GET", "/api/v1/sessions"), list[Device])

    def end_session(self, session_id: str) -> None:
        """End a session."""
        self._client.request("DELETE", f"/api/v1/sessions/{session_id}")


class StoredPeople:
    """The people as the store has them while no server runs; each change is on the disk when its call returns."""

    def __init__(self, file: SqliteFile, address: str, frontends: tuple[str, ...]) -> None:
        self._file = file
        self._address = address
        self._frontends = frontends
        self._invitations = Invitations(time.monotonic)
        self._invitations.restore(file.read(lambda connection: load_access(connection, file.path)))

    def people(self) -> list[Listed]:
        """Everyone."""
        return [listed(self._invitations, person) for person in self._invitations.people.all()]

    def add(self, name: str, role: Role) -> Listed:
        """Add a person."""
        try:
            person = self._invitations.people.add(name, role)
        except VisitorError as error:
            raise OwnerError(str(error)) from error
        self._save()
        return listed(self._invitations, person)

    def invite(self, person_id: str, frontend: str = "") -> Invitation:
        """A new invitation of a person."""
        person = self._person(person_id)
        try:
            require_frontend(frontend, person.role, self._frontends)
        except VisitorError as error:
            raise OwnerError(str(error)) from error
        secret = self._invitations.invite(person_id)
        self._save()
        link = link_to(self._address, secret, person.role, frontend)
        return shown_once(person, secret, link, self._invitations.invite_s)

    def change_role(self, person_id: str, role: Role) -> Listed:
        """Give a person another role."""
        self._invitations.change_role(person_id, role)
        self._save()
        return listed(self._invitations, self._person(person_id))

    def remove(self, person_id: str) -> None:
        """Remove a person, with all sessions and invitations."""
        self._invitations.remove(person_id)
        self._save()

    def sessions(self) -> list[Device]:
        """Everybody's sessions."""
        return [
            device(self._invitations, session, seen_utc_s, is_current=False)
            for session, seen_utc_s in self._invitations.sessions()
        ]

    def end_session(self, session_id: str) -> None:
        """End a session."""
        if all(each.id != session_id for each in self.sessions()):
            raise OwnerError("there is no such session")
        self._invitations.end(session_id, EndReason.REVOKED)
        self._save()

    def _save(self) -> None:
        saved = self._invitations.saved()
        self._file.write(lambda connection: save_access(connection, saved))

    def _person(self, person_id: str) -> Person:
        person = self._invitations.people.find(person_id)
        if person is None:
            raise OwnerError("there is no such person")
        return person

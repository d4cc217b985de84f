"""`belvedere people`: lists, invites and removes those who may come in, and changes their roles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from belvedere.access.rights import Role
from belvedere.app.people_client import find_person, invite_person, open_people
from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config  # noqa: TC001 (cyclopts reads annotations)
from belvedere.gateway.qr_code import terminal_text_of

if TYPE_CHECKING:
    from belvedere.gateway.views import Invitation

Json = Annotated[bool, Parameter(name="--json", negative="", help="print JSON, for programs")]
Someone = Annotated[str, Parameter(help="a name or an id, as `belvedere people list` shows them")]
RoleName = Literal["owner", "resident", "visitor", "guest"]

HOUR_S = 3600


def people_list(*, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """List everyone; returns 0."""
    with open_people(read_config(config)) as client:
        people = client.people()
    if is_json:
        print(msgspec.json.encode(people).decode())
        return 0
    for each in people:
        state = _counted(each.sessions, "device") if each.has_joined else "has not come in yet"
        pending = f", {_counted(each.invitations, 'unused link')}" if each.invitations else ""
        print(f"{each.id}  {each.role.value:<8}  {each.name}  ({state}{pending})")
    if not people:
        print("There is nobody yet: belvedere people invite prints the owner's link.")
    return 0


def people_invite(
    name: Annotated[str | None, Parameter(help="whom; without it, the owner of a house that has none yet")] = None,
    *,
    role: Annotated[RoleName | None, Parameter(help="of somebody new; visitor unless given")] = None,
    frontend: Annotated[str, Parameter(help="a page of yours that shows the house: the link leads there")] = "",
    config: Config = DEFAULT_FILE,
    is_json: Json = False,
) -> int:
    """Print a new one-time link; returns 0."""
    with open_people(read_config(config)) as client:
        invitation = invite_person(client, name, None if role is None else Role(role), frontend)
    if is_json:
        print(msgspec.json.encode(invitation).decode())
        return 0
    print_invitation(invitation)
    return 0


def print_invitation(invitation: Invitation) -> None:
    """Print a link, and its QR code on a terminal."""
    print(f"{invitation.name} ({invitation.role.value}): {invitation.link}")
    if sys.stdout.isatty():
        print(terminal_text_of(invitation.link))
    print(f"It lets one browser in, within {invitation.ends_in_s / HOUR_S:.0f} hours.")


def people_role(person: Someone, role: RoleName, *, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """Change a person's role; returns 0."""
    with open_people(read_config(config)) as client:
        changed = client.change_role(find_person(client.people(), person).id, Role(role))
    print(msgspec.json.encode(changed).decode() if is_json else f"{changed.name} is {changed.role.value} now.")
    return 0


def people_revoke(person: Someone, *, config: Config = DEFAULT_FILE, is_json: Json = False) -> int:
    """Remove a person; returns 0."""
    with open_people(read_config(config)) as client:
        removed = find_person(client.people(), person)
        client.remove(removed.id)
    print(msgspec.json.encode(removed).decode() if is_json else f"{removed.name} cannot come in any more.")
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

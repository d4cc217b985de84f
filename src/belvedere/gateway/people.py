"""`/api/v1/people`: who may come in, and their invitations; for those who run the house.

A resident speaks for the room, so that nobody far away may make one, or give one another login: it takes a resident, or
the house's own computer.
"""

import logging
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter

from belvedere.access.links import link_to, require_frontend
from belvedere.access.local_session import LOCAL_SESSION
from belvedere.access.people import MAX_EMAIL_CHARS, MAX_NAME_CHARS, Person
from belvedere.access.rights import Role
from belvedere.access.sessions import Session
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.gateway.codec import JSON, decode_strictly, read_json
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.permissions import require_may_manage
from belvedere.gateway.problems import not_saved
from belvedere.gateway.session import save_end
from belvedere.gateway.views import Invitation, Listed, listed, shown_once

logger = logging.getLogger(__name__)

PATH = "/api/v1/people"
ONE = "/api/v1/people/{person_id:str}"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARS)]
Email = Annotated[str, msgspec.Meta(max_length=MAX_EMAIL_CHARS)]


ForPage = Annotated[
    str,
    QueryParameter(
        name="for_page",
        max_length=2000,
        description="The address of a page of another origin, which has the house embedded: the link then leads there.",
    ),
]


class NewPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may come in, once invited."""

    name: Name
    role: Role
    email: Email = ""


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a person; what is absent stays as it is."""

    name: Name | None = None
    role: Role | None = None
    email: Email | None = None


_NEW: msgspec.json.Decoder[NewPerson] = msgspec.json.Decoder(NewPerson)
_CHANGE: msgspec.json.Decoder[Change] = msgspec.json.Decoder(Change)
_PROPERTIES: dict[str, Schema | Reference] = {
    "name": Schema(type=OpenAPIType.STRING, min_length=1, max_length=MAX_NAME_CHARS),
    "role": Schema(type=OpenAPIType.STRING, enum=[role.value for role in Role if role is not Role.PROGRAM]),
    "email": Schema(type=OpenAPIType.STRING, max_length=MAX_EMAIL_CHARS),
}
_NEW_SCHEMA = Schema(
    type=OpenAPIType.OBJECT, properties=_PROPERTIES, required=["name", "role"], additional_properties=False
)
_CHANGE_SCHEMA = Schema(type=OpenAPIType.OBJECT, properties=_PROPERTIES, additional_properties=False)


@get(PATH, responses=problems(401, 403))
async def listing(dependencies: InjectedDependencies) -> list[Listed]:
    """Everyone who may come in."""
    return [listed(dependencies.invitations, person) for person in dependencies.invitations.people.all()]


@post(
    PATH,
    operation_class=operation_with_body(JSON, _NEW_SCHEMA, str(NewPerson.__doc__)),
    responses=problems(400, 401, 403, 408, 409, 415, 503),
)
async def add(request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor) -> Listed:
    """Add a person. A 503 says that nothing was done: the disk did not take it."""
    wanted = decode_strictly(_NEW, await read_json(request, dependencies, visitor))
    require_may_manage(dependencies.invitations, visitor, wanted.role)
    people = dependencies.invitations.people
    person = people.add(wanted.name, wanted.role, wanted.email)
    await _save_or(dependencies, lambda: people.remove(person.id))
    return listed(dependencies.invitations, person)


@patch(
    ONE,
    operation_class=operation_with_body(JSON, _CHANGE_SCHEMA, str(Change.__doc__)),
    responses=problems(400, 401, 403, 404, 408, 409, 415, 503),
)
async def change(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    person_id: FromPath[str],
) -> Listed:
    """Change a person. With another role, all that their sessions have open ends at once, as do their invitations.

    A 503 says that it was done, but that a restart of the server might undo it, because the disk failed.
    """
    wanted = decode_strictly(_CHANGE, await read_json(request, dependencies, visitor))
    invitations, person = dependencies.invitations, _found(dependencies, person_id)
    if wanted.email is not None and wanted.email.lower() != person.email:
        require_may_manage(
            dependencies.invitations, visitor, person.role
        )  # behind Cloudflare Access the address is the login
    is_new_role = wanted.role is not None and wanted.role is not person.role
    if wanted.role is not None and is_new_role:
        for role in (person.role, wanted.role):
            require_may_manage(dependencies.invitations, visitor, role)
        _require_not_last_owner(dependencies, visitor, person)
    if wanted.name is not None or wanted.email is not None:
        name = person.name if wanted.name is None else wanted.name
        invitations.people.rename(person_id, name, person.email if wanted.email is None else wanted.email)
    if wanted.role is not None and is_new_role:
        invitations.change_role(person_id, wanted.role)
    await save_end(dependencies, f"what person {person_id} was", "it is changed")
    return listed(dependencies.invitations, _found(dependencies, person_id))


@delete(ONE, status_code=204, responses=problems(401, 403, 404, 503))
async def remove(dependencies: InjectedDependencies, visitor: InjectedVisitor, person_id: FromPath[str]) -> None:
    """Remove a person; all of their sessions and invitations end at once.

    A 503 says that it was done, but that a restart of the server might undo it, because the disk failed.
    """
    person = _found(dependencies, person_id)
    require_may_manage(dependencies.invitations, visitor, person.role)
    _require_not_last_owner(dependencies, visitor, person)
    dependencies.invitations.remove(person_id)
    dependencies.room.receive_forgotten(person_id)
    try:
        await dependencies.passkeys.remove_all_of(person_id)
    except StoreError as error:  # passkeys of nobody let nobody in
        logger.warning("the passkeys of %s could not be deleted: %s", person_id, error)
    await save_end(dependencies, f"what person {person_id} may do", "the person is removed")


@post(f"{ONE}/invitations", responses=problems(401, 403, 404, 503))
async def invite(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    person_id: FromPath[str],
    for_page: ForPage = "",
) -> Invitation:
    """Make an invitation of a person. A 503 says that nothing was done: the disk did not take it."""
    person, invitations = _found(dependencies, person_id), dependencies.invitations
    require_frontend(for_page, person.role, dependencies.frontends)
    require_may_manage(dependencies.invitations, visitor, person.role)
    secret = invitations.invite(person_id)
    await _save_or(dependencies, lambda: invitations.withdraw(secret))
    link = link_to(_address(request, dependencies, visitor), secret, person.role, for_page)
    return shown_once(person, secret, link, invitations.invite_s)


def _found(dependencies: Dependencies, person_id: str) -> Person:
    person = dependencies.invitations.people.find(person_id)
    if person is None:
        raise NotFoundException("there is no such person")
    return person


def _require_not_last_owner(dependencies: Dependencies, visitor: Session, person: Person) -> None:
    """On the house's own computer another owner can be made at any time, elsewhere nobody could come back."""
    owners = [each for each in dependencies.invitations.people.all() if each.role is Role.OWNER and each.has_joined]
    if owners == [person] and visitor is not LOCAL_SESSION:
        problem = "this is the only owner: make another one first, or use `belvedere people` on the house's computer"
        raise VisitorError(Refusal.NOT_PERMITTED, problem)


async def _save_or(dependencies: Dependencies, undo: Callable[[], object]) -> None:
    try:
        await dependencies.save_access()
    except StoreError as error:
        undo()
        problem = "nothing was changed, because it could not be saved: try again"
        raise not_saved(error, problem, logged="could not add a person or an invitation") from error


def _address(request: Request[Any, Any, Any], dependencies: Dependencies, visitor: Session) -> str:
    """The address under which the house is reached: the one that the owner uses, or from its computer the settings'."""
    if visitor is LOCAL_SESSION:
        return dependencies.address()
    return f"{request.url.scheme}://{request.headers.get('host', '')}{dependencies.options.base_path}"


ROUTES = (listing, add, change, remove, invite)

"""`/api/v1/login/passkey` and `/api/v1/passkeys`: signing in with a passkey, and a person's own passkeys.

The options have the form of WebAuthn's JSON, with bytes as base64url. What a browser answers comes back in the form of
the structs here, which bound all that a stranger can send.
"""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from belvedere.access.base64url import from_base64url, to_base64url
from belvedere.access.ceremonies import Algorithm, Assertion, Registration, RelyingParty, relying_party
from belvedere.access.challenges import LIFETIME_S
from belvedere.access.passkeys import Registrant, user_handle
from belvedere.access.sessions import EndReason, Session
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.gateway.codec import JSON, decode_strictly, read_json
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.login import LoggedIn, label_of_sender, logged_in
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.permissions import require_permitted
from belvedere.gateway.problems import not_saved
from belvedere.store.passkeys import MAX_LABEL_CHARS, SavedPasskey

HOUSE: Final = "Belvedere"  # what the browser calls us in its dialog
LIFETIME_MS: Final = int(LIFETIME_S * 1000)

Base64Url = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\Z", max_length=1400)]
LongBase64Url = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\Z", max_length=6000)]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a browser answers; all bytes as base64url."""


class LoginBody(_Body, frozen=True, kw_only=True):
    """A login's answer: of `navigator.credentials.get`, the credential's `rawId` and the parts of its `response`."""

    credential: Base64Url
    user: Base64Url
    client_data: LongBase64Url
    authenticator_data: Base64Url
    signature: Base64Url


class RegistrationBody(_Body, frozen=True, kw_only=True):
    """A registration's answer: of `navigator.credentials.create`, the `rawId` and the parts of its `response`."""

    label: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+\Z", max_length=MAX_LABEL_CHARS)]
    credential: Base64Url
    client_data: LongBase64Url
    attestation: LongBase64Url


class PasskeyView(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey of a person. Times are in seconds since 1970, UTC; `used_utc_s` is null before the first use."""

    id: str
    label: str
    host: str
    created_utc_s: int
    used_utc_s: int | None


_LOGIN: msgspec.json.Decoder[LoginBody] = msgspec.json.Decoder(LoginBody)
_REGISTRATION: msgspec.json.Decoder[RegistrationBody] = msgspec.json.Decoder(RegistrationBody)
_TEXT: Final = Schema(type=OpenAPIType.STRING)


def _schema(body: type[_Body]) -> Schema:
    fields = body.__struct_fields__
    return Schema(
        type=OpenAPIType.OBJECT,
        properties=dict.fromkeys(fields, _TEXT),
        required=list(fields),
        additional_properties=False,
    )


@post("/api/v1/login/passkey/options", status_code=200, responses=problems())
async def login_options(request: Request[Any, Any, Any], dependencies: InjectedDependencies) -> dict[str, Any]:
    """What `navigator.credentials.get` needs. No name is asked for: the device offers the passkeys that it has."""
    party = _party(request)
    return {
        "challenge": to_base64url(dependencies.passkeys.login_challenge()),
        "rpId": party.id,
        "timeout": LIFETIME_MS,
        "userVerification": "required",
        "allowCredentials": [],
    }


@post(
    "/api/v1/login/passkey",
    status_code=200,
    operation_class=operation_with_body(JSON, _schema(LoginBody), str(LoginBody.__doc__)),
    responses=problems(400, 403, 408, 409, 413, 429, 503),
)
async def login(request: Request[Any, Any, Any], dependencies: InjectedDependencies) -> Response[LoggedIn]:
    """Sign in with a passkey: the answer sets the session's cookie. The session that the browser had before ends."""
    party, before = _party(request), request.scope["auth"]
    body = decode_strictly(_LOGIN, await read_json(request, dependencies, None))
    answer = Assertion(
        credential=_bytes(body.credential),
        user=_bytes(body.user),
        client_data=_bytes(body.client_data),
        authenticator_data=_bytes(body.authenticator_data),
        signature=_bytes(body.signature),
    )
    invitations = dependencies.invitations
    issued = None
    try:
        passkey = await dependencies.passkeys.login(party, answer)
        issued = invitations.open_session(passkey.person, label=label_of_sender(request))
        await dependencies.save_access()  # before the answer: who was let in must stay so after a kill
    except StoreError as error:
        if issued is not None:
            invitations.end(issued.session.id, EndReason.REVOKED)
        raise not_saved(error, "you could not be signed in, because this could not be saved") from error
    if before is not None:
        invitations.end(before.id, EndReason.LEFT)
    return logged_in(request, dependencies, issued)


@post("/api/v1/passkeys/options", status_code=200, responses=problems(401, 403, 409))
async def registration_options(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> dict[str, Any]:
    """What `navigator.credentials.create` needs to register a passkey of the session's person."""
    party, who = _party(request), _registrant(dependencies, visitor)
    known = [each for each in dependencies.passkeys.of(who.person) if each.host == party.id]
    return {
        "challenge": to_base64url(dependencies.passkeys.registration_challenge(who)),
        "rp": {"id": party.id, "name": HOUSE},
        "user": {"id": to_base64url(user_handle(who.person)), "name": who.name, "displayName": who.name},
        "pubKeyCredParams": [{"type": "public-key", "alg": each.value} for each in Algorithm],
        "timeout": LIFETIME_MS,
        "excludeCredentials": [{"type": "public-key", "id": to_base64url(each.credential)} for each in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


@post(
    "/api/v1/passkeys",
    status_code=201,
    operation_class=operation_with_body(JSON, _schema(RegistrationBody), str(RegistrationBody.__doc__)),
    responses=problems(400, 401, 403, 408, 409, 413, 429, 503),
)
async def register(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> PasskeyView:
    """Add a passkey of the session's person."""
    party, who = _party(request), _registrant(dependencies, visitor)
    body = decode_strictly(_REGISTRATION, await read_json(request, dependencies, visitor))
    answer = Registration(
        credential=_bytes(body.credential),
        client_data=_bytes(body.client_data),
        attestation=_bytes(body.attestation),
    )
    try:
        passkey = await dependencies.passkeys.register(party, who, body.label.strip() or "Passkey", answer)
    except StoreError as error:
        raise not_saved(error, "the passkey could not be saved") from error
    if not dependencies.invitations.is_live(visitor):  # ended meanwhile: it must not leave a way back in
        await dependencies.passkeys.remove(who.person, passkey.id)
    require_permitted(dependencies.invitations, request.scope, visitor)
    return _view(passkey)


@get("/api/v1/passkeys", responses=problems(401, 403), sync_to_thread=False)
def own(dependencies: InjectedDependencies, visitor: InjectedVisitor) -> list[PasskeyView]:
    """The passkeys of the session's person, oldest first."""
    return [_view(each) for each in dependencies.passkeys.of(visitor.person)]


@delete("/api/v1/passkeys/{passkey:str}", status_code=204, responses=problems(401, 403, 404, 503))
async def remove(passkey: FromPath[str], dependencies: InjectedDependencies, visitor: InjectedVisitor) -> None:
    """Remove one of the person's own passkeys. A 503 says that it is removed, but a restart might bring it back."""
    try:
        is_removed = await dependencies.passkeys.remove(visitor.person, passkey)
    except StoreError as error:
        raise not_saved(error, "the passkey is removed, but this could not be saved") from error
    if not is_removed:
        raise NotFoundException("you have no such passkey")


def _party(request: Request[Any, Any, Any]) -> RelyingParty:
    """To whom passkeys of this address belong. Raises VisitorError (BAD_MESSAGE) where browsers allow none."""
    party = relying_party(request.headers.get("host", ""))
    if party is None:
        raise VisitorError(Refusal.BAD_MESSAGE, "passkeys need a host name: they do not work on an address")
    return party


def _registrant(dependencies: Dependencies, visitor: Session) -> Registrant:
    person = dependencies.invitations.people.find(visitor.person)
    if person is None:  # a shell on the machine
        raise VisitorError(Refusal.BAD_MESSAGE, "only people have passkeys")
    return Registrant(person=person.id, name=person.name, session=visitor.id)


def _bytes(text: str) -> bytes:
    try:
        return from_base64url(text)
    except ValueError as error:
        raise VisitorError(Refusal.BAD_MESSAGE, "a field is not base64url without padding") from error


def _view(passkey: SavedPasskey) -> PasskeyView:
    return PasskeyView(
        id=passkey.id,
        label=passkey.label,
        host=passkey.host,
        created_utc_s=passkey.created_utc_s,
        used_utc_s=passkey.used_utc_s or None,
    )


ROUTES = (login_options, login, registration_options, register, own, remove)

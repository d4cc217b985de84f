"""`/api/v1/tokens`: the tokens of scripts, for those who run the house."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from belvedere.errors import StoreError
from belvedere.gateway.codec import JSON, decode_strictly, read_json
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.problems import not_saved
from belvedere.gateway.views import CreatedToken, Tokens, TokenView
from belvedere.store.tokens import SavedToken, Scope, TokenName

PATH: Final = "/api/v1/tokens"
MOST_S: Final = 10 * 366 * 86400.0


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A script's name, what it may do (`drive` or `look`), and for how many seconds; without that, until revoked."""

    name: TokenName
    scope: Scope
    lifetime_s: Annotated[float, msgspec.Meta(ge=1, le=MOST_S)] | None = None


_DECODER: msgspec.json.Decoder[NewToken] = msgspec.json.Decoder(NewToken)
_TEXT: Final = Schema(type=OpenAPIType.STRING)
_BODY: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "name": _TEXT,
        "scope": Schema(type=OpenAPIType.STRING, enum=["drive", "look"]),
        "lifetime_s": Schema(type=OpenAPIType.NUMBER, minimum=1, maximum=MOST_S),
    },
    required=["name", "scope"],
    additional_properties=False,
)


@get(PATH, responses=problems(401, 403))
async def tokens(dependencies: InjectedDependencies) -> Tokens:
    """The tokens of scripts."""
    return Tokens([_view(dependencies, token) for token in dependencies.tokens.all()])


@post(
    PATH,
    operation_class=operation_with_body(JSON, _BODY, str(NewToken.__doc__)),
    responses=problems(400, 401, 403, 408, 409, 413, 415, 503),
)
async def create_token(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> CreatedToken:
    """Create a token for a script."""
    wanted = decode_strictly(_DECODER, await read_json(request, dependencies, visitor))
    try:
        token, secret = await dependencies.tokens.create(wanted.name, wanted.scope, wanted.lifetime_s)
    except StoreError as error:
        raise not_saved(error, "there is no new token, because it could not be saved") from error
    return CreatedToken(token=_view(dependencies, token), secret=secret)


@delete(f"{PATH}/{{token:str}}", status_code=204, responses=problems(401, 403, 404, 503))
async def revoke_token(token: FromPath[str], dependencies: InjectedDependencies) -> None:
    """Revoke a token: what its script drives stops at once. A 503 says that a restart might bring it back."""
    try:
        was_there = await dependencies.tokens.revoke(token)
    except StoreError as error:
        problem = "the token has ended, but this could not be saved: a restart may bring it back"
        raise not_saved(error, problem) from error
    if not was_there:
        raise NotFoundException("there is no such token")


def _view(dependencies: Dependencies, token: SavedToken) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        scope=token.scope,
        created_utc_s=token.created_utc_s,
        ends_utc_s=token.ends_utc_s or None,
        is_valid=dependencies.tokens.is_valid(token),
    )


ROUTES = (tokens, create_token, revoke_token)

"""`/api/v1/stage/ivs`: tokens for pages that watch through Amazon IVS, and what that costs."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery

from belvedere.access.rights import Right
from belvedere.access.session_events import SessionChange
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor, IvsStage
from belvedere.gateway.openapi import problems
from belvedere.gateway.permissions import require_permitted
from belvedere.stage.viewer import is_view
from belvedere.store.participants import SavedMonth

PATH: Final = "/api/v1/stage/ivs"
PARTICIPANTS: Final = f"{PATH}/participants"


class IvsParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may join the stage at Amazon IVS, within `join_within_s`, with the token.

    The page repeats every `beat_s` that it still watches, by a PUT to the participant; else it is put out.
    """

    participant: str
    token: str
    join_within_s: float
    beat_s: float


class IvsHours(msgspec.Struct, frozen=True, kw_only=True):
    """What Amazon IVS has been used for, newest month first, by our own count; AWS's bill is what counts.

    Attributes:
        months: the months in UTC, with the seconds of all participants together.
        price_usd: of one participant-hour, as the settings say.
        monthly_hours: how many a month may have; 0 for any.
        is_used_up: whether this month may have no more.
        is_saving: whether a restart would know them.
    """

    months: list[SavedMonth]
    price_usd: float
    monthly_hours: float
    is_used_up: bool
    is_saving: bool


@post(PARTICIPANTS, responses=problems(400, 401, 403, 404, 429, 503))
async def join(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    view: FromQuery[str] = "",
) -> Response[IvsParticipant]:
    """Ask for a token to watch with. From now on the session counts as one that watches.

    `view` names the picture on a page that is sent it by another way at the same time, so that it counts once.
    """
    if not is_view(view):
        raise ClientException("a view is named with at most 64 letters, digits, hyphens and underscores")
    invitations = dependencies.invitations
    admission = await _ivs(dependencies).admit(
        visitor.id,
        view,
        lambda: require_permitted(invitations, request.scope, visitor),
        lambda: Right.LOOK in invitations.rights_of(visitor),
    )
    token = admission.token
    participant = IvsParticipant(
        participant=token.participant,
        token=token.token.reveal(),
        join_within_s=admission.join_within_s,
        beat_s=admission.beat_s,
    )
    return Response(participant, status_code=201)


@put(f"{PARTICIPANTS}/{{participant:str}}", status_code=204, responses=problems(401, 403, 404, 429))
async def go_on(participant: FromPath[str], dependencies: InjectedDependencies, visitor: InjectedVisitor) -> None:
    """Still watch. A 404 says that the participant was put out of the stage: leave it, and ask for a new token."""
    _ivs(dependencies).receive_beat(participant, visitor.id)


@delete(f"{PARTICIPANTS}/{{participant:str}}", status_code=204, responses=problems(401, 403, 404))
async def leave(participant: FromPath[str], dependencies: InjectedDependencies, visitor: InjectedVisitor) -> None:
    """Stop watching."""
    await _ivs(dependencies).leave(participant, visitor.id)


@get(f"{PATH}/hours", responses=problems(401, 403, 404))
async def hours(dependencies: InjectedDependencies) -> IvsHours:
    """What Amazon IVS has been used for."""
    ivs = _ivs(dependencies)
    return IvsHours(
        months=ivs.hours.months(),
        price_usd=ivs.options.price_usd,
        monthly_hours=ivs.options.monthly_hours,
        is_used_up=ivs.hours.is_used_up,
        is_saving=ivs.hours.is_saving,
    )


def receive_session_change(stage: IvsStage | None, change: SessionChange) -> None:
    """Whoever has left, and is still being put out, may have lost the right to look."""
    if stage is not None and change.takes(Right.LOOK):
        stage.refresh()


def _ivs(dependencies: Dependencies) -> IvsStage:
    if dependencies.ivs is None:
        raise NotFoundException("this house does not send its picture through Amazon IVS")
    return dependencies.ivs


ROUTES = (join, go_on, leave, hours)

"""`/api/v1/room/visits`: the visit book, for those who may speak for the room and for nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get
from litestar.datastructures import ResponseHeader
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter

from belvedere.errors import StoreError
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems
from belvedere.gateway.permissions import require_permitted
from belvedere.gateway.problems import not_saved
from belvedere.room.visit_recorder import ExportFormat
from belvedere.store.visits import SavedVisit

PATH = "/api/v1/room/visits"
MOST_ON_A_PAGE = 500
FORMATS = {"json": ExportFormat.JSON, "csv": ExportFormat.CSV}
Limit = Annotated[int, QueryParameter(ge=1, le=MOST_ON_A_PAGE, description="How many at most.")]
Before = Annotated[
    str | None,
    QueryParameter(pattern="^[0-9a-f]{12}$", description="Only those that began before the visit with this id."),
]
WantedFormat = Annotated[
    str, QueryParameter(name="format", pattern="^(json|csv)$", description="`json`, or `csv` for spreadsheets.")
]


class Visits(msgspec.Struct, frozen=True):
    """A part of the visit book.

    Attributes:
        visits: the newest first; those that go on are as long as they are now.
        more: whether there are older ones.
        kept: whether there is a book at all; without one, only the visits that go on are known.
    """

    visits: list[SavedVisit]
    more: bool
    kept: bool


@get(PATH, responses=problems(401, 403, 503))
async def visits(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    limit: Limit = 100,
    before: Before = None,
) -> Visits:
    """Who visited, when, for how long, and what they did."""
    with _store_problems():
        page = await dependencies.visits.page(limit, before)
    require_permitted(dependencies.invitations, request.scope, visitor)
    return Visits(page.visits, page.has_more, dependencies.visits.is_kept)


@get(
    f"{PATH}/export",
    media_type=ExportFormat.JSON,
    responses=problems(400, 401, 403, 503),
    response_headers=[
        ResponseHeader("Content-Disposition", documentation_only=True, description="A name for the file.")
    ],
)
async def export(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    wanted: WantedFormat = "json",
) -> Response[bytes]:
    """The whole visit book as a file."""
    with _store_problems():
        content = await dependencies.visits.export(FORMATS[wanted])
    require_permitted(dependencies.invitations, request.scope, visitor)
    headers = {"content-disposition": f'attachment; filename="belvedere-visits.{wanted}"'}
    return Response(content, media_type=FORMATS[wanted], headers=headers)


@delete(f"{PATH}/{{visit:str}}", status_code=204, responses=problems(401, 403, 404, 503))
async def delete_visit(visit: FromPath[str], dependencies: InjectedDependencies) -> None:
    """Delete one visit; if it goes on, nothing more of it is written down."""
    with _store_problems():
        is_deleted = await dependencies.visits.delete(visit)
    if not is_deleted:
        raise NotFoundException("there is no such visit")


@contextmanager
def _store_problems() -> Iterator[None]:
    """Turn a store that fails into a 503."""
    try:
        yield
    except StoreError as error:
        raise not_saved(error, "the visit book cannot be used right now: the disk does not take it") from error


ROUTES = (visits, export, delete_visit)

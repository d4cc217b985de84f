"""`/api/v1/stage/stills`: a still of this moment. A POST: the camera delivers it, and the log says who took it."""

from datetime import UTC
from email.utils import format_datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, post
from litestar.datastructures import ResponseHeader
from litestar.params import QueryParameter

from belvedere.events import StillTaken
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems
from belvedere.gateway.permissions import require_permitted
from belvedere.stage.stills import ImageFormat

PATH = "/api/v1/stage/stills"
FORMATS = {"jpeg": ImageFormat.JPEG, "png": ImageFormat.PNG}
WantedFormat = Annotated[
    Literal["jpeg", "png"] | None,
    QueryParameter(name="format", description="Without it, what `Accept` prefers; else a JPEG."),
]


@post(
    PATH,
    status_code=200,
    media_type=ImageFormat.JPEG,
    responses=problems(400, 401, 403, 409, 429, 503),
    response_headers=[
        ResponseHeader("Content-Disposition", documentation_only=True, description="A name with the capture time."),
        ResponseHeader("Last-Modified", documentation_only=True, description="When the picture was captured."),
    ],
)
async def take(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    wanted: WantedFormat = None,
) -> Response[bytes]:
    """Take a picture as the camera delivers it, in its full size. Only a session that is watching may."""
    image_format = FORMATS[wanted] if wanted else _accepted(request)
    image = await dependencies.stills.take(visitor.id, image_format)
    require_permitted(dependencies.invitations, request.scope, visitor)
    dependencies.record(StillTaken(visitor.id, visitor.person))
    headers = {
        "content-disposition": f'attachment; filename="{image.file_name}"',
        "last-modified": format_datetime(image.captured_at.astimezone(UTC), usegmt=True),
    }
    return Response(image.data, media_type=image.format, headers=headers)


def _accepted(request: Request[Any, Any, Any]) -> ImageFormat:
    return ImageFormat(request.accept.best_match(list(ImageFormat), ImageFormat.JPEG))


ROUTES = (take,)

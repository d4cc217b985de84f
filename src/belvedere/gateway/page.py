"""`/` and the files of the page."""

from pathlib import Path
from typing import Any

from litestar import Request, Response, route
from litestar.enums import HttpMethod
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from belvedere.gateway.exception_handlers import page_response
from belvedere.gateway.injection import InjectedDependencies, InjectedFiles
from belvedere.gateway.page_files import PageFile
from belvedere.gateway.plain_pages import PAGE_NOT_BUILT

FOREVER = "public, max-age=31536000, immutable"  # the name changes with the content
ASK_EACH_TIME = "no-cache"  # kept, but never shown without asking whether it is still the newest
READING = [HttpMethod.GET, HttpMethod.HEAD]


@route("/", http_method=READING, include_in_schema=False, sync_to_thread=False)
def index(request: Request[Any, Any, Any], dependencies: InjectedDependencies, files: InjectedFiles) -> Response[bytes]:
    """The page; whoever fetches it will want a picture soon."""
    found = files.index()
    if found is None:
        return page_response(503, PAGE_NOT_BUILT)
    dependencies.stage.preload()
    return file_response(request, found)


@route("/{path:path}", http_method=READING, include_in_schema=False, sync_to_thread=False)
def asset(request: Request[Any, Any, Any], path: FromPath[Path], files: InjectedFiles) -> Response[bytes]:
    """One of the page's files."""
    found = files.find(path.as_posix().lstrip("/"))
    if found is None:
        raise NotFoundException
    return file_response(request, found)


def file_response(request: Request[Any, Any, Any], file: PageFile) -> Response[bytes]:
    """The file as this client wants it, or the news that it has it already."""
    headers = {"etag": file.etag, "cache-control": FOREVER if file.is_hashed else ASK_EACH_TIME}
    if file.packed is not None:
        headers["vary"] = "accept-encoding"
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, media_type=file.media_type, headers=headers)
    body = file.body
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = file.packed
    return Response(body, media_type=file.media_type, headers=headers)


ROUTES = (index, asset)

"""`/` and the files of the page, held in memory: what is not in the list cannot be requested, however it is spelt."""

import gzip
import hashlib
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, Response, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, SkipValidation

from belvedere.gateway.dependencies import InjectedDependencies
from belvedere.gateway.plain_pages import PAGE_NOT_BUILT
from belvedere.gateway.problems import page_response

FOREVER = "public, max-age=31536000, immutable"  # the name changes with the content
ASK_EACH_TIME = "no-cache"  # kept, but never shown without asking whether it is still the newest
READING = [HttpMethod.GET, HttpMethod.HEAD]
INDEX: Final = "index.html"
HASHED: Final = "assets/"  # the build puts a hash of the content into the names of the files in here
TYPES: Final = {  # the character set of text is added where it is sent; all of ours is UTF-8
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
WORTH_PACKING = ("text/", "image/svg", "application/json", "application/manifest")
SMALLEST_PACKED_BYTES: Final = 1024  # below one network packet there is nothing to win


class PageFile(msgspec.Struct, frozen=True):
    """One file, ready to be sent; `packed` is its gzip form where that is smaller."""

    body: bytes
    packed: bytes | None
    media_type: str
    etag: str
    is_hashed: bool


class PageFiles:
    """The files below a directory; they are read again when its index changes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read_at_ns = -1
        self._files: dict[str, PageFile] = {}

    def index(self) -> PageFile | None:
        """The page itself, fresh from the last build; None where there was none."""
        try:
            changed_at_ns = (self._directory / INDEX).stat().st_mtime_ns
        except OSError:
            return None
        if changed_at_ns != self._read_at_ns:
            self._files = _read(self._directory)
            self._read_at_ns = changed_at_ns
        return self._files.get(INDEX)

    def find(self, path: str) -> PageFile | None:
        """The file at this path relative to the page."""
        if self._read_at_ns < 0:
            self.index()
        return self._files.get(path)


def _read(directory: Path) -> dict[str, PageFile]:
    files = {}
    for file in sorted(directory.rglob("*")):
        name = file.relative_to(directory).as_posix()
        is_hidden = any(part.startswith(".") for part in name.split("/"))
        if file.is_file() and not file.is_symlink() and not is_hidden:
            files[name] = _page_file(name, file.suffix, file.read_bytes())
    return files


def _page_file(name: str, suffix: str, body: bytes) -> PageFile:
    media_type = TYPES.get(suffix, "application/octet-stream")
    packed = None
    if len(body) >= SMALLEST_PACKED_BYTES and media_type.startswith(WORTH_PACKING):
        packed = gzip.compress(body, mtime=0)
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return PageFile(body, packed, media_type, etag, name.startswith(HASHED))


InjectedFiles = NamedDependency[SkipValidation[PageFiles]]


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

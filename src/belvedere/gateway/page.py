"""`/` and the files of the page, held in memory: what is not in the list cannot be requested, however it is spelt."""

import gzip
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, Response, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, SkipValidation

from belvedere.access.rights import Right
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies
from belvedere.gateway.plain_pages import PAGE_NOT_BUILT
from belvedere.gateway.problems import page_response
from belvedere.gateway.security import security_headers

IMMUTABLE = "public, max-age=31536000, immutable"  # for files whose name changes with their content
REVALIDATE = "no-cache"  # cached, but revalidated on every use
READING = [HttpMethod.GET, HttpMethod.HEAD]
GZIP: Final = "gzip"
IDENTITY: Final = "identity"  # no encoding
LEAST_WEIGHT: Final = 0.0001  # less than any weight that can be written: a coding that is named is preferred
_CODING: Final = re.compile(
    r"[ \t]*(?P<coding>[!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(;[ \t]*q=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?)[ \t]*)?"
)
_TAG: Final = re.compile(r'[ \t,]*(W/)?(?P<opaque>"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(,|$)')

INDEX: Final = "index.html"
BASE_PATH_UNKNOWN: Final = b'<meta name="belvedere-base-path" content=""'
HASHED: Final = "assets/"  # Vite puts a hash of the content into the names of these files
TYPES: Final = {  # Litestar adds the charset of text types, UTF-8
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
COMPRESSIBLE = ("text/", "image/svg", "application/json", "application/manifest")
MIN_GZIP_BYTES: Final = 1024  # what fits in one packet gains nothing


class PageFile(msgspec.Struct, frozen=True):
    """One file, ready to be sent; `gzipped` is None where compressing is not worth it."""

    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str
    is_hashed: bool


class PageFiles:
    """The files below a directory, in memory; read again when its index changes.

    The index says where the house lives: its addresses begin with the base path, since it is served at several paths.
    """

    def __init__(self, directory: Path, base_path: str = "") -> None:
        self._directory = directory
        self._base_path = base_path
        self._read_at_ns = -1
        self._files: dict[str, PageFile] = {}

    def index(self) -> PageFile | None:
        """The page itself, from the latest build; None where there is none."""
        try:
            changed_at_ns = (self._directory / INDEX).stat().st_mtime_ns
        except OSError:
            return None
        if changed_at_ns != self._read_at_ns:
            self._files = _read(self._directory, self._base_path)
            self._read_at_ns = changed_at_ns
        return self._files.get(INDEX)

    def find(self, path: str) -> PageFile | None:
        """The file at this path, relative to the directory; None where there is none."""
        if self._read_at_ns < 0:
            self.index()
        return self._files.get(path)


def _read(directory: Path, base_path: str) -> dict[str, PageFile]:
    files = {}
    for file in sorted(directory.rglob("*")):
        name = file.relative_to(directory).as_posix()
        is_hidden = any(part.startswith(".") for part in name.split("/"))
        if file.is_file() and not file.is_symlink() and not is_hidden:
            body = file.read_bytes()
            files[name] = _page_file(name, file.suffix, _placed(body, base_path) if name == INDEX else body)
    return files


def _placed(index: bytes, base_path: str) -> bytes:
    """The index with its relative addresses made absolute, and with the base path where its scripts look for that."""
    absolute = index.replace(b'="./', f'="{base_path}/'.encode())
    return absolute.replace(BASE_PATH_UNKNOWN, BASE_PATH_UNKNOWN.replace(b'""', f'"{base_path}"'.encode()))


def _page_file(name: str, suffix: str, body: bytes) -> PageFile:
    media_type = TYPES.get(suffix, "application/octet-stream")
    gzipped = None
    if len(body) >= MIN_GZIP_BYTES and media_type.startswith(COMPRESSIBLE):
        gzipped = gzip.compress(body, mtime=0)
    # Weak, because the gzip form has the same tag and other bytes (RFC 9110, section 8.8.1).
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    return PageFile(body, gzipped, media_type, etag, name.startswith(HASHED))


InjectedFiles = NamedDependency[SkipValidation[PageFiles]]


@route(["/", "/join", "/room"], http_method=READING, include_in_schema=False, sync_to_thread=False)
def index(request: Request[Any, Any, Any], dependencies: InjectedDependencies, files: InjectedFiles) -> Response[bytes]:
    """The page, which contains nothing private. A client that may look will soon do so, so the stage prepares that."""
    found = files.index()
    if found is None:
        return page_response(request, 503, PAGE_NOT_BUILT)
    session = request.scope["auth"]
    if session is not None and Right.LOOK in dependencies.invitations.rights_of(session):
        dependencies.stage.preload()
    if dependencies.page_reaches:
        return _with_policy(request, dependencies, found, dependencies.page_reaches)
    return file_response(request, found)


@route("/rooms", http_method=READING, include_in_schema=False, sync_to_thread=False)
def rooms(request: Request[Any, Any, Any], dependencies: InjectedDependencies, files: InjectedFiles) -> Response[bytes]:
    """The page that lists rooms: whoever has a session may ask those from it, and nobody else learns where they are."""
    found = files.index()
    if found is None:
        return page_response(request, 503, PAGE_NOT_BUILT)
    listed = dependencies.rooms if request.scope["auth"] is not None else ()
    origins = dict.fromkeys(room.origin for room in listed)
    return _with_policy(request, dependencies, found, origins)


def _with_policy(
    request: Request[Any, Any, Any], dependencies: Dependencies, index: PageFile, reaches: Iterable[str]
) -> Response[bytes]:
    """The index, which may ask others. Never stored: browsers would go on using the policy that they have stored."""
    headers = security_headers(request.headers.get("host", ""), dependencies.frontends, reaches)
    return Response(index.body, media_type=index.media_type, headers=headers)


@route("/{path:path}", http_method=READING, include_in_schema=False, sync_to_thread=False)
def asset(request: Request[Any, Any, Any], path: FromPath[Path], files: InjectedFiles) -> Response[bytes]:
    """One of the page's files."""
    found = files.find(path.as_posix().lstrip("/"))
    if found is None:
        raise NotFoundException
    return file_response(request, found)


def file_response(request: Request[Any, Any, Any], file: PageFile) -> Response[bytes]:
    """The file in the best encoding that the client accepts; 304 without a body where the client has it already.

    Raises an HTTP error (406) where the client accepts no encoding that the file has.
    """
    varies = {"vary": "accept-encoding"}
    accepted = _field(request, "accept-encoding")
    encoding = choose_encoding(accepted, (GZIP, IDENTITY) if file.gzipped is not None else (IDENTITY,))
    if encoding is None:
        raise HTTPException("none of the accepted encodings is available", status_code=406, headers=varies)
    headers = {"etag": file.etag, "cache-control": IMMUTABLE if file.is_hashed else REVALIDATE}
    if file.gzipped is not None:
        headers |= varies
    if names_tag(_field(request, "if-none-match") or "", file.etag):
        return Response(b"", status_code=304, media_type=file.media_type, headers=headers)
    if encoding == GZIP and file.gzipped is not None:
        headers["content-encoding"] = GZIP
        return Response(file.gzipped, media_type=file.media_type, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)


def choose_encoding(accepted: str | None, offered: Sequence[str]) -> str | None:
    """The one of the offered content codings that an `Accept-Encoding` field ranks highest, the first of equals.

    As RFC 9110, section 12.5.3, has it: `*` stands for every coding that is not named, `q=0` excludes, and what has no
    coding (`identity`) needs not be named. None where all are excluded. A member that is malformed counts as absent;
    without the field (None) nothing is encoded, for the sake of clients that do not know of encodings.
    """
    weights: dict[str, float] = {}
    for member in (accepted or "").lower().split(","):
        found = _CODING.fullmatch(member)
        if found is not None:
            coding = GZIP if found["coding"] == "x-gzip" else found["coding"]  # equivalent, section 8.4.1.3
            weights[coding] = float(found["weight"] or 1)
    others = weights.get("*")

    def weight(coding: str) -> float:
        unnamed = LEAST_WEIGHT if coding == IDENTITY else 0.0
        return weights.get(coding, unnamed if others is None else others)

    best = max(offered, key=weight)
    return best if weight(best) > 0 else None


def names_tag(known: str, etag: str) -> bool:
    """Whether an `If-None-Match` field names this entity tag or is `*`.

    Tags are compared weakly, as RFC 9110, section 13.1.2, demands. Nothing is read beyond what is malformed: at worst
    the client gets a file that it has.
    """
    if known.strip() == "*":
        return True
    position = 0
    while found := _TAG.match(known, position):
        if found["opaque"] == etag.removeprefix("W/"):
            return True
        position = found.end()
    return False


def _field(request: Request[Any, Any, Any], name: str) -> str | None:
    """A field's value; its lines, if it has several, are one list (RFC 9110, section 5.3). None where it is absent."""
    lines = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None


ROUTES = (index, rooms, asset)

"""The built page's files, held in memory: what is not in the list cannot be asked for, however it is spelt."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

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

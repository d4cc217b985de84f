"""A backup as one file: a ZIP archive of a few known members, and a manifest with their sizes and checksums.

Anybody's archive may be read here, so nothing is extracted by the names in it. What is not as `write_archive` makes it
is refused: members that the manifest does not list, other names, links, other compressions, and more than the bounds
allow.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Annotated, Final

import msgspec

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FORMAT: Final = "belvedere backup"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
STORE: Final = "store.sqlite3"
SETTINGS: Final = "belvedere.toml"
PROFILE: Final = "profile.toml"
SECRET: Final = re.compile(r"secrets/[0-9]{1,2}")

MAX_STORE_BYTES: Final = 1024 * 1024 * 1024  # a thousand times what years of visits take
MAX_FILE_BYTES: Final = 1024 * 1024  # settings, profiles and secrets have some kilobytes
MAX_MEMBERS: Final = 64
MAX_DIRECTORY_BYTES: Final = 64 * 1024
CHUNK: Final = 256 * 1024
END: Final = struct.Struct("<4s4H2LH")  # APPNOTE.TXT 4.3.16
END_MARK, ZIP64_MARK, ZIP64_BYTES = b"PK\x05\x06", b"PK\x06\x07", 20
COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED: Final = 0x1
# What zipfile and zlib raise for files that are damaged, or made to do damage.
BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, ValueError)


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and path.isprintable()


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the archive.

    Attributes:
        name: its name there.
        size: its bytes.
        sha256: of them, in hexadecimal digits.
        path: where the file was, relative to the folder of the settings file; "" if that follows from the name.
    """

    name: Annotated[str, msgspec.Meta(max_length=64)]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_STORE_BYTES)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    path: Annotated[str, msgspec.Meta(max_length=1024)] = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what must not be in an archive."""
        is_secret = SECRET.fullmatch(self.name) is not None
        if self.name not in {STORE, SETTINGS, PROFILE} and not is_secret:
            raise ValueError(f"no backup has a member {self.name[:64]!r}")
        if self.name != STORE and self.size > MAX_FILE_BYTES:
            raise ValueError(f"{self.name} is too long")
        if (is_secret or self.name == PROFILE) != bool(self.path) or (self.path and not _is_inside(self.path)):
            raise ValueError(f"{self.name} would be written outside of the settings' folder")


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the archive, and what made it.

    Attributes:
        belvedere: the version that made it.
        schema: the version of the store in it.
        created_utc_s: when, in seconds since 1970, UTC.
        host: the name of the computer.
    """

    format: str
    format_version: int
    belvedere: Annotated[str, msgspec.Meta(max_length=64)]
    schema: int
    created_utc_s: Annotated[int, msgspec.Meta(ge=0, le=2**33)]
    host: Annotated[str, msgspec.Meta(max_length=256)]
    members: Annotated[tuple[Member, ...], msgspec.Meta(max_length=MAX_MEMBERS)]


class _Kind(msgspec.Struct):
    format: str
    format_version: int


@dataclass(frozen=True, slots=True)
class Content:
    """What becomes a member: the bytes, or the file that has them."""

    name: str
    source: bytes | Path
    path: str = ""


def write_archive(file: IO[bytes], contents: Sequence[Content], manifest: Manifest) -> Manifest:
    """Write these members and the manifest, whose list of members is made here; returns it. Raises OSError."""
    members = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for content in contents:
            digest, size = hashlib.sha256(), 0
            with archive.open(_entry(content.name), "w") as target:
                for chunk in _chunks_of(content.source):
                    target.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            members.append(Member(content.name, size, digest.hexdigest(), content.path))
        manifest = msgspec.structs.replace(manifest, members=tuple(members))
        archive.writestr(_entry(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    return manifest


class Archive:
    """A backup that is open; its manifest was checked, its members are when they are read.

    Everything raises OwnerError for a file that is not as it should be.

    Attributes:
        manifest: what is in it.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._infos = {info.filename: info for info in archive.infolist()}
        self.manifest = self._read_manifest()
        listed = [MANIFEST, *(member.name for member in self.manifest.members)]
        if sorted(listed) != sorted(info.filename for info in archive.infolist()) or STORE not in listed:
            raise self._refused("its manifest does not list what is in it")
        if len(listed) > len({MANIFEST, STORE}) and SETTINGS not in listed:
            raise self._refused("it has files that settings name, and no settings")
        self._members = {member.name: member for member in self.manifest.members}

    def member(self, name: str) -> Member:
        """The member of this name, which the manifest lists."""
        return self._members[name]

    def check(self) -> None:
        """Read everything once."""
        for name in self._members:
            for _chunk in self.chunks(name):
                pass

    def content(self, name: str) -> bytes:
        """All of a member that is no store."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes; the last chunk comes only if size and checksum are right."""
        member, digest, size = self._members[name], hashlib.sha256(), 0
        waiting = b""
        for chunk in self._chunks(name):
            size += len(chunk)
            if size > member.size:
                break
            digest.update(chunk)
            if waiting:
                yield waiting
            waiting = chunk
        if size != member.size or digest.hexdigest() != member.sha256:
            raise self._refused(f"{name} is damaged: its checksum is another")
        yield waiting

    def _read_manifest(self) -> Manifest:
        info = self._infos.get(MANIFEST)
        if info is None or info.file_size > MAX_FILE_BYTES:
            raise self._refused("is no backup of Belvedere: it has no manifest")
        content = b"".join(self._chunks(MANIFEST))
        try:
            kind = msgspec.json.decode(content, type=_Kind)
            if kind.format != FORMAT:
                raise self._refused("is no backup of Belvedere")
            if kind.format_version != FORMAT_VERSION:
                raise self._refused(f"was made by a later Belvedere (format {kind.format_version}): install that")
            return msgspec.json.decode(content, type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._refused(f"its manifest is damaged: {error}") from error

    def _chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an entry, at most MAX_STORE_BYTES, whatever its header says."""
        info = self._infos[name]
        if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
            raise self._refused(f"{name} is a link or the like")
        if info.flag_bits & ENCRYPTED or info.compress_type not in COMPRESSIONS:
            raise self._refused(f"{name} is encrypted, or compressed in another way")
        bound = MAX_STORE_BYTES if name == STORE else MAX_FILE_BYTES
        try:
            with self._archive.open(info) as file:
                while chunk := file.read(CHUNK):
                    bound -= len(chunk)
                    if bound < 0:
                        raise self._refused(f"{name} is too long")
                    yield chunk
        except (*BROKEN, OSError) as error:
            raise self._refused(f"{name} is damaged: {error}") from error

    def _refused(self, problem: str) -> OwnerError:
        return OwnerError(f"{self._path}: {problem}")


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a backup. Raises OwnerError for what is none, or cannot be read."""
    with open_regular(path) as file:
        _check_end(file, path)
        try:
            archive = zipfile.ZipFile(file)
        except (*BROKEN, OSError) as error:
            raise OwnerError(f"{path}: is damaged: {error}") from error
        with archive:
            yield Archive(path, archive)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file to read it; never waits, as opening a pipe would. Raises OwnerError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise OwnerError(f"{path}: cannot be read: {getattr(error, 'strerror', error)}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OwnerError(f"{path}: is no file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _check_end(file: IO[bytes], path: Path) -> None:
    """Refuse a directory that zipfile should not even read: too long, of too many members, or not at the end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END.size - ZIP64_BYTES))
    tail = file.read()
    is_whole = len(tail) >= END.size and tail[-END.size :].startswith(END_MARK)
    if not is_whole:
        raise OwnerError(f"{path}: is truncated, or no backup of Belvedere")
    *_, count, _all, length, _at, comment = END.unpack(tail[-END.size :])
    if tail.startswith(ZIP64_MARK) or count > MAX_MEMBERS + 1 or length > MAX_DIRECTORY_BYTES or comment:
        raise OwnerError(f"{path}: is no backup of Belvedere: it has too many members")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # without the time, so that the same content gives the same archive
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | stat.S_IRUSR | stat.S_IWUSR) << 16
    return entry


def _chunks_of(source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk

"""Finds the log in the files that people have: bug reports of phones, other archives, and compressed files.

What is inside is known by its first bytes, not by its name, because each maker has names and places of its own. All is
bounded: an archive may come from anybody, and a few kilobytes can expand to terabytes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from belvedere.errors import OwnerError
from belvedere.lab.logs import btsnooz
from belvedere.lab.logs.reader import is_log
from belvedere.lab.logs.records import NotALogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COPY_BYTES = 1 << 20
MAX_LOG_BYTES = 1 << 30  # of one log; phones keep at most some hundred megabytes
MAX_UNPACKED_BYTES = 4 << 30  # of all that is looked at; a bug report has hundreds of megabytes
MAX_ENTRIES = 50_000  # of one archive; a bug report has thousands
MAX_READ_BYTES = 8 << 20  # at once: as much as the list of so many entries takes, and more than any entry's header
MAX_DEPTH = 3  # of archives within archives; Samsung packs a bug report into another
HEAD_BYTES = 512  # enough to know a kind of file
MAX_LINE_BYTES = 65_536
TEXT_START = (b"====", b"--- BEGIN:BTSNOOP")
COMPRESSIONS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda file: cast("BinaryIO", gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: cast("BinaryIO", bz2.BZ2File(file)),
    b"\xfd7zXZ": lambda file: cast("BinaryIO", lzma.LZMAFile(file)),  # noqa: SIM115 - closed by whoever calls this
}
ZIP = b"PK\3\4"
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
WHERE_LOGS_ARE = (
    "a bug report has it in FS/data/misc/bluetooth/logs/, Samsung's in FS/data/log/bt/, OPPO's and OnePlus' in"
    " FS/data/persist_log/DCS/de/network_logs/bt/. Switch the Bluetooth HCI snoop log on in the developer options,"
    " switch Bluetooth off and on, drive the head, and take another bug report"
)


class FoundLog(NamedTuple):
    """A log as a file of its own.

    Attributes:
        path: of the log.
        inside: its name in the archive, or "" if the file itself is the log.
        others: the names of other logs in the same archive.
    """

    path: Path
    inside: str = ""
    others: tuple[str, ...] = ()


class _Candidate(NamedTuple):
    """A log in an archive; the last in order is the newest."""

    is_current: bool
    changed: tuple[int, ...]
    size: int
    name: str
    path: Path


class _Budget:
    """How much may still be unpacked."""

    def __init__(self) -> None:
        self._left = MAX_UNPACKED_BYTES

    def take(self, count: int) -> None:
        """Count unpacked bytes. Raises NotALogError where they are too many."""
        self._left -= count
        if self._left < 0:
            raise NotALogError(f"it expands to more than {MAX_UNPACKED_BYTES >> 30} GiB; unpack the log yourself")


class _BoundedReads:
    """A file for libraries that read as much at once as an archive says: the list of its entries, or a name."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file = file

    def seekable(self) -> bool:
        """It can seek."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read so much, or all that is left. Raises NotALogError where that is too much."""
        data = self._file.read(MAX_READ_BYTES + 1 if size < 0 else min(size, MAX_READ_BYTES + 1))
        if len(data) > MAX_READ_BYTES:
            raise NotALogError("its list of files is too long; unpack the log yourself")
        return data


@contextmanager
def found_log(path: Path, name: str) -> Iterator[FoundLog]:
    """The log in a file, as a file of its own while in here; `name` is used in messages. Raises OwnerError."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise OwnerError(f"{name}: {error.strerror or error}") from error
    if not _is_container(head):
        yield FoundLog(path)
        return
    with tempfile.TemporaryDirectory(prefix="belvedere-") as folder:
        search = _Search(Path(folder))
        try:
            with path.open("rb") as file:
                search.look_into(file, "", (), 0)
        except (*DAMAGED, RuntimeError, ValueError, NotALogError, OSError) as error:
            if not search.found:
                raise OwnerError(f"{name}: {_explained(error)}") from error
        if not search.found:
            raise OwnerError(f"{name}: {_what(head)} without a Bluetooth log: {WHERE_LOGS_ARE}")
        *others, newest = sorted(search.found)
        yield FoundLog(newest.path, newest.name or "the log", tuple(one.name for one in reversed(others)))


def _is_container(head: bytes) -> bool:
    return bool(_compression(head)) or head.startswith((ZIP, *TEXT_START)) or _is_tar(head)


def _compression(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    return next((opened for magic, opened in COMPRESSIONS.items() if head.startswith(magic)), None)


def _is_tar(head: bytes) -> bool:
    return head.startswith(TAR_MAGIC, TAR_MAGIC_AT)


def _what(head: bytes) -> str:
    if head.startswith(TEXT_START):
        return "a bug report as text"
    return "an archive" if head.startswith(ZIP) or _is_tar(head) else "a compressed file"


def _explained(error: Exception) -> str:
    if isinstance(error, NotALogError):
        return str(error)
    if isinstance(error, RuntimeError):  # zipfile's for encrypted entries
        return "the archive needs a password: unpack it first"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"cannot be unpacked: {' '.join(str(reason).split()) or 'damaged'}"


class _Search:
    """Looks for logs in a file, in archives in it, and so on.

    Attributes:
        found: the logs so far, each copied to a file of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.found: list[_Candidate] = []
        self._folder = folder
        self._budget = _Budget()

    def look_into(self, file: BinaryIO, name: str, changed: tuple[int, ...], depth: int) -> None:
        """Look into a file that can seek. Raises what the archive's library raises, and NotALogError."""
        head = file.read(HEAD_BYTES)
        file.seek(0)
        opened = _compression(head)
        if is_log(head):
            self._keep(name, changed, lambda target: self._copy(file, target))
        elif head.startswith(TEXT_START):
            section = name or "the btsnooz section"
            self._keep(section, changed, lambda target: btsnooz.write_section(self._lines(file), target))
        elif depth >= MAX_DEPTH:
            return
        elif opened is not None:
            with tempfile.TemporaryFile(dir=self._folder) as unpacked, opened(file) as packed:
                self._copy(packed, unpacked)
                unpacked.seek(0)
                self.look_into(cast("BinaryIO", unpacked), name, changed, depth + 1)
        elif head.startswith(ZIP):
            self._look_into_zip(file, depth)
        elif _is_tar(head):
            self._look_into_tar(file, depth)

    def _look_into_zip(self, file: BinaryIO, depth: int) -> None:
        with zipfile.ZipFile(cast("BinaryIO", _BoundedReads(file))) as archive:
            for entry in archive.infolist()[:MAX_ENTRIES]:
                if not entry.is_dir():
                    with archive.open(entry) as packed:
                        self._look_into_entry(cast("BinaryIO", packed), entry.filename, entry.date_time, depth)

    def _look_into_tar(self, file: BinaryIO, depth: int) -> None:
        with tarfile.open(fileobj=cast("BinaryIO", _BoundedReads(file)), mode="r:") as archive:
            for number, entry in enumerate(archive):
                # It would keep all entries, with names of any length.
                archive.members.clear()  # type: ignore[attr-defined]  # its stubs have no such name
                packed = archive.extractfile(entry) if entry.isfile() and number < MAX_ENTRIES else None
                if packed is not None:
                    with packed:
                        self._look_into_entry(cast("BinaryIO", packed), entry.name, _changed(entry), depth)
                elif number >= MAX_ENTRIES:
                    return

    def _look_into_entry(self, packed: BinaryIO, name: str, changed: tuple[int, ...], depth: int) -> None:
        """Copy an entry that may be a log, or may have one, and look into the copy."""
        head = packed.read(HEAD_BYTES)
        if not is_log(head) and not _is_container(head):
            return
        with tempfile.TemporaryFile(dir=self._folder) as copy:
            copy.write(head)
            self._copy(packed, cast("BinaryIO", copy))
            copy.seek(0)
            self.look_into(cast("BinaryIO", copy), name, changed, depth + 1)

    def _keep(self, name: str, changed: tuple[int, ...], write: Callable[[BinaryIO], bool]) -> None:
        path = self._folder / f"log-{len(self.found)}"
        with path.open("wb") as target:
            is_found = write(target)
            size = target.tell()
        if is_found:
            is_current = not name.endswith(".last")  # Android's name for the log before this one
            self.found.append(_Candidate(is_current, changed, size, printable(name), path))

    def _copy(self, source: BinaryIO, target: BinaryIO) -> bool:
        """Copy all that is left, within bounds."""
        copied = 0
        while chunk := source.read(COPY_BYTES):
            copied += len(chunk)
            self._budget.take(len(chunk))
            if copied > MAX_LOG_BYTES:
                raise NotALogError(f"a file in it is larger than {MAX_LOG_BYTES >> 30} GiB; unpack the log yourself")
            target.write(chunk)
        return True

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        while line := file.readline(MAX_LINE_BYTES):
            yield line


def _changed(entry: tarfile.TarInfo) -> tuple[int, ...]:
    """When it was changed; () where it says nothing that is a time."""
    return (int(entry.mtime),) if math.isfinite(entry.mtime) else ()


def printable(name: str) -> str:
    """The name of an archive's entry as printable text, because anybody may have named it."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)

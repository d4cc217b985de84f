from __future__ import annotations

import hashlib
import io
import os
import random
import stat
import struct
import zipfile
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.app.backup_archive import (
    FORMAT,
    FORMAT_VERSION,
    MAX_FILE_BYTES,
    SETTINGS,
    STORE,
    Content,
    Manifest,
    Member,
    open_archive,
    write_archive,
)
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORED = b"the store " * 100_000
MANIFEST = Manifest(FORMAT, FORMAT_VERSION, "1.0", 8, 1_800_000_000, "kitchen", ())
CONTENTS = (Content(STORE, STORED), Content(SETTINGS, b"[stage]\n"), Content("secrets/0", b"secret", "keys/turn"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "backup.zip"


def write(path: Path) -> bytes:
    with path.open("wb") as file:
        write_archive(file, CONTENTS, MANIFEST)
    return path.read_bytes()


def read(path: Path) -> dict[str, bytes]:
    with open_archive(path) as archive:
        archive.check()
        return {member.name: archive.content(member.name) for member in archive.manifest.members}


def member(name: str, content: bytes, path: str = "") -> Member:
    return Member(name, len(content), hashlib.sha256(content).hexdigest(), path)


def made_by_hand(
    path: Path,
    *entries: tuple[zipfile.ZipInfo | str, bytes],
    members: tuple[Member, ...] | None = None,
    changes: dict[str, object] | None = None,
) -> None:
    """An archive of these entries, with a manifest that lists them unless others are given."""
    listed = members if members is not None else tuple(member(str(name), content) for name, content in entries)
    manifest = {**msgspec.to_builtins(MANIFEST), "members": msgspec.to_builtins(listed), **(changes or {})}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*entries, ("manifest.json", msgspec.json.encode(manifest))):
            archive.writestr(name, content)


def test_what_was_written_is_read_and_the_same_content_gives_the_same_file(path: Path) -> None:
    first = write(path)
    assert read(path) == {content.name: content.source for content in CONTENTS}
    with open_archive(path) as archive:
        assert (archive.manifest.host, archive.manifest.schema) == ("kitchen", 8)
        assert archive.member("secrets/0").path == "keys/turn"
    assert write(path) == first


def test_a_truncated_backup_is_refused_wherever_it_ends(path: Path) -> None:
    whole = write(path)
    for length in (0, 1, 21, 22, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(OwnerError, match=r"backup\.zip: is (truncated|damaged)"):
            read(path)


def test_no_changed_byte_gives_other_content(path: Path) -> None:
    whole, expected, chance = bytearray(write(path)), read(path), random.Random(1)
    refused = 0
    places = [*range(len(whole) - 900, len(whole)), *chance.sample(range(len(whole) - 900), 300)]
    for place in places:
        changed = whole.copy()
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        try:
            found = read(path)
        except OwnerError:
            refused += 1
            continue
        assert found == expected  # such as a time, which says nothing
    assert refused > len(places) / 2


def test_another_archive_and_no_archive_are_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("holiday.jpg", b"picture")
    with pytest.raises(OwnerError, match="is no backup of Belvedere: it has no manifest"):
        read(path)
    made_by_hand(path, (STORE, b"x"), changes={"format": "other"})
    with pytest.raises(OwnerError, match=r"is no backup of Belvedere$"):
        read(path)
    path.write_bytes(b"GIF89a" * 100)
    with pytest.raises(OwnerError, match="no backup of Belvedere"):
        read(path)
    with pytest.raises(OwnerError, match="is no file"):
        read(path.parent)
    os.mkfifo(path.parent / "pipe")
    with pytest.raises(OwnerError, match="is no file"):
        read(path.parent / "pipe")
    with pytest.raises(OwnerError, match="cannot be read: No such file"):
        read(path.parent / "nowhere")


def test_a_backup_of_a_later_format_is_refused_by_its_number_alone(path: Path) -> None:
    made_by_hand(path, (STORE, b"x"), changes={"format_version": 2, "members": "of another kind"})
    with pytest.raises(OwnerError, match=r"made by a later Belvedere \(format 2\)"):
        read(path)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "secrets/../x", "secrets/0/1", "secrets/100", "STORE", "store.sqlite3/"]
)
def test_a_name_that_no_backup_has_is_refused(path: Path, name: str) -> None:
    listed = [{"name": each, "size": 1, "sha256": "0" * 64, "path": "a"} for each in (STORE, name)]
    made_by_hand(path, (STORE, b"x"), (name, b"x"), members=(), changes={"members": listed})
    with pytest.raises(OwnerError, match="its manifest is damaged"):
        read(path)
    with pytest.raises(ValueError, match="no backup has a member"):
        Member(name, 1, "0" * 64, "a")


@pytest.mark.parametrize("place", ["../turn", "/etc/shadow", "a/../../b", "", ".", "a\nb", "a/.."])
def test_a_secret_is_never_put_outside_of_the_settings_folder(place: str) -> None:
    with pytest.raises(ValueError, match="outside of the settings' folder"):
        Member("secrets/0", 1, "0" * 64, place)


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_a_link_is_refused(path: Path) -> None:
    made_by_hand(path, (link(STORE), b"/etc/shadow"), members=(member(STORE, b"/etc/shadow"),))
    with pytest.raises(OwnerError, match="is a link"):
        read(path)


def test_other_compressions_are_refused(path: Path) -> None:
    entry = zipfile.ZipInfo(STORE)
    entry.compress_type = zipfile.ZIP_LZMA
    made_by_hand(path, (entry, b"x"), members=(member(STORE, b"x"),))
    with pytest.raises(OwnerError, match="compressed in another way"):
        read(path)


def test_what_is_listed_twice_or_not_at_all_or_without_its_settings_is_refused(path: Path) -> None:
    twice = (member(STORE, b"x"), member(STORE, b"x"))
    made_by_hand(path, (STORE, b"x"), members=twice)
    with pytest.raises(OwnerError, match="does not list what is in it"):
        read(path)
    made_by_hand(path, (STORE, b"x"), (SETTINGS, b""), members=(member(STORE, b"x"),))
    with pytest.raises(OwnerError, match="does not list what is in it"):
        read(path)
    made_by_hand(path, (STORE, b"x"), members=(member(STORE, b"y"),))
    with pytest.raises(OwnerError, match=r"store\.sqlite3 is damaged: its checksum is another"):
        read(path)
    made_by_hand(path, (SETTINGS, b""))
    with pytest.raises(OwnerError, match="does not list what is in it"):
        read(path)
    made_by_hand(
        path, (STORE, b"x"), ("secrets/0", b"s"), members=(member(STORE, b"x"), member("secrets/0", b"s", "a"))
    )
    with pytest.raises(OwnerError, match="and no settings"):
        read(path)


def test_what_unpacks_to_more_than_it_says_is_given_up_early(path: Path) -> None:
    bomb = bytes(64 * 1024 * 1024)
    lying = Member(STORE, 10, hashlib.sha256(bomb).hexdigest())
    made_by_hand(path, (STORE, bomb), members=(lying,))
    assert path.stat().st_size < MAX_FILE_BYTES / 10
    given: list[bytes] = []
    with open_archive(path) as archive, pytest.raises(OwnerError, match="checksum is another"):
        given.extend(archive.chunks(STORE))
    assert given == []
    made_by_hand(path, (STORE, b"x"), (SETTINGS, bomb), members=(member(STORE, b"x"), member(SETTINGS, b"")))
    with open_archive(path) as archive, pytest.raises(OwnerError, match=r"belvedere\.toml (is too long|is damaged)"):
        archive.check()
    with pytest.raises(ValueError, match="too long"):
        Member(SETTINGS, MAX_FILE_BYTES + 1, "0" * 64)


def many_members() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(70):
            archive.writestr(str(number), b"")
    return file.getvalue()


def with_a_comment() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"hello"
    return file.getvalue()


def of_zip64() -> bytes:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 50, 0, 0)
    return bytes(100) + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + end


@pytest.mark.parametrize("make", [many_members, with_a_comment, of_zip64])
def test_a_directory_that_might_fill_the_memory_is_not_read(path: Path, make: Callable[[], bytes]) -> None:
    path.write_bytes(make())
    with pytest.raises(OwnerError, match="no backup of Belvedere"):
        read(path)

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from belvedere.app.secret_files import MAX_BYTES, SecretFiles
from belvedere.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"open sesame", "open sesame"),
        (b"open sesame\n", "open sesame"),
        (b"open sesame\r\n", "open sesame"),
        (b"open\nsesame\n\n", "open\nsesame\n"),
        (b" a\r", " a\r"),
        (b"x" * MAX_BYTES, "x" * MAX_BYTES),
    ],
)
def test_a_secret_is_what_its_file_contains_without_one_last_line_break(
    tmp_path: Path, content: bytes, text: str
) -> None:
    write(tmp_path / "key", content)
    files = SecretFiles(tmp_path, None)
    assert files.decode(Secret, "key") == Secret(text)
    assert files.warnings == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"x" * (MAX_BYTES + 1), "longer than"),
        (b"\xffsesame", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_secret_is_refused_by_its_path_alone(tmp_path: Path, content: bytes, problem: str) -> None:
    path = write(tmp_path / "key", content)
    with pytest.raises(ValueError, match=problem) as caught:
        SecretFiles(tmp_path, None).decode(Secret, "key")
    assert str(path) in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_what_is_no_file_is_refused_at_once_even_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder", "/dev/zero"):
        with pytest.raises(ValueError, match="cannot be read: not a regular file"):
            SecretFiles(tmp_path, None).decode(Secret, name)


@pytest.mark.parametrize("value", ["", "a\0b", "a\nb", 3, None, ["key"]])
def test_what_is_no_path_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(ValueError, match="expected the path of a file"):
        SecretFiles(tmp_path, None).decode(Secret, value)


def test_a_path_is_absolute_or_in_the_credentials_directory_or_the_settings_folder(tmp_path: Path) -> None:
    credentials, folder, elsewhere = (tmp_path / name for name in ("credentials", "folder", "elsewhere"))
    for place in (credentials, folder, elsewhere):
        place.mkdir()
        write(place / "key", place.name.encode())
    files = SecretFiles(folder, credentials)
    assert files.decode(Secret, str(elsewhere / "key")) == Secret("elsewhere")
    assert files.decode(Secret, "key") == Secret("credentials")
    (credentials / "key").unlink()
    assert files.decode(Secret, "key") == Secret("folder")


def test_a_link_to_a_file_is_followed_as_kubernetes_secrets_are_links(tmp_path: Path) -> None:
    write(tmp_path / "data", b"sesame")
    (tmp_path / "key").symlink_to(tmp_path / "data")
    assert SecretFiles(tmp_path, None).decode(Secret, "key") == Secret("sesame")


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o640, 0), (0o644, 1), (0o604, 1)])
def test_a_file_that_every_user_can_read_is_warned_of(tmp_path: Path, mode: int, count: int) -> None:
    path = write(tmp_path / "key", b"sesame", mode)
    files = SecretFiles(tmp_path, None)
    files.decode(Secret, "key")
    assert [f"chmod o= {path}" in warning for warning in files.warnings] == [True] * count
    assert "sesame" not in str(files.warnings)


def test_other_types_are_for_msgspec_to_refuse(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError):
        SecretFiles(tmp_path, None).decode(complex, "1")

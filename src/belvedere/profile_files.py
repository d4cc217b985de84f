"""Reads the texts that an owner names, and profiles by the name of a shipped one or the path of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.errors import SettingsError
from belvedere.head.profile import load_profile, shipped_profile

if TYPE_CHECKING:
    from belvedere.head.profile import HeadProfile

NO_FOLDER = Path()


def read_profile(name: str, source: str, key: str = "", folder: Path = NO_FOLDER) -> HeadProfile:
    """The shipped profile of this name, or the one in a .toml file whose path is relative to `folder`.

    `source` and `key` say in errors where the name is from: an option, or a settings file and its key.
    Raises SettingsError.
    """
    if name.endswith(".toml"):
        return read_profile_file(folder / name, f"the profile that {key or source} names: ")
    try:
        return shipped_profile(name)
    except SettingsError as error:
        raise SettingsError(source, key, error.problem, f"{error.allowed}, or a file.toml") from error


def read_profile_file(path: Path, what: str = "") -> HeadProfile:
    """The profile in the owner's own file, never a shipped one. For `what` see `read_text`. Raises SettingsError."""
    return load_profile(read_text(path, what), str(path))


def read_text(path: Path, what: str = "") -> str:
    """The text of a file; `what` says in errors what it is ("the profile: "). Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), "", f"{what}cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), "", f"{what}is not UTF-8 text") from error

"""Reads the secrets whose files the settings name by keys that end in `_file`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from belvedere.secret import Secret

MAX_BYTES = 8192  # a password, a token or a private key; a longer file is some other file


class SecretFiles:
    """Reads secrets at the start of the program.

    A relative path is looked for in systemd's credentials directory, if there is one, then in the settings' folder.

    Attributes:
        warnings: a line for each file read so far that every user of the computer can read too.
        paths: the files read so far.
    """

    def __init__(self, folder: Path, credentials: Path | None) -> None:
        self._folders = [folder] if credentials is None else [credentials, folder]
        self.warnings: list[str] = []
        self.paths: list[Path] = []

    def decode(self, kind: type, value: object) -> object:
        """Convert a path in the settings to the secret in that file. Raises ValueError, as msgspec requires."""
        if kind is not Secret:
            raise NotImplementedError(f"settings of type {kind}")
        if not isinstance(value, str) or not value.isprintable() or not value:
            raise ValueError("expected the path of a file")
        return self._read(self._path(value))

    def _path(self, name: str) -> Path:
        paths = [folder / name for folder in self._folders]
        return next((path for path in paths if os.path.lexists(path)), paths[-1])

    def _read(self, path: Path) -> Secret:
        try:
            content, mode = _content_of(path)
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from error
        if len(content) > MAX_BYTES:
            raise ValueError(f"{path} is longer than {MAX_BYTES} bytes, so it is not a secret")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8 text") from None  # the cause would show the content
        self.paths.append(path)
        text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
        if not text:
            raise ValueError(f"{path} is empty")
        if mode & stat.S_IROTH:
            self.warnings.append(f"every user of this computer can read the secret in {path}: chmod o= {path}")
        return Secret(text)


def secret_files_for(settings: Path) -> SecretFiles:
    """Reads those that a settings file names, for this process; as a service, its credentials come first."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return SecretFiles(settings.parent, Path(credentials) if credentials else None)


def _content_of(path: Path) -> tuple[bytes, int]:
    """The beginning of a regular file, and its mode. Raises OSError; never waits, as opening a pipe would."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "not a regular file")
        return os.read(descriptor, MAX_BYTES + 1), mode
    finally:
        os.close(descriptor)

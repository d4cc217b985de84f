"""The computer on which Belvedere is installed: its files, users and groups, and the commands that change them."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from pathlib import PurePosixPath

COMMAND_TIMEOUT_S: Final = 900.0  # long after the 90 s that systemd gives a service to start
ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


class User(NamedTuple):
    """A user, with the names of all groups."""

    number: int
    groups: frozenset[str]


class Computer(Protocol):
    """What an installation may do to a computer."""

    def path(self, path: PurePosixPath) -> Path:
        """Where a path of the computer is found."""
        ...

    def user(self, name: str) -> User | None:
        """The user of this name."""
        ...

    def has_group(self, name: str) -> bool:
        """Whether there is a group of this name."""
        ...

    def set_owner(self, path: Path, group: str) -> bool:
        """Give a file to root and a group; returns whether it was another's before."""
        ...

    def run(self, *words: str) -> str:
        """Run a command; returns what it printed. Raises OwnerError with its words where it fails."""
        ...


class ThisComputer:
    """This computer (a `Computer`)."""

    def path(self, path: PurePosixPath) -> Path:
        """The path itself."""
        return Path(path)

    def user(self, name: str) -> User | None:
        """The user of this name."""
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            return None
        groups = (each.gr_name for each in grp.getgrall() if name in each.gr_mem or each.gr_gid == found.pw_gid)
        return User(found.pw_uid, frozenset(groups))

    def has_group(self, name: str) -> bool:
        """Whether there is a group of this name."""
        try:
            grp.getgrnam(name)
        except KeyError:
            return False
        return True

    def set_owner(self, path: Path, group: str) -> bool:
        """Give a file to root and a group; a symbolic link is not followed."""
        wanted = (0, grp.getgrnam(group).gr_gid)
        found = os.lstat(path)
        if (found.st_uid, found.st_gid) == wanted:
            return False
        os.chown(path, *wanted, follow_symlinks=False)
        return True

    def run(self, *words: str) -> str:
        """Run a command of the system, for COMMAND_TIMEOUT_S at most."""
        program = shutil.which(words[0], path=ENVIRONMENT["PATH"])
        if program is None:
            raise OwnerError(f"there is no command {words[0]} on this computer")
        command = " ".join(words)
        try:
            ended = subprocess.run(  # noqa: S603 - words of our own, and no shell
                [program, *words[1:]],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=ENVIRONMENT,
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise OwnerError(f"{command}: did not end within {COMMAND_TIMEOUT_S:g} s") from None
        if ended.returncode:
            raise OwnerError(f"{command}: {ended.stderr.strip() or f'status {ended.returncode}'}")
        return ended.stdout

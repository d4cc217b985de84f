"""What an installation consists of: each step says what must hold afterwards, so that repeating it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from belvedere.secret import Secret


@dataclass(frozen=True, slots=True)
class EnsureGroup:
    """A system group exists."""

    name: str

    def __str__(self) -> str:
        return f"create the system group {self.name}"


@dataclass(frozen=True, slots=True)
class EnsureUser:
    """A system user exists, whose group has the same name; it cannot log in."""

    name: str
    home: PurePosixPath

    def __str__(self) -> str:
        return f"create the system user {self.name}"


@dataclass(frozen=True, slots=True)
class EnsureMembership:
    """A user is in a group, where this computer has that group."""

    user: str
    group: str

    def __str__(self) -> str:
        return f"add the user {self.user} to the group {self.group}, if there is one"


@dataclass(frozen=True, slots=True)
class EnsureFolder:
    """A folder of root and a group exists, with these permissions."""

    path: PurePosixPath
    group: str
    mode: int

    def __str__(self) -> str:
        return f"create the folder {self.path} (root:{self.group} {self.mode:04o})"


@dataclass(frozen=True, slots=True)
class EnsureFile:
    """A file of root and a group has this content, with these permissions.

    Attributes:
        is_owners: the owner may have changed it: one that exists is kept as it is.
    """

    path: PurePosixPath
    content: str | Secret
    group: str = "root"
    mode: int = 0o644
    is_owners: bool = False

    def __str__(self) -> str:
        kept = ", kept if it exists" if self.is_owners else ""
        return f"write {self.path} (root:{self.group} {self.mode:04o}{kept})"


@dataclass(frozen=True, slots=True)
class EnsureBusPolicy:
    """D-Bus has read this policy, if it was changed."""

    path: PurePosixPath

    def __str__(self) -> str:
        return "reload D-Bus, if its policy has changed"


@dataclass(frozen=True, slots=True)
class EnsureService:
    """A service is enabled, and runs with what these files say.

    Attributes:
        is_awaited: wait until it has started; one that needs the network may take long.
    """

    name: str
    files: tuple[PurePosixPath, ...]
    is_awaited: bool = True

    def __str__(self) -> str:
        return f"enable {self.name}, and start it, or restart it if its files have changed"


@dataclass(frozen=True, slots=True)
class EnsureInstances:
    """Those services of a template that run do so with what this file says; none is started.

    Attributes:
        pattern: of the names of these services.
    """

    pattern: str
    file: PurePosixPath

    def __str__(self) -> str:
        return f"restart what runs of {self.pattern}, if its file has changed"


@dataclass(frozen=True, slots=True)
class RemoveService:
    """A service neither runs nor is enabled."""

    name: str

    def __str__(self) -> str:
        return f"stop and disable {self.name}"


@dataclass(frozen=True, slots=True)
class RemoveInstances:
    """No service of a template runs or is enabled.

    Attributes:
        pattern: of the names of these services.
    """

    pattern: str
    file: PurePosixPath

    def __str__(self) -> str:
        return f"stop and disable {self.pattern}"


@dataclass(frozen=True, slots=True)
class RemoveFile:
    """A file does not exist."""

    path: PurePosixPath

    def __str__(self) -> str:
        return f"remove {self.path}"


@dataclass(frozen=True, slots=True)
class RemoveFolder:
    """A folder does not exist, nor anything in it."""

    path: PurePosixPath

    def __str__(self) -> str:
        return f"remove the folder {self.path} with all that is in it"


@dataclass(frozen=True, slots=True)
class RemoveUser:
    """A system user and its group do not exist."""

    name: str

    def __str__(self) -> str:
        return f"remove the system user {self.name} and its group"


Step: TypeAlias = (
    EnsureGroup
    | EnsureUser
    | EnsureMembership
    | EnsureFolder
    | EnsureFile
    | EnsureBusPolicy
    | EnsureService
    | EnsureInstances
    | RemoveService
    | RemoveInstances
    | RemoveFile
    | RemoveFolder
    | RemoveUser
)

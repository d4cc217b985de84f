"""A computer with systemd in a folder: users, groups and services are values, which commands change as in earnest."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from belvedere.atomic_files import partial_of
from belvedere.errors import OwnerError
from belvedere.installation.computer import User

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath


@dataclass
class Unit:
    """What systemd knows of a service."""

    is_enabled: bool = False
    is_active: bool = False
    loaded_text: str | None = None


@dataclass
class FakeComputer:
    """A `Computer`.

    Attributes:
        root: the folder that stands for `/`.
        users: by name, with their groups.
        groups: all names.
        owners: the group of each file whose owner was set.
        ran: the commands that changed something, in their order.
        failing: commands, by their beginning, that fail.
    """

    root: Path
    users: dict[str, User] = field(default_factory=dict)
    groups: set[str] = field(default_factory=lambda: {"video", "audio"})
    owners: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    failing: str | None = None
    _units: dict[str, Unit] = field(default_factory=dict)

    def path(self, path: PurePosixPath) -> Path:
        """Where a path of the computer is found."""
        return self.root / path.relative_to("/")

    def user(self, name: str) -> User | None:
        """The user of this name."""
        return self.users.get(name)

    def has_group(self, name: str) -> bool:
        """Whether there is a group of this name."""
        return name in self.groups

    def set_owner(self, path: Path, group: str) -> bool:
        """Note the group of a file; one that will replace another counts as that."""
        name = path.name.removeprefix(".").removesuffix(".partial")
        replaced = path.with_name(name) if path == partial_of(path.with_name(name)) else path
        key = str(replaced.relative_to(self.root))
        is_other = self.owners.get(key) != group
        self.owners[key] = group
        return is_other

    def run(self, *words: str) -> str:
        """Do what the command does; one that is not known is an error of the test."""
        if words[:2] == ("systemctl", "show"):
            return self._shown(words[2])
        if words[:2] == ("systemctl", "list-units"):
            return "".join(f"{name} loaded active running\n" for name in self._active(words[-1]))
        command = " ".join(words)
        if self.failing is not None and command.startswith(self.failing):
            raise OwnerError(f"{command}: status 1")
        self.ran.append(command)
        match words:
            case ("groupadd", "--system", name):
                self.groups.add(name)
            case ("groupdel", name):
                self.groups.remove(name)
            case ("useradd", "--system", "--gid", group, *_options, name):
                self.users[name] = User(999, frozenset({group}))
            case ("userdel", name):
                del self.users[name]
                self.groups.discard(name)
            case ("usermod", "--append", "--groups", group, name):
                self.users[name] = User(self.users[name].number, self.users[name].groups | {group})
            case ("systemctl", *rest):
                self._systemctl(rest)
            case _:
                raise AssertionError(f"an unknown command: {command}")
        return ""

    def unit(self, name: str) -> Unit:
        """The service of this name."""
        return self._units.setdefault(name, Unit())

    def _systemctl(self, words: list[str]) -> None:
        match words:
            case ["daemon-reload"]:
                for name, unit in self._units.items():
                    unit.loaded_text = self._text(name)
            case ["enable", name]:
                self.unit(name).is_enabled = True
            case ["restart" | "stop" as verb, *names]:
                self._set_active([name for name in names if not name.startswith("--")], is_active=verb == "restart")
            case ["disable", "--now", name]:
                self.unit(name).is_active = self.unit(name).is_enabled = False
            case ["disable", template]:
                self._disable_instances(template)
            case ["try-reload-or-restart", "dbus.service"]:
                pass
            case _:
                raise AssertionError(f"an unknown command of systemctl: {words}")

    def _set_active(self, names: list[str], *, is_active: bool) -> None:
        for name in names:
            self.unit(name).is_active = is_active

    def _disable_instances(self, template: str) -> None:
        for name, unit in self._units.items():
            if name.partition("@")[0] == template.partition("@")[0]:
                unit.is_enabled = False

    def _active(self, pattern: str) -> list[str]:
        return sorted(name for name, unit in self._units.items() if unit.is_active and fnmatch(name, pattern))

    def _shown(self, name: str) -> str:
        unit, text = self.unit(name), self._text(name)
        if unit.loaded_text is None:
            unit.loaded_text = text
        return "\n".join(
            (
                f"LoadState={'loaded' if unit.loaded_text is not None else 'not-found'}",
                f"UnitFileState={'enabled' if unit.is_enabled else 'disabled'}",
                f"ActiveState={'active' if unit.is_active else 'inactive'}",
                f"NeedDaemonReload={'yes' if unit.loaded_text != text else 'no'}",
            )
        )

    def _text(self, name: str) -> str | None:
        prefix, at, _instance = name.partition("@")
        path = self.root / "etc/systemd/system" / (f"{prefix}@.service" if at else name)
        return path.read_text(encoding="utf-8") if path.is_file() else None

"""Carries out the steps of an installation: each looks first at what there is, and changes only what differs."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Final

from belvedere.atomic_files import written_whole
from belvedere.errors import OwnerError
from belvedere.installation.steps import (
    EnsureBusPolicy,
    EnsureFile,
    EnsureFolder,
    EnsureGroup,
    EnsureInstances,
    EnsureMembership,
    EnsureService,
    EnsureUser,
    RemoveFile,
    RemoveFolder,
    RemoveInstances,
    RemoveService,
    RemoveUser,
)
from belvedere.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path, PurePosixPath

    from belvedere.installation.computer import Computer
    from belvedere.installation.steps import Step

FIRST_HUMAN: Final = 1000  # users below are the system's (Debian's UID_MIN)
NOLOGIN: Final = "/usr/sbin/nologin"


class Installer:
    """Carries out steps on a computer.

    Attributes:
        changes: a line for each change so far.
    """

    def __init__(self, computer: Computer, report: Callable[[str], None] = lambda _line: None) -> None:
        self._computer = computer
        self._report = report
        self._changed: set[PurePosixPath] = set()
        self.changes: list[str] = []

    def carry_out(self, steps: Iterable[Step]) -> None:
        """Carry out steps in their order. Raises OwnerError at the first that fails; repeating all of them is safe."""
        for step in steps:
            try:
                self._carry_out(step)
            except OSError as error:
                raise OwnerError(f"could not {step}: {error.strerror or error}") from error

    def _add(self, change: str, path: PurePosixPath | None = None) -> None:
        self.changes.append(change)
        self._report(change)
        if path is not None:
            self._changed.add(path)

    @singledispatchmethod
    def _carry_out(self, step: Step) -> None:
        raise NotImplementedError(step)

    @_carry_out.register
    def _(self, step: EnsureGroup) -> None:
        if not self._computer.has_group(step.name):
            self._computer.run("groupadd", "--system", step.name)
            self._add(f"created the system group {step.name}")

    @_carry_out.register
    def _(self, step: EnsureUser) -> None:
        found = self._computer.user(step.name)
        if found is None:
            options = ("--system", "--gid", step.name, "--home-dir", str(step.home), "--no-create-home")
            self._computer.run("useradd", *options, "--shell", NOLOGIN, step.name)
            self._add(f"created the system user {step.name}")
        elif found.number >= FIRST_HUMAN:
            raise OwnerError(
                f"{step.name} is somebody's login on this computer (uid {found.number}), and the service needs a user"
                " of its own with this name: rename that login first"
            )

    @_carry_out.register
    def _(self, step: EnsureMembership) -> None:
        found = self._computer.user(step.user)
        if found is not None and step.group not in found.groups and self._computer.has_group(step.group):
            self._computer.run("usermod", "--append", "--groups", step.group, step.user)
            self._add(f"added the user {step.user} to the group {step.group}")

    @_carry_out.register
    def _(self, step: EnsureFolder) -> None:
        path = self._computer.path(step.path)
        try:
            path.mkdir(mode=stat.S_IRWXU)
            change = f"created the folder {step.path}"
        except FileExistsError:
            if path.is_symlink() or not path.is_dir():
                raise OwnerError(f"{step.path} is no folder: move it away") from None
            change = f"corrected the permissions of the folder {step.path}"
            if not self._set_permissions(path, step.group, step.mode):
                return
        else:
            self._set_permissions(path, step.group, step.mode)
        self._add(change)

    @_carry_out.register
    def _(self, step: EnsureFile) -> None:
        path = self._computer.path(step.path)
        if step.is_owners and os.path.lexists(path):
            return
        content = step.content.reveal() if isinstance(step.content, Secret) else step.content
        if path.is_file() and not path.is_symlink() and path.read_bytes() == content.encode():
            if self._set_permissions(path, step.group, step.mode):
                self._add(f"corrected the permissions of {step.path}")
            return
        self._write(path, content, step)
        self._add(f"wrote {step.path}", step.path)

    @_carry_out.register
    def _(self, step: EnsureBusPolicy) -> None:
        if step.path in self._changed:
            # D-Bus can reload, so it is never restarted; where it waits for its first client, nothing needs to be done.
            self._computer.run("systemctl", "try-reload-or-restart", "dbus.service")

    @_carry_out.register
    def _(self, step: EnsureService) -> None:
        state = self._service(step.name)
        is_changed = state.get("NeedDaemonReload") == "yes" or bool(self._changed.intersection(step.files))
        if is_changed:
            self._computer.run("systemctl", "daemon-reload")
        if self._service(step.name).get("UnitFileState") != "enabled":
            self._computer.run("systemctl", "enable", step.name)
            self._add(f"enabled {step.name}: it starts with the computer")
        if is_changed or state.get("ActiveState") != "active":
            self._restart(step.name, *(() if step.is_awaited else ("--no-block",)))
            self._add(f"{'restarted' if state.get('ActiveState') == 'active' else 'started'} {step.name}")

    def _restart(self, *words: str) -> None:
        names = [word for word in words if not word.startswith("--")]
        try:
            self._computer.run("systemctl", "restart", *words)
        except OwnerError as error:
            units = " ".join(f"--unit {name}" for name in names)
            fix = f"journalctl {units} --lines 20 says why"
            raise OwnerError(f"{' or '.join(names)} did not start: {fix}") from error

    @_carry_out.register
    def _(self, step: EnsureInstances) -> None:
        names = self._running(step.pattern)
        is_stale = any(self._service(name).get("NeedDaemonReload") == "yes" for name in names)
        if names and (is_stale or step.file in self._changed):
            self._computer.run("systemctl", "daemon-reload")
            self._restart(*names)  # at once: where one of them fails, the others run
            self._add(f"restarted {', '.join(names)}")

    @_carry_out.register
    def _(self, step: RemoveService) -> None:
        state = self._service(step.name)
        if state.get("LoadState") == "loaded":
            self._computer.run("systemctl", "disable", "--now", step.name)
            self._add(f"stopped and disabled {step.name}")

    @_carry_out.register
    def _(self, step: RemoveInstances) -> None:
        names = self._running(step.pattern)
        if names:
            self._computer.run("systemctl", "stop", *names)
        if os.path.lexists(self._computer.path(step.file)):
            self._computer.run("systemctl", "disable", step.file.name)  # which disables all that are made from it
        if names:
            self._add(f"stopped and disabled {', '.join(names)}")

    @_carry_out.register
    def _(self, step: RemoveFile) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._computer.path(step.path).unlink()
            self._add(f"removed {step.path}", step.path)
            if step.path.suffix == ".service":
                self._computer.run("systemctl", "daemon-reload")

    @_carry_out.register
    def _(self, step: RemoveFolder) -> None:
        path = self._computer.path(step.path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            self._add(f"removed {step.path} with all that was in it")

    @_carry_out.register
    def _(self, step: RemoveUser) -> None:
        found = self._computer.user(step.name)
        if found is not None and found.number < FIRST_HUMAN:
            self._computer.run("userdel", step.name)
            self._add(f"removed the system user {step.name}")
        if self._computer.has_group(step.name) and self._computer.user(step.name) is None:
            self._computer.run("groupdel", step.name)

    def _running(self, pattern: str) -> list[str]:
        """The names of those services that run, or try to."""
        options = ("--plain", "--no-legend", "--state=active,activating,reloading")
        listed = self._computer.run("systemctl", "list-units", *options, pattern)
        return [line.split()[0] for line in listed.splitlines() if line.strip()]

    def _service(self, name: str) -> dict[str, str]:
        """What systemd knows of a service."""
        properties = "LoadState,UnitFileState,ActiveState,NeedDaemonReload"
        shown = self._computer.run("systemctl", "show", name, f"--property={properties}")
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def _write(self, path: Path, content: str, step: EnsureFile) -> None:
        """Replace a file as a whole."""
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with written_whole(path) as new:
            new.write_text(content, encoding="utf-8", newline="")
            self._set_permissions(new, step.group, step.mode)

    def _set_permissions(self, path: Path, group: str, mode: int) -> bool:
        """Set owner, group and mode; returns whether they were others."""
        is_changed = self._computer.set_owner(path, group)
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
            return True
        return is_changed

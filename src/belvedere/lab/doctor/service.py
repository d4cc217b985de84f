"""Whether the service that `belvedere setup` installed runs, and its user may use what it needs; asked of systemd."""

from __future__ import annotations

import grp
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOW_TIMEOUT_S: Final = 4.0  # systemd answers within milliseconds, or hangs
PROPERTIES: Final = "ActiveState,SubState,NRestarts,UnitFileState"


@dataclass(frozen=True, slots=True)
class InstalledService:
    """A service as it would be installed.

    Attributes:
        unit: its file, whose name is the service's.
        user: whom it runs as.
        groups: in which that user must be, as far as this computer has them.
    """

    unit: Path
    user: str
    groups: tuple[str, ...]


def properties(name: str) -> dict[str, str]:
    """What systemd knows of a service. Raises OSError and subprocess.SubprocessError where it cannot be asked."""
    command = ["/usr/bin/systemctl", "show", name, f"--property={PROPERTIES}"]
    shown = subprocess.run(  # noqa: S603 - words of our own
        command, capture_output=True, text=True, timeout=SHOW_TIMEOUT_S, check=True
    )
    return dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)


def missing_groups(user: str, groups: tuple[str, ...]) -> list[str]:
    """Those groups of this computer that the user is not in. Raises KeyError where there is no such user."""
    own = pwd.getpwnam(user).pw_gid
    there = [group for group in grp.getgrall() if group.gr_name in groups]
    return [group.gr_name for group in there if user not in group.gr_mem and group.gr_gid != own]


def service(
    installed: InstalledService,
    show: Callable[[str], dict[str, str]] = properties,
    missing: Callable[[str, tuple[str, ...]], list[str]] = missing_groups,
) -> list[CheckResult]:
    """The results; none where no service is installed."""
    if not installed.unit.exists():
        return []
    name = installed.unit.name
    try:
        found = [_running(name, show(name))]
    except (OSError, subprocess.SubprocessError):
        found = [CheckResult("service", CheckState.UNKNOWN, "systemd could not be asked")]
    try:
        lacking = missing(installed.user, installed.groups)
    except KeyError:
        lacks = f"there is no user {installed.user}"
        return [*found, CheckResult("service user", CheckState.ERROR, lacks, "sudo belvedere setup")]
    if lacking:
        lacks = f"{installed.user} is not in the group {', '.join(lacking)}"
        found.append(CheckResult("service user", CheckState.ERROR, lacks, "sudo belvedere setup"))
    return found


def _running(name: str, state: dict[str, str]) -> CheckResult:
    log, restarts = f"journalctl --unit {name} --lines 50", int(state.get("NRestarts") or 0)
    if state.get("SubState") == "auto-restart" or state.get("ActiveState") == "failed":
        return CheckResult("service", CheckState.ERROR, f"{name} fails, and was started again {restarts} times", log)
    if state.get("ActiveState") != "active":
        return CheckResult("service", CheckState.WARNING, f"{name} is not running", f"sudo systemctl start {name}")
    if state.get("UnitFileState") != "enabled":
        fix = f"sudo systemctl enable {name}"
        return CheckResult("service", CheckState.WARNING, f"{name} runs, but will not start with the computer", fix)
    if restarts:
        problem = f"{name} runs; it hung or failed {restarts} times, and was started again"
        return CheckResult("service", CheckState.WARNING, problem, log)
    return CheckResult("service", CheckState.OK, f"{name} runs")

from __future__ import annotations

import getpass
import grp
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.service import InstalledService, missing_groups, service

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.lab.doctor.check import CheckResult

RUNNING = {"ActiveState": "active", "SubState": "running", "NRestarts": "0", "UnitFileState": "enabled"}


@pytest.fixture
def installed(tmp_path: Path) -> InstalledService:
    (tmp_path / "belvedere.service").touch()
    return InstalledService(tmp_path / "belvedere.service", "belvedere", ("video", "bluetooth"))


def results(installed: InstalledService, state: dict[str, str], missing: tuple[str, ...] = ()) -> list[CheckResult]:
    return service(installed, lambda _name: RUNNING | state, lambda _user, _groups: list(missing))


def test_a_computer_without_the_service_has_no_result(installed: InstalledService) -> None:
    installed.unit.unlink()
    assert results(installed, {}) == []


@pytest.mark.parametrize(
    ("state", "expected", "message"),
    [
        ({}, CheckState.OK, "belvedere.service runs"),
        ({"NRestarts": "2"}, CheckState.WARNING, "hung or failed 2 times"),
        ({"UnitFileState": "disabled"}, CheckState.WARNING, "will not start with the computer"),
        ({"ActiveState": "inactive", "SubState": "dead"}, CheckState.WARNING, "is not running"),
        ({"ActiveState": "failed"}, CheckState.ERROR, "fails"),
        ({"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "9"}, CheckState.ERROR, "9 times"),
    ],
)
def test_its_state_is_told(
    installed: InstalledService, state: dict[str, str], expected: CheckState, message: str
) -> None:
    (found,) = results(installed, state)
    assert found.state is expected
    assert message in found.message
    assert bool(found.fix) is (expected is not CheckState.OK)


def test_a_group_that_its_user_lacks_is_an_error(installed: InstalledService) -> None:
    _, found = results(installed, {}, ("video",))
    assert (found.state, found.message) == (CheckState.ERROR, "belvedere is not in the group video")


def test_a_user_that_is_gone_and_a_systemd_that_is_silent_are_told(installed: InstalledService) -> None:
    def silent(_name: str) -> dict[str, str]:
        raise subprocess.TimeoutExpired("systemctl", 4)

    def gone(_user: str, _groups: tuple[str, ...]) -> list[str]:
        raise KeyError

    state, user = service(installed, silent, gone)
    assert state.state is CheckState.UNKNOWN
    assert (user.state, user.message) == (CheckState.ERROR, "there is no user belvedere")


def test_the_groups_of_a_user_are_those_of_this_computer() -> None:
    mine = grp.getgrgid(os.getgid()).gr_name
    assert missing_groups(getpass.getuser(), (mine, "no-group-of-this-name")) == []
    with pytest.raises(KeyError):
        missing_groups("nobody-of-this-name", (mine,))

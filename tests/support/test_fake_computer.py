from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_computer import FakeComputer

from belvedere.errors import OwnerError
from belvedere.installation.computer import User

if TYPE_CHECKING:
    from pathlib import Path


def test_commands_make_and_remove_users_and_groups(tmp_path: Path) -> None:
    computer = FakeComputer(tmp_path)
    computer.run("groupadd", "--system", "ana")
    computer.run("useradd", "--system", "--gid", "ana", "--no-create-home", "ana")
    computer.run("usermod", "--append", "--groups", "video", "ana")
    assert computer.user("ana") == User(999, frozenset({"ana", "video"}))
    computer.run("userdel", "ana")
    assert computer.user("ana") is None
    assert not computer.has_group("ana")


def test_a_unit_that_has_changed_since_it_was_loaded_needs_a_reload(tmp_path: Path) -> None:
    computer = FakeComputer(tmp_path)
    assert "LoadState=not-found" in computer.run("systemctl", "show", "a.service")
    path = computer.path(PurePosixPath("/etc/systemd/system/a.service"))
    path.parent.mkdir(parents=True)
    path.write_text("[Service]", encoding="utf-8")
    assert "NeedDaemonReload=no" in computer.run("systemctl", "show", "a.service")
    path.write_text("[Unit]", encoding="utf-8")
    assert "NeedDaemonReload=yes" in computer.run("systemctl", "show", "a.service")
    computer.run("systemctl", "daemon-reload")
    assert "NeedDaemonReload=no" in computer.run("systemctl", "show", "a.service")


def test_a_command_fails_where_the_test_says_so_and_an_unknown_one_always(tmp_path: Path) -> None:
    computer = FakeComputer(tmp_path, failing="systemctl restart")
    with pytest.raises(OwnerError, match="status 1"):
        computer.run("systemctl", "restart", "a.service")
    with pytest.raises(AssertionError, match="unknown"):
        computer.run("rm", "-rf", "/")

from __future__ import annotations

import getpass
import grp
import os
from pathlib import Path, PurePosixPath

import pytest

from belvedere.errors import OwnerError
from belvedere.installation.computer import ThisComputer


def test_users_are_found_with_their_groups() -> None:
    found = ThisComputer().user(getpass.getuser())
    assert found is not None
    assert found.number == os.getuid()
    assert grp.getgrgid(os.getgid()).gr_name in found.groups
    assert ThisComputer().user("nobody-of-this-name") is None


def test_groups_are_found() -> None:
    assert ThisComputer().has_group(grp.getgrgid(os.getgid()).gr_name)
    assert not ThisComputer().has_group("no-group-of-this-name")


def test_a_path_is_itself() -> None:
    assert ThisComputer().path(PurePosixPath("/etc/hosts")) == Path("/etc/hosts")


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_file_is_given_away_once_and_a_link_is_not_followed(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    os.chown(file, 1234, 1234)
    link.symlink_to(file)
    ThisComputer().set_owner(link, "root")
    assert file.stat().st_uid == 1234
    assert ThisComputer().set_owner(file, "root")
    assert not ThisComputer().set_owner(file, "root")
    assert (file.stat().st_uid, file.stat().st_gid) == (0, 0)


@pytest.mark.realtime
def test_a_command_gives_its_output_and_an_error_its_words() -> None:
    computer = ThisComputer()
    assert computer.run("echo", "a", "$HOME") == "a $HOME\n"
    with pytest.raises(OwnerError, match=r"cat /nowhere: \S*cat: /nowhere: No such file"):
        computer.run("cat", "/nowhere")
    with pytest.raises(OwnerError, match="false: status 1"):
        computer.run("false")
    with pytest.raises(OwnerError, match="no command no-such-command"):
        computer.run("no-such-command")

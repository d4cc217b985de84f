"""An installation in a folder: it comes out as planned, repeating it changes nothing, and it can be removed again."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_computer import FakeComputer

from belvedere.errors import OwnerError
from belvedere.installation.carrying_out import Installer
from belvedere.installation.computer import User
from belvedere.installation.plan import Choice, TunnelChoice, installation, removal
from belvedere.installation.texts import SETTINGS
from belvedere.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

CHOICE = Choice("/opt/belvedere/bin/belvedere", "1.2.3", "version = 1\n")
WITH_TUNNEL = replace(CHOICE, tunnel=TunnelChoice("/usr/bin/cloudflared", Secret("a-token\n")))
UNIT = "etc/systemd/system/belvedere.service"
TEMPLATE = "etc/systemd/system/belvedere@.service"


@pytest.fixture
def computer(tmp_path: Path) -> FakeComputer:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib").mkdir(parents=True)
    return FakeComputer(tmp_path)


def install(computer: FakeComputer, choice: Choice = CHOICE) -> list[str]:
    installer = Installer(computer)
    installer.carry_out(installation(choice))
    return installer.changes


def remove(computer: FakeComputer, *, purges: bool = False) -> list[str]:
    installer = Installer(computer)
    installer.carry_out(removal(purges=purges))
    return installer.changes


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_there_afterwards(computer: FakeComputer) -> None:
    install(computer, WITH_TUNNEL)
    assert computer.user("belvedere") == User(999, frozenset({"belvedere", "video", "audio"}))
    assert "ExecStart" in (computer.root / UNIT).read_text(encoding="utf-8")
    for name in ("belvedere.service", "belvedere-tunnel.service"):
        assert computer.unit(name).is_enabled
        assert computer.unit(name).is_active
    token = computer.root / "etc/belvedere/secrets/tunnel-token"
    assert (token.read_text(encoding="utf-8"), mode(token)) == ("a-token\n", 0o600)
    assert mode(computer.root / "etc/belvedere") == 0o750
    assert computer.owners["etc/belvedere/belvedere.toml"] == "belvedere"
    assert not list(computer.root.rglob("*.partial"))


def test_a_group_that_the_computer_lacks_is_left_out(computer: FakeComputer) -> None:
    assert not any("bluetooth" in change for change in install(computer))
    computer.groups.add("bluetooth")
    assert install(computer) == ["added the user belvedere to the group bluetooth"]


def test_repeating_it_changes_nothing(computer: FakeComputer) -> None:
    assert install(computer, WITH_TUNNEL)
    computer.ran.clear()
    assert install(computer, WITH_TUNNEL) == []
    assert computer.ran == []


def test_the_owners_settings_are_never_overwritten(computer: FakeComputer) -> None:
    install(computer)
    computer.path(SETTINGS).write_text("version = 1 # mine\n", encoding="utf-8")
    install(computer, replace(CHOICE, settings="version = 1\n[camera]\nkind = 'room'\n"))
    assert computer.path(SETTINGS).read_text(encoding="utf-8") == "version = 1 # mine\n"


def test_a_new_version_restarts_the_service(computer: FakeComputer) -> None:
    install(computer)
    computer.ran.clear()
    changes = install(computer, replace(CHOICE, version="1.2.4"))
    assert changes == [f"wrote /{UNIT}", f"wrote /{TEMPLATE}", "restarted belvedere.service"]
    assert computer.ran == ["systemctl daemon-reload", "systemctl restart belvedere.service"]


def run_rooms(computer: FakeComputer, *names: str) -> None:
    for name in names:
        computer.unit(f"belvedere@{name}.service").is_active = True
        computer.unit(f"belvedere@{name}.service").is_enabled = True


def test_a_new_version_restarts_the_rooms_that_run_too(computer: FakeComputer) -> None:
    install(computer)
    run_rooms(computer, "kitchen", "study")
    assert install(computer) == []
    changes = install(computer, replace(CHOICE, version="1.2.4"))
    assert changes[-1] == "restarted belvedere@kitchen.service, belvedere@study.service"
    assert computer.ran[-1] == "systemctl restart belvedere@kitchen.service belvedere@study.service"


def test_a_room_that_does_not_start_says_where_to_look(computer: FakeComputer) -> None:
    install(computer)
    run_rooms(computer, "study")
    computer.failing = "systemctl restart belvedere@study"
    with pytest.raises(OwnerError, match=r"^belvedere@study\.service did not start: journalctl --unit belvedere@study"):
        install(computer, replace(CHOICE, version="1.2.4"))


def test_an_installation_that_was_cut_short_is_completed(computer: FakeComputer) -> None:
    install(computer)
    computer.failing = "systemctl daemon-reload"
    with pytest.raises(OwnerError):
        install(computer, replace(CHOICE, version="1.2.4"))
    computer.failing = None
    assert install(computer, replace(CHOICE, version="1.2.4")) == ["restarted belvedere.service"]


def test_permissions_that_were_widened_are_corrected(computer: FakeComputer) -> None:
    install(computer, WITH_TUNNEL)
    token = computer.root / "etc/belvedere/secrets/tunnel-token"
    token.chmod(0o644)
    token.parent.chmod(0o777)
    assert install(computer, WITH_TUNNEL) == [
        "corrected the permissions of the folder /etc/belvedere/secrets",
        "corrected the permissions of /etc/belvedere/secrets/tunnel-token",
    ]
    assert (mode(token), mode(token.parent)) == (0o600, 0o750)


def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(computer: FakeComputer) -> None:
    install(computer)
    other = computer.root / "other"
    other.write_text("of somebody", encoding="utf-8")
    (computer.root / UNIT).unlink()
    (computer.root / UNIT).symlink_to(other)
    install(computer)
    assert other.read_text(encoding="utf-8") == "of somebody"
    assert not (computer.root / UNIT).is_symlink()


def test_a_link_in_place_of_a_folder_is_refused(computer: FakeComputer) -> None:
    (computer.root / "etc/belvedere").symlink_to(computer.root / "var")
    with pytest.raises(OwnerError, match="is no folder"):
        install(computer)


def test_somebodys_login_of_that_name_is_not_taken(computer: FakeComputer) -> None:
    computer.users["belvedere"] = User(1000, frozenset({"belvedere"}))
    computer.groups.add("belvedere")
    with pytest.raises(OwnerError, match="uid 1000"):
        install(computer)
    assert not (computer.root / "etc/belvedere").exists()
    remove(computer, purges=True)
    assert computer.user("belvedere") is not None


def test_a_service_that_does_not_start_says_where_to_look(computer: FakeComputer) -> None:
    computer.failing = "systemctl restart"
    with pytest.raises(OwnerError, match=r"belvedere\.service did not start: journalctl"):
        install(computer)


def test_a_folder_that_cannot_be_written_is_one_line(computer: FakeComputer) -> None:
    (computer.root / "etc").rmdir()
    with pytest.raises(
        OwnerError, match=r"could not create the folder /etc/belvedere \(root:belvedere 0750\): No such"
    ):
        install(computer)


def test_a_removal_leaves_what_is_the_owners_and_nothing_else(computer: FakeComputer) -> None:
    install(computer, WITH_TUNNEL)
    (computer.root / "var/lib/belvedere").mkdir()
    remove(computer)
    left = sorted(str(path.relative_to(computer.root)) for path in computer.root.rglob("*") if path.is_file())
    assert left == ["etc/belvedere/belvedere.toml", "etc/belvedere/secrets/tunnel-token"]
    assert computer.user("belvedere") is not None
    assert not computer.unit("belvedere.service").is_active
    assert remove(computer) == []


def test_a_removal_ends_the_other_rooms_too(computer: FakeComputer) -> None:
    install(computer)
    run_rooms(computer, "kitchen", "study")
    changes = remove(computer)
    assert "stopped and disabled belvedere@kitchen.service, belvedere@study.service" in changes
    assert not (computer.root / TEMPLATE).exists()
    for name in ("kitchen", "study"):
        unit = computer.unit(f"belvedere@{name}.service")
        assert (unit.is_active, unit.is_enabled) == (False, False)
    assert remove(computer) == []


def test_a_purge_leaves_nothing(computer: FakeComputer) -> None:
    install(computer, WITH_TUNNEL)
    (computer.root / "var/lib/belvedere").mkdir()
    (computer.root / "var/lib/belvedere/belvedere.sqlite3").touch()
    remove(computer, purges=True)
    assert not [path for path in computer.root.rglob("*") if path.is_file() or path.name == "belvedere"]
    assert computer.user("belvedere") is None
    assert not computer.has_group("belvedere")
    assert remove(computer, purges=True) == []

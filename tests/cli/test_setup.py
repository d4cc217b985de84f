"""`belvedere setup` as its owner types it; tests/systemd runs it on a computer that systemd has booted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from tests.support.fake_computer import FakeComputer

from belvedere.cli import main, setup

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = "etc/belvedere/belvedere.toml"


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeComputer:
    """A computer in a folder, with the command installed, whose root we are."""
    tmp_path.chmod(0o755)
    for folder in ("usr/bin", "etc", "var/lib"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "usr/bin/belvedere").touch()
    made = FakeComputer(tmp_path)
    monkeypatch.setattr(setup, "ThisComputer", lambda: made)
    monkeypatch.setattr(setup, "SYSTEMD", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "usr"))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "usr"))
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["setup", *arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_it_installs_and_a_second_time_says_that_nothing_changes(
    computer: FakeComputer, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "--yes", "--no-start", "--head", "none", "--name", "home.example.org")
    assert status == 0
    assert "created the system user belvedere" in out
    assert 'names = ["home.example.org"]' in (computer.root / SETTINGS).read_text(encoding="utf-8")
    assert run(capsys, "--yes", "--no-start") == (0, "Nothing to change: all is as it should be.\n", "")


def test_a_flag_that_cannot_be_applied_any_more_is_said(
    computer: FakeComputer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "--yes", "--no-start")
    before = (computer.root / SETTINGS).read_text(encoding="utf-8")
    _, _, err = run(capsys, "--yes", "--no-start", "--port", "8081")
    assert err == "/etc/belvedere/belvedere.toml is kept as it is: change it there\n"
    assert (computer.root / SETTINGS).read_text(encoding="utf-8") == before


def test_a_dry_run_prints_each_step_and_file_and_changes_nothing(
    computer: FakeComputer, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup, "find_cloudflared", lambda: "/usr/bin/cloudflared")
    (tmp_path / "token").write_text("eyJhIjoi\n", encoding="utf-8")
    status, out, _ = run(capsys, "--yes", "--dry-run", "--tunnel-token-file", str(tmp_path / "token"))
    assert status == 0
    assert " 1. create the system group belvedere\n" in out
    assert "    | WatchdogSec=10\n" in out
    assert "    | (a secret, which is not shown)\n" in out
    assert "eyJ" not in out
    assert computer.ran == []
    assert not (computer.root / "etc/belvedere").exists()


def test_it_is_removed_and_says_what_is_kept(computer: FakeComputer, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--yes", "--no-start")
    status, out, _ = run(capsys, "--uninstall")
    assert status == 0
    assert "Kept: settings and secrets in /etc/belvedere" in out
    assert "systemctl daemon-reload" in computer.ran
    _, out, _ = run(capsys, "--uninstall", "--purge")
    assert "removed /etc/belvedere with all that was in it" in out
    assert run(capsys, "--uninstall", "--purge")[1] == "Nothing to remove.\n"


@pytest.mark.usefixtures("computer")
def test_a_dry_removal_removes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "--yes", "--no-start")
    _, out, _ = run(capsys, "--uninstall", "--purge", "--dry-run")
    assert "remove the folder /var/lib/belvedere with all that is in it" in out
    assert (tmp_path / SETTINGS).exists()


@pytest.mark.usefixtures("computer")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--yes", "--purge"), "--purge goes with --uninstall only"),
        (("--yes", "--port", "70000"), "server.port"),
        (("--yes", "--head", "two"), "head"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert problem in err.lower()


@pytest.mark.usefixtures("computer")
def test_without_root_or_systemd_it_does_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "SYSTEMD", tmp_path / "nowhere")
    assert run(capsys, "--yes")[2] == (
        "belvedere: systemd does not run this computer: setup installs a service of systemd\n"
    )
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    status, _, err = run(capsys, "--yes")
    assert (status, err) == (
        2,
        "belvedere: setup changes the system, and needs root for that: sudo belvedere setup\n",
    )

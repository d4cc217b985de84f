"""All commands that act on a house find its settings alike: in this folder, or where `--config` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.cli import GROUPS, main

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENTS = {
    "backup": ["b.zip"],
    "people invite": ["Ana"],
    "people role": ["Ana", "guest"],
    "people revoke": ["Ana"],
    "sessions revoke": ["0"],
    "tokens create": ["a", "--scope", "look"],
    "tokens revoke": ["a"],
    "visits delete": ["0"],
}
COMMANDS = [
    "serve",
    "backup",
    *(f"{group} {command}" for group, (_, commands) in GROUPS.items() for command in commands),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_settings_in_this_folder_nothing_is_done_and_nothing_made(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), *ARGUMENTS.get(command, [])])
    problem = "belvedere: belvedere.toml: is not in this folder: give the path of your settings file\n"
    assert (ended.value.code, capsys.readouterr().err, [*tmp_path.iterdir()]) == (2, problem, [])


def test_the_settings_of_this_folder_are_taken_without_being_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "belvedere.toml").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["curtain", "close"])
    assert (ended.value.code, "closed" in capsys.readouterr().out) == (0, True)
    assert (tmp_path / "belvedere.sqlite3").exists()

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.app.house import make_house
from tests.app.test_backup import PROFILE

from belvedere.cli import main
from belvedere.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_what_is_in_a_backup_is_said_and_which_secrets_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, target = make_house(tmp_path / "house", PROFILE), tmp_path / "b.zip"
    status, out, _ = run(capsys, "backup", str(target), "--config", str(settings))
    first, second = out.splitlines()
    assert (status, first.startswith(f"{target}: ")) == (0, True)
    assert first.endswith(f"KiB with the store (version {len(MIGRATIONS)}), belvedere.toml, heads/mine.toml")
    assert second == f"Not in it: {settings.parent}/keys/turn. Keep them yourself, or see --with-secrets."
    status, out, _ = run(capsys, "backup", str(target), "--config", str(settings), "--with-secrets", "--json")
    assert (status, json.loads(out)["files"][-1], json.loads(out)["left_out"]) == (0, "keys/turn", [])


def test_what_is_wrong_is_one_line_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_house(tmp_path / "house", PROFILE)
    assert run(capsys, "backup", str(settings), "--config", str(settings)) == (
        2,
        "",
        f"belvedere: {settings}: exists and is no backup of Belvedere: name another file\n",
    )

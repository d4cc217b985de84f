from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.app.house import make_house, people_of, store_of
from tests.app.test_backup import PROFILE
from tests.cli.test_backup import run

from belvedere.app.backup import back_up

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_was_restored_is_said_and_where_the_rest_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_house(tmp_path / "house", PROFILE, "Ana")
    backup = tmp_path / "b.zip"
    back_up(settings, backup)
    status, out, err = run(capsys, "restore", str(backup), "--config", str(settings))
    assert (status, people_of(settings)) == (0, ["Ana"])
    assert out.startswith(f"restored {store_of(settings)}\nrestored {settings}\n")
    assert f"what was there is kept in {store_of(settings)}.before-restore-" in out
    assert err.startswith("note: the curtain is closed: ")
    arguments = ("restore", str(backup), "--config", str(settings), "--store-only", "--end-sessions", "--json")
    status, out, _ = run(capsys, *arguments)
    assert (status, json.loads(out)["restored"]) == (0, [str(store_of(settings))])


def test_what_is_wrong_is_one_line_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_house(tmp_path / "house", PROFILE)
    assert run(capsys, "restore", str(settings), "--config", str(settings)) == (
        2,
        "",
        f"belvedere: {settings}: is truncated, or no backup of Belvedere\n",
    )

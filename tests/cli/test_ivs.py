"""`belvedere ivs`: what is printed, and with which status it ends; `tests/app` has what it does."""

from __future__ import annotations

import contextlib
import functools
import json
from typing import TYPE_CHECKING

import pytest

from belvedere.cli import main
from belvedere.store.participants import SavedMonth, save_month
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = '[store]\nfile = "it.sqlite3"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "mine.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def status_of(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["ivs", *arguments])
    return ended.value.code


def test_a_dry_run_prints_the_calls_and_makes_none(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("setup", "--dry-run", "--region", "eu-central-1", "--config", str(config)) == 0
    assert "would call ivs:CreateStage(name = belvedere)" in capsys.readouterr().out
    assert config.read_text(encoding="utf-8") == SETTINGS


def test_without_a_region_nothing_is_done(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("setup", "--dry-run", "--config", str(config)) == 2
    assert "--region" in capsys.readouterr().err


def test_the_region_of_the_environment_will_do(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert status_of("setup", "--dry-run", "--config", str(config)) == 0


def test_a_failed_check_ends_with_1(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("check", "--config", str(config)) == 1
    assert capsys.readouterr().out.startswith("FAIL settings: ")
    assert status_of("check", "--json", "--config", str(config)) == 1
    assert json.loads(capsys.readouterr().out)[0]["passed"] is False


def test_the_cost_of_each_month_is_printed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("cost", "--config", str(config)) == 0
    assert "Nobody" in capsys.readouterr().out
    with contextlib.closing(SqliteFile(config.parent / "it.sqlite3")) as file:
        file.migrate()
        month = SavedMonth(month="2026-12", participant_s=36_000)
        file.write(functools.partial(save_month, month=month))
    assert status_of("cost", "--price", "0.1", "--config", str(config)) == 0
    assert capsys.readouterr().out == "2026-12       10.00 participant-hours        1.00 USD\n"
    assert status_of("cost", "--price", "0.1", "--json", "--config", str(config)) == 0
    assert json.loads(capsys.readouterr().out) == [{"month": "2026-12", "participant_hours": 10.0, "usd": 1.0}]

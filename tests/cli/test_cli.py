from pathlib import Path

import pytest

from belvedere import __version__
from belvedere.cli import main


def status_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--version") == 0
    assert capsys.readouterr().out.strip() == __version__


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--help") == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("demo", "serve", "config"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["demo", "--prt", "80"], "--prt"),
        (["demo", "--port", "eighty"], "eighty"),
        (["serve", "--config", "nowhere.toml"], "nowhere.toml"),
        (["config", "check", "nowhere.toml"], "nowhere.toml"),
        (["dmo"], "dmo"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    arguments: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of(*arguments) == 2
    told = capsys.readouterr()
    assert told.err.startswith("belvedere: ")
    assert told.err.count("\n") == 1
    assert problem in told.err


def test_a_bad_setting_is_one_line_with_file_key_and_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text("[stage]\nsource = 'tv'\n", encoding="utf-8")
    assert status_of("config", "check", str(path)) == 2
    assert capsys.readouterr().err == f"belvedere: {path}: stage.source: invalid enum value 'tv' (allowed: sim, test)\n"

import re
from pathlib import Path

import pytest

from belvedere import __version__
from belvedere.cli import COMMANDS, CURTAIN, application, main

ADDRESS = "C0:FF:EE:00:00:01"


def status_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--version") == 0
    assert capsys.readouterr().out.strip() == __version__


def test_help_describes_every_command_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert status_of("--help") == 0
    rows = re.findall(r"^│ (\S.*\S) +│$", capsys.readouterr().out, re.MULTILINE)
    described = [row.split(maxsplit=1)[0] for row in rows if row.endswith(".") and len(row.split()) > 3]
    assert described == [
        *sorted([*COMMANDS, "camera", "config", "curtain", "ivs", "people", "sessions", "tokens", "visits"]),
        "--help",
        "--version",
    ]


@pytest.mark.parametrize(
    "command",
    [
        *([name] for name in COMMANDS),
        ["config", "check"],
        ["camera", "test"],
        ["camera", "list"],
        *(["curtain", name] for name in CURTAIN),
    ],
    ids=" ".join,
)
def test_every_option_has_help_and_no_meaningless_opposite(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    app = application()
    for name in command:
        app = app[name]
    parameters = app.assemble_argument_collection()
    assert [one.name for one in parameters if not one.parameter.help] == []
    assert status_of(*command, "--help") == 0
    opposites = set(re.findall(r"--(?:no|empty)-\w+", capsys.readouterr().out))
    assert opposites <= {"--no-browser", "--no-drop", "--no-calibrate", "--no-start", "--no-units"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["demo", "--prt", "80"], "--prt"),
        (["demo", "--port", "eighty"], "eighty"),
        (["serve", "--config", "nowhere.toml"], "nowhere.toml"),
        (["config", "check", "nowhere.toml"], "nowhere.toml"),
        (["dmo"], "dmo"),
        (["demo", "--port", "70000"], "--port: expected `int` <= 65535 (allowed: 0 to 65535)"),
        (["demo", "--port", "-1"], "0 to 65535"),
        (["demo", "--port", "9" * 30], "0 to 65535"),
        (["demo", "--port", "nan"], "nan"),
        (["demo", "--host", "", "--no-browser"], "--host"),
        (["demo", "--host", "a b", "--no-browser"], "--host"),
        (["demo", "--host", "a..b", "--port", "0", "--no-browser"], "cannot listen on a..b"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--config", "."], "cannot be read"),
        (["config", "check", "."], "cannot be read"),
        (["config", "check", "one", "two"], "two"),
        (["config", "check", "zeros"], "not TOML"),
        (["config", "check", "port.toml"], "port.toml: server.port: expected `int` <= 65535 (allowed: 0 to 65535)"),
        (["config", "check", "units.toml"], 'both fit a device called ""'),
        (["config", "check", "profile.toml"], "head.profile"),
        (["serve", "--config", "port.toml"], "0 to 65535"),
        (["serve", "--config", "units.toml"], "the address of their unit"),
        (["scan", "--for", "nan"], "0.1 to 86400"),
        (["scan", "--for", "inf"], "0.1 to 86400"),
        (["scan", "--for", "-1"], "0.1 to 86400"),
        (["scan", "--for", "soon"], "soon"),
        (["scan", "--adapter", "usb0"], "hci0"),
        (["scan", "--profile", "zeros.toml"], "cannot be read"),
        (["scan", "--profile", "port.toml"], "port.toml: server: is not known here"),
        (["inspect"], "ADDRESS"),
        (["inspect", "next-door"], "is not a Bluetooth address"),
        (["inspect", f"{ADDRESS}\n"], "is not a Bluetooth address"),
        (["inspect", ADDRESS, "--adapter", "hci0\n"], "or its address"),
        (["probe", ADDRESS], "--profile"),
        (["probe", ADDRESS, "--profile", "zeros"], "zeros"),
        (["probe", ADDRESS, "--profile", "port.toml"], "port.toml"),
        (["probe", ADDRESS, "--profile", "port.toml", "--axis", "roll"], "roll"),
        (["probe", ADDRESS, "--profile", "port.toml", "--angle", "nan"], "5 to 360"),
        (["probe", ADDRESS, "--profile", "port.toml", "--minutes", "inf"], "0.1 to 120"),
        (["probe", ADDRESS, "--profile", "port.toml", "--minutes", "-1"], "0.1 to 120"),
        (["doctor", "--adapter", "C0:FF:EE"], "or its address"),
        (["doctor", "--units=maybe"], "maybe"),
        (["snoop"], "FILE"),
        (["snoop", "nowhere"], "nowhere"),
        (["snoop", "."], "."),
        (["snoop", "zeros"], "not a Bluetooth log"),
        (["snoop", "zeros", "--handle", "0x10000"], "0xffff"),
        (["snoop", "zeros", "--handle", "nan"], "nan"),
        (["snoop", "zeros", "--timeline", "x.png"], ".svg"),
    ],
    ids=lambda given: " ".join(given)[:60] if isinstance(given, list) else "",
)
def test_a_wrong_call_is_one_line_and_status_2(
    arguments: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("zeros").write_bytes(bytes(1000))
    Path("port.toml").write_text("[server]\nport = 70000\n", encoding="utf-8")
    Path("units.toml").write_text("head.pan.name_patterns = ['*']\nhead.tilt.name_patterns = ['*']", encoding="utf-8")
    Path("profile.toml").write_text('head.profile = "\\u0000"', encoding="utf-8")
    assert status_of(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("belvedere: ")
    assert printed.err.count("\n") == 1
    assert problem in printed.err


def test_a_bad_setting_is_one_line_with_file_key_and_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text("[camera]\nkind = 'tv'\n", encoding="utf-8")
    assert status_of("config", "check", str(path)) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"belvedere: {path}: camera.kind: invalid value 'tv' (allowed: pattern, room, ")
    assert said.count("\n") == 1

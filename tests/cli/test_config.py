from pathlib import Path

import pytest

from belvedere.cli.config import check


def test_a_valid_file_is_confirmed_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text("[camera]\nkind = 'room'\n", encoding="utf-8")
    assert check(path) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{path} is valid: ZEAPON PONS PT (pan and tilt), camera room\n"
    assert printed.err == 'warning: these parts are virtual, for trying Belvedere out only: [camera] kind = "room"\n'

from pathlib import Path

import pytest

from belvedere.cli.config import check


def test_a_valid_file_is_confirmed_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text("[stage]\nsource = 'sim'\n", encoding="utf-8")
    assert check(path) == 0
    assert capsys.readouterr().out == f"{path} is valid: ZEAPON PONS PT (pan and tilt), video source sim\n"

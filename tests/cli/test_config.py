from pathlib import Path

import pytest

from belvedere.cli.config import check


def test_a_good_file_is_said_to_be_good_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text("[stage]\nsource = 'sim'\n", encoding="utf-8")
    assert check(path) == 0
    assert capsys.readouterr().out == f"{path} is good: ZEAPON PONS PT (pan and tilt), picture from sim\n"

import os
from pathlib import Path

import pytest

from belvedere.cli import main
from belvedere.cli.serve import serve
from belvedere.errors import SettingsError
from belvedere.store.instance_lock import state_lock


def test_a_file_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        serve(config=tmp_path / "nowhere.toml")


def test_a_second_server_with_the_same_files_ends_with_one_line_and_status_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "belvedere.toml"
    settings.write_text("[head]\nkind = 'none'\n[server]\nport = 0\n", encoding="utf-8")
    with state_lock(tmp_path), pytest.raises(SystemExit) as ended:
        main(["serve", "--config", str(settings)])
    _, err = capfd.readouterr()
    lines = [line for line in err.splitlines() if "virtual" not in line]
    assert (ended.value.code, len(lines)) == (2, 1)
    assert lines[0].startswith(f"belvedere: another Belvedere runs with the files in {tmp_path} (process {os.getpid()}")

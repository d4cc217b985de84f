from pathlib import Path

import pytest

from belvedere.cli.serve import serve
from belvedere.errors import SettingsError


def test_a_file_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        serve(config=tmp_path / "nowhere.toml")

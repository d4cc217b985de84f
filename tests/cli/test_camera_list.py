from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from belvedere.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def output_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["camera", "list", *arguments])
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_the_cameras_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert "test  moving colour bars" in output_of([], capsys)


def test_the_cameras_are_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(output_of(["--json"], capsys))["sources"].keys() == {"sim", "test"}


def test_the_wanted_size_is_that_of_the_configuration_which_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[stage]\nwidth = 1920\nheight = 1080\n", encoding="utf-8")
    assert output_of(["--config", str(path)], capsys)
    path.write_text("[stage]\nwidth = 1\n", encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        main(["camera", "list", "--config", str(path)])
    assert caught.value.code == 2
    assert "stage.width" in capsys.readouterr().err

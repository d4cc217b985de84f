"""`belvedere curtain`, where no server runs; tests/e2e closes the curtain of one that does."""

import json
from pathlib import Path

import pytest

from belvedere.app.curtain import Curtain, CurtainReport
from belvedere.cli.curtain import curtain_close, curtain_open, curtain_status
from belvedere.errors import OwnerError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "belvedere.toml"
    path.write_text("", encoding="utf-8")
    return path


def test_it_is_closed_for_the_next_start(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert curtain_status(config=config) == 0
    assert capsys.readouterr().out == "No server runs; it starts with the curtain open.\n"
    assert curtain_close(config=config) == 0
    assert capsys.readouterr().out == "No server runs; it starts with the curtain closed.\n"
    assert curtain_status(config=config, is_json=True) == 0
    assert json.loads(capsys.readouterr().out)["closed"] is True
    with pytest.raises(OwnerError):
        curtain_open(config=config)


@pytest.mark.parametrize(("is_closed", "is_saved"), [(True, True), (True, False), (False, True)])
def test_the_exit_status_says_whether_it_was_done(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    is_closed: bool,
    is_saved: bool,
) -> None:
    report = CurtainReport(closed=is_closed, saved=is_saved, by="Mei", since=9000, running=True)
    for name in ("close", "open"):
        monkeypatch.setattr(Curtain, name, lambda _self: report)
    assert curtain_close(config=config) == (0 if is_closed and is_saved else 1)
    assert curtain_open(config=config) == (1 if is_closed else 0)
    printed = capsys.readouterr()
    assert printed.out == f"The curtain is {'closed' if is_closed else 'open'}.\n" * 2
    assert ("not saved" in printed.err) != is_saved

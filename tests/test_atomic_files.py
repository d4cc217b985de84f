from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from belvedere.atomic_files import new_file, partial_of, written_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_replaced_at_the_end_and_only_its_user_may_read_it(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("earlier")
    with written_whole(tmp_path / "it") as partial:
        partial.write_text("whole")
        assert (tmp_path / "it").read_text() == "earlier"
    assert (tmp_path / "it").read_text() == "whole"
    assert stat.S_IMODE((tmp_path / "it").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "it"]


def test_after_an_error_all_is_as_it_was(tmp_path: Path) -> None:
    def fail() -> None:
        with written_whole(tmp_path / "it") as partial:
            partial.write_text("half")
            raise ValueError("of the test")

    (tmp_path / "it").write_text("earlier")
    with pytest.raises(ValueError, match="of the test"):
        fail()
    assert (tmp_path / "it").read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [tmp_path / "it"]


def test_what_a_power_cut_left_is_replaced_and_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("untouched")
    partial_of(tmp_path / "it").symlink_to(tmp_path / "other")
    with written_whole(tmp_path / "it") as partial:
        partial.write_text("whole")
        assert not (tmp_path / "it").exists()
    assert (tmp_path / "it").read_text() == "whole"
    assert (tmp_path / "other").read_text() == "untouched"


def test_a_new_file_replaces_nothing_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "it").symlink_to(tmp_path / "absent")
    with pytest.raises(FileExistsError):
        new_file(tmp_path / "it")
    with new_file(tmp_path / "new") as file:
        file.write(b"content")
    assert ((tmp_path / "new").read_bytes(), stat.S_IMODE((tmp_path / "new").stat().st_mode)) == (b"content", 0o600)

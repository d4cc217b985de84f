"""Findings are written into the owner's file, and nothing else is changed."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.errors import SettingsError
from belvedere.head.profile import load_profile
from belvedere.lab.probe.findings import Finding
from belvedere.lab.probe.profile_update import with_findings, write_findings

if TYPE_CHECKING:
    from pathlib import Path

DRAFT = """\
# A draft.
name = "Mine"

[frame]
template = "02 {direction} {speed}"
direction = { none = "00", positive = "01", negative = "02" }  # guessed
speed = { digits = 2, fastest = 99 }

[pan]
name_patterns = ["*PAN*"]
invert = true  # who knows

[tilt]
name_patterns = [
  "*TILT*",
  "*UP*",
]
"""
HEADING = "2026-01-02, probe of C0:DE:00:00:00:01"


def changed(*findings: Finding, text: str = DRAFT) -> str:
    return with_findings(text, findings, HEADING, "mine.toml")


def test_a_value_takes_the_place_of_the_former_with_the_evidence_above() -> None:
    text = changed(Finding("01 turned right", "pan", "invert", value=False))
    assert f"# {HEADING}: 01 turned right\ninvert = false\n" in text
    assert "who knows" not in text


def test_new_values_come_below_their_tables_header_in_order() -> None:
    text = changed(Finding("first", "tilt", "write", "auto"), Finding("second", "tilt", "full_speed_deg_per_s", 20.5))
    assert f'[tilt]\n# {HEADING}: first\nwrite = "auto"\n# {HEADING}: second\nfull_speed_deg_per_s = 20.5\n' in text
    profile = load_profile(text, "mine.toml")
    assert profile.tilt is not None
    assert profile.tilt.full_speed_deg_per_s == 20.5
    assert profile.tilt.name_patterns == ("*TILT*", "*UP*")


def test_a_value_inside_a_table_on_one_line_is_changed_there() -> None:
    text = changed(
        Finding("04 turned left", "frame.direction", "negative", "04"), Finding("least", "frame.speed", "slowest", 6)
    )
    frame = load_profile(text, "mine.toml").frame
    assert frame.direction is not None
    assert (frame.direction.negative, frame.direction.positive) == ("04", "01")
    assert (frame.speed.slowest, frame.speed.fastest) == (6, 99)


def test_a_value_in_a_table_of_its_own_is_changed_there() -> None:
    text = '[frame]\ntemplate = "x"\n[frame.speed]\ndigits = 2\nslowest = 1\n[pan]\nslowest = 5\n'
    assert tomllib.loads(changed(Finding("", "frame.speed", "slowest", 7), text=text)) == {
        "frame": {"template": "x", "speed": {"digits": 2, "slowest": 7}},
        "pan": {"slowest": 5},
    }


def test_a_table_that_is_missing_is_added() -> None:
    text = changed(Finding("seen", "extra", "key", 'a "word"'))
    assert text.endswith(f'\n[extra]\n# {HEADING}: seen\nkey = "a \\"word\\""\n')


def test_a_note_is_a_comment_in_its_place_and_changes_no_value() -> None:
    text = changed(Finding("goes on turning", "pan"), Finding("both alike", "frame.speed"))
    assert tomllib.loads(text) == tomllib.loads(DRAFT)
    assert f"[pan]\n# {HEADING}: goes on turning\n" in text
    assert f"# {HEADING}: both alike\nspeed = " in text


def test_a_layout_that_cannot_be_written_to_is_left_alone_and_reported() -> None:
    text = 'pan = { name_patterns = ["x"], invert = true }\nname = "Mine"\n'
    with pytest.raises(SettingsError, match=r"pan\.invert = false"):
        changed(Finding("seen", "pan", "invert", value=False), text=text)


KEYS = st.sampled_from(["invert", "write", "address", "slowest", "full_speed_deg_per_s"])
VALUES = st.one_of(st.booleans(), st.integers(), st.floats(0.1, 1e6), st.text("abc\"\\'# =[]{}", max_size=8))
FINDINGS = st.lists(
    st.builds(
        Finding, st.text("abc #", max_size=9), st.sampled_from(["pan", "tilt", "frame", "frame.speed"]), KEYS, VALUES
    )
)


@given(findings=FINDINGS)
def test_whatever_is_found_the_file_says_that_and_everything_else_as_before(findings: list[Finding]) -> None:
    findings = list({(one.table, one.key): one for one in findings}.values())
    document = tomllib.loads(changed(*findings))
    expected = tomllib.loads(DRAFT)
    for one in findings:
        table = expected["frame"]["speed"] if one.table == "frame.speed" else expected[one.table]
        table[one.key] = one.value
    assert document == expected


def test_the_file_is_written_and_what_it_was_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(DRAFT, encoding="utf-8")
    write_findings(path, [Finding("seen", "pan", "invert", value=False)], HEADING)
    profile = load_profile(path.read_text(encoding="utf-8"), "mine.toml")
    assert profile.pan is not None
    assert not profile.pan.invert
    assert (tmp_path / "mine.toml.bak").read_text(encoding="utf-8") == DRAFT
    assert sorted(found.name for found in tmp_path.iterdir()) == ["mine.toml", "mine.toml.bak"]


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(DRAFT, encoding="utf-8")
    (tmp_path / "mine.toml.bak").mkdir()
    with pytest.raises(SettingsError, match="cannot be written"):
        write_findings(path, [Finding("seen", "pan", "invert", value=False)], HEADING)
    assert path.read_text(encoding="utf-8") == DRAFT

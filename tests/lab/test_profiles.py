from pathlib import Path

import pytest

from belvedere.errors import SettingsError
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.profiles import UnitMatch, find_matches, read_profile, read_text, shipped_profiles

PROFILE = shipped_profile("zeapon-pons-pt")


def test_a_profile_is_read_by_name_or_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "Mine"\n[frame]\ntemplate = "{direction} {speed}"\n'
        'direction = { none = "00", positive = "01", negative = "02" }\nspeed = { digits = 2, fastest = 99 }\n'
        '[pan]\naddress = "C0:DE:00:00:00:07"\n',
        encoding="utf-8",
    )
    assert read_profile(str(path)).name == "Mine"
    assert read_profile("zeapon-pons-pt") == PROFILE


@pytest.mark.parametrize(("name", "problem"), [("no-such", "no-such"), ("nowhere.toml", "nowhere")])
def test_a_profile_that_is_not_there_is_reported_with_what_would_do(name: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        read_profile(name)


def test_a_file_that_is_no_text_is_reported_as_such(tmp_path: Path) -> None:
    path = tmp_path / "picture.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_text(path)


def test_a_device_fits_the_unit_whose_name_it_bears_and_counts_once_however_often_the_profile_is_given() -> None:
    assert find_matches([PROFILE, PROFILE], "C0:DE:00:00:00:01", "pons-pan-77", []) == (
        UnitMatch("ZEAPON PONS PT", Axis.PAN),
    )
    assert find_matches([PROFILE], "C0:DE:00:00:00:01", "Toothbrush", []) == ()


def test_every_shipped_profile_is_among_the_shipped() -> None:
    assert PROFILE in shipped_profiles()

from typing import Any

import msgspec
import pytest

from belvedere.errors import SettingsError
from belvedere.head.axes import Axis
from belvedere.head.profile import (
    UnitProfile,
    WriteMode,
    confusion,
    load_profile,
    shipped_names,
    shipped_profile,
)

MINIMAL = """
name = "One axis"
frame.template = "{direction}{speed}0"
frame.direction = { none = "00", positive = "01", negative = "02" }
frame.speed = { digits = 3, fastest = 999 }
[pan]
name_patterns = ["Pan*"]
"""


def test_the_shipped_profile_describes_both_axes_of_the_pons() -> None:
    profile = shipped_profile("zeapon-pons-pt")
    pan, tilt = profile.unit(Axis.PAN), profile.unit(Axis.TILT)
    assert pan is not None
    assert tilt is not None
    assert profile.name == "ZEAPON PONS PT"
    assert pan.name_patterns != tilt.name_patterns


def test_the_shipped_profile_contains_no_unmeasured_values() -> None:
    unit = shipped_profile("zeapon-pons-pt").unit(Axis.PAN)
    assert unit is not None
    assert (unit.service, unit.characteristic, unit.address, unit.full_speed_deg_per_s) == (None, None, None, None)


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_profile_loads(name: str) -> None:
    assert shipped_profile(name).name


def test_an_unknown_profile_is_refused_with_the_known_names() -> None:
    with pytest.raises(SettingsError, match="zeapon-pons-pt"):
        shipped_profile("no-such-head")


def test_a_head_may_have_one_axis_only() -> None:
    profile = load_profile(MINIMAL, "mine.toml")
    assert profile.unit(Axis.TILT) is None
    pan = profile.unit(Axis.PAN)
    assert pan is not None
    assert pan.write is WriteMode.AUTO


@pytest.mark.parametrize(
    ("good", "bad", "key", "allowed"),
    [
        ("digits = 3", "digits = 30", "frame.speed.digits", "1 to 8"),
        ("digits = 3", "digts = 3", "frame.speed.digts", "digits, fastest, slowest, encoding"),
        ('positive = "01", ', "", "frame.direction.positive", "hexadecimal digits"),
        ('name_patterns = ["Pan*"]', "", "pan", ""),
        ('name_patterns = ["Pan*"]', 'address = "nowhere"', "pan.address", "C0:FF:EE:00:00:01"),
        ('name_patterns = ["Pan*"]', 'service = "fff0"\nwrite = "fast"', "pan.write", "auto, with-response"),
        ('name_patterns = ["Pan*"]', 'service = "fff0"\ninvert = 1', "pan.invert", "true or false"),
        ("fastest = 999", "fastest = 1000", "frame.speed", ""),
        ('[pan]\nname_patterns = ["Pan*"]', "", "", ""),
    ],
)
def test_a_bad_profile_names_file_key_and_what_is_allowed(good: str, bad: str, key: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_profile(MINIMAL.replace(good, bad), "mine.toml")
    assert caught.value.file == "mine.toml"
    assert caught.value.key == key
    assert allowed in caught.value.allowed


def test_a_profile_that_is_not_toml_says_where() -> None:
    with pytest.raises(SettingsError, match=r"mine\.toml: not TOML: .*line 1"):
        load_profile("name = \nx = 1", "mine.toml")


@pytest.mark.parametrize(
    ("pan", "tilt", "why"),
    [
        ({"name_patterns": ("*",)}, {"name_patterns": ("*",)}, 'called ""'),
        ({"name_patterns": ("*PONS*",)}, {"name_patterns": ("X", "*pons*tilt*")}, 'a device called "PONSTILT"'),
        ({"address": "C0:FF:EE:00:00:0a"}, {"address": "C0:FF:EE:00:00:0A"}, "both have the address"),
        ({"service": "fff1"}, {"service": "0000FFF1-0000-1000-8000-00805F9B34FB"}, "with the service fff1"),
    ],
)
def test_units_that_cannot_be_told_apart_are_reported(pan: dict[str, Any], tilt: dict[str, Any], why: str) -> None:
    reason = confusion(UnitProfile(**pan), UnitProfile(**tilt))
    assert reason is not None
    assert why in reason


@pytest.mark.parametrize(
    ("pan", "tilt"),
    [
        ({"name_patterns": ("*PONS*PAN*",)}, {"name_patterns": ("*PONS*TILT*",)}),
        ({"name_patterns": ("*",), "address": "C0:FF:EE:00:00:0A"}, {"name_patterns": ("*",)}),
        ({"address": "C0:FF:EE:00:00:0A"}, {"address": "C0:FF:EE:00:00:0B"}),
        ({"service": "fff1"}, {"service": "fff2"}),
        ({"service": "fff1", "name_patterns": ("*PAN*",)}, {"service": "fff1", "name_patterns": ("*TILT*",)}),
    ],
)
def test_units_that_can_be_told_apart_are_accepted(pan: dict[str, Any], tilt: dict[str, Any]) -> None:
    assert confusion(UnitProfile(**pan), UnitProfile(**tilt)) is None


@pytest.mark.parametrize("key", ["address", "service", "characteristic"])
def test_an_address_or_uuid_with_a_trailing_line_break_is_refused(key: str) -> None:
    value = "C0:FF:EE:00:00:0A" if key == "address" else "fff1"
    assert getattr(msgspec.convert({key: value, "name_patterns": ["X"]}, UnitProfile), key) == value
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({key: f"{value}\n", "name_patterns": ["X"]}, UnitProfile)


@pytest.mark.parametrize("stop", ["", "0", "02 0", "xy", "00" * 65])
def test_a_stop_must_be_whole_bytes(stop: str) -> None:
    text = MINIMAL.replace("frame.speed", f'frame.stop = "{stop}"\nframe.speed')
    with pytest.raises(SettingsError, match="hexadecimal digits") as error:
        load_profile(text, "head.toml")
    assert error.value.key == "frame.stop"

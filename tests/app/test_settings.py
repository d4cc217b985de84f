from pathlib import Path

import pytest

from belvedere.app.settings import DEMO, Reach, Settings, furnish, read_house
from belvedere.errors import SettingsError

SAMPLE = Path(__file__).parents[2] / "examples" / "belvedere.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "belvedere.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_is_a_house_with_every_default(tmp_path: Path) -> None:
    house = read_house(written(tmp_path, ""))
    assert house.settings == Settings()
    assert house.profile.name == "ZEAPON PONS PT"


def test_the_documented_sample_is_read_and_names_every_table() -> None:
    house = read_house(SAMPLE)
    text = SAMPLE.read_text(encoding="utf-8")
    assert house.settings.head.reach is Reach.BLUETOOTH
    assert all(f"[{table}]" in text for table in ("server", "head", "link", "control", "stage", "store"))


def test_the_sample_with_every_line_uncommented_is_read_too(tmp_path: Path) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    keys = [line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line for line in lines]
    house = read_house(written(tmp_path, "\n".join(keys)))
    assert house.settings.control.pan.max_deg == 170


def test_the_demo_is_a_house_of_its_own() -> None:
    house = furnish(DEMO)
    assert house.settings.head.reach is Reach.VIRTUAL
    assert house.profile.pan is not None
    assert house.profile.pan.full_speed_deg_per_s == 40


def test_a_units_own_settings_come_before_the_profiles(tmp_path: Path) -> None:
    house = read_house(written(tmp_path, '[head.pan]\naddress = "C0:FF:EE:00:00:01"\ninvert = true'))
    assert house.profile.pan is not None
    assert house.profile.tilt is not None
    assert (house.profile.pan.address, house.profile.pan.invert) == ("C0:FF:EE:00:00:01", True)
    assert house.profile.tilt.address is None
    assert house.profile.pan.name_patterns


def test_a_profile_of_the_owners_is_found_beside_the_settings(tmp_path: Path) -> None:
    profile = (
        'name = "Mine"\npan.name_patterns = ["X"]\nframe.template = "{direction}{speed}0"\n'
        'frame.direction = { none = "00", positive = "01", negative = "02" }\nframe.speed = { digits = 3, fastest = 9 }'
    )
    (tmp_path / "mine.toml").write_text(profile, encoding="utf-8")
    assert read_house(written(tmp_path, '[head]\nprofile = "mine.toml"')).profile.name == "Mine"


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("[server]\nport = 'x'", "server.port", ""),
        ("[serer]", "serer", "server, head, link, control, stage, store"),
        ("[head]\nprofile = 'nope'", "head.profile", "zeapon-pons-pt, or a file.toml"),
        ("[head]\nreach = 'radio'", "head.reach", "bluetooth, virtual, none"),
        ("[head]\nadapter = 'usb'", "head.adapter", "hci0, hci1"),
        ("[control]\ndead_man_s = 2.0", "control.dead_man_s", "0.2 to 1.0"),
        ("[control.pan]\nmax_deg = 90.0", "control.pan", ""),
        ("[stage]\nsource = 'tv'", "stage.source", "sim, test"),
    ],
)
def test_a_bad_setting_names_file_key_and_what_is_allowed(tmp_path: Path, text: str, key: str, allowed: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_house(path)
    assert (caught.value.file, caught.value.key) == (str(path), key)
    assert allowed in caught.value.allowed


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml.*No such file"):
        read_house(tmp_path / "nowhere.toml")


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml.*head\.profile"):
        read_house(written(tmp_path, "[head]\nprofile = 'gone.toml'"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        read_house(path)

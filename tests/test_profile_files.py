from pathlib import Path

import pytest

from belvedere.errors import SettingsError
from belvedere.head.profile import shipped_profile
from belvedere.profile_files import read_profile, read_text

PROFILE = shipped_profile("zeapon-pons-pt")


def test_a_profile_is_read_by_name_or_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "Mine"\n[frame]\ntemplate = "{direction} {speed}"\n'
        'direction = { none = "00", positive = "01", negative = "02" }\nspeed = { digits = 2, fastest = 99 }\n'
        '[pan]\naddress = "C0:DE:00:00:00:07"\n',
        encoding="utf-8",
    )
    assert read_profile(str(path), "--profile").name == "Mine"
    assert read_profile("mine.toml", "belvedere.toml", "head.profile", tmp_path).name == "Mine"
    assert read_profile("zeapon-pons-pt", "--profile") == PROFILE


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        ("no-such", "", "a.toml: no profile named no-such (allowed: zeapon-pons-pt, or a file.toml)"),
        ("no-such", "b.c", "a.toml: b.c: no profile named no-such (allowed: zeapon-pons-pt, or a file.toml)"),
        ("gone.toml", "", "gone.toml: the profile that a.toml names: cannot be read: No such file or directory"),
        ("gone.toml", "b.c", "gone.toml: the profile that b.c names: cannot be read: No such file or directory"),
    ],
)
def test_a_profile_that_is_not_there_is_reported_with_who_named_it_and_what_would_do(
    name: str, key: str, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_profile(name, "a.toml", key)
    assert str(caught.value) == message


def test_a_file_that_is_no_text_is_reported_as_such(tmp_path: Path) -> None:
    path = tmp_path / "picture.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_text(path)

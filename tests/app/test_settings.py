from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import inspect

from belvedere.app.settings import DEMO, Reach, Settings, read_config, resolve
from belvedere.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = Path(__file__).parents[2] / "examples" / "belvedere.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "belvedere.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_means_all_defaults(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, ""))
    assert config.settings == Settings()
    assert config.profile.name == "ZEAPON PONS PT"


def test_the_documented_sample_is_read_and_names_every_table() -> None:
    config = read_config(SAMPLE)
    text = SAMPLE.read_text(encoding="utf-8")
    assert config.settings.head.reach is Reach.BLUETOOTH
    assert all(f"[{table}]" in text for table in ("server", "head", "link", "control", "guardian", "stage", "store"))


def test_the_sample_with_every_line_uncommented_is_read_too(tmp_path: Path) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    keys = [line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line for line in lines]
    config = read_config(written(tmp_path, "\n".join(keys)))
    assert config.settings.control.pan.max_deg == 170


def test_the_demo_has_settings_of_its_own() -> None:
    config = resolve(DEMO)
    assert config.settings.head.reach is Reach.VIRTUAL
    assert config.profile.pan is not None
    assert config.profile.pan.full_speed_deg_per_s == 40


def test_a_units_own_settings_come_before_the_profiles(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, '[head.pan]\naddress = "C0:FF:EE:00:00:01"\ninvert = true'))
    assert config.profile.pan is not None
    assert config.profile.tilt is not None
    assert (config.profile.pan.address, config.profile.pan.invert) == ("C0:FF:EE:00:00:01", True)
    assert config.profile.tilt.address is None
    assert config.profile.pan.name_patterns


def test_a_profile_of_the_owners_is_found_beside_the_settings(tmp_path: Path) -> None:
    profile = (
        'name = "Mine"\npan.name_patterns = ["X"]\nframe.template = "{direction}{speed}0"\n'
        'frame.direction = { none = "00", positive = "01", negative = "02" }\nframe.speed = { digits = 3, fastest = 9 }'
    )
    (tmp_path / "mine.toml").write_text(profile, encoding="utf-8")
    assert read_config(written(tmp_path, '[head]\nprofile = "mine.toml"')).profile.name == "Mine"


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("[server]\nport = 'x'", "server.port", ""),
        ("[serer]", "serer", "server, head, link, control, guardian, stage, store"),
        ("[head]\nprofile = 'nope'", "head.profile", "zeapon-pons-pt, or a file.toml"),
        ("[head]\nreach = 'radio'", "head.reach", "bluetooth, virtual, none"),
        ("[head]\nadapter = 'usb'", "head.adapter", "hci0, hci1"),
        ("[control]\ndead_man_s = 2.0", "control.dead_man_s", "0.2 to 1.0"),
        ("[control.pan]\nmax_deg = 90.0", "control.pan", ""),
        ("[stage]\nsource = 'tv'", "stage.source", "sim, test"),
        ("[server]\nport = 70000", "server.port", "0 to 65535"),
        ("[server]\nport = -1", "server.port", "0 to 65535"),
        ("[server]\nhost = ''", "server.host", "127.0.0.1"),
        ("[server]\nnames = ['a b']", "server.names[0]", "home.example.org"),
        ('[head]\nadapter = "hci0\\n"', "head.adapter", "an adapter's address such as 00:1A:7D:DA:71:13"),
        ("[head.pan]\nname_patterns = ['']", "head.pan.name_patterns[0]", "a name, with * and ? in it"),
        ("[head.pan]\nname_patterns = []", "head.pan", ""),
        ("[head.pan]\nfull_speed_deg_per_s = nan", "head.pan.full_speed_deg_per_s", "0.01 to 3600"),
        ("[control]\nhold_ceiling_s = inf", "control.hold_ceiling_s", "1 to 300"),
        ("[control.tilt]\nmin_deg = nan", "control.tilt.min_deg", "-36000 to 36000"),
        ("[link]\nsearch_s = nan", "link.search_s", "0.2 to 30"),
        ('[store]\nfile = "\\u0000"', "store.file", ""),
        ("[head.pan]\nname_patterns = ['*']\n[head.tilt]\nname_patterns = ['*']", "head", ""),
    ],
)
def test_a_bad_setting_names_file_key_and_what_is_allowed(tmp_path: Path, text: str, key: str, allowed: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_config(path)
    assert (caught.value.file, caught.value.key) == (str(path), key)
    assert allowed in caught.value.allowed


def test_units_that_could_be_confused_are_refused_with_reason_and_fix(tmp_path: Path) -> None:
    path = written(tmp_path, '[head.pan]\nname_patterns = ["*PONS*"]')
    with pytest.raises(SettingsError, match=r'called "PONSTILT".*\[head.pan\] and \[head.tilt\] the address'):
        read_config(path)
    addresses = '\n[head.pan]\naddress = "C0:FF:EE:00:00:01"\nname_patterns = ["*PONS*"]'
    assert read_config(written(tmp_path, addresses)).profile.pan


@pytest.mark.parametrize("adapter", ["hci0", "hci17", "00:1A:7D:da:71:13"])
def test_an_adapter_goes_by_its_name_or_its_address(tmp_path: Path, adapter: str) -> None:
    assert read_config(written(tmp_path, f'[head]\nadapter = "{adapter}"')).settings.head.adapter == adapter


VALUES = (
    *("nan", "-inf", "1e400", "-1", "9" * 30, "70000", "true", "''", "'a'", "[]", "['']", "[[]]", "{}", "{ a = 1 }"),
    *("1979-05-27", "07:32:00", '"\\u0000"', '"\\n"', "'" + "x" * 100_000 + "'"),
)


def keys(kind: inspect.Type, prefix: str = "") -> Iterator[str]:
    """Every dotted key of these settings."""
    if isinstance(kind, inspect.UnionType):
        for member in kind.types:
            yield from keys(member, prefix)
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield f"{prefix}{field.encode_name}"
            yield from keys(field.type, f"{prefix}{field.encode_name}.")


@pytest.mark.parametrize("key", sorted(set(keys(inspect.type_info(Settings)))))
def test_any_value_of_a_key_is_accepted_or_refused_in_one_line_that_names_the_key(tmp_path: Path, key: str) -> None:
    for value in VALUES:
        path = written(tmp_path, f"{key} = {value}")
        try:
            read_config(path)
        except SettingsError as error:
            told = str(error)
            assert told.startswith(f"{path}: {key.split('.', maxsplit=1)[0]}")
            assert "\n" not in told
            assert len(told) < 500


@pytest.mark.parametrize("text", ["x=" + "[" * 5000, "x=" + "{a=" * 3000, "\0", "=", "[a]\n[a]", "a." * 3000 + "b=1"])
def test_a_text_that_is_no_toml_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_config(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml.*No such file"):
        read_config(tmp_path / "nowhere.toml")


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml.*head\.profile"):
        read_config(written(tmp_path, "[head]\nprofile = 'gone.toml'"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        read_config(path)

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import pytest
from msgspec import inspect

from belvedere.app.settings import (
    DEMO,
    BluetoothHeadSettings,
    FileCameraSettings,
    NoHeadSettings,
    PatternCameraSettings,
    ProcessCameraSettings,
    RoomCameraSettings,
    RtspCameraSettings,
    Settings,
    StoreSettings,
    V4l2CameraSettings,
    VirtualHeadSettings,
    WhipCameraSettings,
    read_config,
    read_config_or_defaults,
    resolve,
)
from belvedere.errors import SettingsError
from belvedere.secret import Secret
from belvedere.stage.ivs_options import PEM, IvsOptions
from belvedere.stage.options import StageOptions, Way
from belvedere.stage.sources.v4l2.negotiation import PixelFormat

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


def test_without_a_path_the_file_of_this_folder_is_read_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_config_or_defaults(None) == resolve(Settings())
    written(tmp_path, "[stage]\nfps = 7\n")
    assert read_config_or_defaults(None).settings.stage.fps == 7
    other = tmp_path / "other.toml"
    other.write_text("[stage]\nfps = 8\n", encoding="utf-8")
    assert read_config_or_defaults(other).settings.stage.fps == 8


def test_the_documented_sample_is_read_and_changes_no_default() -> None:
    assert read_config(SAMPLE).settings == Settings()


def uncommented_sample() -> str:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    return "\n".join(
        line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line for line in lines
    )


def write_secrets(folder: Path) -> None:
    """The files that the sample names."""
    for name in ("turn-password", "turn-secret", "aws-secret"):
        (folder / name).write_text("open sesame\n", encoding="ascii")
    for name in ("tv-token", "lamp-token"):
        (folder / name).write_text("a-token-of-the-settings\n", encoding="ascii")
    (folder / "ivs-key.pem").write_text(f"{PEM}\n", encoding="ascii")


def test_the_sample_with_every_line_uncommented_is_read_too(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    settings = read_config(written(tmp_path, uncommented_sample())).settings
    assert settings.control.pan.max_deg == 170
    assert [server.credential for server in settings.stage.ice_servers] == [None, Secret("open sesame")]


def test_the_sample_shows_every_key_and_the_default_of_those_that_have_one(tmp_path: Path) -> None:
    write_secrets(tmp_path)
    text = uncommented_sample()
    assert not {key for key in keys(inspect.type_info(Settings)) if key.rpartition(".")[2] not in text}
    settings = read_config(written(tmp_path, text)).settings
    assert [player.name for player in settings.access.players] == ["tv"]
    assert msgspec.structs.replace(settings.access, frontends=(), players=(), cloudflare=None) == Settings().access
    for table in ("version", "link", "guardian", "store", "camera"):
        assert getattr(settings, table) == getattr(Settings(), table)


def test_amazon_ivs_needs_a_store() -> None:
    stage = StageOptions(ways=(Way.IVS,), ivs=IvsOptions(stage_arn="arn:aws:ivs:eu-central-1:1:stage/x"))
    settings = msgspec.structs.replace(Settings(), stage=stage)
    assert resolve(settings).settings.stage == stage
    with pytest.raises(SettingsError, match="store") as caught:
        resolve(msgspec.structs.replace(settings, store=StoreSettings(file="")))
    assert caught.value.key == "stage.ways"


def test_tokens_of_programs_are_read_from_their_files_and_no_two_are_the_same(tmp_path: Path) -> None:
    for name, token in (("tv", "a-token-of-the-settings"), ("obs", "another-token-of-them"), ("weak", "guessable")):
        (tmp_path / name).write_text(f"{token}\n", encoding="ascii")
    tv, obs = '[[access.players]]\nname = "tv"\ntoken_file = "tv"\n', '[camera]\nkind = "whip"\ntoken_file = '
    settings = read_config(written(tmp_path, f'{tv}{obs}"obs"')).settings
    assert settings.access.players[0].token == Secret("a-token-of-the-settings")
    assert settings.camera == WhipCameraSettings(token=Secret("another-token-of-them"))
    for text, problem in [
        (f'{tv}{obs}"tv"', "a player has the token of the program that publishes"),
        (f"{tv}{tv}", "two players have the same name"),
        (tv + tv.replace('name = "tv"', 'name = "pc"'), "two players have the same token"),
        (f'{obs}"weak"', "20 to 512"),
        ('[camera]\nkind = "whip"', "token_file"),
        ('[access]\nfrontends = ["*"]', "frontends"),
        ('[access]\nfrontends = ["https://player.example.org/"]', "frontends"),
    ]:
        with pytest.raises(SettingsError, match=problem):
            read_config(written(tmp_path, text))


def test_the_demo_has_settings_of_its_own_and_nothing_to_warn_of() -> None:
    config = resolve(DEMO)
    assert isinstance(config.settings.head, VirtualHeadSettings)
    assert config.warnings == ()
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
        ("[serer]", "serer", "version, server, access, head, link, control, guardian, camera, stage, store"),
        ("[head]\nprofile = 'nope'", "head.profile", "zeapon-pons-pt, or a file.toml"),
        ("[head]\nkind = 'radio'", "head.kind", "bluetooth, virtual, none"),
        ("[head]\nkind = 3", "head.kind", "bluetooth, virtual, none"),
        ("[head]\nkind = 'none'\nadapter = 'hci0'", "head.adapter", "kind, profile, pan, tilt"),
        ("[camera]\nkind = 'tv'", "camera.kind", "pattern, room, v4l2, rtsp, process, file"),
        ("[camera]\nkind = 'file'", "camera.path", ""),
        ("[camera]\nkind = 'rtsp'\nurl = 'http://camera/'", "camera.url", "rtsp://host:port/path"),
        ("[camera]\nkind = 'rtsp'\nurl = 'rtsp://ann:pw@camera/'", "camera", ""),
        ("[camera]\nkind = 'rtsp'\nurl = 'rtsp://camera/'\ntransport = 'http'", "camera.transport", "tcp, udp"),
        ("[camera]\nkind = 'process'\ncommand = ''", "camera", ""),
        ("[camera]\nkind = 'process'\ncommand = \"'open\"", "camera", ""),
        ("[camera]\nkind = 'process'\ncommand = 3", "camera.command", ""),
        ("[camera]\ntime_bar = true", "camera.time_bar", "kind"),
        ("[camera]\nkind = 'room'\ntime_bar = 1", "camera.time_bar", "true or false"),
        ("camera = 'room'", "camera", ""),
        ("version = 'x'", "version", "1 to 1"),
        ("[access]\nsession_s = 1", "access.session_s", "60 to 34560000.0"),
        ("[[stage.ice_servers]]\nurl = 'x'", "stage.ice_servers[0].url", "turn:host:port"),
        ("[head]\nadapter = 'usb'", "head.adapter", "hci0, hci1"),
        ("[control]\ndead_man_s = 2.0", "control.dead_man_s", "0.2 to 1.0"),
        ("[control.pan]\nmax_deg = 90.0", "control.pan", ""),
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
    head = read_config(written(tmp_path, f'[head]\nadapter = "{adapter}"')).settings.head
    assert head == BluetoothHeadSettings(adapter=adapter)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Settings()),
        ("version = 1\n[head]\nkind = 'none'", Settings(head=NoHeadSettings())),
        ("[camera]\nkind = 'room'\ntime_bar = true", Settings(camera=RoomCameraSettings(time_bar=True))),
        (
            (
                "[camera]\nkind = 'v4l2'\ndevice = '*HDMI*'\nformat = 'mjpeg'\n"
                "controls = { gain = 1, auto = true, hz = '50 Hz' }"
            ),
            Settings(
                camera=V4l2CameraSettings(
                    device="*HDMI*", format=PixelFormat.MJPEG, controls={"gain": 1, "auto": True, "hz": "50 Hz"}
                )
            ),
        ),
        ("[head]\n[camera]\n", Settings()),
        (
            "[camera]\nkind = 'process'\ncommand = 'rpicam-vid -o -'",
            Settings(camera=ProcessCameraSettings(command="rpicam-vid -o -")),
        ),
        (
            "[camera]\nkind = 'process'\ncommand = ['rpicam-vid', '-o', '-']",
            Settings(camera=ProcessCameraSettings(command=("rpicam-vid", "-o", "-"))),
        ),
        ("[camera]\nkind = 'file'\npath = '/a/b.mp4'", Settings(camera=FileCameraSettings(path="/a/b.mp4"))),
    ],
)
def test_a_table_is_of_the_kind_that_it_names_or_of_the_default_one(
    tmp_path: Path, text: str, expected: Settings
) -> None:
    assert read_config(written(tmp_path, text)).settings == expected


def test_a_video_file_is_found_beside_the_settings(tmp_path: Path) -> None:
    camera = read_config(written(tmp_path, "[camera]\nkind = 'file'\npath = 'garden.mp4'")).settings.camera
    assert camera == FileCameraSettings(path=str(tmp_path / "garden.mp4"))


def test_the_password_of_a_camera_is_in_a_file_and_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("tulip\n", encoding="utf-8")
    (tmp_path / "password").chmod(0o600)
    text = "[camera]\nkind = 'rtsp'\nurl = 'rtsp://camera/1'\nusername = 'ann'\npassword_file = 'password'"
    config = read_config(written(tmp_path, text))
    assert isinstance(config.settings.camera, RtspCameraSettings)
    assert config.settings.camera.password == Secret("tulip")
    assert "tulip" not in repr(config)


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("[head]\nkind = 'virtual'", ['[camera] kind = "pattern" and [head] kind = "virtual"']),
        ("[camera]\nkind = 'room'", ['[camera] kind = "room"']),
        ("[head]\nkind = 'none'", ['[camera] kind = "pattern"']),
    ],
)
def test_a_file_for_production_with_virtual_parts_is_valid_and_warned_of_in_one_line(
    tmp_path: Path, text: str, warned: list[str]
) -> None:
    warnings = read_config(written(tmp_path, text)).warnings
    assert list(warnings) == [f"these parts are virtual, for trying Belvedere out only: {parts}" for parts in warned]


def test_a_profile_whose_stop_nobody_has_seen_work_is_warned_of(tmp_path: Path) -> None:
    profile = """
name = "Draft"
frame.template = "02{direction}{speed}"
frame.stop = "02 00 32"
frame.direction = { positive = "01", negative = "02" }
frame.speed = { digits = 2, fastest = 99 }
pan.address = "C0:FF:EE:00:00:01"
"""
    text = "[head]\nprofile = 'draft.toml'\n[camera]\nkind = 'file'\npath = 'garden.mp4'"
    (tmp_path / "draft.toml").write_text(profile, encoding="utf-8")
    assert read_config(written(tmp_path, text)).warnings == ()
    unproven = profile.replace("pan.address", "frame.stop_is_proven = false\npan.address")
    (tmp_path / "draft.toml").write_text(unproven, encoding="utf-8")
    (warning,) = read_config(written(tmp_path, text)).warnings
    assert warning.startswith("the stop of Draft, 02 00 32, is unproven")
    assert "belvedere probe" in warning


def relay(path: str) -> str:
    return f"[[stage.ice_servers]]\nurl = 'turn:turn.example.org'\nusername = 'home'\ncredential_file = '{path}'\n"


def test_a_password_is_read_from_its_file_beside_the_settings_and_shown_nowhere(tmp_path: Path) -> None:
    for name in ("turn-password", "turn-secret"):
        (tmp_path / name).write_text("open sesame\n", encoding="ascii")
    (tmp_path / "turn-password").chmod(0o644)
    config = read_config(written(tmp_path, relay("turn-password")))
    assert config.settings.stage.ice_servers[0].credential == Secret("open sesame")
    assert "sesame" not in repr(config)
    assert config.warnings[-1].endswith(f"chmod o= {tmp_path / 'turn-password'}")


def test_a_password_of_systemds_credentials_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "turn").write_text("from systemd", encoding="ascii")
    (tmp_path / "turn").write_text("from the folder", encoding="ascii")
    config = read_config(written(tmp_path, relay("turn")))
    assert config.settings.stage.ice_servers[0].credential == Secret("from systemd")


@pytest.mark.parametrize("content", ["two\nlines", "grüezi", "a" * 513])
def test_a_password_that_no_header_can_carry_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "turn").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_config(written(tmp_path, relay("turn")))
    assert caught.value.key == "stage.ice_servers[0]"
    assert content not in str(caught.value)


def test_a_secret_that_cannot_be_read_names_the_key_and_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone cannot be read: No such file") as caught:
        read_config(written(tmp_path, relay("gone")))
    assert caught.value.key == "stage.ice_servers[0].credential_file"
    assert "the path of a file" in caught.value.allowed


VALUES = (
    *("nan", "-inf", "1e400", "-1", "9" * 30, "70000", "true", "''", "'a'", "[]", "['']", "[[]]", "{}", "{ a = 1 }"),
    *("1979-05-27", "07:32:00", '"\\u0000"', '"\\n"', "'" + "x" * 100_000 + "'"),
)


def types(kind: inspect.Type, key: str = "") -> Iterator[tuple[str, inspect.Type]]:
    """Every type in these settings, with its dotted key."""
    yield key, kind
    match kind:
        case inspect.UnionType(types=members):
            for member in members:
                yield from types(member, key)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from types(field.type, f"{key}.{field.encode_name}".removeprefix("."))
        case inspect.VarTupleType(item_type=item):
            yield from types(item, key)
        case inspect.DictType(key_type=name, value_type=item):  # whose keys are a device's own names
            yield from types(name, f"{key}.*")
            yield from types(item, f"{key}.*")
        case inspect.Metadata(type=inner):
            yield from types(inner, key)


def keys(kind: inspect.Type) -> set[str]:
    """Every dotted key of these settings."""
    return {key for key, _type in types(kind) if key and "*" not in key}


def unbounded(settings: type) -> set[str]:
    """The keys of numbers without two bounds, and of texts and lists without a greatest length."""
    found = set()
    for key, kind in types(inspect.type_info(settings)):
        match kind:
            case inspect.IntType() | inspect.FloatType():
                is_bounded = None not in (
                    kind.ge if kind.gt is None else kind.gt,
                    kind.le if kind.lt is None else kind.lt,
                )
            case inspect.StrType() | inspect.VarTupleType() | inspect.DictType():
                is_bounded = kind.max_length is not None
            case inspect.ListType() | inspect.AnyType() | inspect.BytesType():
                is_bounded = False  # settings are frozen
            case _:
                is_bounded = True
        if not is_bounded:
            found.add(key)
    return found


def test_every_number_text_and_list_has_bounds() -> None:
    assert unbounded(Settings) == set()


class Inner(msgspec.Struct):
    a: int
    b: Annotated[float, msgspec.Meta(ge=0)]
    c: Annotated[int, msgspec.Meta(gt=0, lt=9)]


class Outer(msgspec.Struct):
    inner: tuple[Inner, ...]
    d: Annotated[str, msgspec.Meta(pattern="^a+$")] | None
    e: Annotated[str, msgspec.Meta(max_length=1)]
    f: list[int]
    g: dict[str, int]


def test_what_has_no_bounds_is_found() -> None:
    assert unbounded(Outer) == {"inner", "inner.a", "inner.b", "d", "f", "g", "g.*"}


def test_a_default_is_within_its_own_bounds() -> None:
    for part in (
        Settings(),
        BluetoothHeadSettings(),
        NoHeadSettings(),
        PatternCameraSettings(),
        RoomCameraSettings(),
        V4l2CameraSettings(),
    ):
        assert msgspec.convert(msgspec.to_builtins(part), type(part)) == part


@pytest.mark.parametrize("key", sorted(keys(inspect.type_info(Settings))))
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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[room.park]\npan_deg = 90", r"room\.park\.pan_deg.*head\.pan\.full_speed_deg_per_s"),
        (
            "[room.park]\ntilt_deg = 26\n[head.tilt]\nfull_speed_deg_per_s = 20\n[control.tilt]\nmax_deg = 25",
            r"room\.park\.tilt_deg: 26 is beyond the limits of control\.tilt",
        ),
        ("[room.park]", "must be given"),
    ],
)
def test_a_parking_position_that_the_head_cannot_reach_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        read_config(written(tmp_path, text))


def test_a_parking_position_within_the_limits_of_a_calibrated_axis_is_accepted(tmp_path: Path) -> None:
    text = "[room.park]\ntilt_deg = 25\n[head.tilt]\nfull_speed_deg_per_s = 20\n[control.tilt]\nmax_deg = 25"
    park = read_config(written(tmp_path, text)).settings.room.park
    assert park is not None
    assert park.tilt_deg == 25

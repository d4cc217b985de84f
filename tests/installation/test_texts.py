"""The files that are installed say what the service needs, and nothing that the settings loader or systemd refuses."""

from __future__ import annotations

import configparser
import shlex
import tomllib
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from belvedere.app.run import EXIT_TIMEOUT_S, SHUTDOWN_TIMEOUT_S
from belvedere.app.secret_files import SecretFiles
from belvedere.app.settings import Settings, V4l2CameraSettings, parse_settings
from belvedere.cli import application
from belvedere.gateway.connection_limits import FILES as SERVER_FILES
from belvedere.guardian.core import ABANDON_AFTER_S
from belvedere.installation import texts
from belvedere.installation.texts import (
    SettingsChoice,
    bus_policy_text,
    room_service_text,
    service_text,
    settings_text,
    tunnel_text,
)

if TYPE_CHECKING:
    from pathlib import Path

SERVER = service_text("/opt/pipx/venvs/belvedere/bin/belvedere", "1.2.3")
ROOM = room_service_text("/opt/pipx/venvs/belvedere/bin/belvedere", "1.2.3")
TUNNEL = tunnel_text("/usr/bin/cloudflared")


def section(text: str, name: str) -> dict[str, str]:
    """The keys of a section; of one that occurs several times, the last."""
    parser = configparser.RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keeps the case, as its documentation says
    parser.read_string(text)
    return dict(parser[name])


def test_the_service_runs_a_command_that_there_is() -> None:
    program, *arguments = shlex.split(section(SERVER, "Service")["ExecStart"])
    assert program == "/opt/pipx/venvs/belvedere/bin/belvedere"
    application().parse_args(arguments, exit_on_error=False, print_error=False)
    assert arguments == ["serve", "--config", "/etc/belvedere/belvedere.toml"]


def test_a_room_differs_from_the_first_in_its_folders_and_its_name_alone() -> None:
    other = ROOM.replace("/etc/belvedere/%i/", "/etc/belvedere/").replace("=belvedere/%i", "=belvedere")
    assert section(ROOM, "Service") != section(SERVER, "Service")
    assert other.replace("Belvedere, %i", "Belvedere") == SERVER


def test_a_stop_has_the_time_that_the_server_and_its_guardian_take() -> None:
    assert texts.STOP_S >= SHUTDOWN_TIMEOUT_S + EXIT_TIMEOUT_S
    assert texts.STOP_S > ABANDON_AFTER_S
    assert section(SERVER, "Service")["KillMode"] == "control-group"  # `mixed` would kill the guardian first


def test_what_the_last_stop_goes_by_outlives_the_service_when_the_computer_is_switched_off() -> None:
    assert {"dbus.service", "bluetooth.service"} <= set(section(SERVER, "Unit")["After"].split())


def test_the_service_may_open_as_many_files_as_the_server_can_use() -> None:
    assert texts.FILES == SERVER_FILES


def test_a_new_version_changes_the_unit_so_that_it_is_restarted() -> None:
    assert service_text("/opt/b", "1.2.3") != service_text("/opt/b", "1.2.4")


@pytest.mark.parametrize("text", [SERVER, TUNNEL])
def test_a_service_never_gives_up_and_never_restarts_without_a_pause(text: str) -> None:
    assert section(text, "Unit")["StartLimitIntervalSec"] == "0"
    assert section(text, "Service")["Restart"] == "always"
    assert float(section(text, "Service")["RestartSec"]) >= 5


def test_code_that_is_made_at_run_time_is_allowed_where_webrtc_needs_it() -> None:
    assert "MemoryDenyWriteExecute" not in section(SERVER, "Service")
    assert section(TUNNEL, "Service")["MemoryDenyWriteExecute"] == "yes"


def test_a_path_is_one_word_whatever_is_in_it() -> None:
    command = section(service_text('/opt/my "b" 100% $x', "1"), "Service")["ExecStart"]
    assert command.startswith('"/opt/my \\"b\\" 100%% $$x" serve')


def test_the_tunnel_shows_its_token_to_nobody() -> None:
    service = section(TUNNEL, "Service")
    assert service["LoadCredential"] == "tunnel-token:/etc/belvedere/secrets/tunnel-token"
    assert service["ExecStart"].endswith("run --token-file %d/tunnel-token")


def test_d_bus_lets_the_user_call_bluez() -> None:
    policy = ET.fromstring(bus_policy_text()).find("policy")  # noqa: S314 - our own text
    assert policy is not None
    assert policy.attrib == {"user": "belvedere"}
    assert [each.attrib for each in policy] == [{"send_destination": "org.bluez"}]


def parsed(text: str, folder: Path) -> Settings:
    return parse_settings(text, "belvedere.toml", SecretFiles(folder, None))


def test_without_a_choice_the_settings_have_the_defaults_and_the_store_of_the_service(tmp_path: Path) -> None:
    text = settings_text(SettingsChoice())
    assert tomllib.loads(text) == {"version": 1, "store": {"file": "/var/lib/belvedere/belvedere.sqlite3"}}
    assert parsed(text, tmp_path).camera == Settings().camera


def test_what_was_chosen_is_what_the_server_reads(tmp_path: Path) -> None:
    choice = SettingsChoice(
        server={"names": ["home.example.org"], "port": 8081},
        head={"kind": "bluetooth", "adapter": "hci1"},
        pan_address="C0:FF:EE:00:00:01",
        camera={"kind": "v4l2", "device": '*HDMI "best" \\ é*'},
        access={"team": "our-house", "audience": "0" * 64},
    )
    settings = parsed(settings_text(choice), tmp_path)
    assert (settings.server.names, settings.server.port) == (("home.example.org",), 8081)
    assert settings.head.pan.address == "C0:FF:EE:00:00:01"
    assert settings.camera == V4l2CameraSettings(device='*HDMI "best" \\ é*')
    assert settings.access.cloudflare is not None
    assert settings.access.cloudflare.team == "our-house"

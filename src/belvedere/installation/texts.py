"""The text of each file that `belvedere setup` writes. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

USER: Final = "belvedere"
ETC: Final = PurePosixPath("/etc/belvedere")
SETTINGS: Final = ETC / "belvedere.toml"
SECRETS: Final = ETC / "secrets"
TUNNEL_TOKEN: Final = SECRETS / "tunnel-token"
STATE: Final = PurePosixPath("/var/lib/belvedere")
UNITS: Final = PurePosixPath("/etc/systemd/system")
SERVICE: Final = "belvedere.service"
ROOM_SERVICE: Final = "belvedere@.service"
ROOMS: Final = "belvedere@*.service"  # those of them that systemd knows
TUNNEL: Final = "belvedere-tunnel.service"
BUS_POLICY: Final = PurePosixPath("/etc/dbus-1/system.d/belvedere.conf")

WATCHDOG_S: Final = 10  # the server reports every five seconds that its loop turns, and more often while a unit moves
STOP_S: Final = 35  # longer than a shutdown that searches for a unit that may be turning (app.run.SHUTDOWN_TIMEOUT_S)
RESTART_S: Final = 5  # a start takes a second of processor time, on a Raspberry Pi a few
FILES: Final = 4096  # as many connections as the server can make use of (gateway.connection_limits.FILES)
TUNNEL_METRICS: Final = "127.0.0.1:20241"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChoice:
    """What the owner chose for a new settings file; what is not given keeps its default.

    Attributes:
        server, head, camera: keys and values of these tables.
        pan_address, tilt_address: the units' Bluetooth addresses.
        access: keys and values of `[access.cloudflare]`.
    """

    server: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    head: Mapping[str, str] = field(default_factory=dict)
    pan_address: str | None = None
    tilt_address: str | None = None
    camera: Mapping[str, str] = field(default_factory=dict)
    access: Mapping[str, str] = field(default_factory=dict)


def settings_text(choice: SettingsChoice) -> str:
    """The settings file. The store's file has its whole path, so that commands find it without systemd's variables."""
    tables: dict[str, Mapping[str, str | int | list[str]]] = {
        "server": choice.server,
        "access.cloudflare": choice.access,
        "head": choice.head,
        "head.pan": {"address": choice.pan_address} if choice.pan_address else {},
        "head.tilt": {"address": choice.tilt_address} if choice.tilt_address else {},
        "camera": choice.camera,
        "store": {"file": str(STATE / "belvedere.sqlite3")},
    }
    lines = [
        "# Written by `belvedere setup`, which never changes it again: it is yours.",
        f"# After a change: belvedere config check {SETTINGS}, then sudo systemctl restart belvedere",
        "version = 1",
    ]
    for name, keys in tables.items():
        if keys:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


def _toml(value: str | int | list[str]) -> str:
    """A value as TOML writes it; the strings of JSON are strings of TOML too."""
    return json.dumps(value, ensure_ascii=False)


def service_text(program: str, version: str) -> str:
    """The unit of the server.

    Args:
        program: the absolute path of the installed command `belvedere`.
        version: of the program; a new one changes the file, so that `belvedere setup` restarts the service.
    """
    return _server_text(program, version, "Belvedere", ETC, STATE.name)


def room_service_text(program: str, version: str) -> str:
    """The template of the unit of each further room, whose name stands behind the `@`; otherwise as `service_text`.

    A room's settings and data are in folders of its name; it has the user and the sandbox of the first room.
    """
    return _server_text(program, version, "Belvedere, %i", ETC / "%i", f"{STATE.name}/%i")


def _server_text(program: str, version: str, description: str, folder: PurePosixPath, state: str) -> str:
    return f"""\
# Written by `belvedere setup` of Belvedere {version}, which overwrites changes: use `systemctl edit` on the service.
[Unit]
Description={description}
Wants=network-online.target bluetooth.service
# They end in the opposite order. Without dbus.service here, D-Bus would end at once when the computer is switched off,
# and with it the way by which the head is stopped.
After=network-online.target dbus.service bluetooth.service
# Never give up: nobody may be there to start it by hand. RestartSec keeps it from using up the processor.
StartLimitIntervalSec=0

[Service]
Type=notify
User={USER}
Group={USER}
ExecStart={_word(program)} serve --config {folder / SETTINGS.name}
StateDirectory={state}
StateDirectoryMode=0700
UMask=0077
LimitNOFILE={FILES}
LimitCORE=0

Restart=always
RestartSec={RESTART_S}
WatchdogSec={WATCHDOG_S}
# A unit that may be turning and is out of reach is searched for; then the guardian, which ignores the first signal,
# ends when it has written its stop. With KillMode=mixed it would be killed before that.
TimeoutStopSec={STOP_S}
KillMode=control-group

{_SANDBOX}
PrivateUsers=yes
# No MemoryDenyWriteExecute: WebRTC's DTLS calls back into Python, for which cffi makes code at run time.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
# Cameras of any kind (those by USB that are no webcams too), their encoders, and the sound of a chime. Bluetooth needs
# no device: BlueZ is reached by D-Bus.
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-dma_heap rw
DeviceAllow=char-usb_device rw
DeviceAllow=char-alsa rw

[Install]
WantedBy=multi-user.target
"""


def tunnel_text(program: str) -> str:
    """The unit of cloudflared, whose token neither the unit nor a list of processes shows.

    Args:
        program: the absolute path of cloudflared.
    """
    return f"""\
# Written by `belvedere setup`, which overwrites changes: use `systemctl edit belvedere-tunnel`.
[Unit]
Description=Cloudflare tunnel to Belvedere
Wants=network-online.target
After=network-online.target {SERVICE}
StartLimitIntervalSec=0

[Service]
Type=notify
DynamicUser=yes
LoadCredential=tunnel-token:{TUNNEL_TOKEN}
ExecStart={_word(program)} tunnel --no-autoupdate --metrics {TUNNEL_METRICS} run --token-file %d/tunnel-token
Restart=always
RestartSec={RESTART_S}
LimitCORE=0
UMask=0077

{_SANDBOX}
MemoryDenyWriteExecute=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=multi-user.target
"""


def bus_policy_text() -> str:
    """The policy that lets the service's user call BlueZ, whatever the groups of this distribution are."""
    return f"""\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<!-- Written by `belvedere setup`: lets the service use Bluetooth. -->
<busconfig>
  <policy user="{USER}">
    <allow send_destination="org.bluez"/>
  </policy>
</busconfig>
"""


def _word(path: str) -> str:
    """A path as one word of a command line of a unit."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


_SANDBOX: Final = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateIPC=yes
PrivateMounts=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
KeyringMode=private
LockPersonality=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM"""

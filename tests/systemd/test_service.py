"""The service from its installation to its removal, which is the last test."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from tests.systemd.service import (
    PORT,
    ROOM,
    SECOND,
    WAIT_S,
    belvedere,
    files,
    process_of,
    put_version,
    run,
    shown,
    start_second_room,
    until,
    versions,
)
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from belvedere.installation.texts import (
    BUS_POLICY,
    RESTART_S,
    ROOM_SERVICE,
    SERVICE,
    SETTINGS,
    STATE,
    TUNNEL,
    UNITS,
)
from belvedere.stage.stream.messages import SUBPROTOCOL
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from tests.systemd.service import Service

MAX_EXPOSURE = 2.0
TOKEN = "eyJhIjoiYW4tYWNjb3VudCIsInQiOiJhLXR1bm5lbCJ9"  # noqa: S105 - of no tunnel
TUNNEL_PROGRAM = Path("/usr/local/bin/cloudflared")
TUNNEL_TEXT = """#!/usr/bin/python3 -S
import os, pathlib, signal, socket, sys
file = sys.argv[sys.argv.index("--token-file") + 1]
print("the token has", len(pathlib.Path(file).read_text()), "characters", flush=True)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
    line.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
signal.pause()
"""
LEFT_BY_DEBIAN = {f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow")} | {"/etc/.pwd.lock"}
"""What the commands for users leave behind."""


def test_setup_starts_the_service_and_prints_the_owners_link(service: Service) -> None:
    assert re.search(r"Owner \(owner\): http://127\.0\.0\.1:8080/join#[A-Za-z0-9_-]{43}\n", service.said)
    assert service.is_running
    until(lambda: service.parts()["guardian"] == "watching", "the guardian reaches D-Bus")


def test_a_second_setup_changes_nothing(service: Service) -> None:
    process = service.process
    assert belvedere("setup", "--yes") == "Nothing to change: all is as it should be.\n"
    assert service.process == process


def test_the_server_runs_as_its_user_without_capabilities(service: Service) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{service.process}/status").read_text(encoding="ascii").splitlines()
    )
    assert set(status["Uid"].split()) == {run("id", "-u", "belvedere").strip()}
    assert (status["CapBnd"], status["CapEff"]) == ("0" * 16, "0" * 16)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    groups = run("id", "-Gn", "belvedere").split()
    assert {"video", "audio", "bluetooth"} <= set(groups)


def test_nobody_else_reads_its_files(service: Service) -> None:
    assert service.is_running
    modes = {str(path): stat.S_IMODE(Path(path).stat().st_mode) for path in (STATE, SETTINGS, SETTINGS.parent)}
    assert modes == {str(STATE): 0o700, str(SETTINGS): 0o640, str(SETTINGS.parent): 0o750}
    assert {path.stat().st_mode & 0o077 for path in Path(STATE).iterdir()} == {0}


def test_bluez_answers_its_user(service: Service) -> None:
    assert service.is_running
    words = ("org.bluez", "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    call = ("--wait", "--pipe", "--quiet", "--uid=belvedere", "busctl", "call")
    assert run("systemd-run", *call, *words).startswith("a{oa{sa{sv}}}")


def test_a_visitor_sees_a_picture_that_is_encoded_inside_the_sandbox(service: Service) -> None:
    cookie = service.log_in("Visitor")
    origin = Origin(f"http://127.0.0.1:{PORT}")
    address = f"ws://127.0.0.1:{PORT}/api/v1/stage/stream"
    headers, protocols = {"Cookie": cookie}, [Subprotocol(SUBPROTOCOL)]
    with connect(address, origin=origin, additional_headers=headers, subprotocols=protocols, open_timeout=60) as socket:
        socket.send(b"\x01")
        description, frame = socket.recv(60), socket.recv(60)
    assert isinstance(description, str)
    assert isinstance(frame, bytes)
    assert frame[1] == 1  # an IDR


@pytest.mark.realtime
async def test_a_visitor_is_connected_by_webrtc_inside_the_sandbox(service: Service) -> None:
    run("ip", "address", "replace", "192.0.2.1/32", "dev", "lo")  # WebRTC does not use 127.0.0.1
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    is_connected = asyncio.Event()

    def receive_state() -> None:
        if browser.connectionState == "connected":
            is_connected.set()

    browser.on("connectionstatechange", receive_state)
    browser.addTransceiver("video", direction="recvonly")
    await browser.setLocalDescription(await browser.createOffer())
    headers = {"Content-Type": "application/sdp", "Cookie": service.log_in("Visitor")}
    offer = browser.localDescription.sdp
    answer, _ = await asyncio.to_thread(service.request, "/api/v1/stage/whep", offer, **headers)
    await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with timeout(WAIT_S):
        await is_connected.wait()
    await browser.close()


def test_systemd_finds_nothing_wrong_with_the_unit(service: Service, findings: dict[str, float]) -> None:
    assert service.is_running
    assert run("systemd-analyze", "verify", UNITS / SERVICE) == ""
    judged = run("systemd-analyze", "security", "--no-pager", SERVICE)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged)
    assert found is not None
    findings[f"systemd's exposure level of {SERVICE}"] = float(found[1])
    assert float(found[1]) <= MAX_EXPOSURE


def test_a_second_room_has_a_service_a_store_and_people_of_its_own(service: Service) -> None:
    start_second_room()  # returns when it has said that it is ready
    assert shown(SECOND, "ActiveState") == "active"
    assert process_of(SECOND) not in {0, service.process}
    folder, store = STATE / ROOM, STATE / ROOM / "belvedere.sqlite3"
    assert (Path(folder).stat().st_mode & 0o777, Path(store).stat().st_mode & 0o077) == (0o700, 0)
    settings = str(SETTINGS.parent / ROOM / SETTINGS.name)
    belvedere("people", "invite", "Neighbour", "--config", settings)
    assert "Neighbour" in belvedere("people", "list", "--config", settings)
    assert "Neighbour" not in service.people()


def test_an_upgrade_and_its_way_back_keep_the_store_and_restart_the_service(service: Service) -> None:
    older, newer = versions()
    service.invite("Ana")
    for version in (newer, older):
        process, of_second = service.process, process_of(SECOND)
        put_version(version)
        assert belvedere("--version").strip() == version
        said = belvedere("setup", "--yes")
        assert f"restarted {SERVICE}" in said
        assert f"restarted {SECOND}" in said
        assert service.process != process
        assert process_of(SECOND) not in {0, of_second}
        assert "Ana" in service.people()


def test_a_server_that_hangs_is_killed_and_started_again(service: Service, findings: dict[str, float]) -> None:
    hung = service.process
    os.kill(hung, signal.SIGSTOP)
    took_s = until(lambda: service.is_running and service.process != hung, "the server runs again")
    findings["from a hang of the server to its next start, s"] = round(took_s, 1)
    assert "Watchdog timeout" in run("journalctl", "--unit", SERVICE, "--no-pager")
    assert service.parts()["engine"] == "running"


def test_settings_that_are_wrong_are_tried_slowly_and_again_when_they_are_right(service: Service) -> None:
    settings = Path(SETTINGS)
    right = settings.read_text(encoding="utf-8")
    settings.write_text(f"{right}\n[telescope]\n", encoding="utf-8")
    run("systemctl", "restart", "--no-block", SERVICE)
    until(lambda: service.restarts >= 1, "systemd has tried again")
    began_s, first = time.monotonic(), service.restarts
    until(lambda: service.restarts >= first + 2, "systemd has tried twice more")
    assert time.monotonic() - began_s >= RESTART_S
    settings.write_text(right, encoding="utf-8")
    until(lambda: service.is_running, "the server runs with the right settings")


def test_a_tunnel_gets_its_token_unseen(service: Service) -> None:
    TUNNEL_PROGRAM.write_text(TUNNEL_TEXT, encoding="utf-8")
    TUNNEL_PROGRAM.chmod(0o755)
    file = Path("/run/token")
    file.write_text(TOKEN, encoding="ascii")
    process = service.process
    said = belvedere("setup", "--yes", "--tunnel-token-file", str(file))
    until(lambda: run("systemctl", "show", TUNNEL, "--property=ActiveState", "--value") == "active\n", "the tunnel")
    journal = run("journalctl", "--no-pager")
    assert f"the token has {len(TOKEN) + 1} characters" in journal
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert any(b"cloudflared" in command for command in commands)
    shown = (said, journal, run("systemctl", "cat", TUNNEL), run("systemctl", "show", TUNNEL))
    assert not any(TOKEN in text for text in shown)
    assert not any(TOKEN.encode() in command for command in commands)
    assert service.process == process
    assert run("systemd-analyze", "verify", UNITS / TUNNEL) == ""


def test_a_removal_leaves_what_it_says_and_a_purge_nothing(service: Service) -> None:
    said = belvedere("setup", "--uninstall")
    assert "Kept: settings and secrets in /etc/belvedere, the data in /var/lib/belvedere, and the user" in said
    assert not service.is_running
    assert process_of(SECOND) == 0
    left = {Path(path) for path in (SETTINGS, STATE / "belvedere.sqlite3")}
    assert left <= files()
    removed = {Path(path) for path in (UNITS / SERVICE, UNITS / ROOM_SERVICE, UNITS / TUNNEL, BUS_POLICY)}
    assert not removed & files()
    assert not list(Path(UNITS).glob("*.wants/belvedere*"))
    belvedere("setup", "--uninstall", "--purge")
    TUNNEL_PROGRAM.unlink(missing_ok=True)
    assert {str(path) for path in files() - service.before} <= LEFT_BY_DEBIAN
    assert "belvedere" not in Path("/etc/passwd").read_text(encoding="utf-8")
    assert "belvedere" not in Path("/etc/group").read_text(encoding="utf-8")

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.access.joining import join
from tests.store.saved import save

from belvedere.access.cloudflare import CloudflareOptions
from belvedere.access.invitations import AccessOptions
from belvedere.access.programs import Player
from belvedere.app.build import Belvedere, build, picture_source
from belvedere.app.settings import (
    DEMO,
    Camera,
    FileCameraSettings,
    NoHeadSettings,
    PatternCameraSettings,
    ProcessCameraSettings,
    RoomCameraSettings,
    RtspCameraSettings,
    Settings,
    StoreSettings,
    V4l2CameraSettings,
    WhipCameraSettings,
    resolve,
)
from belvedere.app.systemd_notify import Notifier
from belvedere.gateway.cloudflare_gate import CloudflareGate
from belvedere.guardian.options import GuardianOptions
from belvedere.guardian.process import GuardianState
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase
from belvedere.secret import Secret
from belvedere.sim.source import RoomSource
from belvedere.stage.options import IceServer
from belvedere.stage.sources.file import FileSource
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.sources.program import ProgramSource
from belvedere.stage.sources.published import PublishedSource
from belvedere.stage.sources.rtsp import RtspSource
from belvedere.stage.sources.v4l2.source import V4l2Source
from belvedere.stage.voice.options import Talking, VoiceOptions
from belvedere.store.positions import Position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def a_folder(path: Path) -> None:
    path.mkdir()


def no_database(path: Path) -> None:
    path.write_text("no database " * 1000, encoding="utf-8")


def of_later(path: Path) -> None:
    save(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def nonsense(path: Path) -> None:
    save(path, **{axis.value: Position(1.0, is_sure=True) for axis in AXES})
    with sqlite3.connect(path) as database:
        database.execute("UPDATE position SET deg = ? WHERE axis = 'pan'", (math.inf,))
        database.execute("UPDATE position SET deg = 'far' WHERE axis = 'tilt'")
    database.close()


def locked(path: Path) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    OPEN.append(database)


OPEN: list[sqlite3.Connection] = []


@pytest.mark.realtime
@pytest.mark.parametrize("make", [a_folder, no_database, of_later, nonsense, locked])
async def test_with_an_unusable_store_the_program_starts_and_no_position_is_sure(
    make: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "belvedere.sqlite3"
    make(path)
    settings = msgspec.structs.replace(DEMO, store=StoreSettings(file=path.name))
    belvedere = build(resolve(settings, folder=tmp_path), asyncio.get_running_loop().time, Notifier({}))
    status = belvedere.engine.status
    assert (status.pan.position_deg, status.pan.is_position_sure) == (0, False)
    assert (status.tilt.position_deg, status.tilt.is_position_sure) == (0, False)
    assert msgspec.json.encode(status)
    assert str(path) in caplog.text
    assert "tilt: may have moved since" in caplog.text
    assert "Traceback" not in caplog.text
    assert belvedere.database is not None
    for database in OPEN:
        database.close()
    await belvedere.database.close()


UNGUARDED = Settings(guardian=GuardianOptions(enabled=False))


def built(settings: Settings) -> Belvedere:
    return build(resolve(settings), asyncio.get_running_loop().time, Notifier({}))


async def test_the_demo_is_the_real_stack_over_a_virtual_head_and_connects() -> None:
    belvedere = built(DEMO)
    assert belvedere.virtual_head is not None
    async with belvedere.virtual_head:
        tasks = [asyncio.create_task(unit.run()) for unit in belvedere.units.values()]
        tasks.append(asyncio.create_task(belvedere.engine.run()))
        await asyncio.sleep(5)
        assert {belvedere.units[axis].status.state for axis in AXES} == {LinkPhase.READY}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert {belvedere.units[axis].status.state for axis in AXES} == {LinkPhase.CLOSED}


async def test_without_bluetooth_there_is_a_picture_and_no_head() -> None:
    belvedere = built(Settings(head=NoHeadSettings()))
    assert belvedere.virtual_head is None
    task = asyncio.create_task(belvedere.units[Axis.PAN].run())
    await asyncio.sleep(1)
    assert belvedere.units[Axis.PAN].status.state is LinkPhase.DISABLED
    task.cancel()
    await asyncio.wait([task])


async def test_pages_get_the_same_ice_servers_that_the_stage_uses() -> None:
    servers = (IceServer(url="stun:stun.example.org"),)
    stage = msgspec.structs.replace(DEMO.stage, ice_servers=servers)
    belvedere = built(Settings(head=NoHeadSettings(), stage=stage))
    assert await belvedere.dependencies.webrtc.ice_servers_of("ann") == servers


@pytest.mark.parametrize(
    ("camera", "source"),
    [
        (RoomCameraSettings(), RoomSource),
        (PatternCameraSettings(), PatternSource),
        (FileCameraSettings(path="a.mp4"), FileSource),
        (RtspCameraSettings(url="rtsp://camera/1"), RtspSource),
        (ProcessCameraSettings(command="rpicam-vid -o -"), ProgramSource),
        (V4l2CameraSettings(device="*HDMI*"), V4l2Source),
        (WhipCameraSettings(token=Secret("a-token-of-the-settings")), PublishedSource),
    ],
)
def test_the_stage_shows_what_the_settings_name(camera: Camera, source: type) -> None:
    config = resolve(msgspec.structs.replace(DEMO, camera=camera))
    assert isinstance(picture_source(config, None)(), source)


async def test_programs_of_the_settings_are_let_in_by_their_tokens() -> None:
    player, publisher = Secret("a-token-of-the-players"), Secret("a-token-of-the-publisher")
    access = AccessOptions(players=(Player(name="tv", token=player),), frontends=("https://player.example.org",))
    belvedere = built(Settings(head=NoHeadSettings(), access=access, camera=WhipCameraSettings(token=publisher)))
    found = {token: belvedere.invitations.programs.find(token.reveal()) for token in (player, publisher)}
    assert {session.id for session in found.values() if session is not None} == {"player-tv", "publisher"}
    assert belvedere.dependencies.publishing is belvedere.whip is not None
    assert belvedere.dependencies.frontends == access.frontends


async def test_cloudflare_access_is_the_only_way_in_where_the_settings_name_it() -> None:
    cloudflare = CloudflareOptions(team="our-house", audience="ab" * 32)
    behind = built(msgspec.structs.replace(DEMO, access=AccessOptions(cloudflare=cloudflare)))
    assert isinstance(behind.dependencies.gate, CloudflareGate)
    assert behind.signing_keys is not None
    without = built(DEMO)
    assert without.dependencies.gate is None
    assert without.signing_keys is None


async def test_sessions_last_as_long_as_the_settings_say() -> None:
    belvedere = built(msgspec.structs.replace(DEMO, access=AccessOptions(session_s=90)))
    issued = join(belvedere.invitations)
    assert issued.session.ends_at_s - asyncio.get_running_loop().time() == 90


async def test_only_real_units_over_bluez_have_a_guardian_if_it_is_enabled() -> None:
    real = built(Settings())
    assert real.guard.state is real.dependencies.guardian() is GuardianState.MISSING  # until it runs
    real.guard.close()
    for settings in (DEMO, Settings(head=NoHeadSettings()), UNGUARDED):
        assert built(settings).dependencies.guardian() is GuardianState.NOT_NEEDED


async def test_without_a_guardian_real_units_are_driven_and_reported_as_unguarded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)  # as on macOS
    real = built(Settings())
    assert real.dependencies.guardian() is GuardianState.MISSING
    assert "could not create the guardian" in caplog.text
    await real.guard.run()


async def test_the_sound_obeys_the_rules_of_the_room_and_there_is_none_unless_the_owner_wants_it() -> None:
    settings = msgspec.structs.replace(DEMO, voice=VoiceOptions(enabled=True, talking=Talking.OPEN))
    belvedere = build(resolve(settings), asyncio.get_running_loop().time, Notifier({}))
    assert belvedere.sound is not None
    assert belvedere.sound.rules is belvedere.voice
    assert belvedere.voice.has_voice
    assert belvedere.voice.offers_open
    assert belvedere.sound in belvedere.room._outputs
    silent = build(resolve(DEMO), asyncio.get_running_loop().time, Notifier({}))
    assert silent.sound is None
    assert not silent.voice.has_voice

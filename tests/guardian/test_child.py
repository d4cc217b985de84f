"""A real guardian of a real parent that is stopped, killed or hung, with a fake BlueZ on a real D-Bus."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # it brings no types
import pytest
from tests.guardian.buses import PAN, STOP, TILT, TIMEOUT_S, fake_bluez, needs_dbus
from tests.guardian.parent import DEAD_MAN_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.realtime, needs_dbus]
ROOT = Path(__file__).parents[2]
REQUIRED_S = DEAD_MAN_S + 0.5
QUIET_S = 0.3
STALL_S = 0.3  # longer than a few beats, and shorter than the dead-man time
RSS_MIB = 25


class Parent:
    """The process of `parent.py` and its guardian."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def until(self, wanted: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            while (line := (await self.process.stdout.readline()).decode().strip()) != wanted:
                assert line, f"it ended without printing {wanted}"

    async def guardian(self) -> psutil.Process:
        (guardian,) = psutil.Process(self.process.pid).children()
        return guardian


@asynccontextmanager
async def a_parent(stderr: int | None = None, *, is_turning: bool = False) -> AsyncIterator[Parent]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.guardian.parent"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
    )
    parent = Parent(process)
    if is_turning:
        parent.send("turn")
    try:
        await parent.until("watching")
        yield parent
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # its pipes; asyncio has no other way to close them


@asynccontextmanager
async def slow_way_to(bus: str, folder: Path) -> AsyncIterator[str]:
    """Yield an address that forwards to this bus, with a first answer later than the dead-man time."""
    tasks: set[asyncio.Task[None]] = set()  # they end with the guardian's connection

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, late_s: float) -> None:
        with contextlib.closing(target), contextlib.suppress(OSError):
            while data := await source.read(4096):
                await asyncio.sleep(late_s)
                late_s = 0.0
                target.write(data)

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_unix_connection(bus.split("=")[1].partition(",")[0])
        tasks.add(asyncio.create_task(carry(reader, their_writer, DEAD_MAN_S + 0.2)))
        tasks.add(asyncio.create_task(carry(their_reader, writer, 0.0)))

    path = folder / "bus"
    server = await asyncio.start_unix_server(receive, path)
    try:
        yield f"unix:path={path}"
    finally:
        server.close()
        await asyncio.gather(*tasks)


async def until_ended(process: psutil.Process) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - not our child
            await asyncio.sleep(0.01)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.alone
@pytest.mark.parametrize("fate", ["SIGSTOP", "SIGKILL", "spin"])
async def test_both_units_are_stopped_soon_after_the_server_falls_silent(
    monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        assert bluez.calls == []
        began_at = now()
        if fate == "spin":
            parent.send("spin")
        else:
            parent.process.send_signal(signal.Signals[fate])
        for unit in (PAN, TILT):
            calls = await bluez.until("command", "command", "command", "request", unit=unit)
            assert calls[0].at_s - began_at < REQUIRED_S
            assert {call.value for call in calls} == {STOP}


async def test_a_guardian_outlives_a_killed_server_until_the_units_are_stopped_and_then_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        guardian = await parent.guardian()
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        parent.process.kill()
        await until_ended(guardian)
        assert [call.how for call in bluez.of(PAN)] == ["command", "command", "command", "request"]


async def test_nothing_is_done_to_a_server_that_is_only_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        parent.send("turn")
        for _ in range(3):
            parent.send(f"stall {STALL_S}")
            await asyncio.sleep(2 * STALL_S)
        assert bluez.calls == []


async def test_nothing_is_done_if_the_server_beats_while_the_guardian_waits_for_d_bus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with fake_bluez(monkeypatch) as bluez, slow_way_to(os.environ["DBUS_SYSTEM_BUS_ADDRESS"], tmp_path) as method:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", method)
        async with a_parent(is_turning=True):
            await asyncio.sleep(QUIET_S)
            assert bluez.calls == []


async def test_nothing_is_done_if_the_server_hangs_while_no_unit_is_turning(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        parent.send("turn")
        parent.send("rest")
        await asyncio.sleep(QUIET_S)
        parent.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2 * DEAD_MAN_S)
        assert bluez.calls == []


async def test_a_server_that_resumes_learns_of_the_stop_and_is_watched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        stopping = ["command", "command", "command", "request"]
        for times in (1, 2):
            parent.process.send_signal(signal.SIGSTOP)
            await bluez.until(*times * stopping)
            parent.process.send_signal(signal.SIGCONT)
            await parent.until("stopped 0")
        await asyncio.sleep(QUIET_S)
        assert [call.how for call in bluez.of(PAN)] == 2 * stopping


async def test_a_unit_that_bluez_refuses_to_stop_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        bluez.error = "org.bluez.Error.Failed"
        guardian = await parent.guardian()
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        parent.process.kill()
        calls = await bluez.until("command", "request", "disconnect")
        assert calls[-1].path == PAN.device
        await until_ended(guardian)


async def test_a_guardian_ends_with_its_server_and_leaves_no_zombie(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        guardian = await parent.guardian()
        parent.send("end")
        async with asyncio.timeout(TIMEOUT_S):
            assert await parent.process.wait() == 0
        assert not guardian.is_running()
        assert bluez.calls == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGABRT])
async def test_a_guardian_ignores_the_signals_that_end_other_programs(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        guardian = await parent.guardian()
        guardian.send_signal(number)
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        parent.process.kill()
        await bluez.until("request")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_guardian_that_ends_or_hangs_is_reported_missing_and_replaced(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    async with fake_bluez(monkeypatch), a_parent() as parent:
        guardian = await parent.guardian()
        guardian.send_signal(number)
        await parent.until("missing")
        await parent.until("watching")
        assert (await parent.guardian()).pid != guardian.pid
        assert not guardian.is_running()


async def test_a_guardian_without_bluez_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        bluez.daemon.kill()
        await parent.until("missing")


async def test_bluez_coming_back_while_units_are_to_be_stopped_is_used_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with fake_bluez(monkeypatch) as bluez, a_parent() as parent:
        bluez.daemon.send_signal(signal.SIGSTOP)
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        parent.process.kill()
        await asyncio.sleep(QUIET_S)
        bluez.daemon.send_signal(signal.SIGCONT)
        await bluez.until("command")


async def test_a_full_log_pipe_does_not_block_a_guardian(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    async with fake_bluez(monkeypatch) as bluez, a_parent(stderr=theirs) as parent:
        os.close(theirs)
        os.close(ours)
        parent.send("turn")
        await asyncio.sleep(QUIET_S)
        parent.process.kill()
        await bluez.until("command", "command", "command", "request")


async def test_a_guardian_needs_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch), a_parent() as parent:
        memory = (await parent.guardian()).memory_info()
        assert memory.rss / 2**20 < RSS_MIB

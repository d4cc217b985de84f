"""The guardian's way to BlueZ, over a real D-Bus."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from tests.guardian.buses import PAN, PATIENCE_S, STOP, fake_bluez, needs_dbus

from belvedere.guardian.bluez import BluezConnection, BluezError
from belvedere.guardian.core import StopMethod

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.realtime, needs_dbus]


async def connected() -> BluezConnection:
    return await asyncio.to_thread(BluezConnection, STOP)


async def answers_of(connection: BluezConnection, count: int) -> list[tuple[int, str | None]]:
    answers: list[tuple[int, str | None]] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(answers) < count:
            answers += connection.answers()
            await asyncio.sleep(0.001)
    return answers


async def test_a_stop_is_written_each_way_and_a_unit_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        with closing(await connected()) as connection:
            for number, method in enumerate((StopMethod.COMMAND, StopMethod.REQUEST, StopMethod.DISCONNECT), start=7):
                connection.call(number, PAN, method)
            assert sorted(await answers_of(connection, 3)) == [(7, None), (8, None), (9, None)]
    assert [(call.how, call.path, call.value) for call in bluez.calls] == [
        ("command", PAN.characteristic, STOP),
        ("request", PAN.characteristic, STOP),
        ("disconnect", PAN.device, b""),
    ]


async def test_a_refusal_comes_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        bluez.error = "org.bluez.Error.InProgress"
        with closing(await connected()) as connection:
            connection.call(1, PAN, StopMethod.REQUEST)
            assert await answers_of(connection, 1) == [(1, "org.bluez.Error.InProgress")]


async def test_nobody_is_started_who_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        await bluez.connection.release_name("org.bluez")
        with closing(await connected()) as connection:
            connection.call(1, PAN, StopMethod.COMMAND)
            ((number, error),) = await answers_of(connection, 1)
            assert number == 1
            assert error in ("org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.ServiceUnknown")


async def test_the_end_of_d_bus_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        with closing(await connected()) as connection:
            bluez.daemon.kill()
            with pytest.raises(BluezError, match=r"D-Bus closed|D-Bus connection failed"):
                await answers_of(connection, 1)


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "tcp:host=127.0.0.1", "nonsense"])
async def test_a_bus_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with pytest.raises(BluezError, match="could not connect"):
        await connected()


async def test_a_bus_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/mute")
        with pytest.raises(BluezError, match="could not connect"):
            await connected()


@pytest.mark.parametrize("greeting", [b"REJECTED\r\n", b"OK 1234\r\n" + 64 * b"x"])
async def test_whoever_is_no_d_bus_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, greeting: bytes) -> None:
    def greet(listening: socket.socket) -> None:
        with listening.accept()[0] as peer:
            answer, _, rest = greeting.partition(b"\r\n")
            peer.recv(4096)
            peer.sendall(answer + b"\r\n")
            peer.recv(4096)
            with suppress(BrokenPipeError):  # whoever was rejected has gone
                peer.sendall(rest)

    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "other"))
        other.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/other")
        greeting_it = asyncio.create_task(asyncio.to_thread(greet, other))
        with pytest.raises(BluezError, match=r"could not (connect|parse)"):
            await connected()
        await greeting_it


async def test_a_bus_that_takes_nothing_any_more_is_given_up_and_never_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call_without_end(connection: BluezConnection) -> None:
        for number in range(1_000_000):
            connection.call(number, PAN, StopMethod.COMMAND)

    async with fake_bluez(monkeypatch) as bluez:
        with closing(await connected()) as connection:
            bluez.daemon.send_signal(signal.SIGSTOP)
            with pytest.raises(BluezError, match="stopped reading"):
                call_without_end(connection)
            assert connection.wants_to_send

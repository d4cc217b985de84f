"""The guardian's way to BlueZ, over a real D-Bus."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from tests.guardian.buses import PAN, STOP, TIMEOUT_S, fake_bluez, needs_dbus

from belvedere.guardian.bluez import BluezConnection, BluezError
from belvedere.guardian.core import StopMethod

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.realtime, needs_dbus]


async def connected() -> BluezConnection:
    return await asyncio.to_thread(BluezConnection, STOP)


async def answers_of(connection: BluezConnection, count: int) -> list[tuple[int, str | None]]:
    answers: list[tuple[int, str | None]] = []
    async with asyncio.timeout(TIMEOUT_S):
        while len(answers) < count:
            answers += connection.answers()
            await asyncio.sleep(0.001)
    return answers


async def test_stops_are_written_with_and_without_response_and_a_unit_is_disconnected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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


async def test_an_error_is_returned_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        bluez.error = "org.bluez.Error.InProgress"
        with closing(await connected()) as connection:
            connection.call(1, PAN, StopMethod.REQUEST)
            assert await answers_of(connection, 1) == [(1, "org.bluez.Error.InProgress")]


async def test_a_call_does_not_start_bluez(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        await bluez.connection.release_name("org.bluez")
        with closing(await connected()) as connection:
            connection.call(1, PAN, StopMethod.COMMAND)
            ((number, error),) = await answers_of(connection, 1)
            assert number == 1
            assert error in ("org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.ServiceUnknown")


async def test_a_closed_d_bus_connection_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_bluez(monkeypatch) as bluez:
        with closing(await connected()) as connection:
            bluez.daemon.kill()
            with pytest.raises(BluezError, match=r"D-Bus closed|D-Bus connection failed"):
                await answers_of(connection, 1)


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "tcp:host=127.0.0.1", "nonsense"])
async def test_a_missing_d_bus_is_an_error(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with pytest.raises(BluezError, match="could not connect"):
        await connected()


async def test_a_d_bus_that_never_answers_ends_in_a_timeout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/mute")
        with pytest.raises(BluezError, match="could not connect"):
            await connected()


@pytest.mark.parametrize("greeting", [b"REJECTED\r\n", b"OK 1234\r\n" + 64 * b"x"])
async def test_a_peer_that_is_not_d_bus_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, greeting: bytes
) -> None:
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


async def test_a_d_bus_that_stops_reading_is_an_error_and_never_blocks(
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

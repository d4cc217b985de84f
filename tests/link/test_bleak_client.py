"""bleak's clients: one try each, and errors that say what to do next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest
from bleak.exc import BleakDeviceNotFoundError, BleakError

from belvedere.errors import LinkError, LinkReason
from belvedere.head.profile import shipped_profile
from belvedere.link.bleak_client import BleakClients, detect_bluez_version
from belvedere.link.pending_calls import PendingCalls
from belvedere.link.radio import Radio
from belvedere.sim.head import VirtualHead

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = shipped_profile("zeapon-pons-pt")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="there is no BlueZ but on Linux")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BleakDeviceNotFoundError("C0:DE"), LinkReason.NOT_FOUND),
        (EOFError(), LinkReason.ADAPTER_OFF),
        (BrokenPipeError(), LinkReason.ADAPTER_OFF),
        (BleakError("failed"), LinkReason.CONNECT_FAILED),
    ],
    ids=["forgotten by BlueZ", "D-Bus closed", "D-Bus gone", "failed"],
)
async def test_a_connect_that_fails_is_tried_once_because_the_next_needs_a_new_search(
    error: Exception, reason: LinkReason
) -> None:
    tries: list[str] = []
    async with VirtualHead(PROFILE) as head:

        class Refused(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def connect(self, *_arguments: object, **_options: object) -> None:
                tries.append(self.address)
                raise error

        radio = Radio(Refused, head.scanner_backend)
        discovered = await radio.find(lambda *_seen: True)
        with pytest.raises(LinkError) as caught:
            await radio.connect(discovered, lambda _client: None)
        assert caught.value.reason is reason
        assert len(tries) == 1


async def test_the_error_of_a_failed_connect_names_the_unit_and_the_cause() -> None:
    async with VirtualHead(PROFILE) as head:

        class Refused(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def connect(self, *_arguments: object, **_options: object) -> None:
                raise BleakError("out of luck")

        radio = Radio(Refused, head.scanner_backend)
        discovered = await radio.find(lambda *_seen: True)
        with pytest.raises(LinkError, match=f"{discovered.name}.*1 attempt.*out of luck"):
            await radio.connect(discovered, lambda _client: None)


class Detection:
    """Stands for bleak's detection of BlueZ's version, once per process; it takes as long as nobody sets `answered`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 - exists on Linux only

        self.answered = asyncio.Event()
        self.begun = 0
        self._features = BlueZFeatures
        monkeypatch.setattr(BlueZFeatures, "check_bluez_version", self._detect)
        monkeypatch.setattr(BlueZFeatures, "checked_bluez_version", False)

    async def _detect(self) -> None:
        self.begun += 1
        await self.answered.wait()
        self._features.checked_bluez_version = True


@ON_LINUX
async def test_on_bluez_its_version_is_detected_once_even_if_the_first_connect_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detection = Detection(monkeypatch)
    async with VirtualHead(PROFILE) as head:
        clients = BleakClients(head.client_backend, is_bluez=True)
        discovered = await Radio(head.client_backend, head.scanner_backend).find(lambda *_seen: True)
        first = asyncio.create_task(clients.establish(discovered, None, lambda _client: None))
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.wait({first})
        detection.answered.set()
        await asyncio.sleep(0)
        client = await clients.establish(discovered, None, lambda _client: None)
        assert client.is_connected
        assert detection.begun == 1
        await clients.close(client)


@ON_LINUX
@pytest.mark.parametrize("is_bluez", [True, False], ids=["BlueZ", "another backend"])
async def test_bluezs_version_is_detected_exactly_where_bleak_uses_bluez(
    monkeypatch: pytest.MonkeyPatch, *, is_bluez: bool
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    detection = Detection(monkeypatch)
    detection.answered.set()
    async with VirtualHead(PROFILE) as head:
        radio = Radio(None if is_bluez else head.client_backend, head.scanner_backend)
        discovered = await radio.find(lambda *_seen: True)
        with contextlib.suppress(LinkError):
            await radio.disconnect(await radio.connect(discovered, lambda _client: None))
        assert detection.begun == is_bluez


@pytest.mark.realtime
@ON_LINUX
async def test_a_cancelled_connect_does_not_cancel_the_detection_of_bluez_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "answer"
    os.mkfifo(pipe)
    from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 - exists on Linux only

    asked = tmp_path / "bluetoothctl"
    asked.write_text(f"#!/bin/sh\ncat '{pipe}'\n")
    asked.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(BlueZFeatures, "checked_bluez_version", False)
    monkeypatch.setattr(BlueZFeatures, "_check_bluez_event", None)
    monkeypatch.setattr(BlueZFeatures, "supported_version", True)
    calls = PendingCalls()
    first = asyncio.create_task(detect_bluez_version(calls))
    await asyncio.wait({first}, timeout=0.1)
    first.cancel()
    await asyncio.wait({first})
    async with asyncio.timeout(20):
        later = asyncio.create_task(detect_bluez_version(calls))
        await asyncio.to_thread(pipe.write_text, "bluetoothctl: 5.54\n")
        await later
        await detect_bluez_version(calls)
    assert not BlueZFeatures.supported_version

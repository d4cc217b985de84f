"""The adapter and BlueZ's version, from a file system and a BlueZ that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.lab.doctor.adapters import adapter, bluez_version
from belvedere.lab.doctor.bluez import Bluez
from belvedere.lab.doctor.check import Finding, State
from belvedere.link.adapters import BluezAdapter

if TYPE_CHECKING:
    from pathlib import Path

OK = Finding("Bluetooth service", State.OK, "")
BAD = Finding("Bluetooth service", State.BAD, "")
FIRST = BluezAdapter("hci0", "C0:DE:00:00:00:01", is_powered=True)
SECOND = BluezAdapter("hci1", "C0:DE:00:00:00:02", is_powered=False)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")


def block(root: Path, kind: str, soft: int, hard: int) -> None:
    for name, value in (("type", kind), ("soft", str(soft)), ("hard", str(hard))):
        write(root, f"sys/class/rfkill/rfkill0/{name}", f"{value}\n")


def test_an_adapter_that_is_on_is_good(tmp_path: Path) -> None:
    assert adapter(Bluez(OK, (FIRST, SECOND)), None, tmp_path)[0].state is State.OK


@pytest.mark.parametrize("wanted", ["hci1", "c0:de:00:00:00:02"])
def test_the_adapter_that_is_wanted_is_the_one_that_is_judged(tmp_path: Path, wanted: str) -> None:
    finding = adapter(Bluez(OK, (FIRST, SECOND)), wanted, tmp_path)[0]
    assert finding.state is State.BAD
    assert "power on" in finding.cure


def test_a_wanted_adapter_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    for wanted in ("hci7", "C0:DE:00:00:00:99"):
        finding = adapter(Bluez(OK, (FIRST,)), wanted, tmp_path)[0]
        assert finding.says == f"there is no {wanted}, but hci0 (C0:DE:00:00:00:01)"


def test_no_adapter_at_all_is_bad(tmp_path: Path) -> None:
    assert adapter(Bluez(OK), None, tmp_path)[0].state is State.BAD


@pytest.mark.parametrize(
    ("kind", "soft", "hard", "state", "cure"),
    [
        ("bluetooth", 1, 0, State.BAD, "rfkill unblock"),
        ("bluetooth", 0, 1, State.BAD, "switch"),
        ("wlan", 1, 1, State.OK, ""),
        ("bluetooth", 0, 0, State.OK, ""),
    ],
)
def test_a_radio_that_is_blocked_is_told(  # noqa: PLR0917 - a row of a table
    kind: str, soft: int, hard: int, state: State, cure: str, tmp_path: Path
) -> None:
    block(tmp_path, kind, soft, hard)
    finding = adapter(Bluez(OK, (FIRST,)), None, tmp_path)[0]
    assert finding.state is state
    assert cure in finding.cure


def test_without_bluez_the_kernel_is_asked(tmp_path: Path) -> None:
    assert adapter(Bluez(BAD), None, tmp_path)[0].state is State.BAD
    (tmp_path / "sys/class/bluetooth/hci0").mkdir(parents=True)
    (tmp_path / "sys/class/bluetooth/hci0:64").mkdir()
    finding = adapter(Bluez(BAD), None, tmp_path)[0]
    assert finding.state is State.UNKNOWN
    assert finding.says.startswith("the kernel has hci0;")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("printed", "state"),
    [("5.82", State.OK), ("bluetoothctl: 5.66", State.OK), ("5.50", State.WARNING), ("what?", State.UNKNOWN)],
)
async def test_bluez_is_judged_by_its_version(printed: str, state: State, tmp_path: Path) -> None:
    write(tmp_path, "bluetoothd", f"#!/bin/sh\necho '{printed}'\n")
    (tmp_path / "bluetoothd").chmod(0o755)
    assert (await bluez_version(tmp_path, ["bluetoothd"]))[0].state is state


@pytest.mark.realtime
async def test_a_container_without_bluez_is_not_told_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert (await bluez_version(tmp_path))[0].state is State.BAD
    write(tmp_path, "run/.containerenv", "")
    assert (await bluez_version(tmp_path))[0].state is State.UNKNOWN

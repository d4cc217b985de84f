"""The checks of the adapter and of BlueZ's version, on a simulated file system and BlueZ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.lab.doctor.adapters import adapter, bluez_version
from belvedere.lab.doctor.bluez import BluezSnapshot
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.link.adapters import BluezAdapter

if TYPE_CHECKING:
    from pathlib import Path

OK = CheckResult("Bluetooth service", CheckState.OK, "")
ERROR = CheckResult("Bluetooth service", CheckState.ERROR, "")
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
    assert adapter(BluezSnapshot(OK, (FIRST, SECOND)), None, tmp_path)[0].state is CheckState.OK


@pytest.mark.parametrize("wanted", ["hci1", "c0:de:00:00:00:02"])
def test_the_adapter_that_is_selected_is_the_one_that_is_checked(tmp_path: Path, wanted: str) -> None:
    result = adapter(BluezSnapshot(OK, (FIRST, SECOND)), wanted, tmp_path)[0]
    assert result.state is CheckState.ERROR
    assert "power on" in result.fix


def test_a_chosen_adapter_that_is_not_there_is_reported_with_those_that_are(tmp_path: Path) -> None:
    for wanted in ("hci7", "C0:DE:00:00:00:99"):
        result = adapter(BluezSnapshot(OK, (FIRST,)), wanted, tmp_path)[0]
        assert result.message == f"there is no {wanted}; there is hci0 (C0:DE:00:00:00:01)"


def test_no_adapter_at_all_is_an_error(tmp_path: Path) -> None:
    assert adapter(BluezSnapshot(OK), None, tmp_path)[0].state is CheckState.ERROR


@pytest.mark.parametrize(
    ("kind", "soft", "hard", "state", "fix"),
    [
        ("bluetooth", 1, 0, CheckState.ERROR, "rfkill unblock"),
        ("bluetooth", 0, 1, CheckState.ERROR, "switch"),
        ("wlan", 1, 1, CheckState.OK, ""),
        ("bluetooth", 0, 0, CheckState.OK, ""),
    ],
)
def test_a_radio_that_is_blocked_is_reported(  # noqa: PLR0917 - a row of a table
    kind: str, soft: int, hard: int, state: CheckState, fix: str, tmp_path: Path
) -> None:
    block(tmp_path, kind, soft, hard)
    result = adapter(BluezSnapshot(OK, (FIRST,)), None, tmp_path)[0]
    assert result.state is state
    assert fix in result.fix


def test_without_bluez_the_kernel_is_asked(tmp_path: Path) -> None:
    assert adapter(BluezSnapshot(ERROR), None, tmp_path)[0].state is CheckState.ERROR
    (tmp_path / "sys/class/bluetooth/hci0").mkdir(parents=True)
    (tmp_path / "sys/class/bluetooth/hci0:64").mkdir()
    result = adapter(BluezSnapshot(ERROR), None, tmp_path)[0]
    assert result.state is CheckState.UNKNOWN
    assert result.message.startswith("the kernel has hci0;")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("printed", "state"),
    [
        ("5.82", CheckState.OK),
        ("bluetoothctl: 5.66", CheckState.OK),
        ("5.50", CheckState.WARNING),
        ("what?", CheckState.UNKNOWN),
    ],
)
async def test_bluez_is_judged_by_its_version(printed: str, state: CheckState, tmp_path: Path) -> None:
    write(tmp_path, "bluetoothd", f"#!/bin/sh\necho '{printed}'\n")
    (tmp_path / "bluetoothd").chmod(0o755)
    assert (await bluez_version(tmp_path, ["bluetoothd"]))[0].state is state


@pytest.mark.realtime
async def test_a_container_without_bluez_is_not_told_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert (await bluez_version(tmp_path))[0].state is CheckState.ERROR
    write(tmp_path, "run/.containerenv", "")
    assert (await bluez_version(tmp_path))[0].state is CheckState.UNKNOWN

"""The checks of the computer, on a simulated file system."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.computer import STA_UNSYNC, THROTTLED, clock, clock_status, disk, memory, port, temperature


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")


def test_a_clock_that_follows_nobody_is_reported_with_the_fix() -> None:
    assert clock(lambda: 0)[0].state is CheckState.OK
    result = clock(lambda: STA_UNSYNC | 1)[0]
    assert result.state is CheckState.WARNING
    assert "set-ntp" in result.fix


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
def test_the_kernel_tells_its_clocks_status() -> None:
    assert 0 <= clock_status() <= 0xFFFF


def test_room_on_the_disk_is_reported_even_for_a_folder_that_is_yet_to_be_made(tmp_path: Path) -> None:
    result = disk(tmp_path / "not/yet")[0]
    assert str(tmp_path) in result.message
    assert "GiB free" in result.message


def test_a_folder_that_takes_no_files_is_reported() -> None:
    result = disk(Path("/proc/self"))[0]
    assert result.state is CheckState.WARNING
    assert "not writable" in result.message


@pytest.mark.parametrize(
    ("free_kb", "state"), [(2_000_000, CheckState.OK), (200_000, CheckState.WARNING), (60_000, CheckState.ERROR)]
)
def test_free_memory_is_judged(tmp_path: Path, free_kb: int, state: CheckState) -> None:
    write(tmp_path, "proc/meminfo", f"MemTotal: 4000000 kB\nMemAvailable:   {free_kb} kB\n")
    result = memory(tmp_path)[0]
    assert result.state is state
    assert f"{free_kb // 1024} MiB" in result.message


@pytest.mark.parametrize(
    ("millidegrees", "state"), [(48_312, CheckState.OK), (74_000, CheckState.WARNING), (85_000, CheckState.ERROR)]
)
def test_the_hottest_place_counts(tmp_path: Path, millidegrees: int, state: CheckState) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "30000\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", f"{millidegrees}\n")
    write(tmp_path, "sys/class/thermal/thermal_zone2/temp", "broken\n")
    assert [result.state for result in temperature(tmp_path)] == [state]


def test_a_computer_without_a_thermometer_is_unknown(tmp_path: Path) -> None:
    assert temperature(tmp_path)[0].state is CheckState.UNKNOWN


@pytest.mark.parametrize(
    ("bits", "state", "words"),
    [
        ("0", CheckState.OK, "not throttled"),
        ("50005", CheckState.ERROR, "under-voltage, throttled"),
        ("50000", CheckState.WARNING, "since boot: under-voltage, throttled"),
    ],
)
def test_a_raspberry_pi_that_slows_itself_down_says_why(
    tmp_path: Path, bits: str, state: CheckState, words: str
) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "50000\n")
    write(tmp_path, THROTTLED, f"{bits}\n")
    power = temperature(tmp_path)[1]
    assert power.state is state
    assert words in power.message


def test_a_free_port_is_free_and_one_in_use_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        result = port("127.0.0.1", number)[0]
        assert result.state is CheckState.WARNING
        assert "in use" in result.message
    assert port("127.0.0.1", number)[0].state is CheckState.OK


def test_an_address_of_another_computer_is_reported() -> None:
    assert port("192.0.2.1", 8080)[0].state is CheckState.ERROR

"""The tutorial does what it says: its commands are run on a phone's log, and the head turns by the draft."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.phone_log import written_by_a_phone

from belvedere.cli import application
from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import HeadProfile, load_profile, shipped_profile
from belvedere.link.ble import BleUnit
from belvedere.link.options import LinkOptions
from belvedere.link.phases import LinkPhase
from belvedere.link.radio import Radio
from belvedere.link.supervisor import UnitStatus, UnitSupervisor
from belvedere.sim.head import VirtualHead

PAGE = Path(__file__).parents[2] / "docs/tutorials/from-your-phones-log-to-a-moving-head.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WIDTH = "110"  # of the terminal that the page shows


def run(command: str, folder: Path) -> str:
    """Run a command of the page; returns its output. It must exit with status 0."""
    program, *arguments = shlex.split(command)
    assert program == "belvedere"
    ran = subprocess.run(
        [sys.executable, "-m", "belvedere.cli", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": WIDTH, "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def follow(folder: Path) -> int:
    """Run the commands of the page up to those that need a real head; returns their number."""
    (folder / "btsnoop_hci.log").write_bytes(written_by_a_phone())
    count = 0
    for language, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "toml":
            (folder / "belvedere.toml").write_text(body, encoding="utf-8")
        if language != "console":
            continue
        command, *expected = body.splitlines()
        printed = {" ".join(line.split()) for line in run(command.removeprefix("$ "), folder).splitlines()}
        missing = [line for line in expected if line != "..." and " ".join(line.split()) not in printed]
        assert not missing, command
        count += 1
    return count


@pytest.mark.realtime
def test_every_command_prints_what_the_page_shows_and_the_draft_is_this_heads(tmp_path: Path) -> None:
    assert follow(tmp_path) == 4
    drafted = load_profile((tmp_path / "my-head.toml").read_text(encoding="utf-8"), "my-head.toml")
    shipped = shipped_profile("zeapon-pons-pt").frame
    assert [drafted.frame.frame(sign, 436) for sign in (0, 1, -1)] == [shipped.frame(sign, 436) for sign in (0, 1, -1)]


def test_commands_that_need_a_head_are_understood() -> None:
    blocks = [body for language, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if language == "sh"]
    assert len(blocks) == 2
    for body in blocks:
        application().parse_args(shlex.split(body)[1:], exit_on_error=False, print_error=False)


class ReadyListener:
    """Waits for a unit to be ready."""

    def __init__(self) -> None:
        self.is_ready = asyncio.Event()

    def receive_unit_status(self, _axis: Axis, status: UnitStatus) -> None:
        if status.state is LinkPhase.READY:
            self.is_ready.set()

    def receive_unit_attempted(self, axis: Axis, velocity: float, now: float) -> None:
        pass

    def receive_unit_written(self, axis: Axis, velocity: float, stamp: object | None, now: float) -> None:
        pass


@pytest.mark.parametrize("axis", AXES)
async def test_the_head_turns_by_the_draft_and_stops(tmp_path: Path, axis: Axis) -> None:
    drafted = _drafted(tmp_path)
    unit = drafted.unit(axis)
    assert unit is not None
    async with VirtualHead(shipped_profile("zeapon-pons-pt")) as head:
        ready = ReadyListener()
        link = BleUnit(unit, Radio(head.client_backend, head.scanner_backend))
        clock = asyncio.get_running_loop().time
        driver = UnitSupervisor(axis, link, drafted.frame, unit, clock=clock, options=LinkOptions(), listener=ready)
        running = asyncio.create_task(driver.run())
        await ready.is_ready.wait()
        driver.put(0.5)
        await asyncio.sleep(1)
        driver.put(0.0)
        await asyncio.sleep(1)
        assert head.unit(axis).angle_deg > 10
        assert head.unit(axis).speed_at(clock()) == 0
        running.cancel()
        await asyncio.wait({running})


def _drafted(folder: Path) -> HeadProfile:
    from belvedere.lab.inference.infer import infer  # noqa: PLC0415 - likewise
    from belvedere.lab.logs.analysis import LogAnalysis  # noqa: PLC0415 - likewise
    from belvedere.lab.profile_draft import draft_profile  # noqa: PLC0415 - the log's reader is heavy, and only here

    (folder / "phone.log").write_bytes(written_by_a_phone())
    analysis = LogAnalysis(folder / "phone.log")
    names = {one.label: one.name for one in analysis.summary.devices if one.name}
    return load_profile(draft_profile(infer(analysis.streams())[0], names), "draft.toml")

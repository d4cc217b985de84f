"""A probe with a person at a pseudo-terminal, and one that is answered by a measured angle."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import pty
import signal
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from belvedere.head.axes import Axis
from belvedere.head.profile import load_profile, shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.probe.attended import probe_at_terminal, probe_by_angle, report
from belvedere.lab.probe.core import Limits
from belvedere.lab.probe.findings import Findings
from belvedere.lab.probe.run import ProbeResult
from belvedere.lab.probe.script import ProbeOptions
from belvedere.lab.probe.session import select_unit
from belvedere.lab.probe.steps import Outcome
from belvedere.sim.head import ADDRESSES, HeadOptions, VirtualHead

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROFILE = shipped_profile("zeapon-pons-pt")
STOP = bytes.fromhex("020000000000000000000000")
QUICK = ProbeOptions(wants_drop=False, wants_write_modes=False, calibration_shares=())


def adapter_of(head: VirtualHead) -> Adapter:
    return Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)


class Owner:
    """A person who reads the screen and presses keys: yes it is at rest, go, and then something else."""

    def __init__(self, controller: int, moving: Callable[[], object]) -> None:
        self.screen = io.StringIO()
        self.console = Console(file=self.screen, width=200)
        self._controller = controller
        self._moving = moving

    async def attend(self) -> None:
        answered = 0
        while True:
            await asyncio.sleep(0.05)
            text = self.screen.getvalue()
            if "ANY KEY STOPS IT AT ONCE" in text.partition("Try it?")[2]:
                self._moving()
                return
            for number, asked in enumerate(("stand still?", "Try it?")):
                if asked in text and answered == number:
                    await asyncio.sleep(0.6)
                    os.write(self._controller, (b"y", b"\r")[number])
                    answered = number + 1


async def ended_by(how: Callable[[int], object]) -> tuple[ProbeResult, VirtualHead, str]:
    """Begin a probe at a terminal, and end it so while the unit turns."""
    controller, terminal = pty.openpty()
    async with VirtualHead(PROFILE, HeadOptions(disconnect_s=0.2)) as head:
        owner = Owner(controller, lambda: how(controller))
        attending = asyncio.create_task(owner.attend())
        ending, _findings = await probe_at_terminal(
            owner.console,
            terminal,
            probed_unit=select_unit(PROFILE, ADDRESSES[Axis.PAN], Axis.PAN),
            adapter=adapter_of(head),
            probe_options=QUICK,
            limits=Limits(),
        )
        await attending
        assert len([received for received in head.pan.frames if received.frame != STOP]) == 1
        assert head.pan.frames[-1].frame == STOP
    os.close(terminal)
    with contextlib.suppress(OSError):  # gone already, where that was the end
        os.close(controller)
    return ending, head, owner.screen.getvalue()


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_mid_turn_stops_the_unit_and_ends_the_probe(number: signal.Signals) -> None:
    ending, _head, _screen = await ended_by(lambda _controller: os.kill(os.getpid(), number))
    assert ending == ProbeResult(Outcome.QUIT, is_at_rest=True)


@pytest.mark.realtime
async def test_control_c_mid_turn_stops_the_unit_and_ends_the_probe() -> None:
    ending, _head, screen = await ended_by(lambda controller: os.write(controller, b"\x03"))
    assert ending == ProbeResult(Outcome.QUIT, is_at_rest=True)
    assert "Stay beside the unit" in screen


@pytest.mark.realtime
async def test_a_terminal_that_goes_mid_turn_stops_the_unit_and_ends_the_probe() -> None:
    ending, _head, _screen = await ended_by(os.close)
    assert ending == ProbeResult(Outcome.QUIT, is_at_rest=True)


@pytest.mark.realtime
async def test_a_head_that_tells_its_angle_needs_nobody() -> None:
    async with VirtualHead(PROFILE, HeadOptions(disconnect_s=0.2)) as head:
        screen = io.StringIO()
        ending, findings = await probe_by_angle(
            Console(file=screen, width=200),
            lambda: head.pan.angle_deg,
            probed_unit=select_unit(PROFILE, ADDRESSES[Axis.PAN], Axis.PAN),
            adapter=adapter_of(head),
            probe_options=QUICK,
            limits=Limits(total_s=5),
        )
    assert ending.is_at_rest
    assert "What did the camera do?   right" in screen.getvalue()
    assert findings.all[0].key == "address"


def reported(path: Path, ending: ProbeResult, findings: Findings) -> tuple[int, str]:
    screen = io.StringIO()
    status = report(Console(file=screen, width=80), path, ending, findings, "2026-01-02")
    return status, screen.getvalue()


def draft(folder: Path) -> Path:
    path = folder / "draft.toml"
    path.write_text(
        'name = "Mine"\n[frame]\ntemplate = "{direction} {speed}"\n'
        'direction = { none = "00", positive = "01", negative = "02" }\nspeed = { digits = 2, fastest = 99 }\n'
        '[pan]\naddress = "C0:DE:00:00:00:07"\n',
        encoding="utf-8",
    )
    return path


def test_what_was_found_is_written_and_told(tmp_path: Path) -> None:
    findings = Findings()
    findings.set("pan", "invert", value=True, evidence="01 turned left")
    path = draft(tmp_path)
    status, screen = reported(path, ProbeResult(Outcome.DONE, is_at_rest=True), findings)
    assert status == 0
    assert "pan.invert = True: 01 turned left" in screen
    profile = load_profile(path.read_text(encoding="utf-8"), "draft.toml")
    assert profile.pan is not None
    assert profile.pan.invert


def test_a_bad_end_is_status_1_and_writes_nothing_where_nothing_was_found(tmp_path: Path) -> None:
    path = draft(tmp_path)
    before = path.read_text(encoding="utf-8")
    status, screen = reported(path, ProbeResult(Outcome.STOP_UNPROVEN, is_at_rest=True), Findings())
    assert status == 1
    assert "Written" not in screen
    assert path.read_text(encoding="utf-8") == before

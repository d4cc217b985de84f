"""Attended probes: with a person at the terminal, or with a simulated head whose angle is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.markup import escape

from belvedere.lab.probe.observer import AngleObserver
from belvedere.lab.probe.profile_update import write_findings
from belvedere.lab.probe.session import ProbeSession, is_success, result_message
from belvedere.lab.probe.terminal import Keyboard, TerminalObserver
from belvedere.profile_files import read_profile_file
from belvedere.signals import handle_termination

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from belvedere.lab.adapter import Adapter
    from belvedere.lab.probe.core import Limits
    from belvedere.lab.probe.findings import Findings
    from belvedere.lab.probe.run import ProbeResult
    from belvedere.lab.probe.script import ProbeOptions
    from belvedere.lab.probe.session import ProbedUnit
    from belvedere.lab.probe.steps import Answer, Question, Step

INTRODUCTION = """[bold]Stay beside the unit, and leave it room to turn.[/bold]
It turns slowly and briefly, and is told to stop after each trial. [bold white on red] ANY KEY STOPS IT AT ONCE. [/]
Ctrl-C stops it and ends the probe. You say what you see; the results are written into the profile."""


async def probe_at_terminal(
    console: Console,
    descriptor: int,
    *,
    probed_unit: ProbedUnit,
    adapter: Adapter,
    probe_options: ProbeOptions,
    limits: Limits,
) -> tuple[ProbeResult, Findings]:
    """Probe with the person at the terminal of this file descriptor as observer. Raises OwnerError if it is none."""
    sessions: list[ProbeSession] = []

    def quit_all() -> None:
        for session in sessions:
            session.end()

    keyboard = Keyboard(descriptor, quit_all)
    with keyboard.listening():
        console.print(INTRODUCTION)
        console.print(f"\nLooking for {probed_unit.address} ...")
        return await _run(
            ProbeSession(probed_unit, adapter, TerminalObserver(console, keyboard), probe_options, limits), sessions
        )


async def probe_by_angle(
    console: Console,
    angle_deg: Callable[[], float],
    *,
    probed_unit: ProbedUnit,
    adapter: Adapter,
    probe_options: ProbeOptions,
    limits: Limits,
) -> tuple[ProbeResult, Findings]:
    """Probe with a measured angle as observer, and print its answers."""

    def show(step: Step, question: Question, answer: Answer) -> None:
        if question is (step.before or step.after):
            console.print(f"\n[bold]{escape(step.title)}[/bold]", highlight=False)
        console.print(f"{escape(question.text)}   [cyan]{answer}[/cyan]   ({angle_deg():.2f} degrees)", highlight=False)

    observer = AngleObserver(angle_deg, probed_unit.axis, asyncio.get_running_loop().time, show)
    return await _run(ProbeSession(probed_unit, adapter, observer, probe_options, limits), [])


def report(console: Console, path: Path, ending: ProbeResult, findings: Findings, heading: str) -> int:
    """Write the findings into the profile, and print how the probe ended and what it found; returns the exit status."""
    if findings.all:  # before printing: a closed terminal may be what ended the probe
        write_findings(path, findings.all, heading)
        read_profile_file(path)  # raises if the result is not a valid profile
    console.print(f"\n{result_message(ending)}", style="bold" if is_success(ending) else "bold red", highlight=False)
    if findings.all:
        _list(console, path, findings)
    return 0 if is_success(ending) else 1


def _list(console: Console, path: Path, findings: Findings) -> None:
    lines = [f"\nWritten to {path} (as it was: {path.name}.bak):"]
    for one in findings.all:
        named = f"{one.table}.{one.key} = {one.value}" if one.key is not None else one.table
        lines.append(f"  {named}: {one.evidence}")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


async def _run(session: ProbeSession, known: list[ProbeSession]) -> tuple[ProbeResult, Findings]:
    known.append(session)
    with handle_termination(session.end):  # until the unit is at rest and the link is closed
        return await session.run(), session.findings

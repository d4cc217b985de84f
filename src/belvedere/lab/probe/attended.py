"""A probe that somebody attends: the owner at the terminal, or a head that tells its own angle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.markup import escape

from belvedere.lab.ending import signals_to
from belvedere.lab.probe.evidence import write_findings
from belvedere.lab.probe.observer import AngleObserver
from belvedere.lab.probe.session import Session, is_well, words_of
from belvedere.lab.probe.terminal import Keyboard, TerminalObserver
from belvedere.lab.profiles import read_draft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from belvedere.lab.adapter import Adapter
    from belvedere.lab.probe.core import Limits
    from belvedere.lab.probe.findings import Findings
    from belvedere.lab.probe.run import Ending
    from belvedere.lab.probe.script import Wishes
    from belvedere.lab.probe.session import Subject
    from belvedere.lab.probe.steps import Answer, Question, Step

WELCOME = """[bold]Stay beside the unit, and leave it room to turn.[/bold]
It turns slowly and for a moment, and is told to stop after each try. [bold white on red] ANY KEY STOPS IT AT ONCE. [/]
Ctrl-C stops it and ends everything. You say what you see; what is found goes into the profile."""


async def by_hand(
    console: Console, descriptor: int, *, subject: Subject, adapter: Adapter, wishes: Wishes, limits: Limits
) -> tuple[Ending, Findings]:
    """Let the owner watch, at the terminal with this file descriptor. Raises OwnerError where it is none."""
    sessions: list[Session] = []

    def leave() -> None:
        for session in sessions:
            session.end()

    keyboard = Keyboard(descriptor, leave)
    with keyboard.listening():
        console.print(WELCOME)
        console.print(f"\nLooking for {subject.address} ...")
        return await _run(Session(subject, adapter, TerminalObserver(console, keyboard), wishes, limits), sessions)


async def by_angle(
    console: Console,
    angle_deg: Callable[[], float],
    *,
    subject: Subject,
    adapter: Adapter,
    wishes: Wishes,
    limits: Limits,
) -> tuple[Ending, Findings]:
    """Let an angle answer, and show what it says."""

    def show(step: Step, question: Question, answer: Answer) -> None:
        if question is (step.before or step.after):
            console.print(f"\n[bold]{escape(step.title)}[/bold]", highlight=False)
        console.print(f"{escape(question.text)}   [cyan]{answer}[/cyan]   ({angle_deg():.2f} degrees)", highlight=False)

    observer = AngleObserver(angle_deg, subject.axis, asyncio.get_running_loop().time, show)
    return await _run(Session(subject, adapter, observer, wishes, limits), [])


def report(console: Console, path: Path, ending: Ending, findings: Findings, heading: str) -> int:
    """Say how it ended and what was found, and put that into the profile; returns the exit status."""
    if findings.all:  # before anything is shown: the terminal may be what ended it
        write_findings(path, findings.all, heading)
        read_draft(path)  # what was written is what will be read
    console.print(f"\n{words_of(ending)}", style="bold" if is_well(ending) else "bold red", highlight=False)
    if findings.all:
        _list(console, path, findings)
    return 0 if is_well(ending) else 1


def _list(console: Console, path: Path, findings: Findings) -> None:
    lines = [f"\nWritten to {path} (as it was: {path.name}.bak):"]
    for one in findings.all:
        named = f"{one.table}.{one.key} = {one.value}" if one.key is not None else one.table
        lines.append(f"  {named}: {one.evidence}")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


async def _run(session: Session, known: list[Session]) -> tuple[Ending, Findings]:
    known.append(session)
    with signals_to(session.end):  # until the unit stands still and the link is closed
        return await session.run(), session.findings

"""The owner at the terminal: questions with one key each, and any key at all as the stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from typing import TYPE_CHECKING

from rich.panel import Panel

from belvedere.errors import OwnerError
from belvedere.lab.probe.steps import Answer, Question, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

READ_BYTES = 64  # more than the longest sequence that one key sends
IGNORE_KEYS_S = 0.4  # keys that come this soon after a question still belonged to the stop before it
QUIT_KEYS = {0x03, 0x04, 0x1C}  # Ctrl-C, Ctrl-D, Ctrl-\\: whoever presses them wants to be gone
KEYS: dict[Answer, tuple[bytes, ...]] = {
    Answer.GO: (b"\r", b"\n"),
    Answer.SKIP: (b"s",),
    Answer.YES: (b"y",),
    Answer.NO: (b"n",),
    Answer.RIGHT: (b"r", b"\x1b[C", b"\x1bOC"),
    Answer.LEFT: (b"l", b"\x1b[D", b"\x1bOD"),
    Answer.UP: (b"u", b"\x1b[A", b"\x1bOA"),
    Answer.DOWN: (b"d", b"\x1b[B", b"\x1bOB"),
    Answer.NOTHING: (b"0", b"n"),
    Answer.OTHER: (b"e",),
    Answer.FIRST: (b"1",),
    Answer.SECOND: (b"2",),
    Answer.SAME: (b"b",),
    Answer.UNSURE: (b"?",),
    Answer.TURNING: (b"t",),
    Answer.QUIT: (b"q",),
}
KEY_NAMES = {Answer.GO: "Enter", Answer.RIGHT: "r or \u2192", Answer.LEFT: "l or \u2190", Answer.UP: "u or \u2191"}
KEY_NAMES |= {Answer.DOWN: "d or \u2193", Answer.QUIT: "q"}


class Keyboard:
    """Keys as they are pressed, each at once and none shown.

    `on_quit` is called when the terminal is gone, or somebody presses Ctrl-C, whatever is being done.
    """

    def __init__(self, descriptor: int, on_quit: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_quit = on_quit
        self._keys: asyncio.Queue[bytes] = asyncio.Queue()
        self._is_gone = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take the terminal, and give it back as it was. Raises OwnerError where it is none."""
        try:
            former = termios.tcgetattr(self._descriptor)
        except termios.error as error:
            raise OwnerError("a probe needs a terminal: somebody must watch, and be able to press stop") from error
        loop = asyncio.get_running_loop()
        tty.setraw(self._descriptor, termios.TCSANOW)
        attributes = termios.tcgetattr(self._descriptor)
        attributes[1] |= termios.OPOST  # lines still begin at the left
        termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        loop.add_reader(self._descriptor, self._receive)
        try:
            yield
        finally:
            loop.remove_reader(self._descriptor)
            with contextlib.suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, former)

    async def key(self) -> bytes:
        """The next key; b"" at once, and again and again, when the terminal is gone."""
        return b"" if self._is_gone and self._keys.empty() else await self._keys.get()

    def discard(self) -> None:
        """Drop what was pressed and not asked for."""
        while not self._keys.empty() and not self._is_gone:
            self._keys.get_nowait()

    def _receive(self) -> None:
        try:
            pressed = os.read(self._descriptor, READ_BYTES)
        except OSError:
            pressed = b""
        if not pressed:
            self._is_gone = True
            asyncio.get_running_loop().remove_reader(self._descriptor)
        if not pressed or QUIT_KEYS & set(pressed):
            self._on_quit()
        self._keys.put_nowait(pressed)


class TerminalObserver:
    """An owner who looks at the unit and presses keys (`observer.Observer`)."""

    def __init__(self, console: Console, keyboard: Keyboard) -> None:
        self._console = console
        self._keyboard = keyboard

    def receive_step(self, step: Step) -> None:
        """The stop key, big and red; nothing is shown while the unit turns, because a terminal may block."""
        what = "at the mark" if step.angle_deg is not None else "at once"
        words = f"ANY KEY STOPS IT {what.upper()}"
        self._console.print(Panel(words, style="bold white on red", expand=False, padding=(0, 4)))

    def receive_link(self, is_up: bool) -> None:  # noqa: FBT001 - the seam's
        """Nothing to show: who looks, looks at the unit."""

    async def answer(self, step: Step, question: Question) -> Answer:
        """The choice whose key is pressed; QUIT where nobody is there any more."""
        if question is (step.before or step.after) and step.title:
            self._console.print(f"\n[bold]{step.title}[/bold]", highlight=False)
        choices = "   ".join(f"[bold]{key_name(choice)}[/bold] {choice}" for choice in question.choices)
        self._console.print(f"{question.text}   {choices}", highlight=False)
        self._keyboard.discard()
        ignored_until = asyncio.get_running_loop().time() + IGNORE_KEYS_S
        while True:
            pressed = await self._keyboard.key()
            if not pressed:
                return Answer.QUIT
            if asyncio.get_running_loop().time() < ignored_until:
                continue
            for choice in question.choices:
                if pressed.lower() in KEYS[choice] or pressed in KEYS[choice]:
                    self._console.print(f"  {choice}", style="cyan")
                    return choice

    async def wants_stop(self) -> None:
        """Any key, or a terminal that is gone."""
        await self._keyboard.key()


def key_name(choice: Answer) -> str:
    """What is printed on the key for an answer."""
    return KEY_NAMES.get(choice) or KEYS[choice][0].decode("ascii")

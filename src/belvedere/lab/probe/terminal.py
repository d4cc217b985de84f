"""An observer at a terminal: answers questions with one key each, and stops the unit with any key."""

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

READ_BYTES = 64  # more than the longest escape sequence of one key
IGNORE_KEYS_S = 0.4  # after a question appears: a key pressed this early was meant as the stop before it
QUIT_KEYS = {0x03, 0x04, 0x1C}  # Ctrl-C, Ctrl-D, Ctrl-\\
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
    """Reads single keys without echo.

    `on_quit` is called at any time when the terminal is closed or one of `QUIT_KEYS` is pressed.
    """

    def __init__(self, descriptor: int, on_quit: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_quit = on_quit
        self._keys: asyncio.Queue[bytes] = asyncio.Queue()
        self._is_gone = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Put the terminal into raw mode, and restore it at the end. Raises OwnerError if it is not a terminal."""
        try:
            former = termios.tcgetattr(self._descriptor)
        except termios.error as error:
            raise OwnerError(
                "a probe needs a terminal: somebody must watch the unit and be able to stop it with a key"
            ) from error
        loop = asyncio.get_running_loop()
        tty.setraw(self._descriptor, termios.TCSANOW)
        attributes = termios.tcgetattr(self._descriptor)
        attributes[1] |= termios.OPOST  # keep translating newlines, so that lines begin at the left
        termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        loop.add_reader(self._descriptor, self._receive)
        try:
            yield
        finally:
            loop.remove_reader(self._descriptor)
            with contextlib.suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, former)

    async def key(self) -> bytes:
        """The next key; when the terminal is gone, b"" at once, every time."""
        return b"" if self._is_gone and self._keys.empty() else await self._keys.get()

    def discard(self) -> None:
        """Drop keys that were pressed before now."""
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
    """A person who watches the unit and presses keys (`observer.Observer`)."""

    def __init__(self, console: Console, keyboard: Keyboard) -> None:
        self._console = console
        self._keyboard = keyboard

    def receive_step(self, step: Step) -> None:
        """Show how to stop the unit. Nothing is printed while it turns, because a terminal may block."""
        when = "at the mark" if step.angle_deg is not None else "at once"
        text = f"ANY KEY STOPS IT {when.upper()}"
        self._console.print(Panel(text, style="bold white on red", expand=False, padding=(0, 4)))

    def receive_link(self, is_up: bool) -> None:  # noqa: FBT001 - the interface's
        """Nothing to show: the person watches the unit, not the link."""

    async def answer(self, step: Step, question: Question) -> Answer:
        """The choice whose key is pressed; QUIT when the terminal is gone."""
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
        """Return at any key, or when the terminal is gone."""
        await self._keyboard.key()


def key_name(choice: Answer) -> str:
    """The name of the key for an answer."""
    return KEY_NAMES.get(choice) or KEYS[choice][0].decode("ascii")

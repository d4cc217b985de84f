"""The owner's keys, through a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from belvedere.errors import OwnerError
from belvedere.lab.probe.steps import Answer, Question, QuestionKind, Step
from belvedere.lab.probe.terminal import IGNORE_KEYS_S, KEYS, Keyboard, TerminalObserver, key_name

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.realtime
SEEN = Question(QuestionKind.SEEN, "What did the camera do?")
TRY = Step(
    title="Slowly, to the right.", frame=b"x", bound_s=0.5, before=Question(QuestionKind.GO, "Try it?"), after=SEEN
)


class Desk:
    """A terminal with its keys at hand, and what is shown on it."""

    def __init__(self, controller: int, terminal: int) -> None:
        self.controller = controller
        self.terminal = terminal
        self.left = 0
        self.screen = io.StringIO()
        self.keyboard = Keyboard(terminal, self.leave)
        self.observer = TerminalObserver(Console(file=self.screen, width=120), self.keyboard)

    def leave(self) -> None:
        self.left += 1

    def press(self, keys: bytes, after_s: float = 0.0) -> None:
        asyncio.get_running_loop().call_later(after_s, os.write, self.controller, keys)

    async def presses(self, question: Question, *keys: bytes) -> Answer:
        """Press one key after the other, once the question is heard."""
        for number, key in enumerate(keys):
            self.press(key, IGNORE_KEYS_S + 0.1 + 0.1 * number)
        return await self.observer.answer(TRY, question)


@contextmanager
def a_desk() -> Iterator[Desk]:
    controller, terminal = pty.openpty()
    try:
        yield Desk(controller, terminal)
    finally:
        for descriptor in (controller, terminal):
            try:
                os.close(descriptor)
            except OSError:  # the test has closed it itself
                continue


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        (b"r", Answer.RIGHT),
        (b"L", Answer.LEFT),
        (b"\x1b[A", Answer.UP),
        (b"\x1bOB", Answer.DOWN),
        (b"0", Answer.NOTHING),
    ],
)
async def test_a_key_is_an_answer(key: bytes, answer: Answer) -> None:
    with a_desk() as desk, desk.keyboard.listening():
        assert await desk.presses(SEEN, b"x", key) is answer


async def test_a_question_is_shown_with_its_keys_below_what_it_is_about() -> None:
    with a_desk() as desk, desk.keyboard.listening():
        assert TRY.before is not None
        assert await desk.presses(TRY.before, b"\r") is Answer.GO
        shown = desk.screen.getvalue()
        assert "Slowly, to the right." in shown
        assert "Enter go" in shown
        assert "t still turning" in shown


async def test_keys_that_belonged_to_the_stop_answer_nothing() -> None:
    """Whoever hammers Enter to stop the unit must not have said go to the next motion."""
    with a_desk() as desk, desk.keyboard.listening():
        assert TRY.before is not None
        for number in range(4):
            desk.press(b"\r", 0.02 + 0.08 * number)
        assert await desk.presses(TRY.before, b"s") is Answer.SKIP


async def test_any_key_is_a_stop() -> None:
    for key in (b" ", b"\r", b"\x1b[A", b"\x13", b"z"):
        with a_desk() as desk, desk.keyboard.listening():
            desk.press(key, 0.05)
            async with asyncio.timeout(5):
                await desk.observer.wants_stop()
            assert desk.left == 0


async def test_the_stop_key_is_announced_before_the_motion() -> None:
    with a_desk() as desk, desk.keyboard.listening():
        desk.observer.receive_step(TRY)
        assert "ANY KEY STOPS IT" in desk.screen.getvalue()


@pytest.mark.parametrize("key", [b"\x03", b"\x04", b"\x1c", b"zz\x03"])
async def test_whoever_wants_to_be_gone_is_heard_whatever_is_being_done(key: bytes) -> None:
    with a_desk() as desk, desk.keyboard.listening():
        desk.press(key)
        await asyncio.sleep(0.1)
        assert desk.left == 1


async def test_a_terminal_that_is_gone_is_a_stop_an_end_and_an_answer() -> None:
    with a_desk() as desk, desk.keyboard.listening():
        asyncio.get_running_loop().call_later(0.05, os.close, desk.controller)
        async with asyncio.timeout(5):
            await desk.observer.wants_stop()
            assert await desk.observer.answer(TRY, SEEN) is Answer.QUIT
        assert desk.left == 1


async def test_the_terminal_is_given_back_as_it_was() -> None:
    with a_desk() as desk:
        former = termios.tcgetattr(desk.terminal)
        with desk.keyboard.listening():
            assert termios.tcgetattr(desk.terminal) != former
        assert termios.tcgetattr(desk.terminal) == former


async def test_what_is_no_terminal_is_refused() -> None:
    reading, writing = os.pipe()
    with pytest.raises(OwnerError, match="needs a terminal"), Keyboard(reading, lambda: None).listening():
        raise AssertionError
    os.close(reading)
    os.close(writing)


async def test_a_link_that_goes_down_needs_no_word() -> None:
    with a_desk() as desk:
        desk.observer.receive_link(is_up=False)
        assert desk.screen.getvalue() == ""


@pytest.mark.parametrize("kind", list(QuestionKind))
async def test_no_two_answers_to_a_question_share_a_key(kind: QuestionKind) -> None:
    keys = [key for choice in Question(kind, "?").choices for key in KEYS[choice]]
    assert len(keys) == len(set(keys))
    assert all(key_name(choice) for choice in Question(kind, "?").choices)

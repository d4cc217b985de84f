"""Plays what visitors say on the room's speaker, by pacat. It runs in a thread of its own, at the sound card's pace."""

from __future__ import annotations

import itertools
import time
from array import array
from typing import TYPE_CHECKING, Final

from belvedere.errors import CameraError, SoundError
from belvedere.stage.sources.child import ChildProcess
from belvedere.stage.voice.mixer import chime, mix
from belvedere.stage.voice.opus import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from belvedere.stage.voice.device_runner import DeviceRun
    from belvedere.stage.voice.talker import Talker

PIECE: Final = 480  # samples: 10 ms
PAUSE_S: Final = 0.01  # a wake-up costs more than what is done in it
LOOK_TURNS: Final = 50  # how often it is looked whether the program has said something, or ended
LATENCY_MS: Final = 25  # asked of the sound server; a small board needs so much to play without gaps
AHEAD_BYTES: Final = 2 * 2 * PIECE  # so much may wait in the pipe: two pieces
PIECES_PER_TURN: Final = 8  # at the start the sound server takes some at once
STUCK_S: Final = 3.0

PACAT: Final = ("pacat",)
SILENCE: Final = array("h", bytes(2 * PIECE))


def play_command(program: Sequence[str], device: str) -> list[str]:
    """What plays on a device of the sound server."""
    return [
        *program,
        *("--playback", f"--device={device}"),
        *("--raw", "--format=s16ne", f"--rate={RATE_HZ}", "--channels=1", f"--latency-msec={LATENCY_MS}"),
        *("--client-name=Belvedere", "--stream-name=Visitors' voices"),
    ]


class Programme:
    """What is to be played: who is heard, and a chime. `take` belongs to the speaker's thread, the rest to the loop."""

    def __init__(self) -> None:
        self._talkers: tuple[Talker, ...] = ()  # replaced as a whole, so that the threads need no lock
        self._is_rung = False
        self._ringing: array[int] = array("h")

    def set_talkers(self, talkers: Iterable[Talker]) -> None:
        """Only these are heard from now on."""
        self._talkers = tuple(talkers)

    def ring(self) -> None:
        """Ring as soon as anything can be played."""
        self._is_rung = True

    def take(self) -> array[int]:
        """The next piece."""
        voices = [piece for each in self._talkers if (piece := each.take(PIECE)) is not None]
        if self._is_rung:
            self._is_rung = False
            self._ringing = chime()[:]
        if self._ringing:
            tone, self._ringing = self._ringing[:PIECE], self._ringing[PIECE:]
            tone.extend(SILENCE[len(tone) :])
            voices.append(tone)
        return mix(voices) if voices else SILENCE


def play(
    command: Sequence[str], run: DeviceRun, programme: Programme, clock: Callable[[], float] = time.monotonic
) -> None:
    """Play until the run is stopped. Raises SoundError if the speaker fails, and OwnerError if there is no libopus."""
    chime()  # now, because it takes some time
    try:
        with ChildProcess(command, is_fed=True) as child:
            _play(child, run, programme, clock)
    except CameraError as error:
        raise SoundError(str(error)) from error


def _play(child: ChildProcess, run: DeviceRun, programme: Programme, clock: Callable[[], float]) -> None:
    taken_s, has_been_given = clock(), False
    for turn in itertools.count():
        if run.wait(PAUSE_S):
            return
        for _ in range(PIECES_PER_TURN):
            if child.unread_bytes() >= AHEAD_BYTES:
                break
            if has_been_given:
                run.receive_opened()  # it takes what it is given
            taken_s = clock()
            if not child.write(programme.take().tobytes()):
                raise child.failure()
        has_been_given = True
        if clock() - taken_s > STUCK_S:
            raise SoundError("the speaker takes no sound")
        if turn % LOOK_TURNS == 0 and child.read(0) is None:
            raise child.failure()

"""Watches an event loop on the real clock: how late its timers are, and what blocked it when it was blocked for long.

A thread samples it, because a blocked loop cannot report. Where the whole interpreter is blocked, the thread sees the
cause as soon as the interpreter runs again.
"""

from __future__ import annotations

import asyncio
import bisect
import gc
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

BEAT_S = 0.005
STALL_S = 0.05
KEPT_FRAMES = 12  # of a stack, the innermost


class Stall(msgspec.Struct, frozen=True):
    """The loop did nothing else for longer than it may.

    Attributes:
        began_s: on the monotonic clock.
        lasted_s: how late the next timer was.
        starved_s: how much of that the loop's thread was ready to run and other threads or programs had the processor.
        stack: what it was doing, the innermost frame last; "" where that was not seen.
    """

    began_s: float
    lasted_s: float
    starved_s: float
    stack: str

    @property
    def held_s(self) -> float:
        """How much of it was the loop's own doing: it computed, or waited for something."""
        return max(0.0, self.lasted_s - self.starved_s)

    def __str__(self) -> str:
        times = f"held for {self.lasted_s * 1000:.0f} ms, {self.starved_s * 1000:.0f} ms of it without a processor"
        return f"the event loop was {times}:\n{self.stack or '(not seen)'}"


class Waited(msgspec.Struct, frozen=True, array_like=True):
    """Until this time of the monotonic clock, a thread that was ready to run had waited this long for a processor."""

    at_s: float
    waited_s: float


def waited_between(waits: list[Waited], since_s: float, until_s: float) -> float:
    """How long the thread waited for a processor between two times, interpolated linearly; in seconds.

    Before the first and after the last of `waits`, which are in the order of time, it did not wait.
    """

    def waited_until(at_s: float) -> float:
        after = bisect.bisect_left(waits, at_s, key=lambda each: each.at_s)
        if not waits or after == len(waits):
            return waits[-1].waited_s if waits else 0.0
        if after == 0:
            return waits[0].waited_s
        earlier, later = waits[after - 1], waits[after]
        share = (at_s - earlier.at_s) / (later.at_s - earlier.at_s)
        return earlier.waited_s + share * (later.waited_s - earlier.waited_s)

    return waited_until(until_s) - waited_until(since_s)


class Watched(msgspec.Struct, frozen=True):
    """What was seen since the last look.

    Attributes:
        lags_s: how late each timer was.
        held_s: how much of that was the loop's own doing, as in `Stall.held_s`; likewise for each timer.
        stalls: each that was over its bound.
        waits: for how long the loop's thread had waited for a processor in all, at each timer.
    """

    lags_s: list[float]
    held_s: list[float]
    stalls: list[Stall]
    waits: list[Waited]


class _Beat(NamedTuple):
    due_s: float
    starved_s: float


class LoopWatchdog:
    """Watches the running loop from `start` to `stop`; `with` does both.

    `start` belongs to the loop, and so does `stop` unless the loop has ended.

    Args:
        stall_s: from when on being late is a stall.
        beat_s: how often the loop is asked to show that it turns.
    """

    def __init__(self, *, stall_s: float = STALL_S, beat_s: float = BEAT_S) -> None:
        self._stall_s, self._beat_s = stall_s, beat_s
        self._lags: list[tuple[float, float]] = []
        self._stalls: list[Stall] = []
        self._waits: list[Waited] = []
        self._stack = ""
        self._collecting_since_s = 0.0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._expect()
        gc.callbacks.append(self._receive_collection)
        self._watcher.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()
        gc.callbacks.remove(self._receive_collection)
        self._ended.set()
        self._watcher.join()

    def take(self) -> Watched:
        """What was seen since the last time, or since the start; any thread may ask.

        A stall that is not over yet is in it as far as it has come, and comes again when it is over.
        """
        lags, self._lags = self._lags, []
        stalls, self._stalls = self._stalls, []
        waits, self._waits = self._waits, []
        unfinished_s = time.monotonic() - self._next.due_s
        if unfinished_s > self._stall_s and not self._ended.is_set():
            self._look()
            unfinished = self._stall(unfinished_s)
            lags, stalls = [*lags, (unfinished_s, unfinished.held_s)], [*stalls, unfinished]
        return Watched([late for late, _ in lags], [held for _, held in lags], stalls, waits)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def _expect(self) -> None:
        now, starved_s = time.monotonic(), self._starved_s()
        self._waits.append(Waited(now, starved_s))
        self._next = _Beat(now + self._beat_s, starved_s)
        self._timer = self._loop.call_later(self._beat_s, self._beat)

    def _beat(self) -> None:
        late_s = max(0.0, time.monotonic() - self._next.due_s)
        seen = self._stall(late_s)
        self._lags.append((late_s, seen.held_s))
        if late_s > self._stall_s:
            self._stalls.append(seen)
        self._stack = ""
        self._expect()

    def _stall(self, late_s: float) -> Stall:
        starved_s = min(late_s, self._starved_s() - self._next.starved_s)
        return Stall(self._next.due_s, late_s, starved_s, self._stack)

    def _starved_s(self) -> float:
        """For how long the loop's thread has been ready without a processor; 0 where the kernel does not tell."""
        try:
            return int(self._schedule.read_text(encoding="ascii").split()[1]) / 1e9
        except OSError:
            return 0.0

    def _receive_collection(self, phase: str, info: dict[str, int]) -> None:
        """Note a long garbage collection: it holds every thread, so that none can see it."""
        now = time.monotonic()
        if phase == "start":
            self._collecting_since_s = now
        elif now - self._collecting_since_s > self._stall_s / 2:
            took_ms = (now - self._collecting_since_s) * 1000
            self._stack = f"a garbage collection of generation {info['generation']}, {took_ms:.0f} ms\n"

    def _watch(self) -> None:
        while not self._ended.wait(self._beat_s):
            if time.monotonic() - self._next.due_s > self._stall_s:
                self._look()

    def _look(self) -> None:
        """See what the loop is doing; the first look at a stall is kept."""
        if not self._stack:
            frame = sys._current_frames().get(self._thread)
            self._stack = "".join(traceback.format_stack(frame)[-KEPT_FRAMES:])

"""Keeps one device open for as long as it is wanted: opens it again when it failed, and says how it is doing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Final, Protocol

from belvedere.errors import OwnerError, SoundError
from belvedere.stage.voice.interface import DeviceState
from belvedere.timeouts import wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RETRY_S: Final = 3.0  # a device that was plugged in is used within this time
CLOSE_TIMEOUT_S: Final = 5.0  # a program that does not end is killed after 2 s

logger = logging.getLogger(__name__)


class DeviceRun:
    """One opening of a device, as its thread sees it. All methods may be called in any thread."""

    def __init__(self, on_opened: Callable[[DeviceRun], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_opened = on_opened
        self._is_opened = False
        self._stopping = threading.Event()

    @property
    def is_stopped(self) -> bool:
        """Whether to end."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end, for so long; returns whether it has come."""
        return self._stopping.wait(timeout_s)

    def receive_opened(self) -> None:
        """The device works; only the first call counts."""
        if not self._is_opened:
            self._is_opened = True
            self.call(lambda: self._on_opened(self))

    def call(self, function: Callable[[], None]) -> None:
        """Call it on the event loop, soon; not at all if that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)


class Work(Protocol):
    """Uses a device until the run is stopped; blocks. Raises SoundError or OwnerError."""

    def __call__(self, run: DeviceRun, /) -> None:
        """Open, use and close it."""
        ...


def in_thread(work: Callable[[], None]) -> Awaitable[None]:
    """Run it in a thread of its own, which nobody joins; the result is what it raised, if anything."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as caught:  # noqa: BLE001 (it is raised where the result is awaited)
            error = caught
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name="sound", daemon=True).start()
    return done


class DeviceRunner:
    """Belongs to the event loop.

    Args:
        name: for the log.
        work: uses the device.
        on_changed: called after `state` or `problem` changed.
        clock: a monotonic clock in seconds.
        start: runs the work elsewhere.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        on_changed: Callable[[], None],
        *,
        clock: Callable[[], float],
        start: Callable[[Callable[[], None]], Awaitable[None]] = in_thread,
    ) -> None:
        self.state = DeviceState.CLOSED
        self.problem = ""
        self._name, self._work, self._on_changed, self._clock, self._start = name, work, on_changed, clock, start
        self._is_wanted = False
        self._run: DeviceRun | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def want(self, *, is_wanted: bool) -> None:
        """Open the device, or close it: its thread is told within this call."""
        if is_wanted == self._is_wanted:
            return
        self._is_wanted = is_wanted
        self._changed.set()
        if not is_wanted and self._run is not None:
            self._run.stop()
        if is_wanted and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._keep_open())

    def restart(self) -> None:
        """Open it anew, where it is open."""
        if self._run is not None:
            self._run.stop()

    async def closed(self) -> None:
        """Wait until the device is closed; call `want` before. Raises SoundError if that takes longer than it may."""
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task}, timeout=CLOSE_TIMEOUT_S)
            if not self._task.done() and not self._is_wanted:
                raise SoundError(f"the {self._name} is still open after {CLOSE_TIMEOUT_S:g} s")

    async def _keep_open(self) -> None:
        while self._is_wanted:
            self._changed.clear()
            self._set(DeviceState.OPENING)
            run = self._run = DeviceRun(self._receive_opened)
            try:
                await self._start(lambda run=run: self._work(run))  # type: ignore[misc]  # mypy cannot infer a bound one
            except Exception as error:  # noqa: BLE001 (a voice that fails must not end the program)
                self._fail(error)
                await wait_until(self._changed, self._clock() + RETRY_S, self._clock)
            finally:
                run.stop()
                self._run = None
        self._set(DeviceState.CLOSED)

    def _receive_opened(self, run: DeviceRun) -> None:
        if run is self._run and not run.is_stopped:
            if self.problem:
                logger.info("the %s works again", self._name)
            self._set(DeviceState.OPEN)

    def _fail(self, error: Exception) -> None:
        is_missing = isinstance(error, SoundError) and error.is_missing
        if self._is_wanted and str(error) != self.problem:
            is_ours = not isinstance(error, (SoundError, OwnerError))
            logger.warning("the %s does not work: %s", self._name, error, exc_info=error if is_ours else None)
        self._set(DeviceState.MISSING if is_missing else DeviceState.FAILED, str(error))

    def _set(self, state: DeviceState, problem: str = "") -> None:
        if state is DeviceState.OPENING:
            problem = self.problem  # it is told until it is known that the device works
        if (state, problem) != (self.state, self.problem):
            self.state, self.problem = state, problem
            self._on_changed()

"""A server under attack, three viewers and an attacker, each in a process, and a driver in this one.

Viewers and attackers have a lower priority, because on other machines they would not take the server's processor. The
attackers' rates are bounded for the same reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import msgspec
from tests.attacks.catalogue import NOTHING
from tests.attacks.client import LISTED_PAGE, Session, redeem_link, redeem_on_listed_page
from tests.attacks.driver import Driver, Stop
from tests.attacks.heard import VOICE
from tests.attacks.publisher import TOKEN
from tests.attacks.server import BegunStop, Opened, Seen
from tests.support.loop_watchdog import Stall, Waited, waited_between
from tests.support.settings_text import settings_text

PATTERN = 'kind = "pattern"'
PUBLISHED = 'kind = "whip"\ntoken_file = "token"'
SMALL_PICTURE = """
width = 640
height = 352
bitrate_kbps = 1500
"""
VIEWERS = 3
ATTACKERS = 4
END_TIMEOUT_S = 10.0
SETTLE_S = 0.5
READY_TIMEOUT_S = 20.0


class Measured(msgspec.Struct, frozen=True):
    """What driving was like for a while.

    Attributes:
        stops_ms: how late each released finger's stop was written to the radio.
        begun_ms: how late writing it began, without the time that the virtual unit took to answer, and without the time
            for which others had the processor, as in `held_ms`.
        pings_ms: from sending each ping to the server's reply to it.
        errors: what the driver received as an error or notice, or timed out on.
        lags_ms: how late the loop's timers were.
        held_ms: the same without the time for which other threads and programs had the processor: an attacker on
            another machine would not take ours, and neither would whatever else a test machine does.
        stalls: what blocked the loop.
        rss_mib: the server's memory at the end.
        did: what the attacker did, each with how often.
        viewers: what each of the good viewers saw.
    """

    stops_ms: list[float]
    begun_ms: list[float]
    pings_ms: list[float]
    errors: list[str]
    lags_ms: list[float]
    held_ms: list[float]
    stalls: list[Stall]
    rss_mib: float
    did: dict[str, int]
    viewers: list[dict[str, int]]

    @property
    def worst_stop_ms(self) -> float:
        """The latest of all stops."""
        return max(self.stops_ms)

    @property
    def lag_p99_ms(self) -> float:
        """The 99th percentile of how long the loop delayed a timer."""
        ordered = sorted(self.held_ms)
        return ordered[int(0.99 * len(ordered))]

    def __str__(self) -> str:
        lag = (
            f"lag p99 {self.lag_p99_ms:.1f} ms, worst {max(self.held_ms):.0f} ms, on the clock {max(self.lags_ms):.0f}"
        )
        stops = f"{len(self.stops_ms)} stops, the latest after {self.worst_stop_ms:.1f} ms"
        return f"{stops}; {lag}; {self.errors or ''}; {self.rss_mib:.0f} MiB; did {self.did}; viewers {self.viewers}"


def begun_after_ms(stop: Stop, begun: list[BegunStop], waits: list[Waited]) -> float:
    """How long after its release a stop was given to the radio, at most until it was written, in milliseconds.

    Less the time for which the server's loop waited for a processor.
    """
    later = (each.at_ms for each in begun if each.axis == stop.axis and each.at_ms >= stop.released_ms)
    begun_ms = min(next(later, stop.written_ms), stop.written_ms)
    waited_ms = waited_between(waits, stop.released_ms / 1000, begun_ms / 1000) * 1000
    return max(0.0, begun_ms - stop.released_ms - waited_ms)


class Process:
    """A child process, controlled by lines over its pipes."""

    def __init__(self, *arguments: str, stderr: int | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )

    def ask(self, line: str) -> bytes:
        """Send a line and return the next one."""
        self.send(line)
        return self.read_line()

    def send(self, line: str) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def read_line(self) -> bytes:
        """The next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{self.process.args!r} ended with status {self.process.wait(END_TIMEOUT_S)}"
        return line

    def end(self) -> None:
        """Kill it: nothing is asked of it any more, and a server that is told to end disconnects its units first."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()


class Rig:
    """All processes, started and ended together.

    With `has_stuck_log` nothing reads what the server logs; with `is_published` another program publishes the picture;
    with `has_voice` the room hears everybody.
    `camera` and `stage` are the settings of the picture, and `viewers` watch it.
    """

    def __init__(
        self,
        *,
        has_stuck_log: bool = False,
        is_published: bool = False,
        has_voice: bool = False,
        camera: str = PATTERN,
        stage: str = SMALL_PICTURE,
        viewers: int = VIEWERS,
    ) -> None:
        self._chance = random.Random(1)
        self._stack = contextlib.ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        config = folder / "belvedere.toml"
        (folder / "token").write_text(TOKEN, encoding="ascii")
        access = f'frontends = ["{LISTED_PAGE}"]'
        camera = PUBLISHED if is_published else camera
        settings = settings_text(camera=camera, stage=stage, access=access) + (VOICE if has_voice else "")
        config.write_text(settings, encoding="utf-8")
        log = self._full_pipe() if has_stuck_log else self._stack.enter_context((folder / "log").open("wb")).fileno()
        self.server = self._start("tests.attacks.server", str(config), stderr=log)
        opened = msgspec.json.decode(self.server.read_line(), type=Opened)
        self._sessions = asyncio.run(self._redeem_all(opened.links[: 1 + viewers + ATTACKERS]))
        page = asyncio.run(redeem_on_listed_page(opened.links[-1]))
        self._driver, *others = self._sessions
        cookies = [session.cookie for session in others]
        if is_published:
            assert self._start("tests.attacks.publisher", opened.address).read_line() == b"publishing\n"
        self._viewers = self._start("tests.attacks.viewers", opened.address, *cookies[:viewers])
        assert self._viewers.read_line() == b"watching\n"
        self._attacker = self._start("tests.attacks.attacker", opened.address, page.bearer, *cookies[viewers:])
        assert self._attacker.read_line() == b"ready\n"
        asyncio.run(self._wait_ready())

    def measure(self, attack: str, seconds: float) -> Measured:
        """Drive under this attack."""
        self._attacker.send(attack)
        began = self._attacker.read_line()
        if began != b"began\n":
            self._attacker.ask("end")
            raise AssertionError(began)
        try:
            return self._drive(seconds)
        finally:
            time.sleep(SETTLE_S)

    def quiet(self, seconds: float) -> Measured:
        """Drive without an attack."""
        return self.measure(NOTHING, seconds)

    def close(self) -> None:
        """End everything."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _drive(self, seconds: float) -> Measured:
        self.server.ask("")
        self._viewers.ask("")
        driver = Driver(self._driver, self._chance)
        try:
            asyncio.run(driver.drive(seconds))
        finally:
            did = msgspec.json.decode(self._attacker.ask("end"), type=dict[str, int])
        seen = msgspec.json.decode(self.server.ask(""), type=Seen)
        viewers = msgspec.json.decode(self._viewers.ask(""), type=list[dict[str, int]])
        return Measured(
            [stop.written_ms - stop.released_ms for stop in driver.stops],
            [begun_after_ms(stop, seen.begun, seen.waits) for stop in driver.stops],
            driver.pings_ms,
            driver.errors,
            seen.lags_ms,
            seen.held_ms,
            seen.stalls,
            seen.rss_mib,
            did,
            viewers,
        )

    def _full_pipe(self) -> int:
        """The writing end of a pipe that is full."""
        reading, writing = os.pipe()
        self._stack.callback(os.close, reading)
        self._stack.callback(os.close, writing)
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        return writing

    def _start(self, *arguments: str, stderr: int | None = None) -> Process:
        process = Process(*arguments, stderr=stderr)
        self._stack.callback(process.end)
        return process

    async def _redeem_all(self, links: list[str]) -> list[Session]:
        return [await redeem_link(link) for link in links]

    async def _wait_ready(self) -> None:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while (await self._driver.ask("GET", "/readyz")).status != 200:  # noqa: ASYNC110 - a server can only be polled
                await asyncio.sleep(0.05)

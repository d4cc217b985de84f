"""Runs servers as child processes, started as an owner would start them, and measures what they use."""

from __future__ import annotations

import contextlib
import http.client
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil  # type: ignore[import-untyped]  # it brings no types
from tests.support.settings_text import settings_text

from belvedere.app.local_client import LocalClient

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGIN = "/api/v1/login/invitation"
MIB = 1024 * 1024
READY_TIMEOUT_S = 30.0
POLL_S = 0.01  # between checks whether a server is ready
CPUCLOCK_SCHED = 2  # as in clock_getcpuclockid(3), for a precise clock; /proc counts in ticks of 10 ms
END_TIMEOUT_S = 10.0
CONNECT_S = 1.5  # a virtual unit is found and connected within a second


class Server:
    """A child process that prints its address, or a link, once it listens.

    Args:
        command: what Python runs.
        inside: what to put in front, so that it runs in a network namespace (`wan.py`).

    Attributes:
        link: the printed link; of `belvedere serve`, one that was asked for.
        ready_s: seconds from its start to the first 200 of `ready_path`.
    """

    def __init__(self, *command: str, ready_path: str = "/readyz", inside: tuple[str, ...] = ()) -> None:
        began = time.monotonic()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        self._process = subprocess.Popen(
            [*inside, sys.executable, *command], stdout=subprocess.PIPE, stderr=self._log, stdin=subprocess.DEVNULL
        )
        self._measured = psutil.Process(self._process.pid)
        self.link = self._read_link()
        self._wait_ready(ready_path, began + READY_TIMEOUT_S)
        self.ready_s = time.monotonic() - began

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return self.link.partition("/join#")[0].rstrip("/")

    def rss_mib(self) -> float:
        """Resident memory, as the kernel counts it."""
        return float(self._measured.memory_info().rss) / MIB

    def cpu_s(self) -> float:
        """The processor time that it and its children have used, in seconds."""
        return sum(cpu_s_of(each.pid) for each in (self._measured, *self._measured.children(recursive=True)))

    def cpu_percent_over(self, seconds: float) -> float:
        """Measure its share of a core, in percent, for some seconds."""
        before, began = self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_s() - before) / (time.monotonic() - began) * 100

    def wait_connected(self) -> None:
        """Wait until the units are connected."""
        time.sleep(CONNECT_S)

    def end(self) -> None:
        """Send SIGTERM, and wait for the end."""
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def _read_link(self) -> str:
        """The first URL that the server prints."""
        for line in self._process.stdout or ():
            found = re.search(rb"http://[^\s;]+", line)
            if found:
                return found[0].decode()
        self._log.seek(0)
        raise RuntimeError(f"the server did not start: {self._log.read().decode()[-2000:]}")

    def _wait_ready(self, path: str, deadline_at: float) -> None:
        host = self.address.removeprefix("http://")
        while time.monotonic() < deadline_at:
            with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection(host)) as connection:
                connection.request("GET", path)
                if connection.getresponse().status == http.client.OK:
                    return
            time.sleep(POLL_S)
        raise RuntimeError(f"{path} did not answer with 200")


def cpu_s_of(process: int) -> float:
    """The processor time that a process has used, in seconds, precisely."""
    return time.clock_gettime(~process << 3 | CPUCLOCK_SCHED)


@contextlib.contextmanager
def serving(*, inside: tuple[str, ...] = (), **parts: str) -> Iterator[Server]:
    """Run `belvedere serve` with settings for measurements; for `parts` see `settings_text`, for `inside` `Server`."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "belvedere.toml"
        config.write_text(settings_text(**parts, store='file = "belvedere.sqlite3"'), encoding="utf-8")
        with Server("-m", "belvedere.cli", "serve", "--config", str(config), inside=inside) as server:
            server.link = _invite(Path(folder), server.address)
            yield server


def _invite(folder: Path, address: str) -> str:
    """A link of a visitor; what is printed to a pipe lets nobody in."""
    client = LocalClient(folder)
    person = client.request("POST", "/api/v1/people", {"name": "Visitor", "role": "visitor"})
    secret = client.request("POST", f"/api/v1/people/{person['id']}/invitations")["secret"]
    return f"{address}/join#{secret}"

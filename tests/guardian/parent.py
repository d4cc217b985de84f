"""A minimal server in a process of its own: it runs a guardian and prints what it observes.

Each line that it reads is a command: `turn` marks both units as turning, `rest` as stopped, `stall SECONDS` blocks the
event loop, `spin` blocks it forever, `end` shuts down as a server does. It prints `watching`, `missing`, `stopped N`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from tests.guardian.buses import PAN, STOP, TILT

from belvedere.guardian.process import GuardianProcess

DEAD_MAN_S = 0.5
BEAT_S = 0.1


class Parent:
    def __init__(self) -> None:
        self.guardian = GuardianProcess(STOP, dead_man_s=DEAD_MAN_S, clock=time.monotonic)
        self.turning = False
        self.reported_state = ""

    async def beat(self) -> None:
        while True:
            self.guardian.beat((self.turning, self.turning))
            for at, _stopped_at in self.guardian.new_stops():
                sys.stdout.write(f"stopped {at}\n")
            if self.guardian.state != self.reported_state:
                self.reported_state = self.guardian.state
                sys.stdout.write(f"{self.reported_state}\n")
            sys.stdout.flush()
            await asyncio.sleep(BEAT_S)

    def do(self, line: str) -> None:
        match line.split():
            case ["turn"]:
                self.turning = True
                for at in (0, 1):
                    self.guardian.mark_turning(at)
            case ["rest"]:
                self.turning = False
            case ["stall", seconds]:
                time.sleep(float(seconds))
            case ["spin"]:
                while True:
                    pass


async def main() -> None:
    parent = Parent()
    for at, unit in enumerate((PAN, TILT)):
        parent.guardian.set_unit(at, unit)
    tasks = [asyncio.create_task(parent.guardian.run()), asyncio.create_task(parent.beat())]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while (line := (await reader.readline()).decode().strip()) not in ("end", ""):
        parent.do(line)
    tasks[0].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tasks[0]
    tasks[1].cancel()
    parent.guardian.close()


if __name__ == "__main__":
    asyncio.run(main())

"""The attacker's process: `python -m tests.attacks.attacker ADDRESS BEARER COOKIE...`.

It reads the name of an attack and prints `began` once that runs. At the next line it ends the attack and prints what it
did.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
from tests.attacks.catalogue import ATTACKS, PUBLISHER_ATTACKS, VOICE_ATTACKS
from tests.attacks.client import Session
from tests.attacks.lines import print_line, read_lines
from tests.attacks.priority import run_when_idle
from tests.attacks.target import Target
from tests.attacks.watching import watch_cheaply

BEGIN_TIMEOUT_S = 15.0


async def _attack(sessions: list[Session], page: Session) -> None:
    print_line("ready")
    lines = read_lines()
    async for name in lines:
        target = Target(sessions, page)
        attacking = asyncio.create_task((ATTACKS | PUBLISHER_ATTACKS | VOICE_ATTACKS)[name](target))
        beginning = asyncio.create_task(target.has_begun.wait())
        await asyncio.wait({attacking, beginning}, timeout=BEGIN_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        beginning.cancel()
        print_line("began" if target.has_begun.is_set() else f"did not begin: {attacking}")
        await anext(lines)
        attacking.cancel()
        await asyncio.wait({attacking})
        page = target.page
        if not attacking.cancelled() and (error := attacking.exception()) is not None:
            target.did[repr(error)] += 1
        print_line(msgspec.json.encode(dict(target.did)).decode())


def main() -> None:
    """Attack until the input ends."""
    run_when_idle()
    watch_cheaply()
    address, bearer, *cookies = sys.argv[1:]
    asyncio.run(_attack([Session(address, cookie) for cookie in cookies], Session(address, "", bearer)))


if __name__ == "__main__":
    main()

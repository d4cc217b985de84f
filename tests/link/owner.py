"""What the tests of a connection share: its owner, and frames."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.head.profile import WriteMode
from belvedere.link.connection import Connection
from belvedere.link.latest_write import PendingWrite
from belvedere.link.options import LinkOptions
from belvedere.link.pending_calls import PendingCalls
from belvedere.testing.scripted_link import DETAILS, Step

if TYPE_CHECKING:
    from belvedere.link.port import UnitLink

STOP, MOVE = PendingWrite(b"\x00", 0.0, is_stop=True), PendingWrite(b"\x01", 0.5, is_stop=False)
NEWER = PendingWrite(b"\x02", 0.6, is_stop=False)
SETTLED = [STOP, STOP]  # without response, then acknowledged
INTERVAL_S = 0.040
ONLY_WITH_RESPONSE = msgspec.structs.replace(DETAILS, can_write_without_response=False)
ONLY_WITHOUT_RESPONSE = msgspec.structs.replace(DETAILS, can_write_with_response=False)
MUTE = msgspec.structs.replace(ONLY_WITHOUT_RESPONSE, can_keep_alive=False)
REFUSED = Step(reason=LinkReason.REFUSED)


class Owner:
    """Owns a connection and records what it reports."""

    def __init__(self, link: UnitLink, mode: WriteMode = WriteMode.AUTO) -> None:
        self.written: list[PendingWrite] = []
        self.attempted: list[PendingWrite] = []
        self.connection = Connection(
            link,
            mode,
            STOP,
            calls=PendingCalls(),
            clock=asyncio.get_running_loop().time,
            options=LinkOptions(),
            on_written=lambda pending, _now: self.written.append(pending),
            on_attempted=lambda pending, _now: self.attempted.append(pending),
        )

    async def settled(self) -> Connection:
        await self.connection.open(lambda: None)
        await self.connection.stop_and_verify()
        return self.connection


async def reason_of_end(connection: Connection) -> LinkReason:
    with pytest.raises(LinkError) as caught:
        await connection.drive()
    return caught.value.reason

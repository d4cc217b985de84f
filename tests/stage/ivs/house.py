"""A house that sends its picture through an Amazon IVS which the test controls, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tests.stage.fakes import StageRig

from belvedere.errors import IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.participant_hours import ParticipantHours
from belvedere.stage.ivs.participants import Participants
from belvedere.stage.ivs.token_source import JOIN_S, ParticipantToken
from belvedere.stage.ivs_options import IvsOptions
from belvedere.store.database import Database
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STAGE = "arn:aws:ivs:eu-central-1:123456789012:stage/AbCdEfGhIjKl"
UTC_S = 1_796_083_200.0  # the wall clock when the loop's is 0: 1 December 2026


class FakePublisher:
    """A `Publishing` that says whether it would send now."""

    def __init__(self) -> None:
        self.count = 0
        self._is_permitted = True

    def is_permitted(self) -> bool:
        return self._is_permitted

    def is_sending(self) -> bool:
        return self._is_permitted and self.count > 0

    def receive_participants(self, count: int) -> None:
        self.count = count

    def forbid(self) -> None:
        self._is_permitted = False

    def permit(self) -> None:
        self._is_permitted = True


class FakeAws:
    """Makes tokens and puts participants out; the test says how long that takes, and whether it fails."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.asked: list[str] = []
        self.out: set[str] = set()
        self.token_s = 0.0
        self.disconnect_s = 0.1
        self.failure: Exception | None = None
        self.absent: set[str] = set()
        self.loads = 0

    @staticmethod
    def utc() -> float:
        return UTC_S + asyncio.get_running_loop().time()

    def load(self) -> None:
        self.loads += 1

    def load_calls(self) -> None:
        self.loads += 1
        if self.failure is not None:
            raise self.failure

    async def publish_token(self) -> ParticipantToken:
        return await self.viewer_token()

    async def viewer_token(self) -> ParticipantToken:
        await asyncio.sleep(self.token_s)
        if self.failure is not None:
            raise self.failure
        self.made.append(f"participant-{len(self.made)}")
        return ParticipantToken(self.made[-1], Secret("a token"), None, self.utc() + JOIN_S)

    async def disconnect(self, participant: str) -> None:
        self.asked.append(participant)
        await asyncio.sleep(self.disconnect_s)
        if self.failure is not None:
            raise self.failure
        if participant in self.absent:
            raise IvsError(IvsReason.NOT_FOUND, "putting out")
        self.out.add(participant)


class House:
    """The stage, the participants and what is around them; `may` has the sessions that may look."""

    def __init__(self, path: Path, monthly_hours: float = 0.0, max_viewers: int = 8) -> None:
        clock = asyncio.get_running_loop().time
        self.rig = StageRig(max_viewers)
        self.aws = FakeAws()
        self.publisher = FakePublisher()
        self.may = {"ann", "ben"}
        self.database = Database(path, worker=LoopWorker, clock=clock)
        self.database.open()
        options = IvsOptions(stage_arn=STAGE, monthly_hours=monthly_hours)
        self.hours = ParticipantHours(self.database, monthly_hours, clock=clock, utc=self.aws.utc)
        self.participants = Participants(
            options,
            self.rig.stage,
            self.aws,
            self.aws.disconnect,
            load=self.aws.load_calls,
            hours=self.hours,
            publishing=self.publisher,
            database=self.database,
            clock=clock,
            utc=self.aws.utc,
        )
        self.hours.on_used_up(self.participants.receive_used_up)

    async def join(self, owner: str = "ann", view: str = "") -> str:
        """A page of this session gets a token; returns the participant."""
        admission = await self.participants.admit(owner, view, lambda: None, lambda: owner in self.may)
        return admission.token.participant

    async def revoke(self, owner: str) -> None:
        """The session may not look any more, and its viewers are ended, as the gateway does it."""
        self.may.discard(owner)
        self.participants.refresh()
        await self.rig.stage.end_all_of(owner)


@contextlib.asynccontextmanager
async def running(path: Path, monthly_hours: float = 0.0, max_viewers: int = 8) -> AsyncIterator[House]:
    """A house whose saved participants are loaded, and whose hours are counted."""
    house = House(path, monthly_hours, max_viewers)
    await house.hours.load()
    await house.participants.load_saved()
    counting = asyncio.create_task(house.hours.run())
    try:
        yield house
    finally:
        counting.cancel()
        await asyncio.wait({counting})
        await house.rig.stage.close()
        await house.participants.close()
        house.hours.save()
        await house.database.close()

"""The parts of the way through Amazon IVS, put together: tokens, what is billed, who watches, and what publishes."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from belvedere.errors import StoreError
from belvedere.stage.ivs.aws_api import AwsApi, create_client_of
from belvedere.stage.ivs.aws_calls import AwsCalls
from belvedere.stage.ivs.aws_tokens import AwsTokens
from belvedere.stage.ivs.participant_hours import ParticipantHours
from belvedere.stage.ivs.participants import Participants
from belvedere.stage.ivs.publisher import Publisher
from belvedere.stage.ivs.signed_tokens import SignedTokens
from belvedere.stage.options import Way

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.room.outputs import MediaOutput
    from belvedere.stage.direct.viewer_network import ViewerNetwork
    from belvedere.stage.ivs.token_source import TokenSource
    from belvedere.stage.ivs_options import IvsOptions
    from belvedere.stage.options import StageOptions
    from belvedere.stage.stage import Stage
    from belvedere.store.database import Database

logger = logging.getLogger(__name__)

LOAD_AGAIN_S: Final = 5.0
REASON: Final = "not watching any more"  # what AWS notes of whoever is put out


@dataclass(frozen=True, slots=True)
class IvsParts:
    """What watches and publishes through Amazon IVS. Until `run` has loaded what was saved, nobody may."""

    participants: Participants
    hours: ParticipantHours
    publisher: Publisher

    @property
    def outputs(self) -> tuple[MediaOutput, ...]:
        """What the curtain cuts."""
        return self.publisher, self.participants

    async def run(self) -> None:
        """Load what was saved, trying again until that succeeds; then count, until cancelled."""
        while True:
            if await self._is_loaded():
                break
            await asyncio.sleep(LOAD_AGAIN_S)
        await self.hours.run()

    async def close(self) -> None:
        """End what still runs, and save what was counted; the stage's viewers have ended by then."""
        await self.publisher.close()
        await self.participants.close()
        self.hours.save()

    async def _is_loaded(self) -> bool:
        try:
            await self.hours.load()
            await self.participants.load_saved()
        except StoreError as error:
            logger.warning("nobody can watch through Amazon IVS yet: %s", error)
            return False
        return True


def ivs_parts(
    options: StageOptions,
    stage: Stage,
    database: Database | None,
    *,
    network: ViewerNetwork,
    clock: Callable[[], float],
    create_client: Callable[[IvsOptions], Any] = create_client_of,
) -> IvsParts | None:
    """The parts, if pages may watch through Amazon IVS; nothing is started, and nothing heavy imported.

    `create_client` makes boto3's client, at the first call.
    """
    ivs = options.ivs
    if Way.IVS not in options.ways or ivs is None or database is None:
        return None
    api = AwsApi(lambda: create_client(ivs))
    tokens = _tokens(ivs, api)
    hours = ParticipantHours(database, ivs.monthly_hours, clock=clock, utc=time.time)
    publisher = Publisher(
        stage, options, tokens, clock=clock, network=network, receive_publishing=hours.receive_publishing
    )
    calls = AwsCalls()  # of its own: what hands out tokens must not delay what puts people out
    participants = Participants(
        ivs,
        stage,
        tokens,
        functools.partial(_disconnect, api, calls, ivs.stage_arn),
        load=api.load,
        hours=hours,
        publishing=publisher,
        database=database,
        clock=clock,
        utc=time.time,
    )
    hours.on_used_up(participants.receive_used_up)
    return IvsParts(participants, hours, publisher)


def _tokens(options: IvsOptions, api: AwsApi) -> TokenSource:
    return SignedTokens(options) if options.key is not None else AwsTokens(options, api, AwsCalls())


async def _disconnect(api: AwsApi, calls: AwsCalls, stage_arn: str, participant: str) -> None:
    await calls.call(lambda: api.disconnect(stage_arn, participant, REASON), "putting out a participant")

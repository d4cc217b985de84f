"""How long a page waits for a token of Amazon IVS: signed here, or asked of AWS, without the network."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from botocore.stub import Stubber

from belvedere.secret import Secret
from belvedere.stage.ivs.aws_api import AwsApi, Operation, create_client
from belvedere.stage.ivs.signed_tokens import SignedTokens, new_key_pem
from belvedere.stage.ivs.token_source import JOIN_S
from belvedere.stage.ivs_options import IvsOptions
from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
TOKENS = 200  # each round
BUDGET_MS = 2.0
ACCOUNT = "arn:aws:ivs:eu-central-1:123456789012"


def run() -> list[Result]:
    """Measure both in turn."""
    ours, rival = [], []
    signed, asked = _signed(), _asked()
    for _ in range(ROUNDS):
        ours.append(_ms_each(signed))
        rival.append(_ms_each(asked))
    return [
        compare(
            "ivs-token",
            "a viewer's token for Amazon IVS, signed by ES384",
            "ms",
            ours=ours,
            rival=rival,
            rival_is="boto3's call of create_participant_token, answered without a network",
            budget=BUDGET_MS,
        )
    ]


def _ms_each(make: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(TOKENS):
        make()
    return (time.perf_counter() - began) * 1000 / TOKENS


def _signed() -> Callable[[], object]:
    options = IvsOptions(
        stage_arn=f"{ACCOUNT}:stage/AbCdEfGhIjKl",
        key=Secret(new_key_pem()),
        key_arn=f"{ACCOUNT}:public-key/01234567",
        events_url="wss://global.events.live-video.net",
        whip_url="https://global.whip.live-video.net",
    )
    tokens = SignedTokens(options)
    tokens.load()
    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(tokens.viewer_token())


def _asked() -> Callable[[], object]:
    client = create_client("eu-central-1", "AKIAIOSFODNN7EXAMPLE", "a-secret")
    stubber = Stubber(client)
    stage = f"{ACCOUNT}:stage/AbCdEfGhIjKl"
    expected: dict[str, Any] = {
        "stageArn": stage,
        "duration": JOIN_S // 60,
        "capabilities": ["SUBSCRIBE"],
        "attributes": {},
    }
    for _ in range(ROUNDS * TOKENS):
        stubber.add_response(
            Operation.CREATE_TOKEN.method, {"participantToken": {"participantId": "p", "token": "t"}}, expected
        )
    stubber.activate()
    api = AwsApi(lambda: client)
    return lambda: api.create_token(stage, "SUBSCRIBE", {}, None)

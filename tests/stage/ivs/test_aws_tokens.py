"""Tokens that AWS makes are asked for in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stage.test_ivs_options import STAGE

from belvedere.errors import IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.aws_calls import CALL_TIMEOUT_S, AwsCalls
from belvedere.stage.ivs.aws_tokens import AwsTokens
from belvedere.stage.ivs.token_source import ParticipantToken
from belvedere.stage.ivs_options import IvsOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OPTIONS = IvsOptions(stage_arn=STAGE, whip_url="https://a")
TOKEN = ParticipantToken("p1", Secret("a token"), "https://a", 120)


class Api:
    """An `AwsApi` that records what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, str], str | None]] = []

    def create_token(
        self, stage_arn: str, capability: str, attributes: Mapping[str, str], whip_url: str | None
    ) -> ParticipantToken:
        self.asked.append((stage_arn, capability, attributes, whip_url))
        return TOKEN


def tokens(api: Api, start: Callable[[Callable[[], None]], None]) -> AwsTokens:
    return AwsTokens(OPTIONS, api, AwsCalls(start))  # type: ignore[arg-type]  # it has what is asked of it


async def test_viewers_may_subscribe_and_the_camera_may_publish() -> None:
    api = Api()
    made = tokens(api, lambda run: run())
    made.load()
    assert await made.viewer_token() == await made.publish_token() == TOKEN
    assert api.asked == [
        (STAGE, "SUBSCRIBE", {}, "https://a"),
        (STAGE, "PUBLISH", {"role": "camera"}, "https://a"),
    ]


async def test_aws_that_never_answers_makes_no_token() -> None:
    with pytest.raises(IvsError, match=f"within {CALL_TIMEOUT_S:g} s") as caught:
        await tokens(Api(), lambda _run: None).viewer_token()
    assert caught.value.reason is IvsReason.UNREACHABLE

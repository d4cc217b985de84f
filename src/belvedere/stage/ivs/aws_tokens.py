"""Tokens that AWS makes, one call each: for a stage without a key of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from belvedere.stage.ivs.token_source import CAMERA, ParticipantToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from belvedere.stage.ivs.aws_api import AwsApi
    from belvedere.stage.ivs.aws_calls import AwsCalls
    from belvedere.stage.ivs_options import IvsOptions

PUBLISH: Final = "PUBLISH"
SUBSCRIBE: Final = "SUBSCRIBE"


class AwsTokens:
    """Asks AWS for each token; implements `token_source.TokenSource`."""

    def __init__(self, options: IvsOptions, api: AwsApi, calls: AwsCalls) -> None:
        self._options = options
        self._api = api
        self._calls = calls

    def load(self) -> None:
        """Nothing: boto3 is imported in the thread of the first call."""

    async def publish_token(self) -> ParticipantToken:
        """See `TokenSource`."""
        return await self._token(PUBLISH, CAMERA)

    async def viewer_token(self) -> ParticipantToken:
        """See `TokenSource`."""
        return await self._token(SUBSCRIBE, {})

    async def _token(self, capability: str, attributes: Mapping[str, str]) -> ParticipantToken:
        arn, whip_url = self._options.stage_arn, self._options.whip_url
        return await self._calls.call(
            lambda: self._api.create_token(arn, capability, attributes, whip_url), "creating a token"
        )

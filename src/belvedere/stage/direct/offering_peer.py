"""A WebRTC connection that sends the picture to another server: the offering side, as WHIP needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiortc import RTCRtpSender, RTCSessionDescription

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.aiortc_peer import ACCEPTED, AiortcPeer

if TYPE_CHECKING:
    from aiortc import RTCRtpCodecCapability

PROFILE = "42e01f"  # Constrained Baseline, which is what the frames must be


class OfferingPeer(AiortcPeer):
    """A connection to a server; what is sent, and bounded of what it sends, is as with a viewer."""

    async def offer(self) -> str:
        """Make the offer, which has all our addresses. Call it once, instead of `answer`.

        Raises StageError (TOO_MANY_VIEWERS if there is no free port).
        """
        known = RTCRtpSender.getCapabilities("video")
        self._transceiver.setCodecPreferences([each for each in known.codecs if _is_offered(each)])
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Take the server's answer (`whip_answer.read_whip_answer`), and begin to connect.

        Raises StageError (BAD_OFFER).
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:  # aiortc's parser has no error type: bad SDP raises any built-in exception
            raise StageError(StageReason.BAD_OFFER, f"the server's answer cannot be used: {error!r}") from error


def _is_offered(codec: RTCRtpCodecCapability) -> bool:
    profile = codec.parameters.get("profile-level-id", PROFILE)
    return codec.mimeType in ACCEPTED and profile == PROFILE

"""Which of the packets that a viewer reports as lost are sent again. Pure: time is an argument.

A NACK of a few bytes can name thousands of packets, and each costs as much as one of the picture. So what a viewer gets
again is a share of the stream, and no packet goes twice while its last copy may still be on the way. A viewer who loses
more than that sees the picture freeze and asks for a key frame, which costs everyone less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

PAYLOAD_BYTES = 1200  # of a full packet, as aiortc cuts them
SHARE = 0.25  # of the stream: repairs a loss of 20 %, whose copies are lost as often; beyond that nothing helps
BURST_S = 0.5  # of the stream, at once: a link that was gone for so long is caught up with
ROUND_TRIP_S = (0.01, 0.5)  # what is believed of a viewer's own measurement


class RetransmissionBudget:
    """One viewer's share, which grows with the stream's bitrate and frame rate.

    Args:
        packets: how many packets are remembered; of more nothing can be sent again.
    """

    def __init__(self, *, bitrate_kbps: int, fps: int, packets: int) -> None:
        stream_per_s = bitrate_kbps * 1000 / 8 / PAYLOAD_BYTES + fps
        self._bucket = TokenBucket(stream_per_s * SHARE, max(1.0, stream_per_s * BURST_S))
        self._packets = packets
        self._sent: dict[int, tuple[int, float]] = {}  # by the place in the sender's memory: which packet, and when

    def select(self, now_s: float, lost: Iterable[int], round_trip_s: float) -> list[int]:
        """Which of these sequence numbers to send again now, each once, as the caller promises to do."""
        shortest_s, longest_s = ROUND_TRIP_S
        since_s = now_s - min(max(round_trip_s, shortest_s), longest_s)
        chosen: list[int] = []
        for number in lost:
            place = number % self._packets
            last, at_s = self._sent.get(place, (-1, 0.0))
            if last == number and at_s > since_s:
                continue
            if not self._bucket.take(now_s):
                break
            self._sent[place] = (number, now_s)
            chosen.append(number)
        return chosen

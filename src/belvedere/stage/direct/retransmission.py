"""Decides which lost packets are retransmitted to a viewer. Pure: time is an argument.

A NACK of a few bytes can name thousands of packets, and retransmitting each costs as much as sending it. So
retransmissions are limited to a share of the stream, and no packet is sent again while its last copy may still be in
flight. A viewer who loses more sees the picture freeze and requests a key frame, which costs less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

PAYLOAD_BYTES = 1200  # of a full packet, as aiortc splits frames
SHARE = 0.25  # of the stream: repairs a loss of 20 %, with copies lost as often
BURST_S = 0.5  # of the stream, at once: enough after a link was interrupted for that long
ROUND_TRIP_S = (0.01, 0.5)  # limits for the round trip that a viewer's reports lead to


class RetransmissionBudget:
    """The retransmission budget of one viewer, a share of the stream's packet rate.

    Args:
        packets: the size of the sender's history; older packets cannot be retransmitted.
    """

    def __init__(self, *, bitrate_kbps: int, fps: int, packets: int) -> None:
        stream_per_s = bitrate_kbps * 1000 / 8 / PAYLOAD_BYTES + fps
        self._bucket = TokenBucket(stream_per_s * SHARE, max(1.0, stream_per_s * BURST_S))
        self._packets = packets
        # By slot of the sender's history: the sequence number, and when it was retransmitted.
        self._sent: dict[int, tuple[int, float]] = {}

    def select(self, now_s: float, lost: Iterable[int], round_trip_s: float) -> list[int]:
        """Choose which of these sequence numbers the caller must retransmit now, each once; they are counted."""
        shortest_s, longest_s = ROUND_TRIP_S
        since_s = now_s - min(max(round_trip_s, shortest_s), longest_s)
        chosen: list[int] = []
        for number in lost:
            slot = number % self._packets
            last, at_s = self._sent.get(slot, (-1, 0.0))
            if last == number and at_s > since_s:
                continue
            if not self._bucket.take(now_s):
                break
            self._sent[slot] = (number, now_s)
            chosen.append(number)
        return chosen

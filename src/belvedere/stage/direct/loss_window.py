"""Measures the share of lost packets over half a second at least, from receiver reports. Pure: time is an argument.

A browser that misses packets sends a report with every request for them, many times a second; the share in each is that
of the last few packets, which is 0 or 80 % by chance. The counters in it are exact (RFC 3550, section 6.4.1).
"""

from __future__ import annotations

WINDOW_S = 0.5
MIN_PACKETS = 20  # with fewer, one lost packet would be much


class LossWindow:
    """One viewer's receiver reports."""

    def __init__(self) -> None:
        self._began: tuple[float, int, int] | None = None

    def receive_report(self, now_s: float, highest_sequence: int, lost: int) -> float | None:
        """The extended highest sequence number received, and the number of packets lost since the beginning.

        Returns the share lost in the window that ends now, between 0 and 1; None while it is too short.
        """
        if self._began is None or highest_sequence < self._began[1]:
            self._began = now_s, highest_sequence, lost
            return None
        began_s, first, lost_before = self._began
        expected = highest_sequence - first
        if now_s - began_s < WINDOW_S or expected < MIN_PACKETS:
            return None
        self._began = now_s, highest_sequence, lost
        return min(1.0, max(0.0, (lost - lost_before) / expected))

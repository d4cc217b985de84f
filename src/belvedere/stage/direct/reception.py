"""Counts what arrives of one RTP stream, for receiver reports (RFC 3550, section 6.4.1 and appendix A.3). Pure."""

from __future__ import annotations

from typing import NamedTuple

SEQUENCES = 1 << 16
MAX_JUMP = 3000  # a sequence number that is further ahead begins anew (RFC 3550, appendix A.1)


class ReceptionReport(NamedTuple):
    """What a receiver report says of a stream.

    Attributes:
        fraction_lost: since the last report, in 256ths.
        packets_lost: since the first packet.
        highest_sequence: of 32 bits, with the count of wraps in the upper 16.
    """

    fraction_lost: int
    packets_lost: int
    highest_sequence: int


class Reception:
    """One stream, from its first packet on."""

    def __init__(self) -> None:
        self._base = 0
        self._highest = -1
        self._received = 0
        self._expected_before = self._received_before = 0

    def receive(self, sequence: int) -> None:
        """A packet came with this sequence number."""
        if self._highest < 0:
            self._begin(sequence)
        ahead = (sequence - self._highest) % SEQUENCES
        if ahead < MAX_JUMP:
            self._highest += ahead
        elif SEQUENCES - ahead > MAX_JUMP:
            self._begin(sequence)
        self._received += 1

    def report(self) -> ReceptionReport:
        """What to say now; it begins the next interval."""
        expected = self._highest - self._base + 1
        lately = expected - self._expected_before
        lost = lately - (self._received - self._received_before)
        self._expected_before, self._received_before = expected, self._received
        fraction = max(0, min(255, 256 * lost // lately)) if lately > 0 else 0
        total = max(0, min(2**23 - 1, expected - self._received))
        return ReceptionReport(fraction, total, self._highest % 2**32)

    def _begin(self, sequence: int) -> None:
        self._base = self._highest = sequence
        self._received = self._expected_before = self._received_before = 0

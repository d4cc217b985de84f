"""What a probe has learned: values for the profile, each with what was tried and seen."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Value: TypeAlias = str | int | float | bool


class Finding(msgspec.Struct, frozen=True):
    """One thing that was learned.

    Attributes:
        evidence: what was tried and what was seen, in a line.
        table: dotted name of the profile's table that it belongs to: `frame.speed`, `pan`.
        key: the key in that table, or None where the profile has none for it.
        value: what belongs there.
    """

    evidence: str
    table: str
    key: str | None = None
    value: Value | None = None


class Findings:
    """All findings of one probe, in the order in which they were made; a later one for a key replaces the earlier."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def note(self, table: str, evidence: str) -> None:
        """Something that the profile has no key for."""
        self.all.append(Finding(evidence, table))

    def set(self, table: str, key: str, value: Value, evidence: str) -> None:
        """A value for the profile."""
        self.all = [one for one in self.all if (one.table, one.key) != (table, key)]
        self.all.append(Finding(evidence, table, key, value))

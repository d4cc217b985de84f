"""What a probe has learned: values for the profile, each with its evidence."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Value: TypeAlias = str | int | float | bool


class Finding(msgspec.Struct, frozen=True):
    """One finding.

    Attributes:
        evidence: what was tried and what was observed, in one line.
        table: dotted name of the table in the profile: `frame.speed`, `pan`.
        key: the key in that table, or None for a mere comment.
        value: of the key.
    """

    evidence: str
    table: str
    key: str | None = None
    value: Value | None = None


class Findings:
    """All findings of one probe, in order; a later one for the same key replaces the earlier."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def note(self, table: str, evidence: str) -> None:
        """Add a finding for which the profile has no key."""
        self.all.append(Finding(evidence, table))

    def set(self, table: str, key: str, value: Value, evidence: str) -> None:
        """Add a value for the profile."""
        self.all = [one for one in self.all if (one.table, one.key) != (table, key)]
        self.all.append(Finding(evidence, table, key, value))

"""Settings of the guardian."""

from __future__ import annotations

import msgspec


class GuardianOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to run a guardian.

    Attributes:
        enabled: run a second process that stops the head when the server hangs or is killed. It takes 13 MiB.
    """

    enabled: bool = True

"""Settings of the link, each with its bounds and the reason for its default."""

from __future__ import annotations

from typing import Annotated

import msgspec

FASTEST_INTERVAL_S = 0.0075  # the shortest connection interval in Bluetooth LE
SLOWEST_INTERVAL_S = 4.0  # and the longest

AdapterName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(hci[0-9]{1,3}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5})\Z",
        max_length=17,
        description="hci0, hci1, ..., or an adapter's address such as 00:1A:7D:DA:71:13",
    ),
]


class LinkOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Timing of the link. With the defaults, 19 of 20 units that come back are found within two seconds.

    Attributes:
        search_s: length of one search for a unit; most devices advertise every 0.1 to 1 s.
        rest_s: longest pause between two searches, in which the other unit has the radio to itself.
        connect_timeout_s: timeout for connecting and discovering services, during which the other unit has to wait. For
            a unit that was connected before it is three times the longest recent duration, if that is less.
        open_timeout_s: timeout for searching, waiting for the other unit, and connecting together.
        close_timeout_s: BlueZ takes 1.5 to 2.3 s to disconnect; a search in that time would find the dead link.
        retry_first_s: wait after a first failure; it doubles with each further one.
        retry_longest_s: upper limit of that wait.
        stable_s: a link that was ready for this long resets the wait to `retry_first_s`.
        first_interval_s: connection interval to assume before one was measured; Linux opens links at 30 to 50 ms.
        keep_alive_every_s: time between keep-alives while a unit is moving.
        last_stop_s: how long shutdown waits for the last stop to be written.
        final_search_s: how long shutdown searches for an unreachable unit that may be turning.
    """

    search_s: Annotated[float, msgspec.Meta(ge=0.2, le=30)] = 1.5
    rest_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.5
    connect_timeout_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 5.0
    open_timeout_s: Annotated[float, msgspec.Meta(ge=2, le=120)] = 15.0
    close_timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=30)] = 3.0
    retry_first_s: Annotated[float, msgspec.Meta(ge=0.05, le=5)] = 0.2
    retry_longest_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    stable_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 5.0
    first_interval_s: Annotated[float, msgspec.Meta(ge=FASTEST_INTERVAL_S, le=SLOWEST_INTERVAL_S)] = 0.05
    keep_alive_every_s: Annotated[float, msgspec.Meta(ge=0.1, le=5)] = 0.5
    last_stop_s: Annotated[float, msgspec.Meta(ge=0.1, le=2)] = 0.5
    final_search_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 8.0

    def __post_init__(self) -> None:
        if self.retry_first_s > self.retry_longest_s:
            raise ValueError("retry_first_s must be at most retry_longest_s")
        if self.open_timeout_s < self.search_s + 2 * self.connect_timeout_s:
            raise ValueError("open_timeout_s must leave time for search_s and twice connect_timeout_s")

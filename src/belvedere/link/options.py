"""What an owner may set about reaching units, each with its bounds and the reason for its default."""

from __future__ import annotations

from typing import Annotated

import msgspec

FASTEST_INTERVAL_S = 0.0075  # the shortest connection interval that Bluetooth Low Energy knows
SLOWEST_INTERVAL_S = 4.0  # and the longest

AdapterName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(hci[0-9]{1,3}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5})\Z",
        description="hci0, hci1, ..., or an adapter's address such as 00:1A:7D:DA:71:13",
    ),
]


class LinkOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times of the link. Defaults find a unit that comes back within two seconds, nineteen times of twenty.

    Attributes:
        search_s: one search for a unit; most devices advertise every 0.1 to 1 s.
        rest_s: the longest rest between two searches, which leaves the radio to the other unit.
        connect_timeout_s: connecting and asking for the services; also how long one unit may keep another waiting. One
            that was connected to before has three times what it took then, if that is less.
        open_timeout_s: whoever is still not there after searching, waiting and connecting is given up.
        close_timeout_s: BlueZ takes 1.5 to 2.3 s to disconnect; connecting again meanwhile would find the dead link.
        retry_first_s: the wait after a first failure; it doubles with each further one.
        retry_longest_s: and ends here.
        stable_s: a link that held this long has earned a short wait again.
        first_interval_s: the pace before anything is known; Linux opens links at 30 to 50 ms.
        probe_every_s: how often a driven unit is asked for a sign of life.
        last_stop_s: how long the program's end waits for a stop to be written.
        last_search_s: and how long it seeks a unit that may be turning and is out of reach.
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

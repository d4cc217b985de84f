"""Which servers a page connects to that watches through Amazon IVS: for its Content-Security-Policy. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from belvedere.stage.options import Way

if TYPE_CHECKING:
    from belvedere.stage.options import StageOptions

STAGE_SERVERS: Final = ("https://*.whip.live-video.net", "wss://*.events.live-video.net")
TELEMETRY: Final = ("https://broadcast.stats.live-video.net", "https://prod.ivs-device-config.live-video.net")
"""Where Amazon's SDK sends what it measures, and asks how; it joins without them."""


def page_reaches(options: StageOptions) -> tuple[str, ...]:
    """The sources, in the order that the policy has them; none where no page watches through Amazon IVS."""
    if Way.IVS not in options.ways or options.ivs is None:
        return ()
    urls = [url for url in (options.ivs.whip_url, options.ivs.events_url) if url is not None]
    own = [f"{where.scheme}://{where.netloc}" for where in map(urlsplit, urls) if not _is_amazons(where.hostname)]
    telemetry = TELEMETRY if options.ivs.allow_telemetry else ()
    return tuple(dict.fromkeys([*STAGE_SERVERS, *own, *telemetry]))


def _is_amazons(host: str | None) -> bool:
    """Whether the sources of all stages have it already: whose stage it is, strangers need not read in the policy."""
    return host is not None and host.endswith((".whip.live-video.net", ".events.live-video.net"))

"""The real gateway, engine and core with fake units: the cost of a message without the radio."""

from __future__ import annotations

import asyncio

import uvloop
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import ConnectionLimits
from belvedere.gateway.dependencies import PAGE
from belvedere.gateway.options import GatewayOptions
from belvedere.gateway.server import listen, serve


async def _run_until_ended() -> None:
    sockets = listen("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    async with open_rig() as rig:
        link = f"http://127.0.0.1:{port}/join#{rig.invite()}"
        app = create_app(rig.dependencies(PAGE, GatewayOptions(port=port)))
        await serve(app, sockets, lambda: print(link, flush=True), ConnectionLimits(app.person_of))


def main() -> None:
    """Serve until ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run_until_ended())


if __name__ == "__main__":
    main()

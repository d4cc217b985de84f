"""The least that the same frameworks can do: Litestar on uvicorn with one route and one WebSocket that echoes."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
import uvloop
from litestar import Litestar, WebSocket, get, websocket
from litestar.exceptions import WebSocketDisconnect


@get("/readyz")
async def ready() -> str:
    """Say hello."""
    return "hello"


@websocket("/echo")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    """Say the same again."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


def main() -> None:
    """Serve on any port that is free, and print where."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Litestar([ready, echo]), log_level="warning", ws="websockets-sansio", ws_per_message_deflate=False, loop="none"
    )
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()

"""`GET /api/v1/control`: carries a control session's messages over a WebSocket."""

from typing import TYPE_CHECKING, Any, cast

from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import SkipValidation

from belvedere.gateway.control_runner import ControlRunners
from belvedere.gateway.control_transport import TransportClosedError
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.messages import SUBPROTOCOL
from belvedere.gateway.problems import accept_subprotocol
from belvedere.gateway.websocket_protocol import EXTENSION

if TYPE_CHECKING:
    from belvedere.gateway.websocket_protocol import WebSocketProtocol

InjectedRunners = NamedDependency[SkipValidation[ControlRunners]]


class WebSocketTransport:
    """An accepted WebSocket as a ControlTransport; `websocket_protocol` bounds what it buffers."""

    def __init__(self, socket: WebSocket[Any, Any, Any]) -> None:
        self._socket = socket
        # Other servers, such as the tests' application in memory, have no such protocol, and no connections that wait.
        self._protocol = cast("WebSocketProtocol | None", (socket.scope["extensions"] or {}).get(EXTENSION))

    async def receive(self) -> str | None:
        """The next message; None for a binary one."""
        event = await self._socket.receive()
        if event["type"] != "websocket.receive":
            raise TransportClosedError
        return event.get("text")

    def set_urgent(self, *, is_urgent: bool) -> None:
        """Have what it receives parsed at once."""
        if self._protocol is not None:
            self._protocol.set_urgent(is_urgent=is_urgent)

    async def send(self, text: str) -> None:
        """Send a text message; waits while the peer's buffers are full."""
        try:
            await self._socket.send({"type": "websocket.send", "bytes": None, "text": text})
        except (OSError, WebSocketDisconnect) as error:
            raise TransportClosedError from error

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame."""
        try:
            await self._socket.close(code, reason)
        except (OSError, WebSocketDisconnect) as error:
            raise TransportClosedError from error


@websocket("/api/v1/control", name="control")
async def control(
    socket: WebSocket[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    runners: InjectedRunners,
) -> None:
    """Accept a control socket and serve it to its end."""
    if await accept_subprotocol(socket, SUBPROTOCOL):
        await runners.serve(WebSocketTransport(socket), visitor, dependencies)

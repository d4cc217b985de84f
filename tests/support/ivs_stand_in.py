"""A stand-in for Amazon IVS Real-Time on loopback: speaks the wire of Amazon's SDK, with media of our own code.

The addresses are in the tokens, so tokens that name this server lead the real SDK and our publisher here. It checks
what IVS checks: the token's end and its capabilities; one connection for each participant; and WHIP in two steps, of
which the first redirects. Nothing here proves how AWS itself behaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import uvicorn

from belvedere.stage.direct.aiortc_peer import AiortcPeer
from belvedere.stage.direct.aiortc_publisher import AiortcPublisher
from belvedere.stage.direct.offer import read_offer
from belvedere.stage.direct.publisher_offer import read_publisher_offer
from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.hub import Hub, Subscriber
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.published import Publication

if TYPE_CHECKING:
    from typing import Self

    from belvedere.stage.sources.published import PublishedFrame

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
OPTIONS = StageOptions(bitrate_kbps=8000)
EXPIRED_CODE = 1001  # the SDK's
CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-allow-methods", b"*"),
    (b"access-control-expose-headers", b"*"),
]


class _Forwarded(Publication):
    """What a publisher sends goes to a hub, not to a thread."""

    def __init__(self, receive: Callable[[PublishedFrame], None]) -> None:
        super().__init__()
        self._forward = receive

    @property
    def is_wanted(self) -> bool:
        return True

    def receive(self, frame: PublishedFrame) -> None:
        self._forward(frame)


class _Camera:
    """One publisher, and those who are subscribed to it; also what its connection calls."""

    def __init__(self, stand_in: IvsStandIn, claims: dict[str, Any], network: ViewerNetwork) -> None:
        self.participant = str(claims["jti"])
        self.attributes = claims.get("attributes", {})
        self.is_connected = False
        self.frames: list[EncodedFrame] = []
        self._stand_in = stand_in
        self.peer = AiortcPublisher(_Forwarded(self._receive), self, time.monotonic, network=network)
        self.hub = Hub(self.peer.request_idr)
        self.hub.receive_stream(can_request_idr=True)

    def receive_connected(self) -> None:
        self.is_connected = True
        self._stand_in.tell_state()

    def receive_ended(self) -> None:
        self._stand_in.remove(self)

    def _receive(self, frame: PublishedFrame) -> None:
        encoded = EncodedFrame(frame.data, frame.captured_s, rtp_ticks(frame.captured_s), frame.is_idr)
        self.frames.append(encoded)
        self.hub.receive_frame(encoded)


@dataclass
class _Seat:
    """One viewer's subscription; what its connection calls."""

    peer: AiortcPeer | None = None
    subscriber: Subscriber = field(default_factory=Subscriber)

    def receive_connected(self) -> None:
        """Frames have been flowing into the queue already."""

    def receive_ended(self) -> None:
        self.subscriber.close()

    def report_capacity(self, bits_per_s: float) -> None:
        """IVS adapts by layers, of which there is one."""

    def report_loss(self, share: float) -> None:
        """Likewise."""

    def report_round_trip(self, seconds: float) -> None:
        """Likewise."""


class IvsStandIn:
    """Serves on a port of loopback, on the loop that opens it.

    Args:
        key: the public key that tokens must be signed with; None to believe them.

    Attributes:
        cameras: who publishes, oldest first.
        requests: method and path of each HTTP request.
        joined: the participants whose events socket was accepted, in order.
    """

    def __init__(self, key: Any = None) -> None:  # noqa: ANN401 (PyJWT takes keys of many types)
        self.cameras: list[_Camera] = []
        self.requests: list[str] = []
        self.joined: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.refuses_publishers = False
        self._key = key
        self._network = ViewerNetwork(time.monotonic)
        self._sockets: dict[str, Send] = {}
        self._seats: list[_Seat] = []
        self._sequence = 0
        self._tasks: set[asyncio.Future[None]] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    @property
    def whip_url(self) -> str:
        """Where the SDK subscribes, below; and where our publisher posts its offer."""
        return f"http://127.0.0.1:{self.port}/whip"

    @property
    def events_url(self) -> str:
        """The events socket."""
        return f"ws://127.0.0.1:{self.port}/events"

    async def __aenter__(self) -> Self:
        config = uvicorn.Config(self._serve, log_config=None, lifespan="off", interface="asgi3", ws="websockets-sansio")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.ensure_future(self._server._serve(sockets=[self._socket]))
        while not self._server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        for camera in list(self.cameras):
            self.remove(camera)
        for seat in self._seats:
            seat.subscriber.close()
            if seat.peer is not None:
                await seat.peer.close()
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving
        if self._tasks:
            await asyncio.wait(self._tasks)

    # What tests do.

    def drop_events(self) -> None:
        """Every events socket is lost, as when a load balancer restarts."""
        for send in self._sockets.values():
            self._begin(_quietly(send({"type": "websocket.close", "code": 1012})))

    def end_cameras(self) -> None:
        """End all who publish, as after 24 hours."""
        for camera in list(self.cameras):
            self.remove(camera)

    def disconnect(self, participant: str, code: str = "PARTICIPANT_DISCONNECTED") -> None:
        """Put somebody out."""
        if (send := self._sockets.get(participant)) is not None:
            payload = {"code": code, "reason": code.lower()}
            self._begin(_quietly(_say(send, {"type": "aws:ivs:DISCONNECT", "payload": payload})))

    def remove(self, camera: _Camera) -> None:
        """A publisher has gone."""
        if camera in self.cameras:
            self.cameras.remove(camera)
            self._begin(camera.peer.close())
            self.tell_state()

    def tell_state(self) -> None:
        """Tell every page who publishes."""
        self._sequence += 1
        for send in self._sockets.values():
            self._begin(_quietly(_say(send, self._state())))

    # What it serves.

    def _state(self) -> dict[str, Any]:
        participants = [
            {
                "id": camera.participant,
                "userId": "",
                "attributes": camera.attributes,
                "isPublishing": True,
                "audioMuted": True,
                "videoStopped": False,
            }
            for camera in self.cameras
            if camera.is_connected
        ]
        return {
            "type": "STAGE_STATE",
            "payload": {"sequenceNumber": max(1, self._sequence), "participants": participants},
        }

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve_events(scope, receive, send)
        elif scope["type"] == "http":
            status, headers, body = await self._answer(scope, receive)
            await send({"type": "http.response.start", "status": status, "headers": [*CORS, *headers]})
            await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        method, path = scope["method"], scope["path"]
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event["body"]
            if not event.get("more_body"):
                break
        if method == "OPTIONS":
            return 204, [], b""
        self.requests.append(f"{method} {path}")
        bearer = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        claims = self._claims(bearer)
        return (401, [], b"") if claims is None else await self._route(claims, method, path, body.decode())

    async def _route(self, claims: dict[str, Any], method: str, path: str, body: str) -> Answer:
        match path.strip("/").split("/"), method:
            case ["whip"], "POST":
                return 307, [(b"location", b"/whip/publish/" + str(claims["jti"]).encode())], b""
            case ["whip", "publish", participant], "POST":
                return await self._publish(claims, participant, body)
            case ["whip", "publish", participant], "DELETE":
                for camera in [each for each in self.cameras if each.participant == participant]:
                    self.remove(camera)
                return 200, [], b""
            case ["whip", "subscribe", participant], "POST":
                return await self._subscribe(claims, participant, body)
            case ["whip", "seats", _], _:
                return 200, [], b""
        return 404, [], b""

    async def _publish(self, claims: dict[str, Any], participant: str, offer_sdp: str) -> Answer:
        if self.refuses_publishers:
            return 503, [], b""
        if not claims["capabilities"].get("allow_publish") or participant != claims["jti"]:
            return 403, [], b""
        for earlier in [each for each in self.cameras if each.participant == participant]:
            self.remove(earlier)
        offer = read_publisher_offer(offer_sdp)
        camera = _Camera(self, claims, self._network)
        self.cameras.append(camera)
        answer = offer.complete(await camera.peer.answer(offer.video))
        return 201, [(b"location", f"/whip/publish/{participant}".encode()), *_SDP], answer.encode()

    async def _subscribe(self, claims: dict[str, Any], participant: str, offer_sdp: str) -> Answer:
        camera = next((each for each in self.cameras if each.participant == participant), None)
        if not claims["capabilities"].get("allow_subscribe"):
            return 403, [], b""
        if camera is None:
            return 404, [], b""
        offer = read_offer(offer_sdp)
        seat = _Seat()
        request_idr = camera.peer.request_idr
        make = functools.partial(AiortcPeer, payloads=SharedPayloads(), network=self._network)
        seat.peer = make(OPTIONS, seat.subscriber, 0, request_idr, seat)
        self._seats.append(seat)
        answer = offer.complete(await seat.peer.answer(offer.video))
        camera.hub.attach(seat.subscriber)
        return 201, [(b"location", f"/whip/seats/{len(self._seats)}".encode()), *_SDP], answer.encode()

    async def _serve_events(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        (bearer,) = scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": bearer})
        claims = self._claims(bearer)
        if claims is None:
            error = {"code": EXPIRED_CODE, "message": "Token expired", "fatal": True}
            await _say(send, {"type": "aws:ivs:JOIN_ERROR", "payload": error})
            await _quietly(send({"type": "websocket.close", "code": 1000}))
            return
        participant = str(claims["jti"])
        self.disconnect(participant, "TOKEN_REUSED")
        self.joined.append(participant)
        self._sockets[participant] = send
        await _quietly(_say(send, self._state()))
        while (event := await receive())["type"] == "websocket.receive":
            await _quietly(self._receive_message(send, json.loads(event.get("text") or "{}")))
        if self._sockets.get(participant) is send:
            del self._sockets[participant]

    async def _receive_message(self, send: Send, message: dict[str, Any]) -> None:
        self.messages.append(message)
        payload = message.get("payload", {})
        match message.get("type"):
            case "PING":
                await _say(send, {"type": "PONG"})
            case "aws:ivs:EXCHANGE_TOKEN":
                answer = {"requestId": payload["requestId"], "traceId": payload["traceId"]}
                if (why := self._unexchangeable(payload)) is not None:
                    answer["error"] = {"message": why}
                await _say(send, {"type": "aws:ivs:EXCHANGE_TOKEN", "payload": answer})

    def _unexchangeable(self, payload: dict[str, Any]) -> str | None:
        old, new = self._claims(payload["oldToken"]), self._claims(payload["newToken"])
        if old is None or new is None:
            return "a token has expired"
        same = ("topic", "resource", "jti", "whip_url", "events_url")
        return next((f"{name} must stay equal" for name in same if old[name] != new[name]), None)

    def _claims(self, token: str) -> dict[str, Any] | None:
        """What a token says; None if it is not accepted."""
        try:
            if self._key is not None:
                return jwt.decode(token, self._key, algorithms=["ES384"])
            claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return None
        return claims if claims["exp"] > time.time() else None

    def _begin(self, what: Awaitable[None]) -> None:
        task = asyncio.ensure_future(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_SDP = [(b"content-type", b"application/sdp")]


async def _say(send: Send, message: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": json.dumps(message)})


async def _quietly(what: Awaitable[None]) -> None:
    """A page may have gone meanwhile."""
    with contextlib.suppress(Exception):
        await what

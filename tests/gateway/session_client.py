"""A control session for tests: sends it messages without a socket, and returns its replies."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.support.engine_rig import EngineRig

from belvedere.gateway.control_session import ControlSession
from belvedere.gateway.messages import Error, Outgoing

HELLO = {"type": "hello", "clock": 5.0}
STOP = {"type": "stop"}


@dataclass
class SessionClient:
    """A control session, with what it is built on at hand."""

    rig: EngineRig
    session: ControlSession
    connected: set[str] = field(default_factory=set)

    def send(self, message: object) -> list[Outgoing]:
        return self.session.receive_text(self.rig.clock(), json.dumps(message))

    def greeted(self) -> Self:
        self.send(HELLO)
        return self

    def driving(self) -> Self:
        self.greeted().send({"type": "lease.acquire"})
        return self

    def drive(
        self, seq: int, pan: float = 1.0, hold: int = 1, late_s: float = 0.0, heard_s: float | None = None
    ) -> list[Outgoing]:
        epoch = self.rig.engine.status.lease.epoch
        message = {"type": "drive", "epoch": epoch, "hold": hold, "seq": seq, "pan": pan, "tilt": 0}
        sent_ms = (self.rig.clock() - late_s) * 1000
        return self.send({**message, "clock": sent_ms, "heard": sent_ms if heard_s is None else heard_s * 1000})


Start = Callable[..., SessionClient]


def holds(answers: list[Outgoing]) -> list[object]:
    return [answer.hold for answer in answers if isinstance(answer, Error)]


def codes(answers: list[Outgoing]) -> list[str]:
    return [answer.code for answer in answers if isinstance(answer, Error)]

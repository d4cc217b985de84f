"""A control session for tests: sends it messages without a socket, and returns its replies."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import msgspec
from tests.support.engine_rig import EngineRig

from belvedere.access.sessions import Session
from belvedere.gateway.control_session import ControlSession
from belvedere.gateway.messages import Error, Lease, Outgoing

HELLO = {"type": "hello", "clock": 5.0}
STOP = {"type": "stop"}


class OpenSockets:
    """The sockets that are open, as far as a test says so."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    def is_open(self, name: str) -> bool:
        return name in self.sessions

    def all(self) -> list[tuple[str, Session]]:
        return list(self.sessions.items())


@dataclass
class SessionClient:
    """A control session, with what it is built on at hand."""

    rig: EngineRig
    session: ControlSession
    connected: OpenSockets

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


def a_lease(epoch: int, holder: Literal["you", "other", "nobody", "house"], **fields: Any) -> Lease:  # noqa: ANN401 - any of its fields
    """A message about the lease: of what is not given, what it is for a visitor who may drive while nobody does."""
    usual = Lease(epoch=epoch, holder=holder, driver="", can_take=True, can_ask=False, free_at=None, asked_until=None)
    return msgspec.structs.replace(usual, **fields)

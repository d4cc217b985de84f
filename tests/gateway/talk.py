"""A control session that the tests of one folder talk to without a socket."""

import json
from dataclasses import dataclass, field

from belvedere.gateway.control_session import ControlSession
from belvedere.gateway.messages import Outgoing
from belvedere.testing.house import House


@dataclass
class Talk:
    """A session that has everything it is told within reach."""

    house: House
    session: ControlSession
    connected: set[str] = field(default_factory=set)

    def say(self, message: object) -> list[Outgoing]:
        return self.session.receive_text(self.house.clock(), json.dumps(message))

    def drive(
        self, seq: int, pan: float = 1.0, hold: int = 1, late_s: float = 0.0, heard_s: float | None = None
    ) -> list[Outgoing]:
        epoch = self.house.engine.status.lease.epoch
        message = {"type": "drive", "epoch": epoch, "hold": hold, "seq": seq, "pan": pan, "tilt": 0}
        sent_ms = (self.house.clock() - late_s) * 1000
        return self.say({**message, "clock": sent_ms, "heard": sent_ms if heard_s is None else heard_s * 1000})

"""A microphone and a speaker without sound, whose threads are tasks of the test's own loop."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

from belvedere.stage.frames import EncodedFrame, MediaKind
from belvedere.stage.voice.device_runner import DeviceRun, DeviceRunner
from belvedere.stage.voice.interface import VoicePermission
from belvedere.stage.voice.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.stage.voice.devices import DeviceKind
    from belvedere.stage.voice.speaker import Programme

LISTENS = VoicePermission(may_listen=True)
TALKS = VoicePermission(may_listen=True, may_talk=True)
NOTICE_S = 0.02  # how soon a thread notices that it is stopped


class FakeHardware:
    """Implements `hardware.Hardware`; what a device does is in its run."""

    def __init__(self) -> None:
        self.microphones: list[DeviceRun] = []
        self.speakers: list[DeviceRun] = []
        self.deliver: Callable[[EncodedFrame], None] = lambda _frame: None
        self.programme: Programme | None = None
        self.changed: set[DeviceKind] = set()
        self.has_canceller = False
        self.problem = ""

    def capture(self, run: DeviceRun, deliver: Callable[[EncodedFrame], None]) -> None:
        self.microphones.append(run)
        self.deliver = deliver
        run.receive_opened()

    def play(self, run: DeviceRun, programme: Programme) -> None:
        self.speakers.append(run)
        self.programme = programme
        run.receive_opened()

    def has_changed(self, kind: DeviceKind) -> bool:
        return kind in self.changed

    def is_capturing(self) -> bool:
        return bool(self.microphones) and not self.microphones[-1].is_stopped

    def is_playing(self) -> bool:
        return bool(self.speakers) and not self.speakers[-1].is_stopped

    def start(self, work: Callable[[], None]) -> Awaitable[None]:
        """Do the work, and end some time after its run was stopped."""
        runs = len(self.microphones), len(self.speakers)
        work()
        run = self.microphones[-1] if len(self.microphones) > runs[0] else self.speakers[-1]

        async def until_stopped() -> None:
            while not run.is_stopped:  # noqa: ASYNC110 (a thread's event cannot be awaited)
                await asyncio.sleep(NOTICE_S)

        return asyncio.ensure_future(until_stopped())


class VoiceRig:
    """A voice around it, and the rules that the test sets: nobody may do anything at first."""

    def __init__(self) -> None:
        self.hardware = FakeHardware()
        self.permissions: dict[str, VoicePermission] = {}
        self.told = 0
        self.voice = Voice(
            self.hardware,
            clock=asyncio.get_running_loop().time,
            rules=self,
            tell=self._tell,
            create_runner=functools.partial(DeviceRunner, start=self.hardware.start),
            in_thread=self._in_thread,
        )

    def permission_of(self, session: str) -> VoicePermission:
        return self.permissions[session]

    def permit(self, **permissions: VoicePermission) -> None:
        self.permissions |= permissions
        self.voice.receive_rules_changed()

    def frame(self, number: int = 0) -> EncodedFrame:
        return EncodedFrame(b"opus", number * 0.02, number * 1800, is_idr=False, kind=MediaKind.AUDIO)

    async def _in_thread(self, function: Callable[[], bool]) -> bool:
        return function()

    def _tell(self) -> None:
        self.told += 1

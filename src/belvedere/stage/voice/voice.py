"""The voice of the room and of its visitors: who is sent what, who is heard, and which device has to be open for that.

It carries sound and decides nothing: `interface.VoiceRules` does. Until the rules say otherwise, nobody hears anything.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING, Final

from belvedere.errors import SoundError
from belvedere.stage.frames import MediaKind
from belvedere.stage.hub import Subscriber
from belvedere.stage.voice.device_runner import DeviceRunner
from belvedere.stage.voice.devices import DeviceKind
from belvedere.stage.voice.interface import NO_VOICE, DeviceState, VoicePermission, VoiceStatus
from belvedere.stage.voice.speaker import Programme
from belvedere.stage.voice.talker import Talker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.voice.device_runner import DeviceRun
    from belvedere.stage.voice.hardware import Hardware
    from belvedere.stage.voice.interface import VoiceRules

LINGER_S: Final = 10.0  # the speaker stays open between two sentences: opening it takes a tenth of a second
LOOK_S: Final = 0.25  # how often it is looked who talks, and what is due
CHECK_S: Final = 5.0  # how often it is looked whether the open devices are still those that are meant
SOUND_ONLY: Final = frozenset({MediaKind.AUDIO})

logger = logging.getLogger(__name__)


class VoiceConnection:
    """One viewer's connection, as its way sees it. Belongs to the event loop.

    Attributes:
        session: whose it is.
        subscriber: the room's sound to send, while the session may hear it.
        talker: what comes from the visitor.
        is_connected: whether sound could flow.
    """

    def __init__(self, voice: Voice, session: str) -> None:
        self.session = session
        self.subscriber = Subscriber(SOUND_ONLY)
        self.talker = Talker()
        self.is_connected = False
        self._voice = voice

    @property
    def is_heard(self) -> bool:
        """Whether what comes from the visitor is played; else drop it before any work."""
        return self.is_connected and self._voice.is_heard(self.session)

    def receive_connected(self) -> None:
        """The connection is established."""
        self.is_connected = True
        self._voice.receive_connections_changed()

    def receive_packet(self, timestamp: int, packet: bytes) -> None:
        """A packet of Opus came from the visitor, with its RTP timestamp."""
        if self.is_heard:
            self.talker.receive(timestamp, packet)

    def leave(self) -> None:
        """The connection has ended; may be called more than once."""
        self.is_connected = False
        self.subscriber.close()
        self._voice.remove(self)


class Voice:
    """Implements `interface.RoomVoice`; belongs to the event loop.

    Args:
        hardware: the room's devices.
        rules: who may hear and be heard; `rules` may be set later.
        clock: a monotonic clock in seconds.
        tell: called when the status has changed; `tell` may be set later.
        create_runner: makes what keeps a device open.
        in_thread: calls what blocks.
    """

    name: Final = "voice"

    def __init__(
        self,
        hardware: Hardware,
        *,
        clock: Callable[[], float],
        rules: VoiceRules | None = None,
        tell: Callable[[], None] = lambda: None,
        create_runner: Callable[..., DeviceRunner] = DeviceRunner,
        in_thread: Callable[[Callable[[], bool]], Awaitable[bool]] = asyncio.to_thread,
    ) -> None:
        self._in_thread = in_thread
        self.rules, self.tell = rules, tell
        self._hardware, self._clock = hardware, clock
        self._programme = Programme()
        self._microphone = create_runner("microphone", self._capture, self._changed, clock=clock)
        self._speaker = create_runner("speaker", self._play, self._receive_speaker, clock=clock)
        self._runners = {DeviceKind.MICROPHONE: self._microphone, DeviceKind.SPEAKER: self._speaker}
        self._connections: list[VoiceConnection] = []
        self._listening: frozenset[str] = frozenset()
        self._heard: set[str] = set()
        self._speaker_until_s = float("-inf")
        self._check_at_s = float("-inf")
        self._told = VoiceStatus()
        self._watching: asyncio.Task[None] | None = None

    @property
    def status(self) -> VoiceStatus:
        """What there is to show now."""
        heard = frozenset(self._heard)
        is_open = self._microphone.state is DeviceState.OPEN
        problems = (self._microphone.problem, self._speaker.problem, self._hardware.problem)
        return VoiceStatus(
            microphone=self._microphone.state,
            speaker=self._speaker.state,
            problem=next(filter(None, problems), ""),
            has_echo_cancellation=self._hardware.has_canceller,
            connected=frozenset(each.session for each in self._connections if each.is_connected),
            listening=self._listening if is_open else frozenset(),
            heard=heard,
            talking=frozenset(each.session for each in self._connections if each.is_heard and each.talker.is_loud),
        )

    # The ways to send the picture.

    def join(self, session: str) -> VoiceConnection:
        """A connection of this session will carry sound, both ways; what it may do is decided at every moment."""
        connection = VoiceConnection(self, session)
        self._connections.append(connection)
        return connection

    def is_heard(self, session: str) -> bool:
        """Whether what this session says is played."""
        return session in self._heard

    def receive_connections_changed(self) -> None:
        """A connection was established."""
        self._apply()

    def remove(self, connection: VoiceConnection) -> None:
        """A connection has ended."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._apply()

    # The rules of the room.

    def hear(self, session: str, *, is_allowed: bool) -> bool:
        """Let a session be heard, or not any more; returns whether it is."""
        if not is_allowed:
            self._heard.discard(session)
        elif self._is_connected(session) and self._permission_of(session).may_talk:
            self._heard.add(session)
        self._apply()
        return session in self._heard

    def chime(self) -> None:
        """Ring in the room."""
        self._programme.ring()
        self._speaker_until_s = self._clock() + LINGER_S
        self._apply()

    def receive_rules_changed(self) -> None:
        """Ask the rules again for everybody."""
        self._apply()

    async def cut(self) -> None:
        """Close both devices, and wait for it. Raises SoundError if one does not close."""
        self._heard.clear()
        self._speaker_until_s = float("-inf")
        for connection in self._connections:
            connection.subscriber.cut()
        self._apply()
        self._speaker.want(is_wanted=False)
        self._microphone.want(is_wanted=False)
        await asyncio.gather(self._microphone.closed(), self._speaker.closed())

    async def close(self) -> None:
        """End everything; nothing is opened again."""
        self.rules = None
        try:
            await self.cut()
        except SoundError as error:
            logger.warning("ended anyway: %s", error)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    # Private.

    def _apply(self) -> None:
        """Bring everything in line with the rules and the connections of now; whoever may not is cut here."""
        connected = {each.session for each in self._connections if each.is_connected}
        permissions = {session: self._permission_of(session) for session in connected}
        self._listening = frozenset(session for session, each in permissions.items() if each.may_listen)
        self._heard = {session for session in self._heard if permissions.get(session, NO_VOICE).may_talk}
        for connection in self._connections:
            if connection.session not in self._listening:
                connection.subscriber.cut()
        self._programme.set_talkers([each.talker for each in self._connections if each.is_heard])
        now_s = self._clock()
        if self._heard:
            self._speaker_until_s = now_s + LINGER_S
        self._microphone.want(is_wanted=bool(self._listening))
        self._speaker.want(is_wanted=now_s < self._speaker_until_s)
        is_needed = bool(self._listening) or now_s < self._speaker_until_s
        if is_needed and (self._watching is None or self._watching.done()):
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        self._changed()

    def _permission_of(self, session: str) -> VoicePermission:
        if self.rules is None:
            return NO_VOICE
        try:
            return self.rules.permission_of(session)
        except Exception:
            logger.exception("could not tell whether session %s may hear and be heard: it may not", session)
            return NO_VOICE

    def _is_connected(self, session: str) -> bool:
        return any(each.session == session and each.is_connected for each in self._connections)

    def _changed(self) -> None:
        status = self.status
        if status != self._told:
            self._told = status
            self.tell()

    def _receive_speaker(self) -> None:
        if self._speaker.state is DeviceState.OPEN:
            self._check_at_s = self._clock()  # the microphone may be behind the echo canceller from now on
        self._changed()

    async def _watch(self) -> None:
        """Look what is due, for as long as a device is wanted."""
        self._check_at_s = self._clock() + CHECK_S
        while self._listening or self._clock() < self._speaker_until_s:
            await asyncio.sleep(LOOK_S)
            self._apply()
            if self._clock() >= self._check_at_s:
                self._check_at_s = self._clock() + CHECK_S
                await self._check_devices()

    async def _check_devices(self) -> None:
        """Open those anew of which another one is meant by now: it was unplugged, or plugged in again."""
        for kind, runner in self._runners.items():
            if runner.state is DeviceState.OPEN:
                has_changed = functools.partial(self._hardware.has_changed, kind)
                if await self._in_thread(has_changed):
                    runner.restart()

    # In the devices' threads.

    def _capture(self, run: DeviceRun) -> None:
        self._hardware.capture(run, lambda frame: run.call(lambda: self._receive_frame(run, frame)))

    def _play(self, run: DeviceRun) -> None:
        self._hardware.play(run, self._programme)

    def _receive_frame(self, run: DeviceRun, frame: EncodedFrame) -> None:
        """A frame of the room's sound; what was captured before a cut comes here after it, and is dropped."""
        if run.is_stopped:
            return
        for connection in self._connections:
            if connection.is_connected and connection.session in self._listening:
                connection.subscriber.receive_frame(frame)

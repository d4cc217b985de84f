"""A voice without sound (`stage.voice.interface.RoomVoice`): it asks the rules, and says who hears and is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.stage.voice.interface import NO_VOICE, DeviceState, VoiceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.voice.interface import VoiceRules


class FakeVoice:
    """Sessions that `connect` has named have a connection that carries sound; `speak` says who makes any."""

    name = "a voice of paper"

    def __init__(self, rules: VoiceRules, tell: Callable[[], None] = lambda: None) -> None:
        self._rules, self._tell = rules, tell
        self.microphone, self.speaker = DeviceState.CLOSED, DeviceState.CLOSED
        self.connected: list[str] = []
        self.allowed: set[str] = set()
        self.loud: set[str] = set()
        self.cuts = 0
        self.chimes = 0

    @property
    def sessions(self) -> list[str]:
        """The sessions with a connection that carries sound."""
        return self.connected

    @property
    def status(self) -> VoiceStatus:
        """Who hears and is heard now."""
        listening = frozenset(each for each in self.sessions if self._rules.permission_of(each).may_listen)
        heard = frozenset(each for each in self.sessions if each in self.allowed)
        is_open = bool(listening) and self.microphone is DeviceState.CLOSED
        return VoiceStatus(
            microphone=DeviceState.OPEN if is_open else self.microphone,
            speaker=self.speaker,
            connected=frozenset(self.sessions),
            listening=listening,
            heard=heard,
            talking=heard & self.loud,
        )

    def hear(self, session: str, *, is_allowed: bool) -> bool:
        """Let a session be heard, if the rules permit it and it is connected."""
        permission = self._rules.permission_of(session) if is_allowed else NO_VOICE
        if permission.may_talk and session in self.sessions:
            self.allowed.add(session)
        else:
            self.allowed.discard(session)
        self._tell()
        return session in self.allowed

    def receive_rules_changed(self) -> None:
        """Ask the rules again."""
        self.allowed = {each for each in self.allowed if self._rules.permission_of(each).may_talk}

    def chime(self) -> None:
        """Count it."""
        self.chimes += 1

    async def cut(self) -> None:
        """Let nobody be heard."""
        self.cuts += 1
        self.allowed.clear()

    def connect(self, session: str) -> None:
        """A session has a connection that carries sound."""
        self.connected.append(session)
        self._tell()

    def disconnect(self, session: str) -> None:
        """It is lost."""
        self.connected.remove(session)
        self.allowed.discard(session)
        self._tell()

    def speak(self, *sessions: str) -> None:
        """These make a sound now, and nobody else."""
        self.loud = set(sessions)
        self._tell()

    def unplug(self, *, microphone: bool = False, speaker: bool = False) -> None:
        """Devices that are missing from now on; the others are there."""
        self.microphone = DeviceState.MISSING if microphone else DeviceState.CLOSED
        self.speaker = DeviceState.MISSING if speaker else DeviceState.CLOSED
        self._tell()

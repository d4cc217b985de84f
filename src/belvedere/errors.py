"""Every error that Belvedere raises on purpose, grouped by who can act on it.

    BelvedereError
    ├── OwnerError                  the owner can fix it: a file, a key, a missing package
    │   ├── SettingsError           a configuration or profile value; names file, key and allowed values
    │   ├── StoreError              the store's file cannot be used; says what is wrong and what to do
    │   ├── SignalError             a chime or a light of the room failed
    │   └── IvsError                Amazon IVS refused or did not answer; carries an `IvsReason`
    ├── VisitorError                a visitor's request is refused; carries a `Refusal`
    ├── FrameError                  bytes or a velocity that the head's frame layout cannot express
    ├── BitstreamError              video that cannot be read: from a camera, or another program
    ├── EncoderError                the computer's own encoder failed, or makes what viewers cannot use
    ├── LinkError                   a unit could not be reached or written; carries a `LinkReason`
    ├── StageError                  the video could not be produced or sent; carries a `StageReason`
    │   └── CameraError             the camera has no picture; carries a `CameraReason`
    ├── SoundError                  a microphone or speaker does not work
    └── InternalError               a bug: a contract inside Belvedere was broken

Reasons are enums, so that no code depends on the text of a message.
"""

from __future__ import annotations

import enum


class BelvedereError(Exception):
    """The base class of all these errors; never raised itself."""


class OwnerError(BelvedereError):
    """Something that the owner of the installation can fix; the message is one line, to be shown in a terminal."""


class SettingsError(OwnerError):
    """A value in a file is wrong.

    Attributes:
        file: the file's name as the owner gave it, or another name for the source of the text.
        key: dotted path of the offending key (`head.pan.speed`), or "" for the file as a whole.
        allowed: a description of the allowed values, or "".
    """

    def __init__(self, file: str, key: str, problem: str, allowed: str = "") -> None:
        self.file = file
        self.key = key
        self.problem = problem
        self.allowed = allowed
        where = f"{file}: {key}" if key else file
        super().__init__(f"{where}: {problem}" + (f" (allowed: {allowed})" if allowed else ""))


class StoreError(OwnerError):
    """The store's file could not be used.

    Attributes:
        is_lasting: retrying is useless: the file is damaged, of a later version, or not a Belvedere store.
        may_be_done: the write had begun when the wait for it ended, so it may have succeeded after all.
    """

    def __init__(self, message: str, *, is_lasting: bool = False, may_be_done: bool = False) -> None:
        self.is_lasting = is_lasting
        self.may_be_done = may_be_done
        super().__init__(message)


class SignalError(OwnerError):
    """A chime or a light failed; the message is one line that says how, without a secret."""


class IvsReason(enum.StrEnum):
    """Why something could not be done at Amazon IVS; the value is what to do about it.

    Attributes:
        NOT_FOUND: AWS knows no such stage, key or participant.
        UNREACHABLE: the network does not lead there, or it did not answer in time.
        CLOCK: this computer's clock is wrong, so that signatures are not valid.
        OTHER: anything else; AWS's own words are in the message.
    """

    NO_LIBRARY = "install boto3: pip install 'belvedere[ivs]'"
    NO_CREDENTIALS = "give [stage.ivs] access_key_id and secret_access_key_file, or boto3's environment variables"
    BAD_CREDENTIALS = "create an access key at AWS IAM again, and give it to [stage.ivs]"
    ACCESS_DENIED = "attach the policy in deploy/aws to the IAM user of the access key"
    PENDING_VERIFICATION = "wait until AWS has verified the account, usually minutes, or ask its support"
    NOT_FOUND = "compare the ARNs in [stage.ivs] with the console, or run `belvedere ivs setup`"
    QUOTA = "wait, or ask AWS for a higher quota of IVS Real-Time"
    THROTTLED = "wait a moment"
    INVALID = "compare [stage.ivs] with docs/reference/settings.md"
    CLOCK = "set this computer's clock: timedatectl set-ntp true"
    UNREACHABLE = "check this computer's way to the internet"
    BAD_KEY = "run `belvedere ivs setup`, which makes a P-384 key and imports its public half"
    OTHER = "try again later"


class IvsError(OwnerError):
    """Amazon IVS refused something or did not answer; the message says what, why, and what to do.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: IvsReason, what: str) -> None:
        self.reason = reason
        super().__init__(f"{what}: {reason.value}")


class Refusal(enum.StrEnum):
    """Why a visitor's request was refused; the values are the codes in the protocol."""

    BAD_MESSAGE = "bad_message"
    TOO_LARGE = "too_large"
    TOO_FAST = "too_fast"
    NOT_READY = "not_ready"
    NOT_DRIVING = "not_driving"
    SOMEONE_ELSE_DRIVES = "someone_else_drives"
    OLD_EPOCH = "old_epoch"
    OLD_SEQUENCE = "old_sequence"
    TOO_LATE = "too_late"
    TOO_SLOW = "too_slow"
    HOLD_ENDED = "hold_ended"
    HOLD_TOO_LONG = "hold_too_long"
    OUTRANKED = "outranked"
    NO_QUESTION = "no_question"
    NOT_PERMITTED = "not_permitted"
    CURTAIN_CLOSED = "curtain_closed"
    NOT_WELCOMED = "not_welcomed"
    QUIET_HOURS = "quiet_hours"
    TOO_MANY = "too_many"
    NO_SPEAKER = "no_speaker"
    NO_VOICE_PATH = "no_voice_path"
    NOT_INVITED = "not_invited"


class VisitorError(BelvedereError):
    """A visitor's request is refused for a reason that the visitor can act on.

    Attributes:
        refusal: the reason.
        delay_s: with TOO_SLOW, the greatest possible age of the request, in seconds.
    """

    def __init__(self, refusal: Refusal, message: str, *, delay_s: float | None = None) -> None:
        self.refusal = refusal
        self.delay_s = delay_s
        super().__init__(message)


def too_fast(rate_per_s: float) -> VisitorError:
    """The error for messages and requests above a rate; every rate limit on driving says it in the same words."""
    return VisitorError(Refusal.TOO_FAST, f"too many requests: send at most {rate_per_s:.0f} a second")


class FrameError(BelvedereError):
    """Bytes or a velocity that the head's frame layout cannot express."""


class BitstreamError(BelvedereError):
    """Encoded video that cannot be read: damaged, or not what it is said to be."""


class EncoderError(BelvedereError):
    """A hardware encoder failed, or makes what viewers cannot use; the message is one line that says which."""


class LinkReason(enum.StrEnum):
    """Why a unit could not be reached or written."""

    NOT_FOUND = "not_found"
    NO_ADAPTER = "no_adapter"
    ADAPTER_OFF = "adapter_off"
    DISCOVERY_STUCK = "discovery_stuck"
    NO_PERMISSION = "no_permission"
    CONNECT_FAILED = "connect_failed"
    NO_CHARACTERISTIC = "no_characteristic"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    LOST = "lost"
    DISABLED = "disabled"
    CLOSED = "closed"


class LinkError(BelvedereError):
    """A unit could not be reached or written; `reason` says why, and `__cause__` is the Bluetooth library's error."""

    def __init__(self, reason: LinkReason, message: str = "") -> None:
        self.reason = reason
        super().__init__(message or reason.value)


class StageReason(enum.StrEnum):
    """Why a viewer cannot get the video."""

    BAD_OFFER = "bad_offer"
    NO_COMMON_CODEC = "no_common_codec"
    TOO_MANY_VIEWERS = "too_many_viewers"
    NO_PICTURE = "no_picture"
    NOT_FOUND = "not_found"
    NOT_WATCHING = "not_watching"
    IVS_UNAVAILABLE = "ivs_unavailable"
    IVS_USED_UP = "ivs_used_up"


class StageError(BelvedereError):
    """The video could not be produced or sent; `reason` says why."""

    def __init__(self, reason: StageReason, message: str = "") -> None:
        self.reason = reason
        super().__init__(message or reason.value)


class CameraReason(enum.StrEnum):
    """Why the camera has no picture; the values are the codes in the protocol.

    Attributes:
        NOT_FOUND: there is no such camera, file or program.
        UNPLUGGED: it was there, and is gone.
        BUSY: another program holds it.
        NO_PERMISSION: this computer's user may not open it.
        WRONG_FORMAT: it delivers something that is no picture, or none that can be used.
        NO_SIGNAL: it is there, and delivers nothing.
        UNREACHABLE: the network does not lead to it, or it does not answer.
        REFUSED: it demands a user name and password, or other ones.
        PROGRAM_FAILED: the program that reads it failed.
        ENDED: it ended by itself, without an error.
        FAILED: anything else.
    """

    NOT_FOUND = "not_found"
    UNPLUGGED = "unplugged"
    BUSY = "busy"
    NO_PERMISSION = "no_permission"
    WRONG_FORMAT = "wrong_format"
    NO_SIGNAL = "no_signal"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    PROGRAM_FAILED = "program_failed"
    ENDED = "ended"
    FAILED = "failed"


class CameraError(StageError):
    """The camera has no picture; `reason` is NO_PICTURE.

    The message is one line for the log: it names the device and says what to do, and contains no secret.

    Attributes:
        camera_reason: why, for the page and for programs.
    """

    def __init__(self, camera_reason: CameraReason, message: str) -> None:
        self.camera_reason = camera_reason
        super().__init__(StageReason.NO_PICTURE, message)


class SoundError(BelvedereError):
    """A microphone or speaker does not work; the message is for the household.

    Attributes:
        is_missing: whether there is no such device, or nothing that could have one.
    """

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        self.is_missing = is_missing
        super().__init__(message)


class InternalError(BelvedereError):
    """A bug: a contract inside Belvedere was broken. The head is stopped and the process ends."""

"""What every kind of log file comes down to: records, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import ByteView, Ints

MAX_RECORD_BYTES = 262_144
"""Wireshark takes no longer packet either; HCI's own end at 65,540 bytes. More is no log, or a damaged one."""


class Records(NamedTuple):
    """Records of one piece of a log, in its order; each field has one number a record.

    Attributes:
        view: the piece.
        offset: where the record's data begins in it.
        length: how many bytes of data the log holds; what was longer on the way says so itself.
        time_ns: since the epoch.
        link: how the data is wrapped (`datalinks`).
        interface: of the file; 0 where there is one only.
        flags: what the file says beside the data; its meaning depends on `link`.
    """

    view: ByteView
    offset: Ints
    length: Ints
    time_ns: Ints
    link: Ints
    interface: Ints
    flags: Ints


class NotALogError(OwnerError):
    """The file is none of those that hold HCI, or says something that no writer would."""


class RecordReader(Protocol):
    """Finds the records of one kind of file."""

    @property
    def damage(self) -> str:
        """Why nothing can be read from here on, or ""."""
        ...

    @property
    def foreign_content(self) -> str:
        """What part of the file is that is no Bluetooth HCI, in words, or ""."""
        ...

    def read(self, data: bytes) -> tuple[Records | None, int]:
        """The records that lie wholly in the data, and where to go on.

        The data goes on where the walk before ended. What is to be skipped may be longer than the data.
        """
        ...

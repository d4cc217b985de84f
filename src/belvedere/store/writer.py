"""Writes positions to the store in a thread of its own: whoever drives never waits for a disk, however stuck.

A position is believed after a restart only if it was written as sure with the axis at rest, and nothing moved since. So
the first thing written, at the start, is that none of them is sure; if that cannot be written, none of them is.
Only the newest position of each axis waits, and is tried again until the disk takes it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from belvedere.errors import StoreError
from belvedere.store.positions import LOST, Position, Positions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

OPEN_S = 2.0  # longer than a file may be locked; units that turn wait for their first stop meanwhile
LATE_S = 5.0  # a write that takes longer is told of
RETRY_FIRST_S = 0.5
RETRY_LONGEST_S = 30.0  # the disk may be full for weeks
MOST_DOUBLINGS = 10  # by then the longest is reached


class PositionWriter:
    """The store's file and its thread.

    `counted` are the axes whose position is reckoned; `open_file` opens the file, in the thread.
    """

    def __init__(self, path: Path, counted: Sequence[str], open_file: Callable[[Path], Positions] = Positions) -> None:
        self._path = path
        self._counted = counted
        self._open_file = open_file
        self._positions: Positions | None = None
        self._known = dict.fromkeys(counted, LOST)
        self._changed = threading.Condition()  # guards what follows
        self._wanted: dict[str, Position] = {}
        self._saved: dict[str, Position] = {}
        self._waiting_since: float | None = None
        self._is_closing = False
        self._was_last = False
        self._trouble: StoreError | None = None
        self._on_ended: Callable[[], None] = _ignore
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="positions")

    def open(self, within_s: float = OPEN_S) -> dict[str, Position]:
        """Begin, and tell where each counted axis stands; not sure of any where the file cannot be used by then."""
        self._thread.start()
        if self._opened.wait(within_s):
            return self._known
        logger.warning("%s: the disk does not answer; the position of the head is not known", self._path)
        return dict.fromkeys(self._counted, LOST)

    def put(self, positions: Mapping[str, Position]) -> None:
        """Have these written as soon as the disk can; they replace what waits. Never blocks."""
        with self._changed:
            self._wanted.update(positions)
            if self._waiting_since is None and self._news():
                self._waiting_since = time.monotonic()
            self._changed.notify_all()

    @property
    def is_saving(self) -> bool:
        """Whether what was put is on the disk, or will be in a moment."""
        with self._changed:
            is_late = self._waiting_since is not None and time.monotonic() - self._waiting_since > LATE_S
            return self._trouble is None and not is_late

    def close(self, on_ended: Callable[[], None]) -> None:
        """Write what is left, once, and give the file back; `on_ended` is then called from the thread."""
        with self._changed:
            self._on_ended = on_ended
            self._is_closing = True
            self._changed.notify_all()

    def unsaved(self) -> list[str]:
        """What is not on the disk, a line for each axis, for people."""
        with self._changed:
            why = self._trouble or f"{self._path}: the disk does not answer"
            return [f"the position of {axis}, {self._wanted[axis].deg:g} degrees: {why}" for axis in self._news()]

    def _news(self) -> dict[str, Position]:
        return {axis: wanted for axis, wanted in self._wanted.items() if self._saved.get(axis) != wanted}

    # in the thread

    def _run(self) -> None:
        failures = 0
        try:
            is_due = True
            while is_due:
                failures = 0 if self._save() else failures + 1
                self._opened.set()
                is_due = self._sleep(failures)
        finally:
            self._opened.set()
            if self._positions is not None:
                self._positions.close()
            self._on_ended()

    def _sleep(self, failures: int) -> bool:
        """Until there is something to write and it is time to try; False when nothing more will be."""
        with self._changed:
            if not failures:
                self._changed.wait_for(lambda: self._is_closing or self._news())
            else:
                is_lasting = self._trouble is not None and self._trouble.is_lasting
                wait_s = min(RETRY_FIRST_S * 2.0 ** min(failures - 1, MOST_DOUBLINGS), RETRY_LONGEST_S)
                self._changed.wait_for(lambda: self._is_closing, None if is_lasting else wait_s)
            if not self._is_closing:
                return True
            is_due = bool(self._news()) and not self._was_last
            self._was_last = True
            return is_due

    def _save(self) -> bool:
        """Write what is new; whether that went well."""
        try:
            positions = self._positions or self._opened_file()
            with self._changed:
                news = self._news()
            if news:
                positions.keep(news)
        except StoreError as error:
            self._receive_trouble(error)
            return False
        with self._changed:
            self._saved.update(news)
            self._waiting_since = time.monotonic() if self._news() else None
            if self._trouble is not None:
                logger.info("%s: the position of the head is saved again", self._path)
            self._trouble = None
        return True

    def _opened_file(self) -> Positions:
        """Open the file and learn what it holds, none of which is sure there from the next write on."""
        positions = self._open_file(self._path)
        try:
            kept = positions.all()
        except StoreError:
            positions.close()
            raise
        self._known = {axis: kept.get(axis, positions.unheard) for axis in self._counted}
        doubted = {axis: known.doubted for axis, known in {**kept, **self._known}.items()}
        with self._changed:
            self._wanted = {**doubted, **self._wanted}
        self._positions = positions
        return positions

    def _receive_trouble(self, error: StoreError) -> None:
        """Tell it once, until all is well again."""
        self._known = {axis: known.doubted for axis, known in self._known.items()}
        with self._changed:
            is_known, self._trouble = self._trouble is not None, error
        logger.log(
            logging.DEBUG if is_known else logging.WARNING,
            "could not save the position of the head, which will not be sure after a restart: %s",
            error,
        )


def _ignore() -> None:
    """Nobody needs to know."""

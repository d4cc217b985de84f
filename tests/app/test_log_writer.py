from __future__ import annotations

import fcntl
import logging
import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from belvedere.app.log_writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.realtime  # threads

PIPE_BYTES = 4096
READ_WITHIN_S = 10.0


class Pipe:
    """A pipe that takes one page until it is read."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.text = ""

    def read_until(self, words: str) -> str:
        while words not in self.text:
            self.text += os.read(self.reading, PIPE_BYTES).decode()
        return self.text


@contextmanager
def logging_to(pipe: Pipe, kept: int = 100) -> Iterator[logging.Logger]:
    writer = LogWriter(pipe.writing, kept=kept)
    writer.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")  # noqa: LOG001 - one that no other test knows
    logger.addHandler(writer)
    try:
        yield logger
    finally:
        writer.close()
        os.close(pipe.reading)
        os.close(pipe.writing)


def test_lines_are_written_in_order() -> None:
    pipe = Pipe()
    with logging_to(pipe) as logger:
        logger.info("one")
        logger.warning("two")
        assert pipe.read_until("two\n") == "INFO one\nWARNING two\n"


def test_whoever_logs_is_not_held_up_by_a_pipe_that_nobody_reads() -> None:
    pipe = Pipe()
    with logging_to(pipe) as logger:

        def log_much() -> None:
            for number in range(1000):
                logger.info("line %s %s", number, "x" * 100)

        logging_thread = threading.Thread(target=log_much, daemon=True)
        logging_thread.start()
        logging_thread.join(READ_WITHIN_S)
        assert not logging_thread.is_alive()
        text = pipe.read_until("were lost\n")
    assert "line 0 " in text
    assert "line 999 " not in text
    lost = re.search(r"the log was not taken in time: (\d+) lines were lost", text)
    assert lost is not None
    assert int(lost[1]) + text.count("INFO line") == 1000


def test_logging_goes_on_once_the_pipe_is_read_again() -> None:
    pipe = Pipe()
    with logging_to(pipe, kept=1) as logger:
        for number in range(200):
            logger.info("line %s %s", number, "x" * 100)
        pipe.read_until("were lost\n")
        logger.info("back again")
        assert "INFO back again" in pipe.read_until("again\n")


def test_a_reader_that_is_gone_hurts_nobody() -> None:
    pipe = Pipe()
    other = Pipe()
    with logging_to(pipe) as logger:
        os.dup2(other.reading, pipe.reading)
        logger.info("into nothing")
        logger.info("likewise")
        os.dup2(other.writing, pipe.writing)
        logger.info("to somebody")
        assert "to somebody" in other.read_until("somebody\n")
    os.close(other.reading)
    os.close(other.writing)


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    pipe = Pipe()
    os.set_blocking(pipe.writing, False)
    with logging_to(pipe) as logger:
        for number in range(80):
            logger.info("line %s %s", number, "x" * 100)
        assert pipe.read_until("line 79").count("line") == 80


def test_a_line_that_cannot_be_formatted_is_told_and_the_next_one_written() -> None:
    pipe = Pipe()
    with logging_to(pipe) as logger:
        logger.info("%d", "no number")
        logger.info("well")
        assert "could not be formatted: '%d'" in pipe.read_until("well\n")


def test_what_waits_is_written_before_the_end() -> None:
    pipe = Pipe()
    reading = os.dup(pipe.reading)
    with logging_to(pipe) as logger:
        for number in range(20):
            logger.info("line %s", number)
    assert os.read(reading, PIPE_BYTES).decode().count("line") == 20
    os.close(reading)


def test_a_stuck_pipe_does_not_keep_the_end_waiting() -> None:
    pipe = Pipe()
    with logging_to(pipe) as logger:
        logger.info("x" * 2 * PIPE_BYTES)
        logger.info("never written")
    # the end came, although nobody read
    assert logger.handlers

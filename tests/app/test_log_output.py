"""Logging never blocks, and nobody can fill the log."""

import asyncio
import fcntl
import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from belvedere.app.log_limits import LINES, WINDOW_S
from belvedere.app.log_output import (
    FLUSH_TIMEOUT_S,
    LONGEST_LINE,
    MAX_WAITING,
    LogOutput,
    logging_to,
    report_loop_error,
)
from belvedere.testing.clock import FakeClock

pytestmark = pytest.mark.realtime  # pipes and a thread are real

PIPE_BYTES = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A small pipe: its read end and its write end."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    yield ends
    for each in ends:
        os.close(each)


@contextmanager
def logger_on(output: LogOutput) -> Iterator[logging.Logger]:
    logger = logging.getLogger("belvedere.test_log_output")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(output)
    try:
        yield logger
    finally:
        logger.removeHandler(output)
        logger.propagate = True
        output.close()


def test_lines_are_written_in_order(pipe: tuple[int, int]) -> None:
    with logger_on(LogOutput(pipe[1])) as logger:
        logger.info("first %d", 1)
        logger.critical("last")
    assert os.read(pipe[0], 1000) == (
        b"INFO belvedere.test_log_output: first 1\nCRITICAL belvedere.test_log_output: last\n"
    )


@pytest.mark.alone
def test_a_pipe_that_nobody_reads_blocks_nothing() -> None:
    reading, writing = os.pipe()
    output = LogOutput(writing)
    with logger_on(output) as logger:
        done = threading.Event()

        def log() -> None:
            for number in range(MAX_WAITING * 2):
                logger.critical("%d %s", number, "x" * 1000)
            done.set()

        threading.Thread(target=log, daemon=True).start()
        assert done.wait(10)
        began_at = time.monotonic()
        output.close()
        assert time.monotonic() - began_at < 2 * FLUSH_TIMEOUT_S + 0.5
        text = bytearray()
        reader = threading.Thread(target=lambda: text.extend(_all_of(reading)))
        reader.start()  # reading again shows how many lines are missing
    os.close(writing)
    reader.join(10)
    assert text.startswith(b"CRITICAL belvedere.test_log_output: 0 x")
    assert b" log lines that could not be written in time\n" in text


def _all_of(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def test_a_non_blocking_pipe_is_written_to_once_it_has_room(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    with logger_on(LogOutput(pipe[1])) as logger:
        for number in range(100):
            logger.critical("%d %s", number, "x" * 100)
        text = b""
        while b": 99 " not in text:
            text += os.read(pipe[0], PIPE_BYTES)
    assert text.count(b"CRITICAL") == 100


def test_a_pipe_that_was_closed_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with logger_on(LogOutput(writing)) as logger:
        logger.info("nobody hears this")
    os.close(writing)


def test_frequent_lines_are_counted(pipe: tuple[int, int]) -> None:
    clock = FakeClock()
    with logger_on(LogOutput(pipe[1], clock)) as logger:
        for number in range(LINES + 214):
            logger.warning("a stranger did %d", number)
        for _ in range(2):
            logger.critical("always said")
        clock.advance(WINDOW_S)
        logger.warning("something else")
    lines = os.read(pipe[0], PIPE_BYTES).decode().splitlines()
    assert sum("a stranger did" in line for line in lines) == LINES + 1
    assert "WARNING belvedere.test_log_output: a stranger did %d … and 214 more in the last 60 s" in lines
    assert sum("always said" in line for line in lines) == 2


def test_suppressed_lines_are_reported_on_closing(pipe: tuple[int, int]) -> None:
    with logger_on(LogOutput(pipe[1])) as logger:
        for _ in range(LINES + 1):
            logger.warning("again")
    assert os.read(pipe[0], PIPE_BYTES).decode().endswith("again … and 1 more in the last 60 s\n")


def test_a_message_stays_one_short_line_whatever_it_contains(pipe: tuple[int, int]) -> None:
    with logger_on(LogOutput(pipe[1])) as logger:
        logger.warning("said %s", "a\r\nERROR belvedere: forged \x1b[2J\u2028" + "x" * 10_000)
    text = os.read(pipe[0], PIPE_BYTES * 4).decode()
    assert text.count("\n") == 1
    assert "\\r\\nERROR" in text
    assert "\x1b" not in text
    assert len(text) <= LONGEST_LINE + 1


def test_a_line_that_cannot_be_formatted_is_reported_as_such(pipe: tuple[int, int]) -> None:
    with logger_on(LogOutput(pipe[1])) as logger:
        logger.error("one %d", "no number")
    assert b"a line that cannot be formatted (TypeError)\n" in os.read(pipe[0], PIPE_BYTES)


def test_logging_is_redirected_until_the_end_of_the_block(pipe: tuple[int, int]) -> None:
    with logging_to(pipe[1]):
        logging.getLogger("belvedere.somewhere").info("within")
        logging.getLogger("aioice").warning("chatter")
    logging.getLogger("belvedere.somewhere").info("after")
    assert os.read(pipe[0], PIPE_BYTES) == b"INFO belvedere.somewhere: within\n"


class FailsInTheEnd:
    def __del__(self) -> None:
        raise LookupError("in the end")


def fail() -> None:
    raise LookupError("in a thread")


def test_pythons_own_messages_for_stderr_are_logged(pipe: tuple[int, int], capfd: pytest.CaptureFixture[str]) -> None:
    os.set_blocking(pipe[0], False)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with logging_to(pipe[1]):
            warnings.warn("beware", RuntimeWarning, stacklevel=1)
            FailsInTheEnd()
            thread = threading.Thread(target=fail, name="one")
            thread.start()
            thread.join()
    text = os.read(pipe[0], PIPE_BYTES * 4).decode()
    assert "WARNING py.warnings: " in text
    assert "RuntimeWarning: beware" in text
    assert "FailsInTheEnd.__del__" in text
    assert "a thread failed: one" in text
    assert text.count("Traceback") == 2
    assert capfd.readouterr() == ("", "")


async def test_an_unhandled_error_of_the_loop_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    report_loop_error(loop, {"message": "accept() failed", "exception": OSError(24, "Too many open files")})
    report_loop_error(loop, {"message": "a task failed", "exception": LookupError("x")})
    report_loop_error(loop, {"message": "something"})
    told = [(each.levelname, each.getMessage(), each.exc_info is None) for each in caplog.records]
    assert told == [
        ("WARNING", "accept() failed OSError: [Errno 24] Too many open files", True),
        ("ERROR", "a task failed LookupError: x", False),
        ("ERROR", "something ", True),
    ]

"""The single slot in which a command may wait."""

from __future__ import annotations

from belvedere.link.mailbox import Letter, Mailbox

STOP = Letter(b"\x00", 0.0, is_stop=True)
MOVE, NEWER = Letter(b"\x01", 0.5, is_stop=False), Letter(b"\x02", 0.6, is_stop=False)


def test_nothing_waits_at_first() -> None:
    assert Mailbox().take() is None


def test_what_was_put_is_taken_once() -> None:
    mailbox = Mailbox()
    mailbox.put(MOVE)
    assert (mailbox.letter, mailbox.take(), mailbox.take(), mailbox.letter) == (MOVE, MOVE, None, None)


def test_a_newer_move_replaces_an_older_one() -> None:
    mailbox = Mailbox()
    mailbox.put(MOVE)
    mailbox.put(NEWER)
    assert (mailbox.take(), mailbox.take()) == (NEWER, None)


def test_a_stop_replaces_a_move_that_waits() -> None:
    mailbox = Mailbox()
    mailbox.put(MOVE)
    mailbox.put(STOP)
    assert (mailbox.take(), mailbox.take()) == (STOP, None)


def test_a_move_after_a_stop_waits_behind_it_and_only_the_newest_does() -> None:
    mailbox = Mailbox()
    for letter in (STOP, MOVE, NEWER):
        mailbox.put(letter)
    assert (mailbox.take(), mailbox.take(), mailbox.take()) == (STOP, NEWER, None)


def test_a_stop_can_be_forgotten_alone() -> None:
    mailbox = Mailbox()
    mailbox.put(STOP)
    mailbox.put(MOVE)
    mailbox.drop_stop()
    assert (mailbox.take(), mailbox.take()) == (MOVE, None)


def test_everything_can_be_forgotten() -> None:
    mailbox = Mailbox()
    mailbox.put(STOP)
    mailbox.put(MOVE)
    mailbox.clear()
    assert mailbox.take() is None

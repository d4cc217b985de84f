"""The single slot in which a command may wait."""

from __future__ import annotations

from belvedere.link.mailbox import Letter, Mailbox

MOVE, STOP = Letter(b"\x01", 0.5, is_stop=False), Letter(b"\x00", 0.0, is_stop=True)


def test_nothing_waits_at_first() -> None:
    assert Mailbox().take() is None


def test_what_was_put_is_taken_once() -> None:
    mailbox = Mailbox()
    mailbox.put(MOVE)
    assert (mailbox.letter, mailbox.take(), mailbox.take(), mailbox.letter) == (MOVE, MOVE, None, None)


def test_a_newer_letter_replaces_an_older_one() -> None:
    mailbox = Mailbox()
    mailbox.put(MOVE)
    mailbox.put(STOP)
    assert (mailbox.take(), mailbox.take()) == (STOP, None)

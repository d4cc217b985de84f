"""Lets connections parse what they received one after the other, one in every few turns of the event loop.

A loop calls every protocol that received something before it looks at the sockets again. With a hundred busy clients
that takes tens of milliseconds, in which what the driver sends waits. So a protocol only stores what it received, and
requests its turn. Between two turns the loop reads the sockets, and what the driver sent needs no turn.

What is parsed starts work that goes on in the next turns of the loop: a request's handler has a step in each. If there
were a request in every turn, each turn would have a step of every unfinished request, and a stop, which takes four or
five turns from its socket to the radio, would wait for all of them.

Connections of people with a session have every second reading of those for which both wait. So strangers, of whom there
may be hundreds, each with a byte of a request that never ends, delay no visitor's stop and no closing of the curtain.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


EVERY = 4  # turns of the loop: about as many as a request's handler takes


class ReadTurns:
    """The turns of all connections of a server: first come, first served, among people and among strangers."""

    def __init__(self) -> None:
        self._people: deque[ReadTurn] = deque()
        self._strangers: deque[ReadTurn] = deque()
        self._is_strangers_turn = False  # where both wait
        self._next: asyncio.Handle | None = None
        self._rest = 0  # turns of the loop until the next one reads

    def new(self, read: Callable[[], None]) -> ReadTurn:
        """The turns of one connection. `read` must bound what it does, must not raise, and may request another turn."""
        return ReadTurn(self, read)

    def give(self, turn: ReadTurn) -> None:
        """Have it read: now if nothing has been read in the last few turns of the loop, otherwise in a later one."""
        (self._people if turn.is_of_person else self._strangers).append(turn)
        if self._next is None:
            self._read_next()

    def _read_next(self) -> None:
        self._rest = max(0, self._rest - 1)
        is_waited_for = bool(self._people or self._strangers)
        if not is_waited_for and not self._rest:
            self._next = None
            return
        self._next = asyncio.get_running_loop().call_soon(self._read_next)
        if is_waited_for and not self._rest:
            self._rest = EVERY
            self._first().receive()

    def _first(self) -> ReadTurn:
        is_strangers = bool(self._strangers) and (self._is_strangers_turn or not self._people)
        self._is_strangers_turn = not is_strangers
        return (self._strangers if is_strangers else self._people).popleft()


class ReadTurn:
    """The turns of one connection, which waits for at most one at a time.

    Attributes:
        is_of_person: whether it is the connection of somebody with a session, as far as is known.
    """

    def __init__(self, turns: ReadTurns, read: Callable[[], None]) -> None:
        self.is_of_person = False
        self._turns, self._read = turns, read
        self._is_waiting = False

    def request(self) -> None:
        """Read soon; does nothing while a turn is due."""
        if not self._is_waiting:
            self._is_waiting = True
            self._turns.give(self)

    def receive(self) -> None:
        """It is this connection's turn."""
        self._is_waiting = False
        self._read()

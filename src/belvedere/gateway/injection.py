"""What handlers are given by name: `dependencies`, `visitor`, and the gateway's own limits."""

from typing import TYPE_CHECKING, cast

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from litestar.types import Scope

from belvedere.access.sessions import Session
from belvedere.engine.timed_drive import TimedDrive
from belvedere.gateway.control_sockets import ControlSockets
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.page_files import PageFiles
from belvedere.gateway.socket_limit import SocketLimit
from belvedere.token_bucket import TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Mapping

# they come from us and not from the wire: nothing is to be validated
InjectedDependencies = NamedDependency[SkipValidation[Dependencies]]
InjectedVisitor = NamedDependency[SkipValidation[Session]]
InjectedSocketLimit = NamedDependency[SkipValidation[SocketLimit]]
InjectedTimedDrive = NamedDependency[SkipValidation[TimedDrive]]
InjectedSockets = NamedDependency[SkipValidation[ControlSockets]]
InjectedFiles = NamedDependency[SkipValidation[PageFiles]]
InjectedOffers = NamedDependency[SkipValidation[TokenBuckets]]

MAX_SOCKETS = 64  # sockets; a household with visitors has a handful
MAX_SOCKETS_PER_VISITOR = 8  # tabs and devices of one visitor, with those that have not yet noticed that they are dead
OFFERS_PER_S = 1.0  # a picture that is lost is asked for again every few seconds at most
OFFERS_BURST = 10.0


def injected(dependencies: Dependencies, timed_drive: TimedDrive, sockets: ControlSockets) -> "Mapping[str, Provide]":
    """The dependencies of an application over these parts."""
    socket_limit = SocketLimit(MAX_SOCKETS, MAX_SOCKETS_PER_VISITOR)
    offers = TokenBuckets(OFFERS_PER_S, OFFERS_BURST)
    values: dict[str, object] = {
        "dependencies": dependencies,
        "timed_drive": timed_drive,
        "sockets": sockets,
        "socket_limit": socket_limit,
        "offers": offers,
        "files": PageFiles(dependencies.page),
    }
    provides = {name: Provide(_Constant(value), sync_to_thread=False) for name, value in values.items()}
    return {**provides, "visitor": Provide(_visitor, sync_to_thread=False)}


class _Constant:
    """Always gives the same value."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __call__(self) -> object:
        return self._value


def _visitor(scope: Scope) -> Session:
    """The session that the doorkeeper found; only routes behind it may ask."""
    return cast("Session", scope["auth"])

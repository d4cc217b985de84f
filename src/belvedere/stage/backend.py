"""The heavy libraries behind the stage, aiortc and FFmpeg: 50 MiB and 0.25 s to import, so imported at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.stage.memory_tuning import permanent_objects, reduce_memory
from belvedere.stage.producer import Producer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from belvedere.stage.direct.peer import PeerFactory
    from belvedere.stage.options import StageOptions
    from belvedere.stage.producer import ProducerListener
    from belvedere.stage.sources.source import VideoSource


class PictureProducer(Protocol):
    """Reads and encodes pictures; `producer.Producer` documents the methods."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None: ...  # noqa: D102 (documented there)

    def stop(self) -> None: ...  # noqa: D102 (documented there)

    def abandon(self) -> None: ...  # noqa: D102 (documented there)

    def request_idr(self) -> None: ...  # noqa: D102 (documented there)

    def silent_s(self) -> float: ...  # noqa: D102 (documented there)

    async def wait_off(self) -> bool: ...  # noqa: D102 (documented there)


class ProducerFactory(Protocol):
    """Creates the one producer of a stage, turned off."""

    def __call__(
        self,
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        clock: Callable[[], float],
        listener: ProducerListener,
        /,
    ) -> PictureProducer:
        """Create a producer that gets its sources from `source_factory`."""
        ...


class StageBackend(NamedTuple):
    """The factories from which a stage is built."""

    peer: PeerFactory
    producer: ProducerFactory


def load_backend() -> StageBackend:
    """Load aiortc and FFmpeg. The first call takes 0.25 s, so it belongs in a thread. Raises OwnerError."""
    with permanent_objects():
        reduce_memory()
        from belvedere.stage.direct.aiortc_peer import DirectPeer  # noqa: PLC0415 (the point of this module)
        from belvedere.stage.encoding.encoder import X264Encoder  # noqa: PLC0415 (the point of this module)

    def producer(
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        clock: Callable[[], float],
        listener: ProducerListener,
    ) -> Producer:
        return Producer(source_factory, X264Encoder, options, clock, listener)

    return StageBackend(DirectPeer, producer)
